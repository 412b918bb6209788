//! `oneOf` or `anyOf` with one member, or an `allOf` of one schema written in place: the member itself.

use serde_json::Value;

use crate::node::{self, Map, ORIGIN};

pub(super) fn mend(schema: &mut Map, _: &Map) -> Option<String> {
    for keyword in ["oneOf", "anyOf"] {
        if let [only] = node::items(schema, keyword) {
            let only = only.clone();
            schema.shift_remove(keyword);
            match schema.get_mut("allOf") {
                Some(Value::Array(members)) => members.push(only),
                _ => {
                    schema.insert("allOf".into(), Value::Array(vec![only]));
                }
            }
            unwrap(schema);
            return Some(format!("`{keyword}` had one member"));
        }
    }
    unwrap(schema).then(|| "`allOf` had one member, written in place".into())
}

/// Takes a lone member of `allOf` out of it, where nothing is lost by that.
fn unwrap(schema: &mut Map) -> bool {
    let bare = schema.keys().all(|key| key == "allOf" || key == "nullable" || key.starts_with("x-"));
    let nullable = schema.contains_key("nullable");
    let Some(Value::Array(members)) = schema.get_mut("allOf") else { return false };
    let [Value::Object(only)] = &members[..] else { return false };
    let only = only.clone();
    if only.contains_key("$ref") {
        // A reference stays wrapped where something stands beside it.
        if bare && !nullable {
            schema.shift_remove("allOf");
            schema.extend(only);
            return true;
        }
        return false;
    }
    // What only describes may differ: it speaks of this use.
    let prose = ["description", "title", "example", "nullable", "deprecated"];
    let clash = only.iter().any(|(key, value)| {
        !prose.contains(&key.as_str()) && key != ORIGIN && schema.get(key).is_some_and(|own| own != value)
    });
    if clash {
        return false;
    }
    schema.shift_remove("allOf");
    for (key, value) in only {
        schema.entry(key).or_insert(value);
    }
    true
}
