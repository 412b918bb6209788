//! A default that is not of the schema's type: turned into it where that loses nothing, else dropped.

use serde_json::Value;

use super::fit::fit;
use crate::node::Map;

pub(super) fn mend(schema: &mut Map, known: &Map) -> Option<String> {
    let default = schema.shift_remove("default")?;
    let fitted = fit(&Value::Object(schema.clone()), &default, known);
    if let Some(fitted) = &fitted {
        schema.insert("default".into(), fitted.clone());
    }
    match fitted {
        Some(fitted) if fitted == default => None,
        Some(fitted) => Some(format!("`default: {default}` is now {fitted}")),
        None => Some(format!("`default: {default}` does not fit and is dropped")),
    }
}
