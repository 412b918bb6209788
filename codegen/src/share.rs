//! Responses and parameters that several operations have in common become components, so that the
//! document says each thing once.

use std::collections::BTreeMap;

use heck::ToUpperCamelCase;
use serde_json::{Value, json};

use crate::node::{self, Map};

/// Moves what stands more than once into the components. Works on a document in canonical order.
pub fn share(document: &mut Value) {
    let mut counts = Counts::new();
    each(document, &mut |section, name, node| {
        let text = node.to_string();
        let entry = counts.entry(section).or_default();
        match entry.iter_mut().find(|shared| shared.text == text) {
            Some(shared) => shared.uses += 1,
            None => entry.push(Shared { text, base: base(section, name), uses: 1, name: String::new() }),
        }
    });
    for shared in counts.values_mut() {
        shared.retain(|shared| shared.uses > 1);
        for index in 0..shared.len() {
            let before = shared[..index].iter().filter(|other| other.base == shared[index].base).count();
            let base = &shared[index].base;
            shared[index].name = if before == 0 { base.clone() } else { format!("{base}{}", before + 1) };
        }
    }
    let mut components: BTreeMap<&str, BTreeMap<String, Value>> = BTreeMap::new();
    each(document, &mut |section, _, node| {
        let text = node.to_string();
        if let Some(shared) =
            counts.get(section).and_then(|shared| shared.iter().find(|shared| shared.text == text))
        {
            let reference = json!({ "$ref": format!("#/components/{section}/{}", shared.name) });
            let whole = std::mem::replace(node, reference);
            components.entry(section).or_default().insert(shared.name.clone(), whole);
        }
    });
    let Some(root) = document.as_object_mut() else { return };
    let all = root.entry("components").or_insert_with(|| Value::Object(Map::new()));
    for (section, entries) in components {
        all[section] = Value::Object(entries.into_iter().collect());
    }
}

type Counts = BTreeMap<&'static str, Vec<Shared>>;

struct Shared {
    text: String,
    base: String,
    uses: usize,
    name: String,
}

/// A parameter is named for itself, a response for its status.
fn base(section: &str, name: &str) -> String {
    if section == "responses" { status_name(name) } else { name.to_upper_camel_case() }
}

/// What a status is called.
pub(crate) fn status_name(status: &str) -> String {
    let known = match status {
        "400" => "BadRequest",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "NotFound",
        "409" => "Conflict",
        "412" => "PreconditionFailed",
        "415" => "UnsupportedMediaType",
        "429" => "TooManyRequests",
        "500" => "InternalServerError",
        "502" => "BadGateway",
        "503" => "ServiceUnavailable",
        other => return format!("Status{}", other.to_upper_camel_case()),
    };
    known.into()
}

fn each(document: &mut Value, visit: &mut dyn FnMut(&'static str, &str, &mut Value)) {
    node::operations_mut(document, "", &mut |_, _, operation, _| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            visit("parameters", &name, parameter);
        }
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        // What succeeds is each operation's own, even where two say it in the same words.
        for (status, response) in
            responses.into_iter().flatten().filter(|(status, _)| !status.starts_with('2'))
        {
            visit("responses", status, response);
        }
    });
}
