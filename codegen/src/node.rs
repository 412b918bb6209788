//! The document as a tree of JSON values, and walks over it.
//!
//! Everything up to the canonical document works on plain JSON values, because what the vendor
//! publishes is not always valid OpenAPI, and a typed model would refuse it before it can be mended.

use std::fmt;

use serde_json::Value;

/// A JSON object that keeps its order.
pub type Map = serde_json::Map<String, Value>;

/// Marks, while a document is being worked on, where a node was read from.
pub const ORIGIN: &str = "x-codegen-origin";

/// The methods an OpenAPI path item can hold.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Where the schemas of a self-contained document live.
pub const SCHEMAS: &str = "#/components/schemas/";

/// A place in a document: a file and a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    file: String,
    pointer: String,
}

impl Place {
    /// The top of a file.
    pub fn top(file: impl Into<String>) -> Place {
        Place { file: file.into(), pointer: String::new() }
    }

    /// The place one step down.
    pub fn child(&self, key: &str) -> Place {
        let key = key.replace('~', "~0").replace('/', "~1");
        Place { file: self.file.clone(), pointer: format!("{}/{key}", self.pointer) }
    }

    /// The place a pointer names in the same file.
    pub fn pointer(&self, pointer: &str) -> Place {
        Place { file: self.file.clone(), pointer: pointer.to_owned() }
    }

    /// Where `node`, which stands at `self`, was read from.
    fn of(&self, node: &Map) -> Place {
        match node.get(ORIGIN).and_then(Value::as_str).and_then(|origin| origin.split_once('#')) {
            Some((file, pointer)) => Place { file: file.into(), pointer: pointer.into() },
            None => self.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.file, self.pointer)
    }
}

/// The object under `keys`, if all of them are there and it is one.
pub fn object<'a>(node: &'a Value, keys: &[&str]) -> Option<&'a Map> {
    keys.iter().try_fold(node, |node, key| node.get(key))?.as_object()
}

/// [`object`], to be changed.
pub fn object_mut<'a>(node: &'a mut Value, keys: &[&str]) -> Option<&'a mut Map> {
    keys.iter().try_fold(node, |node, key| node.get_mut(key))?.as_object_mut()
}

/// The string under `key`.
pub fn text<'a>(node: &'a Map, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Value::as_str)
}

/// Whether `key` is there and true.
pub fn is_true(node: &Map, key: &str) -> bool {
    node.get(key) == Some(&Value::Bool(true))
}

/// The items under `key`; none where it is absent or no array.
pub fn items<'a>(node: &'a Map, key: &str) -> &'a [Value] {
    node.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The name of the component a schema refers to.
pub fn component(schema: &Map) -> Option<&str> {
    text(schema, "$ref")?.strip_prefix(SCHEMAS)
}

/// The component a schema stands for: itself a reference, or one wrapped in a single `allOf` (which
/// is how a reference carries a description or `nullable` in OpenAPI 3.0).
pub fn wrapped(schema: &Map) -> Option<&str> {
    component(schema).or_else(|| match items(schema, "allOf") {
        [Value::Object(only)] if !schema.contains_key("properties") => component(only),
        _ => None,
    })
}

/// A reference to a component.
pub fn reference(name: &str) -> Value {
    serde_json::json!({ "$ref": format!("{SCHEMAS}{name}") })
}

/// One operation of a document.
pub struct Operation<'a> {
    /// The path template.
    pub path: &'a str,
    /// The method, in lower case.
    pub method: &'a str,
    /// The operation object.
    pub node: &'a Map,
}

impl Operation<'_> {
    /// Its operation id, empty where it has none.
    pub fn id(&self) -> &str {
        text(self.node, "operationId").unwrap_or_default()
    }
}

/// The operations of a document, in its order.
pub fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    object(document, &["paths"]).into_iter().flatten().flat_map(|(path, item)| {
        METHODS
            .into_iter()
            .filter_map(move |method| Some(Operation { path, method, node: item.get(method)?.as_object()? }))
    })
}

/// Calls `visit` with each operation: its path template, method, object and place.
pub fn operations_mut(document: &mut Value, file: &str, visit: &mut dyn FnMut(&str, &str, &mut Map, &Place)) {
    let paths = Place::top(file).child("paths");
    for (path, item) in object_mut(document, &["paths"]).into_iter().flatten() {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                let place = paths.child(path).child(method).of(operation);
                visit(path, method, operation, &place);
            }
        }
    }
}

