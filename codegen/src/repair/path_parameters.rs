//! Path parameters and path templates that do not agree.

use serde_json::{Value, json};

use crate::node::{self, ORIGIN};
use crate::report::Report;

const RULE: &str = "path parameter that its path does not hold";
const MISSING: &str = "path parameter that is not declared";

pub(super) fn mend(document: &mut Value, file: &str, report: &mut Report) {
    node::operations_mut(document, file, &mut |path, _, operation, place| {
        let names = names(path);
        let place = place.child("parameters");
        let mut parameters = match operation.shift_remove("parameters") {
            Some(Value::Array(parameters)) => parameters,
            _ => Vec::new(),
        };
        parameters.retain(|parameter| {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            let stray = in_path(parameter) && !names.contains(&name);
            if stray {
                report.add(RULE, &place, format!("`{name}` is not in `{path}` and is dropped"));
            }
            !stray
        });
        for parameter in parameters.iter_mut().filter(|parameter| in_path(parameter)) {
            if parameter.get("required") != Some(&Value::Bool(true)) {
                report.add("optional path parameter", &place, "a path parameter is always required");
                parameter["required"] = true.into();
            }
        }
        for name in names {
            if !parameters.iter().any(|parameter| in_path(parameter) && parameter["name"] == name) {
                report.add(MISSING, &place, format!("`{name}` of `{path}` is taken as a string"));
                parameters.push(json!({
                    "name": name, "in": "path", "required": true, "schema": { "type": "string" },
                    ORIGIN: place.to_string(),
                }));
            }
        }
        for parameter in &mut parameters {
            if parameter.get("schema").is_none() && parameter.get("content").is_none() {
                report.add(
                    "parameter without a schema",
                    &place,
                    format!("{} is taken as a string", parameter["name"]),
                );
                parameter["schema"] = json!({ "type": "string" });
            }
        }
        if !parameters.is_empty() {
            operation.insert("parameters".into(), Value::Array(parameters));
        }
    });
}

fn in_path(parameter: &Value) -> bool {
    parameter.get("in").is_some_and(|place| place == "path")
}

/// The names between braces in a path template.
fn names(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}
