//! Rules that mend what keeps a document from being valid OpenAPI, or from having a faithful Rust form.
//!
//! A rule is keyed to a kind of defect, never to one file of one edition. Each has a file, says what
//! it changed, and changes nothing in a document that is already canonical.

use serde_json::Value;

use crate::node::{self, Map};
use crate::report::Report;

mod annotations;
mod collection_items;
mod defaults;
mod examples;
mod fit;
mod keywords;
mod map_values;
mod null_enums;
mod null_stand_ins;
mod object_items;
mod one_or_many;
mod path_parameters;
mod ref_siblings;
mod responses;
mod single_unions;
mod types;

/// Mends one schema, given the components it may refer to, and says what it did.
type SchemaRule = fn(&mut Map, &Map) -> Option<String>;

const SCHEMA_RULES: &[(&str, SchemaRule)] = &[
    ("keyword of the wrong kind", keywords::mend),
    ("type that is none", types::mend),
    ("null among enum values", null_enums::mend),
    ("object with items", object_items::mend),
    ("reference with siblings", ref_siblings::mend),
    ("member that only annotates", annotations::mend),
    ("stand-in for null", null_stand_ins::mend),
    ("union of one", single_unions::mend),
    ("array shown as an object", one_or_many::mend),
    ("map shown with other values", map_values::mend),
    ("default of another type", defaults::mend),
];

/// Applies the rules that need no names.
pub fn schemas(document: &mut Value, file: &str, report: &mut Report) {
    path_parameters::mend(document, file, report);
    responses::mend(document, file, report);
    for (name, mend) in SCHEMA_RULES {
        let known = components(document);
        node::schemas_mut(document, file, &mut |schema, place| {
            if let Some(what) = mend(schema, &known) {
                report.add(name, place, what);
            }
        });
    }
    examples::mend(document, file, report);
}

/// Applies the rules that compare one operation with another.
pub fn operations(document: &mut Value, file: &str, report: &mut Report) {
    collection_items::mend(document, file, report);
}

fn components(document: &Value) -> Map {
    node::object(document, &["components", "schemas"]).cloned().unwrap_or_default()
}
