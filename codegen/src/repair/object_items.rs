//! `type: object` with `items`: the object is what the items say.

use serde_json::Value;

use crate::node::Map;

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    if schema.get("type").is_none_or(|kind| kind != "object") || schema.contains_key("properties") {
        return None;
    }
    let Some(Value::Object(items)) = schema.shift_remove("items") else { return None };
    schema.shift_remove("type");
    let shown = Value::Object(items.clone());
    for (key, value) in items {
        schema.entry(key).or_insert(value);
    }
    Some(format!("`type: object` had `items`, which now describe the object: {shown}"))
}
