//! Which fields an operation filters and sorts by: read out of the prose of its parameters into data.

use serde_json::Value;

use crate::node::{self, Map};
use crate::report::Report;

/// On a filter parameter: a map from each field to the operators it takes.
pub const FILTERS: &str = "x-filter-fields";
/// On a sorter parameter: the list of fields.
pub const SORTERS: &str = "x-sorter-fields";

const OPERATORS: [&str; 13] =
    ["ca", "co", "eq", "ge", "gt", "in", "isnull", "le", "lt", "ne", "pr", "sw", "ew"];

/// Adds the tables that are not there yet.
pub fn extract(document: &mut Value, file: &str, report: &mut Report) {
    node::operations_mut(document, file, &mut |_, _, operation, place| {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let Some(parameter) = parameter.as_object_mut() else { continue };
            if node::text(parameter, "in") != Some("query") {
                continue;
            }
            let prose = node::text(parameter, "description").unwrap_or_default().to_owned();
            let place = place.child("parameters").child(&index.to_string());
            if !parameter.contains_key(FILTERS) {
                let fields = filter_fields(&prose);
                if !fields.is_empty() {
                    let shown = Value::Object(fields.clone());
                    report.add("filter fields read from prose", &place, &shown);
                    parameter.insert(FILTERS.into(), shown);
                }
            }
            if !parameter.contains_key(SORTERS) {
                let fields = sorter_fields(&prose);
                if !fields.is_empty() {
                    let shown = Value::from(fields);
                    report.add("sorter fields read from prose", &place, &shown);
                    parameter.insert(SORTERS.into(), shown);
                }
            }
        }
    });
}

/// `**field**: *eq, sw*`, once for each field.
fn filter_fields(prose: &str) -> Map {
    let Some((_, list)) = prose.split_once("iltering is supported") else { return Map::new() };
    let mut fields = Map::new();
    let mut rest = list;
    while let Some((_, bold)) = rest.split_once("**") {
        let Some((field, after)) = bold.split_once("**") else { break };
        rest = after;
        let Some(operators) = after.trim_start().strip_prefix(':') else { continue };
        let end = operators.find("**").unwrap_or(operators.len());
        let line = operators[..end].lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let operators: Vec<Value> = line
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .take_while(|word| OPERATORS.contains(&word.as_str()))
            .map(Value::from)
            .collect();
        if is_field(field.trim()) && !operators.is_empty() {
            fields.insert(field.trim().to_owned(), Value::Array(operators));
        }
    }
    fields
}

/// `**one, two**`, or `**one**, **two**`, up to the end of the sentence.
fn sorter_fields(prose: &str) -> Vec<String> {
    let Some((_, list)) = prose.split_once("orting is supported for the following fields") else {
        return Vec::new();
    };
    let list = list.trim_start_matches([':', ' ', '\n', '*']);
    let end = ["\n\n", ". ", ".\n", " The ", "\nThe "].iter().filter_map(|end| list.find(end)).min();
    list[..end.unwrap_or(list.len())]
        .split([',', '\n'])
        .map(|field| field.trim_matches(|letter: char| letter.is_whitespace() || "*.`-".contains(letter)))
        .take_while(|field| is_field(field))
        .map(str::to_owned)
        .collect()
}

fn is_field(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
}
