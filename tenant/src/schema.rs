//! OpenAPI 3.0 schemas as JSON Schema, which has no `nullable` and does not check the range of an `int32`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Rewrites every schema in a document in place.
pub(crate) fn to_json_schema(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(to_json_schema),
        Value::Object(object) => {
            object.values_mut().for_each(to_json_schema);
            if object.get("format").is_some_and(|format| format == "int32") {
                object.entry("minimum").or_insert_with(|| i32::MIN.into());
                object.entry("maximum").or_insert_with(|| i32::MAX.into());
            }
            if object.remove("nullable") == Some(Value::Bool(true)) {
                *node = with_null(std::mem::take(object));
            }
        }
        _ => {}
    }
}

fn with_null(mut schema: Map<String, Value>) -> Value {
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::String(kind)) => {
            let kinds = json!([kind, "null"]);
            schema.insert("type".to_owned(), kinds);
            Value::Object(schema)
        }
        _ => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}

/// Makes validators for schemas that refer to the components of one document, each schema once: most
/// operations share their error bodies.
pub(crate) struct Compiler<'a> {
    components: &'a Value,
    made: RefCell<HashMap<String, Arc<Validator>>>,
}

impl<'a> Compiler<'a> {
    pub(crate) fn new(components: &'a Value) -> Self {
        Self { components, made: RefCell::default() }
    }

    pub(crate) fn compile(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let key = schema.to_string();
        if let Some(known) = self.made.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let whole = match key.contains("$ref") {
            true => json!({"allOf": [schema], "components": self.components}),
            false => schema.clone(),
        };
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&whole)
            .map_err(|error| error.to_string())?;
        Ok(Arc::clone(self.made.borrow_mut().entry(key).or_insert(Arc::new(validator))))
    }
}

/// What is wrong with a value, if anything is.
pub(crate) fn complaint(validator: &Validator, value: &Value) -> Option<String> {
    let error = validator.iter_errors(value).next()?;
    let place = error.instance_path().to_string();
    let place = if place.is_empty() { String::new() } else { format!(" (at {place})") };
    let mut text = error.to_string();
    if let Some((end, _)) = text.char_indices().nth(300) {
        text.truncate(end);
    }
    Some(format!("{text}{place}"))
}
