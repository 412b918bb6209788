//! `$ref` beside other keys, which OpenAPI 3.0 ignores: the reference goes into an `allOf` of one,
//! where `nullable` and `description` beside it count.

use serde_json::Value;

use crate::node::{Map, ORIGIN};

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    if schema.keys().filter(|key| *key != ORIGIN).count() < 2 {
        return None;
    }
    let target = schema.shift_remove("$ref")?;
    let siblings: Vec<String> =
        schema.keys().filter(|key| *key != ORIGIN).map(|key| format!("`{key}`")).collect();
    let reference = Value::Object(Map::from_iter([("$ref".to_owned(), target)]));
    match schema.get_mut("allOf") {
        Some(Value::Array(members)) => members.insert(0, reference),
        _ => {
            schema.insert("allOf".into(), Value::Array(vec![reference]));
        }
    }
    Some(format!("{} beside `$ref` would be lost; kept beside an `allOf`", siblings.join(", ")))
}