/// What holds a schema at the top of its tree.
pub enum Holder<'a> {
    /// A component, by name.
    Component(&'a str),
    /// A parameter of an operation: operation id, parameter name.
    Parameter(&'a str, &'a str),
    /// A request body: operation id.
    Request(&'a str),
    /// A response: operation id, status.
    Response(&'a str, &'a str),
}

/// Calls `visit` with the top of each tree of schemas in the document.
pub fn roots_mut(document: &mut Value, file: &str, visit: &mut dyn FnMut(Holder<'_>, &mut Map, &Place)) {
    operations_mut(document, file, &mut |_, _, operation, place| {
        let id = text(operation, "operationId").unwrap_or_default().to_owned();
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let Some(parameter) = parameter.as_object_mut() else { continue };
            let place = place.child("parameters").child(&index.to_string()).of(parameter);
            let name = text(parameter, "name").unwrap_or_default().to_owned();
            if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) {
                visit(Holder::Parameter(&id, &name), schema, &place.child("schema"));
            }
        }
        if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut) {
            let place = place.child("requestBody").of(body);
            content_mut(body, &place, &mut |schema, place| visit(Holder::Request(&id), schema, place));
        }
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            let Some(response) = response.as_object_mut() else { continue };
            let place = place.child("responses").child(status).of(response);
            content_mut(response, &place, &mut |schema, place| {
                visit(Holder::Response(&id, status), schema, place)
            });
        }
    });
    let place = Place::top(file).child("components").child("schemas");
    for (name, schema) in object_mut(document, &["components", "schemas"]).into_iter().flatten() {
        if let Some(schema) = schema.as_object_mut() {
            let place = place.child(name).of(schema);
            visit(Holder::Component(name), schema, &place);
        }
    }
}

fn content_mut(holder: &mut Map, place: &Place, visit: &mut dyn FnMut(&mut Map, &Place)) {
    let place = place.child("content");
    for (media, body) in holder.get_mut("content").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(schema) = body.get_mut("schema").and_then(Value::as_object_mut) {
            visit(schema, &place.child(media).child("schema"));
        }
    }
}

/// Calls `visit` with each schema directly inside `schema`, and the key (for a property, its name)
/// it stands under.
pub fn children_mut(schema: &mut Map, place: &Place, visit: &mut dyn FnMut(Step<'_>, &mut Map, &Place)) {
    let place = place.of(schema);
    for (keyword, value) in schema.iter_mut() {
        let place = place.child(keyword);
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, property) in properties {
                    if let Some(property) = property.as_object_mut() {
                        visit(Step::Property(name), property, &place.child(name));
                    }
                }
            }
            ("items", Value::Object(inner)) => visit(Step::Item, inner, &place),
            ("additionalProperties", Value::Object(inner)) => visit(Step::Value, inner, &place),
            ("not", Value::Object(inner)) => visit(Step::Member(0), inner, &place),
            ("allOf" | "oneOf" | "anyOf", Value::Array(members)) => {
                for (index, member) in members.iter_mut().enumerate() {
                    if let Some(member) = member.as_object_mut() {
                        visit(Step::Member(index), member, &place.child(&index.to_string()));
                    }
                }
            }
            _ => {}
        }
    }
}

/// How one schema stands inside another.
#[derive(Clone, Copy)]
pub enum Step<'a> {
    /// As the property of that name.
    Property(&'a str),
    /// As what an array holds.
    Item,
    /// As what a map holds.
    Value,
    /// As a member of `allOf`, `oneOf` or `anyOf`, or as `not`.
    Member(usize),
}

/// Calls `visit` with every schema of the document, inner ones first.
pub fn schemas_mut(document: &mut Value, file: &str, visit: &mut dyn FnMut(&mut Map, &Place)) {
    fn descend(schema: &mut Map, place: &Place, visit: &mut dyn FnMut(&mut Map, &Place)) {
        children_mut(schema, place, &mut |_, child, place| descend(child, place, visit));
        let place = place.of(schema);
        visit(schema, &place);
    }
    roots_mut(document, file, &mut |_, schema, place| descend(schema, place, visit));
}

/// A copy with everything removed that does not change what values the schema admits.
pub fn structure(node: &Value) -> Value {
    const PROSE: [&str; 6] = ["description", "example", "examples", "title", "externalDocs", "deprecated"];
    fn strip(node: &Value, of_names: bool) -> Value {
        match node {
            Value::Object(map) => {
                let mut kept: Vec<(&String, Value)> = map
                    .iter()
                    .filter(|(key, _)| of_names || !(PROSE.contains(&key.as_str()) || key.starts_with("x-")))
                    .map(|(key, value)| (key, strip(value, !of_names && key == "properties")))
                    .collect();
                kept.sort_by_key(|(key, _)| *key);
                Value::Object(kept.into_iter().map(|(key, value)| (key.clone(), value)).collect())
            }
            Value::Array(items) => items.iter().map(|item| strip(item, false)).collect(),
            other => other.clone(),
        }
    }
    strip(node, false)
}

/// Calls `visit` with every reference in the tree, to be rewritten.
pub fn references_mut(node: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    match node {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(target) if key == "$ref" => visit(target),
                    // What an example holds is data, whatever it looks like.
                    _ if key == "example" || key == "examples" => {}
                    value => references_mut(value, visit),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| references_mut(item, visit)),
        _ => {}
    }
}

/// What a list holds.
pub fn items_of(schema: &Map) -> Option<&Map> {
    schema.get("items")?.as_object()
}
