//! Examples that do not fit what they are examples of: mended where it is plain what was meant, else
//! dropped.

use serde_json::Value;

use super::fit::fit;
use crate::node::{self, Holder, Map, Place};
use crate::report::Report;

const RULE: &str = "example that does not fit";

pub(super) fn mend(document: &mut Value, file: &str, report: &mut Report) {
    let known = super::components(document);
    let mut found: Vec<(Place, String)> = Vec::new();
    node::roots_mut(document, file, &mut |holder, schema, place| {
        let name = match holder {
            Holder::Parameter(_, name) => Some(name),
            _ => None,
        };
        walk(schema, place, name, &known, &mut found);
    });
    node::operations_mut(document, file, &mut |_, _, operation, place| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let place = place.child("parameters").child(&index.to_string());
            beside_schema(parameter, &place, &known, &mut found);
        }
        let body = operation.get_mut("requestBody");
        content(body, &place.child("requestBody"), &known, &mut found);
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            content(Some(response), &place.child("responses").child(status), &known, &mut found);
        }
    });
    for (place, what) in found {
        report.add(RULE, &place, what);
    }
}

fn walk(schema: &mut Map, place: &Place, name: Option<&str>, known: &Map, found: &mut Vec<(Place, String)>) {
    node::children_mut(schema, place, &mut |step, child, place| {
        let name = match step {
            node::Step::Property(name) => Some(name),
            _ => None,
        };
        walk(child, place, name, known, found);
    });
    let Some(example) = schema.shift_remove("example") else { return };
    let whole = Value::Object(schema.clone());
    let named = name
        .and_then(|name| example.get(name))
        .filter(|_| schema.get("type").is_some_and(|kind| kind != "object"));
    let meant = fit(&whole, &example, known).or_else(|| fit(&whole, named?, known));
    settle(schema, example, meant, &place.child("example"), found);
}

/// The `example` and `examples` of a parameter or a media type.
fn beside_schema(holder: &mut Value, place: &Place, known: &Map, found: &mut Vec<(Place, String)>) {
    let Some(holder) = holder.as_object_mut() else { return };
    let Some(schema) = holder.get("schema").cloned() else { return };
    if let Some(example) = holder.shift_remove("example") {
        let meant = fit(&schema, &example, known);
        settle(holder, example, meant, &place.child("example"), found);
    }
    let examples = holder.get_mut("examples").and_then(Value::as_object_mut);
    for (name, example) in examples.into_iter().flatten() {
        let Some(example) = example.as_object_mut() else { continue };
        if let Some(value) = example.shift_remove("value") {
            let meant = fit(&schema, &value, known);
            let place = place.child("examples").child(name).child("value");
            match meant {
                Some(meant) => {
                    if meant != value {
                        found.push((place, format!("{value} is now {meant}")));
                    }
                    example.insert("value".into(), meant);
                }
                None => {
                    found.push((place, format!("{value} is dropped")));
                }
            }
        }
    }
    if let Some(examples) = holder.get_mut("examples").and_then(Value::as_object_mut) {
        examples
            .retain(|_, example| example.get("value").is_some() || example.get("externalValue").is_some());
        if examples.is_empty() {
            holder.shift_remove("examples");
        }
    }
}

fn content(holder: Option<&mut Value>, place: &Place, known: &Map, found: &mut Vec<(Place, String)>) {
    let Some(content) = holder.and_then(|holder| node::object_mut(holder, &["content"])) else { return };
    for (media, body) in content {
        beside_schema(body, &place.child("content").child(media), known, found);
    }
}

fn settle(
    holder: &mut Map,
    example: Value,
    meant: Option<Value>,
    place: &Place,
    found: &mut Vec<(Place, String)>,
) {
    match meant {
        Some(meant) => {
            if meant != example {
                found.push((place.clone(), format!("{example} is now {meant}")));
            }
            holder.insert("example".into(), meant);
        }
        None => found.push((place.clone(), format!("{example} is dropped"))),
    }
}
