//! `allOf` with a member that only describes, or only says `nullable`: it speaks of the whole.

use serde_json::Value;

use crate::node::{self, Map, ORIGIN};

const ANNOTATIONS: [&str; 9] = [
    "description",
    "nullable",
    "example",
    "title",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
];

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    let only_annotates = |member: &Value| {
        member.as_object().is_some_and(|member| {
            member.keys().all(|key| ANNOTATIONS.contains(&key.as_str()) || key.starts_with("x-"))
                || bare_object(member)
        })
    };
    let members = node::items(schema, "allOf");
    if members.len() < 2 || !members.iter().any(only_annotates) {
        return None;
    }
    let (annotations, rest): (Vec<Value>, Vec<Value>) = members.iter().cloned().partition(only_annotates);
    schema.insert("allOf".into(), Value::Array(rest));
    let mut moved = Vec::new();
    for annotation in annotations.into_iter().filter_map(|member| match member {
        Value::Object(member) => Some(member),
        _ => None,
    }) {
        for (key, value) in annotation.into_iter().filter(|(key, _)| key != "type" && key != ORIGIN) {
            moved.push(format!("`{key}`"));
            schema.entry(key).or_insert(value);
        }
    }
    Some(if moved.is_empty() {
        "a member of `allOf` said nothing".into()
    } else {
        format!("{} moved out of `allOf`", moved.join(", "))
    })
}

/// `{type: object}` adds nothing beside a model.
fn bare_object(member: &Map) -> bool {
    member.keys().all(|key| key == "type" || key.starts_with("x-"))
        && member.get("type").is_some_and(|kind| kind == "object")
}
