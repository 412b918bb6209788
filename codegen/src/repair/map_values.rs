//! A map whose own example holds values of another type than it declares: its values are any.

use serde_json::Value;

use crate::node::{self, Map};

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    let example = schema.get("example")?.clone();
    let mut told = None;
    loosen(schema, &example, &mut told);
    told
}

/// Walks the lists and maps of a schema beside its example.
fn loosen(schema: &mut Map, example: &Value, told: &mut Option<String>) {
    match example {
        Value::Array(examples) => {
            if let Some(items) = schema.get_mut("items").and_then(Value::as_object_mut) {
                examples.iter().for_each(|example| loosen(items, example, told));
            }
        }
        Value::Object(examples) if !schema.contains_key("properties") => {
            let Some(values) = schema.get_mut("additionalProperties").and_then(Value::as_object_mut) else {
                return;
            };
            let kind = node::text(values, "type").unwrap_or_default().to_owned();
            match examples.iter().find(|(_, value)| !is(value, &kind)) {
                Some((key, value)) => {
                    *told = Some(format!(
                        "values are declared as {kind}, but `{key}` is shown as {value}; any is taken"
                    ));
                    schema.insert("additionalProperties".into(), true.into());
                }
                None => examples.values().for_each(|example| loosen(values, example, told)),
            }
        }
        _ => {}
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string() || value.is_null(),
        "integer" => value.is_i64() || value.is_u64() || value.is_null(),
        "number" => value.is_number() || value.is_null(),
        "boolean" => value.is_boolean() || value.is_null(),
        _ => true,
    }
}
