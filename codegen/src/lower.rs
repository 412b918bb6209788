//! The canonical document in the terms that progenitor takes.
//!
//! What progenitor cannot say (several kinds of error, media types beside JSON, optional bodies, null
//! beside absence, open enums) is left out here and put back on the syntax tree. What stays are the
//! shapes it is good at: which models there are, what their fields are called and typed in Rust, and
//! the builder of each operation.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::{Value, json};

use crate::node::{self, Map};

/// The document to hand to progenitor.
pub fn lower(document: &Value) -> Value {
    let empty = Map::new();
    let schemas = node::object(document, &["components", "schemas"]).unwrap_or(&empty);
    let mut paths = Map::new();
    for operation in node::operations(document) {
        let item = paths.entry(operation.path).or_insert_with(|| Value::Object(Map::new()));
        item[operation.method] = self::operation(operation.node, schemas);
    }
    let models: Map = schemas
        .iter()
        .filter(|(_, schema)| schema.as_object().is_some_and(|schema| is_model(schema, schemas)))
        .map(|(name, schema)| (name.clone(), model(schema, schemas)))
        .collect();
    json!({
        "openapi": "3.0.3",
        "info": { "title": "client", "version": "1" },
        "paths": paths,
        "components": { "schemas": models },
    })
}

/// Whether a component becomes a Rust type of its own; the others are written where they are used.
pub fn is_model(schema: &Map, schemas: &Map) -> bool {
    is_enum(schema) || !properties(schema, schemas).is_empty() || is_union(schema, schemas)
}

/// Whether a schema is an enum of strings.
pub fn is_enum(schema: &Map) -> bool {
    node::text(schema, "type") == Some("string") && !node::items(schema, "enum").is_empty()
}

/// Whether a schema is a union with a model among its members. Other unions are any value.
pub fn is_union(schema: &Map, schemas: &Map) -> bool {
    fn models(schema: &Map, schemas: &Map, depth: usize) -> bool {
        depth < 16
            && ["oneOf", "anyOf"].iter().any(|keyword| {
                node::items(schema, keyword).iter().filter_map(Value::as_object).any(|member| {
                    let member = node::items_of(member).unwrap_or(member);
                    match node::wrapped(member).and_then(|name| schemas.get(name)?.as_object()) {
                        Some(target) => {
                            is_enum(target)
                                || !properties(target, schemas).is_empty()
                                || models(target, schemas, depth + 1)
                        }
                        None => false,
                    }
                })
            })
    }
    properties(schema, schemas).is_empty() && models(schema, schemas, 0)
}

/// The properties of a model, those of the members of its `allOf` first; what it says itself wins.
pub fn properties(schema: &Map, schemas: &Map) -> Map {
    fn collect(schema: &Map, schemas: &Map, seen: &mut BTreeSet<String>, found: &mut Map) {
        for member in node::items(schema, "allOf").iter().filter_map(Value::as_object) {
            match node::component(member) {
                Some(name) => {
                    if let Some(target) = schemas.get(name).and_then(Value::as_object)
                        && seen.insert(name.to_owned())
                    {
                        collect(target, schemas, seen, found);
                    }
                }
                None => collect(member, schemas, seen, found),
            }
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            found.insert(name.clone(), property.clone());
        }
    }
    let mut found = Map::new();
    collect(schema, schemas, &mut BTreeSet::new(), &mut found);
    found
}

/// The properties by names that stay apart in Rust: `type` and `_type` would both be `type_`. Each
/// comes with its name on the wire.
pub fn keys(properties: &Map) -> Vec<(String, &str)> {
    // `extra` holds what is not known.
    let mut taken = BTreeSet::from(["extra".to_owned()]);
    let plain = |name: &str| name.to_snake_case().trim_matches('_').to_owned();
    properties
        .keys()
        .map(|wire| {
            let numbered = (2..).map(|n| format!("{wire}_{n}"));
            let key = std::iter::once(wire.clone()).chain(numbered).find(|key| taken.insert(plain(key)));
            (key.unwrap_or_default(), wire.as_str())
        })
        .collect()
}

/// The values of an enum by texts that stay apart as names of variants: `a-b` and `a_b` would both be
/// `AB`, and `*` would be nothing. Each comes with the value on the wire.
pub fn values(schema: &Map) -> Vec<(String, &str)> {
    let mut taken = BTreeSet::new();
    node::items(schema, "enum")
        .iter()
        .filter_map(Value::as_str)
        .enumerate()
        .map(|(index, wire)| {
            let empty = wire.to_upper_camel_case().is_empty();
            let base = if empty { format!("value {}", index + 1) } else { wire.to_owned() };
            let numbered = (2..).map(|n| format!("{base} v{n}"));
            let text = std::iter::once(base.clone())
                .chain(numbered)
                .find(|text| taken.insert(text.to_upper_camel_case()));
            (text.unwrap_or_default(), wire)
        })
        .collect()
}

