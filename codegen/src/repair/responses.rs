//! Responses without the description that OpenAPI requires, and operations without any response.

use serde_json::{Value, json};

use crate::node;
use crate::report::Report;

pub(super) fn mend(document: &mut Value, file: &str, report: &mut Report) {
    node::operations_mut(document, file, &mut |_, _, operation, place| {
        let place = place.child("responses");
        if operation.get("responses").and_then(Value::as_object).is_none_or(|responses| responses.is_empty())
        {
            report.add("operation without responses", &place, "any 2xx is taken as success without a body");
            operation.insert("responses".into(), json!({ "2XX": { "description": "Success." } }));
        }
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            let Some(response) = response.as_object_mut() else { continue };
            if node::text(response, "description").is_none() {
                report.add("response without a description", &place.child(status), "described by its status");
                response.insert("description".into(), format!("Status {status}.").into());
            }
        }
    });
}
