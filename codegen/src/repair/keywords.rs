//! `nullable: "true"`, `maxLength: "128"`, `required: true` on a property, a required property that
//! is nowhere declared.

use serde_json::Value;

use crate::node::{self, Map};

const FLAGS: [&str; 7] = [
    "nullable",
    "readOnly",
    "writeOnly",
    "deprecated",
    "uniqueItems",
    "exclusiveMinimum",
    "exclusiveMaximum",
];
const NUMBERS: [&str; 8] =
    ["minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties"];

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    let mut done = Vec::new();
    for (keywords, parse) in [(&FLAGS[..], flag as fn(&str) -> Option<Value>), (&NUMBERS[..], number)] {
        for keyword in keywords {
            let Some(text) = node::text(schema, keyword) else { continue };
            done.push(format!("`{keyword}` was the string \"{text}\""));
            match parse(text) {
                Some(value) => schema.insert((*keyword).into(), value),
                None => schema.shift_remove(*keyword),
            };
        }
    }
    match schema.get("required") {
        Some(Value::Array(_)) if schema.contains_key("properties") && !schema.contains_key("allOf") => {
            let known = schema.get("properties").cloned().unwrap_or_default();
            let Some(Value::Array(names)) = schema.get_mut("required") else { return None };
            names.retain(|name| {
                let there = name.as_str().is_some_and(|name| known.get(name).is_some());
                if !there {
                    done.push(format!("required property {name} is not declared"));
                }
                there
            });
            if names.is_empty() {
                schema.shift_remove("required");
            }
        }
        Some(Value::Array(_)) | None => {}
        Some(other) => {
            done.push(format!("`required: {other}` says nothing on a schema"));
            schema.shift_remove("required");
        }
    }
    (!done.is_empty()).then(|| done.join("; "))
}

fn flag(text: &str) -> Option<Value> {
    text.trim().to_ascii_lowercase().parse::<bool>().ok().map(Value::Bool)
}

fn number(text: &str) -> Option<Value> {
    serde_json::from_str(text.trim()).ok().filter(Value::is_number)
}
