//! A type that OpenAPI 3.0 does not have (`date-time`, a list of types), or none where the rest of
//! the schema tells which it is.

use serde_json::Value;

use crate::node::Map;

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "array", "object"];

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    match schema.get("type").cloned() {
        None => infer(schema),
        Some(Value::String(kind)) if TYPES.contains(&kind.as_str()) => None,
        Some(Value::String(kind)) => Some(replace(schema, &kind)),
        Some(Value::Array(kinds)) => {
            let named: Vec<&str> =
                kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
            if named.len() < kinds.len() {
                schema.insert("nullable".into(), true.into());
            }
            match named[..] {
                [only] => schema.insert("type".into(), only.into()),
                _ => schema.shift_remove("type"),
            };
            Some(format!("`type` was a list, {}", Value::Array(kinds)))
        }
        Some(other) => {
            schema.shift_remove("type");
            Some(format!("`type: {other}` is none"))
        }
    }
}

fn replace(schema: &mut Map, kind: &str) -> String {
    let (known, format) = match kind.to_ascii_lowercase().as_str() {
        "date-time" | "datetime" | "timestamp" => (Some("string"), Some("date-time")),
        "date" => (Some("string"), Some("date")),
        "uuid" | "uri" | "email" | "enum" | "str" | "text" => (Some("string"), None),
        "binary" | "file" => (Some("string"), Some("binary")),
        "int" | "int32" | "int64" | "long" | "short" => (Some("integer"), None),
        "float" | "double" | "decimal" => (Some("number"), None),
        "bool" => (Some("boolean"), None),
        "list" | "set" => (Some("array"), None),
        "map" | "dict" => (Some("object"), None),
        lower => (TYPES.into_iter().find(|known| *known == lower), None),
    };
    match known {
        Some(known) => schema.insert("type".into(), known.into()),
        None => schema.shift_remove("type"),
    };
    if let Some(format) = format {
        schema.entry("format").or_insert_with(|| format.into());
    }
    format!("`type: {kind}` is none; taken as {}", known.unwrap_or("any value"))
}

fn infer(schema: &mut Map) -> Option<String> {
    if ["$ref", "allOf", "oneOf", "anyOf", "not"].iter().any(|key| schema.contains_key(*key)) {
        return None;
    }
    let (kind, from) = if schema.contains_key("properties") || schema.contains_key("additionalProperties") {
        ("object", "its properties")
    } else if schema.contains_key("items") {
        ("array", "its items")
    } else if let Some(Value::Array(values)) = schema.get("enum") {
        (values.iter().find_map(kind_of)?, "its enum")
    } else if let Some(kind) = schema.get("default").and_then(kind_of) {
        (kind, "its default")
    } else {
        // An example shows one value: only a plain string is likely to speak for all.
        schema.get("example").filter(|example| example.is_string())?;
        ("string", "its example")
    };
    schema.insert("type".into(), kind.into());
    Some(format!("has no `type`; {kind} after {from}"))
}

fn kind_of(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}
