//! The fields each operation filters and sorts by, typed: an operator it does not take does not
//! compile.

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use super::Api;
use crate::filters;
use crate::node;

/// The text of `fields.rs`.
pub(super) fn fields(api: &Api<'_>) -> String {
    let mut texts = Vec::new();
    for operation in api.operations() {
        let table = table(operation.node);
        if table.is_empty() {
            continue;
        }
        let method = super::ident(&operation.id().to_snake_case());
        let builder = super::ident(&operation.id().to_upper_camel_case());
        let doc = format!("What [`{method}`](crate::Client::{method}) filters and sorts by.");
        let fields: String = table
            .iter()
            .map(|field| {
                let constant = super::ident(&field.name.to_shouty_snake_case());
                let kind = super::ident(&field.name.to_upper_camel_case());
                let (name, operators) = (&field.name, field.operators.join(" "));
                let sort = if field.sorts { "sort" } else { "" };
                let doc = super::doc_comments(&doc_of(field), "        ");
                format!("{doc}        {constant}: {kind} = {name:?} [{operators}] [{sort}];\n")
            })
            .collect();
        texts.push(format!(
            "{}pub mod {method} {{\n    use crate::builder::{builder};\n\n    \
             crate::runtime::filter::fields! {{ {builder} {{\n{fields}    }} }}\n}}\n",
            super::doc_comments(&doc, "")
        ));
    }
    texts.join("\n")
}

struct Field {
    name: String,
    operators: Vec<String>,
    sorts: bool,
}

fn table(operation: &node::Map) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for parameter in node::items(operation, "parameters").iter().filter_map(Value::as_object) {
        for (name, operators) in
            parameter.get(filters::FILTERS).and_then(Value::as_object).into_iter().flatten()
        {
            let operators = operators.as_array().into_iter().flatten().filter_map(Value::as_str);
            // `in` is a keyword of Rust; all others are names.
            let operators =
                operators.map(|operator| if operator == "in" { "is_in" } else { operator }.to_owned());
            fields.push(Field { name: name.clone(), operators: operators.collect(), sorts: false });
        }
        for name in node::items(parameter, filters::SORTERS).iter().filter_map(Value::as_str) {
            match fields.iter_mut().find(|field| field.name == name) {
                Some(field) => field.sorts = true,
                None => fields.push(Field { name: name.to_owned(), operators: Vec::new(), sorts: true }),
            }
        }
    }
    // A sorter may come before the filter of the same name.
    let mut whole: Vec<Field> = Vec::new();
    for field in fields {
        match whole
            .iter_mut()
            .find(|known| known.name.to_shouty_snake_case() == field.name.to_shouty_snake_case())
        {
            Some(known) => {
                known.sorts |= field.sorts;
                for operator in field.operators {
                    if !known.operators.contains(&operator) {
                        known.operators.push(operator);
                    }
                }
            }
            None => whole.push(field),
        }
    }
    whole
}

fn doc_of(field: &Field) -> String {
    let operators: Vec<String> =
        field.operators.iter().map(|operator| format!("`{}`", operator.trim_start_matches("is_"))).collect();
    let filters = if operators.is_empty() {
        "does not filter".into()
    } else {
        format!("filters by {}", operators.join(", "))
    };
    format!("`{}`: {filters}, {}.", field.name, if field.sorts { "sorts" } else { "does not sort" })
}
