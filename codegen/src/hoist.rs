//! Gives a component to every model that is written in place: objects with properties, string enums,
//! unions of models. After this, each Rust type to be made is a component, and the other way round.

use std::collections::BTreeMap;

use heck::ToUpperCamelCase;
use serde_json::Value;

use crate::node::{self, Holder, Map, ORIGIN, Place, Step};
use crate::share;

/// Marks a component that got its name from where it stood; its value is the last step to it.
pub const DERIVED: &str = "x-codegen-derived";

/// Moves every model written in place into the components.
pub fn hoist(document: &mut Value, file: &str) {
    let known = node::object(document, &["components", "schemas"]).cloned().unwrap_or_default();
    let mut hoist = Hoist { known, found: Vec::new() };
    node::roots_mut(document, file, &mut |holder, schema, place| {
        let (name, step) = match holder {
            Holder::Component(name) => {
                let name = name.split('~').next().unwrap_or(name).to_upper_camel_case();
                hoist.inside(schema, place, &name);
                return;
            }
            Holder::Parameter(operation, name) => {
                let step = name.to_upper_camel_case();
                (format!("{}{step}", operation.to_upper_camel_case()), step)
            }
            Holder::Request(operation) => {
                (format!("{}Request", operation.to_upper_camel_case()), "Request".to_owned())
            }
            Holder::Response(operation, status) => (response_name(operation, status), "Response".to_owned()),
        };
        hoist.place(schema, place, name, &step);
    });
    let found = std::mem::take(&mut hoist.found);
    if found.is_empty() {
        return;
    }
    let Some(root) = document.as_object_mut() else { return };
    let components = root.entry("components").or_insert_with(|| Value::Object(Map::new()));
    let Some(components) = components.as_object_mut() else { return };
    let schemas = components.entry("schemas").or_insert_with(|| Value::Object(Map::new()));
    if let Some(schemas) = schemas.as_object_mut() {
        schemas.extend(found);
    }
    rejoin(document);
}

/// Where a reference led into the paths, the schema there is a component now, and so is the model that
/// stands there: they are one.
fn rejoin(document: &mut Value) {
    let Some(schemas) = node::object(document, &["components", "schemas"]) else { return };
    let origin = |schema: &Value| schema.get(ORIGIN).and_then(Value::as_str).map(str::to_owned);
    let (standing, referred): (Vec<_>, Vec<_>) =
        schemas.iter().partition(|(_, schema)| schema.get(DERIVED).is_some());
    let standing: BTreeMap<String, &String> =
        standing.into_iter().filter_map(|(name, schema)| Some((origin(schema)?, name))).collect();
    let same: BTreeMap<String, String> = referred
        .into_iter()
        .filter_map(|(name, schema)| Some((name.clone(), (*standing.get(&origin(schema)?)?).clone())))
        .collect();
    if same.is_empty() {
        return;
    }
    node::references_mut(document, &mut |target| {
        if let Some(name) = target.strip_prefix(node::SCHEMAS).and_then(|name| same.get(name)) {
            *target = format!("{}{name}", node::SCHEMAS);
        }
    });
    crate::bundle::prune(document);
}

/// A response's name: one for all operations where it is an error, since errors are shared.
fn response_name(operation: &str, status: &str) -> String {
    match status {
        "default" => format!("{}DefaultResponse", operation.to_upper_camel_case()),
        _ if status.starts_with('2') => format!("{}Response", operation.to_upper_camel_case()),
        _ => format!("{}Response", share::status_name(status)),
    }
}

struct Hoist {
    known: Map,
    found: Vec<(String, Value)>,
}

impl Hoist {
    /// Looks at what is inside a schema that keeps its place.
    fn inside(&mut self, schema: &mut Map, place: &Place, name: &str) {
        let merged = schema.contains_key("allOf");
        node::children_mut(schema, place, &mut |step, child, place| match step {
            // The members of `allOf` are parts of this model, not models of their own.
            Step::Member(_) if merged => self.inside(child, place, name),
            Step::Property(property) => {
                self.place(child, place, format!("{name}{}", property.to_upper_camel_case()), property)
            }
            Step::Item => self.place(child, place, format!("{name}Inner"), "Inner"),
            Step::Value => self.place(child, place, format!("{name}Value"), "Value"),
            Step::Member(index) => {
                let step = format!("Option{}", index + 1);
                self.place(child, place, format!("{name}{step}"), &step)
            }
        });
    }

    /// Moves `schema` away if it is a model, and leaves a reference.
    fn place(&mut self, schema: &mut Map, place: &Place, derived: String, step: &str) {
        let titled = node::text(schema, "title").and_then(title_name);
        self.inside(schema, place, titled.as_deref().unwrap_or(&derived));
        if !self.is_model(schema) {
            return;
        }
        let mut model = std::mem::take(schema);
        for key in ["nullable", "default", "deprecated", "readOnly", "writeOnly", "description"] {
            if let Some(value) = model.get(key).cloned() {
                schema.insert(key.into(), value);
                // What it is stays with the model as well; how it is used here does not.
                if key != "description" {
                    model.shift_remove(key);
                }
            }
        }
        let base = titled.clone().unwrap_or(derived);
        if titled.is_none() {
            model.insert(DERIVED.into(), step.into());
        }
        model.entry(ORIGIN).or_insert_with(|| place.to_string().into());
        let taken = |name: &String| {
            self.known.contains_key(name) || self.found.iter().any(|(found, _)| found == name)
        };
        let name = (1..)
            .map(|n| if n == 1 { base.clone() } else { format!("{base}~{n}") })
            .find(|name| !taken(name))
            .unwrap_or(base);
        if schema.is_empty() {
            *schema = Map::from_iter([("$ref".to_owned(), format!("{}{name}", node::SCHEMAS).into())]);
        } else {
            schema.insert("allOf".into(), Value::Array(vec![node::reference(&name)]));
        }
        self.found.push((name, Value::Object(model)));
    }

    fn is_model(&self, schema: &Map) -> bool {
        let properties =
            schema.get("properties").and_then(Value::as_object).is_some_and(|map| !map.is_empty());
        let string_enum =
            schema.contains_key("enum") && schema.get("type").is_some_and(|kind| kind == "string");
        let union = ["oneOf", "anyOf"].iter().any(|keyword| {
            node::items(schema, keyword)
                .iter()
                .filter_map(Value::as_object)
                .any(|member| self.holds_model(member))
        });
        properties || string_enum || union || node::items(schema, "allOf").len() > 1
    }

    fn holds_model(&self, member: &Map) -> bool {
        match node::wrapped(member) {
            Some(name) => {
                let hoisted = self.found.iter().find(|(found, _)| found == name).map(|(_, model)| model);
                hoisted
                    .or_else(|| self.known.get(name))
                    .and_then(Value::as_object)
                    .is_some_and(|model| self.is_model(model))
            }
            None => {
                member.get("items").and_then(Value::as_object).is_some_and(|items| self.holds_model(items))
            }
        }
    }
}

/// The name a title gives, in PascalCase, where it is more than the name of a type.
pub(crate) fn title_name(title: &str) -> Option<String> {
    let name = title.to_upper_camel_case();
    let plain = ["String", "Boolean", "Integer", "Number", "Object", "Array", "Null", "Enum", "Any"];
    let usable = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= 60
        && name.is_ascii()
        && !plain.contains(&name.as_str());
    usable.then_some(name)
}
