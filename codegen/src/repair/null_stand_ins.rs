//! A union with a member that is there only to admit null: the other members, nullable.

use serde_json::Value;

use crate::node::{self, Map, ORIGIN};

pub(super) fn mend(schema: &mut Map, known: &Map) -> Option<String> {
    for keyword in ["oneOf", "anyOf"] {
        let members = node::items(schema, keyword);
        if members.len() < 2 {
            continue;
        }
        let (nulls, rest): (Vec<Value>, Vec<Value>) =
            members.iter().cloned().partition(|member| stands_for_null(member, known));
        if nulls.is_empty() || rest.is_empty() {
            continue;
        }
        schema.insert(keyword.into(), Value::Array(rest));
        schema.insert("nullable".into(), true.into());
        let nulls: Vec<String> = nulls.iter().map(described).collect();
        return Some(format!("{} stood for null in `{keyword}`; now nullable", nulls.join(", ")));
    }
    None
}

/// A member that can be null, admits no structure, and says by its name or its words that null is
/// what it is for.
fn stands_for_null(member: &Value, known: &Map) -> bool {
    let Some(member) = member.as_object() else { return false };
    let name = node::component(member);
    let target = match name {
        Some(name) => match known.get(name).and_then(Value::as_object) {
            Some(target) => target,
            None => return false,
        },
        None => member,
    };
    if !node::is_true(target, "nullable") {
        return false;
    }
    let empty = target.keys().all(|key| ["nullable", "description", "title", ORIGIN].contains(&key.as_str()));
    let primitive = ["properties", "items", "enum", "format", "allOf", "oneOf", "anyOf", "pattern"]
        .iter()
        .all(|keyword| !target.contains_key(*keyword));
    let says_null = [name, node::text(target, "title"), node::text(target, "description")]
        .into_iter()
        .flatten()
        .any(|text| text.to_ascii_lowercase().contains("null"));
    empty || (primitive && says_null)
}

fn described(member: &Value) -> String {
    match member.as_object().and_then(node::component) {
        Some(name) => format!("`{name}`"),
        None => "a nullable primitive".into(),
    }
}
