//! A collection that answers with the model its items are created from, where creating one answers
//! with a fuller model: the items are the fuller one, or what only it holds (an `id`) would be lost.

use serde_json::Value;

use crate::node::{self, Map};
use crate::report::Report;

const RULE: &str = "collection of request models";

pub(super) fn mend(document: &mut Value, file: &str, report: &mut Report) {
    let known = super::components(document);
    let fuller: Vec<(String, String, String)> = node::operations(document)
        .filter(|operation| operation.method == "post")
        .filter_map(|operation| {
            let sent = body_model(operation.node.get("requestBody")?)?;
            let given = success(operation.node).and_then(body_model)?;
            let (less, more) = (properties(&known, sent)?, properties(&known, given)?);
            let holds_all = less.keys().all(|name| more.contains_key(name));
            (sent != given && holds_all && more.len() > less.len())
                .then(|| (operation.path.to_owned(), sent.to_owned(), given.to_owned()))
        })
        .collect();
    node::operations_mut(document, file, &mut |path, method, operation, place| {
        let Some((_, sent, given)) = fuller.iter().find(|(other, ..)| method == "get" && other == path)
        else {
            return;
        };
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in
            responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2'))
        {
            let Some(content) = node::object_mut(response, &["content"]) else { continue };
            for schema in content.values_mut().filter_map(|body| node::object_mut(body, &["schema"])) {
                let Some(items) = schema.get_mut("items").and_then(Value::as_object_mut) else { continue };
                if node::component(items) == Some(sent) {
                    *items =
                        Map::from_iter([("$ref".to_owned(), format!("{}{given}", node::SCHEMAS).into())]);
                    report.add(
                        RULE,
                        &place.child("responses").child(status),
                        format!(
                            "items were `{sent}`, what is sent to create one; now `{given}`, what comes back"
                        ),
                    );
                }
            }
        }
    });
}

fn success(operation: &Map) -> Option<&Value> {
    let responses = operation.get("responses")?.as_object()?;
    responses.iter().find(|(status, _)| status.starts_with('2')).map(|(_, response)| response)
}

fn body_model(holder: &Value) -> Option<&str> {
    let content = node::object(holder, &["content"])?;
    content.values().find_map(|body| node::component(node::object(body, &["schema"])?))
}

fn properties<'a>(known: &'a Map, name: &str) -> Option<&'a Map> {
    known.get(name)?.get("properties")?.as_object()
}
