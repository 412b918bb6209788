//! A null among the values of an enum: the value may be null.

use serde_json::Value;

use crate::node::Map;

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    let string = schema.get("type").is_some_and(|kind| kind == "string");
    let Some(Value::Array(values)) = schema.get_mut("enum") else { return None };
    let before = values.clone();
    values.retain(|value| !value.is_null());
    let null = values.len() < before.len();
    if string {
        // YAML reads a bare `on`, `yes` or `1` as something else than the word it was meant to be.
        for value in values.iter_mut().filter(|value| !value.is_string()) {
            *value = value.to_string().into();
        }
    }
    let mut seen = Vec::new();
    values.retain(|value| {
        !seen.contains(value) && {
            seen.push(value.clone());
            true
        }
    });
    if *values == before {
        return None;
    }
    if values.is_empty() {
        schema.shift_remove("enum");
    }
    if null {
        schema.insert("nullable".into(), true.into());
    }
    Some(format!("`enum` was {}{}", Value::Array(before), if null { "; now nullable" } else { "" }))
}