/// The names of the properties that must be there.
pub fn required(schema: &Map, schemas: &Map) -> BTreeSet<String> {
    fn collect(schema: &Map, schemas: &Map, depth: usize, found: &mut BTreeSet<String>) {
        found.extend(node::items(schema, "required").iter().filter_map(Value::as_str).map(str::to_owned));
        for member in node::items(schema, "allOf").iter().filter_map(Value::as_object) {
            let target = node::component(member).and_then(|name| schemas.get(name)?.as_object());
            if depth < 16 {
                collect(target.unwrap_or(member), schemas, depth + 1, found);
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(schema, schemas, 0, &mut found);
    found
}

/// Whether a schema, or the component it stands for, may be null.
pub fn is_nullable(schema: &Map, schemas: &Map) -> bool {
    node::is_true(schema, "nullable")
        || node::wrapped(schema)
            .and_then(|name| schemas.get(name)?.as_object())
            .is_some_and(|target| node::is_true(target, "nullable"))
}

/// A media type whose bodies are JSON.
pub fn is_json(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or(media).trim().to_ascii_lowercase();
    media == "application/json" || media.ends_with("+json") || media == "*/*"
}

/// The media type and the schema of a body, JSON first.
pub fn body(holder: &Value) -> Option<(&str, Option<&Map>)> {
    let content = node::object(holder, &["content"])?;
    let (media, body) = content.iter().find(|(media, _)| is_json(media)).or_else(|| content.iter().next())?;
    Some((media, body.get("schema").and_then(Value::as_object)))
}

/// An example of a body.
pub fn example(holder: &Value) -> Option<&Value> {
    let content = node::object(holder, &["content"])?;
    let (_, body) = content.iter().find(|(media, _)| is_json(media))?;
    let named = || node::object(body, &["examples"])?.values().find_map(|example| example.get("value"));
    body.get("example").or_else(named)
}

/// The response that says success: the lowest 2xx with a body, else the lowest, else the default.
pub fn success(operation: &Map) -> Option<(&str, &Value)> {
    let responses = operation.get("responses")?.as_object()?;
    let mut good: Vec<(&String, &Value)> =
        responses.iter().filter(|(status, _)| status.starts_with('2')).collect();
    good.sort_by_key(|(status, response)| (body(response).is_none(), status.as_str()));
    let (status, response) = good.first().copied().or_else(|| responses.get_key_value("default"))?;
    Some((status, response))
}

/// A header that always has the same value: required, and only one value is ever shown for it.
pub fn constant_header(parameter: &Map) -> Option<(&str, &str)> {
    if node::text(parameter, "in") != Some("header") || !node::is_true(parameter, "required") {
        return None;
    }
    let schema = parameter.get("schema")?.as_object()?;
    let only = || match node::items(schema, "enum") {
        [only] => only.as_str(),
        _ => None,
    };
    let shown = || node::text(parameter, "example").or_else(|| node::text(schema, "example"));
    let value = node::text(schema, "default").or_else(only).or_else(shown)?;
    Some((node::text(parameter, "name")?, value))
}

/// Whether a parameter is set by the caller.
pub fn is_argument(parameter: &Map) -> bool {
    matches!(node::text(parameter, "in"), Some("path" | "query" | "header"))
        && constant_header(parameter).is_none()
}

fn operation(operation: &Map, schemas: &Map) -> Value {
    let mut lowered = json!({ "operationId": node::text(operation, "operationId").unwrap_or_default() });
    lowered["parameters"] = node::items(operation, "parameters")
        .iter()
        .filter_map(Value::as_object)
        .filter(|parameter| is_argument(parameter))
        .map(|parameter| {
            let plain = json!({ "type": "string" });
            let schema = parameter.get("schema").map_or(plain, |whole| parameter_schema(whole, schemas));
            json!({
                "name": parameter["name"], "in": parameter["in"], "schema": schema,
                "required": node::is_true(parameter, "required"),
            })
        })
        .collect();
    if let Some((media, Some(body))) = operation.get("requestBody").and_then(body)
        && is_json(media)
    {
        let schema = schema(body, schemas, 0);
        lowered["requestBody"] = json!({ "content": { "application/json": { "schema": schema } } });
    }
    let content = match success(operation).and_then(|(_, response)| body(response)) {
        Some((media, Some(body))) if is_json(media) => {
            json!({ "application/json": { "schema": schema(body, schemas, 0) } })
        }
        Some((media, None)) if is_json(media) => json!({ "application/json": { "schema": {} } }),
        Some(_) => {
            json!({ "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } })
        }
        None => Value::Null,
    };
    lowered["responses"] = match content {
        Value::Null => json!({ "204": { "description": "" } }),
        content => json!({ "200": { "description": "", "content": content } }),
    };
    lowered
}

/// A parameter is text on the wire: a primitive, an enum, or a list of those.
fn parameter_schema(whole: &Value, schemas: &Map) -> Value {
    let Some(whole) = whole.as_object() else { return json!({ "type": "string" }) };
    let target = node::wrapped(whole).and_then(|name| Some((name, schemas.get(name)?.as_object()?)));
    match target {
        Some((name, target)) if is_enum(target) => node::reference(name),
        Some((_, target)) => parameter_schema(&Value::Object(target.clone()), schemas),
        None => match node::text(whole, "type") {
            Some("array") => {
                let items = whole.get("items").map(|items| parameter_schema(items, schemas));
                json!({ "type": "array", "items": items.unwrap_or_else(|| json!({ "type": "string" })) })
            }
            Some(kind @ ("integer" | "number" | "boolean")) => json!({ "type": kind }),
            _ => json!({ "type": "string" }),
        },
    }
}

fn model(schema: &Value, schemas: &Map) -> Value {
    let Some(whole) = schema.as_object() else { return json!({}) };
    if is_enum(whole) {
        let values: Vec<String> = values(whole).into_iter().map(|(text, _)| text).collect();
        return json!({ "type": "string", "enum": values });
    }
    let properties = properties(whole, schemas);
    if properties.is_empty() {
        let keyword = if whole.contains_key("oneOf") { "oneOf" } else { "anyOf" };
        let members: Vec<Value> = node::items(whole, keyword)
            .iter()
            .filter_map(Value::as_object)
            .map(|member| self::schema(member, schemas, 0))
            .collect();
        return json!({ "oneOf": members });
    }
    let listed = required(whole, schemas);
    let (mut lowered, mut required) = (Map::new(), Vec::new());
    for (key, wire) in keys(&properties) {
        let Some(property) = properties[wire].as_object() else { continue };
        if listed.contains(wire) && is_required(property, schemas) {
            required.push(key.clone());
        }
        lowered.insert(key, self::schema(property, schemas, 0));
    }
    json!({ "type": "object", "properties": lowered, "required": required })
}

/// Whether a property that is listed as required is there in every value: not where it may be null,
/// nor where only the service fills it in.
pub fn is_required(property: &Map, schemas: &Map) -> bool {
    !is_nullable(property, schemas) && !node::is_true(property, "readOnly")
}

/// A schema where it is used: a model by its name, anything else written out.
fn schema(whole: &Map, schemas: &Map, depth: usize) -> Value {
    // A component that is no model and holds itself has no finite form: any value.
    if depth > 16 {
        return json!({});
    }
    if let Some(name) = node::wrapped(whole) {
        return match schemas.get(name).and_then(Value::as_object) {
            Some(target) if is_model(target, schemas) => node::reference(name),
            Some(target) => schema(target, schemas, depth + 1),
            None => json!({}),
        };
    }
    match node::text(whole, "type") {
        Some("string") => match node::text(whole, "format") {
            Some(format @ ("date-time" | "date")) => json!({ "type": "string", "format": format }),
            _ => json!({ "type": "string" }),
        },
        Some(kind @ ("integer" | "number" | "boolean")) => json!({ "type": kind }),
        Some("array") => {
            let items = whole.get("items").and_then(Value::as_object);
            json!({ "type": "array", "items": items.map_or(json!({}), |items| inner(items, schemas, depth)) })
        }
        Some("object") => match whole.get("additionalProperties").and_then(Value::as_object) {
            Some(values) if !values.is_empty() => {
                json!({ "type": "object", "additionalProperties": inner(values, schemas, depth) })
            }
            _ => json!({ "type": "object" }),
        },
        _ => json!({}),
    }
}

/// What a list or a map holds; typify makes an `Option` of a nullable item.
fn inner(whole: &Map, schemas: &Map, depth: usize) -> Value {
    let lowered = schema(whole, schemas, depth + 1);
    let any = lowered.as_object().is_some_and(Map::is_empty);
    if is_nullable(whole, schemas) && !any {
        return json!({ "nullable": true, "allOf": [lowered] });
    }
    lowered
}
