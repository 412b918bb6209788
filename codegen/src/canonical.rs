//! The canonical form of a document: one order of keys, nothing of ours left in it, as YAML.

use serde_json::Value;

use crate::node::{self, Map, ORIGIN};

/// The order of keys; what is not listed follows, extensions last. One list serves all objects,
/// since no two of them use a key for different things.
const ORDER: [&str; 60] = [
    "openapi",
    "title",
    "operationId",
    "name",
    "in",
    "summary",
    "description",
    "url",
    "required",
    "type",
    "format",
    "nullable",
    "enum",
    "default",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "properties",
    "additionalProperties",
    "minProperties",
    "maxProperties",
    "allOf",
    "oneOf",
    "anyOf",
    "not",
    "discriminator",
    "deprecated",
    "readOnly",
    "writeOnly",
    "style",
    "explode",
    "schema",
    "content",
    "headers",
    "example",
    "examples",
    "value",
    "info",
    "servers",
    "variables",
    "security",
    "tags",
    "externalDocs",
    "parameters",
    "requestBody",
    "responses",
    "paths",
    "components",
    "schemas",
    "securitySchemes",
    "$ref",
];

/// Puts the document in canonical form.
pub fn order(document: &mut Value) {
    sort(document, Names::Keywords);
}

/// What the keys of an object are.
#[derive(Clone, Copy, PartialEq)]
enum Names {
    /// Keywords of OpenAPI.
    Keywords,
    /// Names in the document's own order: properties, statuses.
    Kept,
    /// Names in alphabetical order: components, paths.
    Sorted,
    /// Data, not to be touched.
    Data,
}

fn sort(node: &mut Value, names: Names) {
    match node {
        Value::Object(_) if names == Names::Data => {}
        Value::Object(map) => {
            map.shift_remove(ORIGIN);
            if names == Names::Keywords {
                bare_reference(map);
            }
            for (key, value) in map.iter_mut() {
                let inner = match (names, key.as_str()) {
                    (Names::Keywords, "example" | "examples" | "default" | "enum") => Names::Data,
                    (Names::Keywords, key) if key.starts_with("x-") => Names::Data,
                    (Names::Keywords, "properties" | "variables" | "mapping" | "scopes") => Names::Kept,
                    (
                        Names::Keywords,
                        "paths" | "schemas" | "securitySchemes" | "content" | "headers" | "responses",
                    ) => Names::Sorted,
                    _ => Names::Keywords,
                };
                // Under `components`, parameters and responses are named; in an operation they are lists
                // and statuses. Either way names are sorted, and lists keep their order.
                sort(value, inner);
            }
            if names != Names::Kept {
                let mut entries: Vec<(String, Value)> = std::mem::take(map).into_iter().collect();
                match names {
                    Names::Sorted => entries.sort_by(|(one, _), (other, _)| one.cmp(other)),
                    _ => entries.sort_by_key(|(key, _)| rank(key)),
                }
                *map = Map::from_iter(entries);
            }
        }
        Value::Array(items) if names != Names::Data => {
            items.iter_mut().for_each(|item| sort(item, Names::Keywords))
        }
        _ => {}
    }
}

/// A reference needs no `allOf` where nothing stands beside it.
fn bare_reference(map: &mut Map) {
    if let (1, [Value::Object(only)]) = (map.len(), node::items(map, "allOf"))
        && only.contains_key("$ref")
    {
        *map = only.clone();
    }
}

fn rank(key: &str) -> usize {
    // The parts of `components` come in the order a reader looks for them.
    let last = ORDER.len() + usize::from(key.starts_with("x-"));
    ORDER.iter().position(|known| *known == key).unwrap_or(last)
}
