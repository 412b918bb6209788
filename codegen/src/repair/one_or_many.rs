//! An array whose own example is one object: both come, so both are taken.

use serde_json::{Value, json};

use super::fit::fit;
use crate::node::Map;

pub(super) fn mend(schema: &mut Map, known: &Map) -> Option<String> {
    let array = schema.get("type").is_some_and(|kind| kind == "array");
    let (Some(Value::Object(example)), Some(items)) = (schema.get("example"), schema.get("items")) else {
        return None;
    };
    let of_objects =
        items.get("type").is_some_and(|kind| kind == "object") && items.get("properties").is_none();
    // Where the items are a model, the example is one item of the list, not another shape.
    if !array || !of_objects || fit(items, &Value::Object(example.clone()), known).is_none() {
        return None;
    }
    let items = schema.shift_remove("items")?;
    schema.shift_remove("type");
    schema.insert("oneOf".into(), json!([{ "type": "array", "items": items }, items]));
    Some("is an array by its type and an object by its example; both are taken".into())
}
