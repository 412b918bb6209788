//! The setters of an operation whose body is a JSON Patch: one for each field and each operation that the
//! service takes on it, and no others.

use heck::ToSnakeCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::Api;
use crate::lower;
use crate::names::PATCHES;
use crate::node::{self, Map};

/// The setters of one operation; none if the document does not say what it can patch.
pub(super) fn setters(api: &Api<'_>, operation: &node::Operation<'_>) -> Vec<TokenStream> {
    let patches = operation.node.get("requestBody").and_then(|body| body.get(PATCHES)?.as_object());
    let mut setters = Vec::new();
    for (field, operations) in patches.into_iter().flatten() {
        let schema = property(api, operation, field);
        for name in operations.as_array().into_iter().flatten().filter_map(Value::as_str) {
            setters.extend(setter(field, name, schema));
        }
    }
    setters
}

/// What does one operation to one field, and, where it may be null, what sets it to that.
fn setter(field: &str, operation: &str, schema: Option<&Map>) -> Vec<TokenStream> {
    let method = format_ident!("{}_{}", operation.to_snake_case(), field.to_snake_case());
    let path = format!("/{}", field.replace('~', "~0").replace('/', "~1"));
    if operation == "remove" {
        let doc = super::doc(&format!("Adds to the patch: takes `{field}` away."));
        return vec![quote! {
            #doc
            pub fn #method(mut self) -> Self {
                self.call.patch(#operation, #path, None);
                self
            }
        }];
    }
    let ty = value_type(schema);
    let doc = super::doc(&format!("Adds to the patch: `{operation}` of `{field}` with a value."));
    let mut setters = vec![quote! {
        #doc
        pub fn #method(mut self, value: impl Into<#ty>) -> Self {
            self.call.patch(#operation, #path, Some(Into::<#ty>::into(value).into()));
            self
        }
    }];
    if schema.is_some_and(|schema| node::is_true(schema, "nullable")) {
        let method = format_ident!("{method}_with_null");
        let doc = super::doc(&format!("Adds to the patch: `{operation}` of `{field}` with null."));
        setters.push(quote! {
            #doc
            pub fn #method(mut self) -> Self {
                self.call.patch(#operation, #path, Some(serde_json::Value::Null));
                self
            }
        });
    }
    setters
}

fn value_type(schema: Option<&Map>) -> TokenStream {
    match schema.and_then(|schema| node::text(schema, "type")) {
        Some("string") => quote!(String),
        Some("boolean") => quote!(bool),
        Some("integer") => quote!(i64),
        Some("number") => quote!(f64),
        _ => quote!(serde_json::Value),
    }
}

/// A field of what is patched: of what the patch answers, or what a GET of the same path does.
fn property<'a>(api: &'a Api<'a>, operation: &node::Operation<'a>, field: &str) -> Option<&'a Map> {
    let get = node::object(api.document, &["paths", operation.path, "get"]);
    [Some(operation.node), get].into_iter().flatten().find_map(|operation| {
        let (_, response) = lower::success(operation)?;
        let (_, schema) = lower::body(response)?;
        of_schema(api, schema?, field, 16)
    })
}

fn of_schema<'a>(api: &'a Api<'a>, schema: &'a Map, field: &str, depth: usize) -> Option<&'a Map> {
    let depth = depth.checked_sub(1)?;
    if let Some(name) = node::wrapped(schema) {
        return of_schema(api, api.schema(name)?, field, depth);
    }
    if let Some(property) = schema.get("properties").and_then(|properties| properties.get(field)) {
        return property.as_object();
    }
    let parts = node::items(schema, "allOf").iter().filter_map(Value::as_object);
    parts.into_iter().find_map(|part| of_schema(api, part, field, depth))
}
