//! Operations as data: everything in which they differ, for the code that sends, repeats and pages.

use std::collections::BTreeSet;

use heck::{ToShoutySnakeCase, ToSnakeCase};
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::Api;
use crate::names::{IDEMPOTENT, PATCHES};
use crate::node::{self, Map};
use crate::{filters, lower};

/// The items of `operations.rs`.
pub(super) fn table(api: &Api<'_>) -> Vec<syn::Item> {
    let mut items: Vec<syn::Item> = vec![syn::parse_quote!(
        use crate::Operation;
    )];
    let mut names = Vec::new();
    for operation in api.operations() {
        let constant = super::ident(&operation.id().to_shouty_snake_case());
        let method = super::ident(&operation.id().to_snake_case());
        let doc = format!(" [`{method}`](crate::Client::{method}).");
        let (id, verb, path) = (method.to_string(), operation.method.to_uppercase(), operation.path);
        let fields = fields(api, &operation);
        items.push(syn::parse_quote! {
            #[doc = #doc]
            pub static #constant: Operation = Operation { #(#fields,)* ..Operation::new(#id, #verb, #path) };
        });
        names.push(constant);
    }
    let uses = |name: &str| items.iter().any(|item| quote!(#item).to_string().contains(name));
    items[0] = match (uses("Page {"), uses("PageKey {")) {
        (_, true) => syn::parse_quote!(
            use crate::{Operation, Page, PageKey};
        ),
        (true, false) => syn::parse_quote!(
            use crate::{Operation, Page};
        ),
        (false, false) => syn::parse_quote!(
            use crate::Operation;
        ),
    };
    items.push(syn::parse_quote! {
        /// All operations, in the order of the document.
        pub static ALL: &[&Operation] = &[#(&#names),*];
    });
    items
}

/// The fields that are not as [`Operation::new`] leaves them.
fn fields(api: &Api<'_>, operation: &node::Operation<'_>) -> Vec<TokenStream> {
    let parameters: Vec<&Map> =
        node::items(operation.node, "parameters").iter().filter_map(Value::as_object).collect();
    let mut fields = Vec::new();
    let required: Vec<&str> = parameters
        .iter()
        .filter(|parameter| {
            node::text(parameter, "in") != Some("path") && node::is_true(parameter, "required")
        })
        .filter(|parameter| lower::is_argument(parameter))
        .filter_map(|parameter| node::text(parameter, "name"))
        .collect();
    if !required.is_empty() {
        fields.push(quote!(required: &[#(#required),*]));
    }
    let headers: Vec<TokenStream> = parameters
        .iter()
        .filter_map(|parameter| lower::constant_header(parameter))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .map(|(name, value)| quote!((#name, #value)))
        .collect();
    if !headers.is_empty() {
        fields.push(quote!(headers: &[#(#headers),*]));
    }
    let accept = accept(operation.node);
    if accept != "*/*" {
        fields.push(quote!(accept: #accept));
    }
    if let Some(body) = operation.node.get("requestBody") {
        if let Some((media, _)) = lower::body(body).filter(|(media, _)| *media != "*/*") {
            fields.push(quote!(content_type: Some(#media)));
        }
        if body.get("required") == Some(&Value::Bool(true)) {
            fields.push(quote!(body_required: true));
        }
        let patches = pairs(body.get(PATCHES));
        if !patches.is_empty() {
            fields.push(quote!(patches: &[#(#patches),*]));
        }
    }
    if idempotent(operation) {
        fields.push(quote!(idempotent: true));
    }
    let scopes = scopes(api.document, operation.node);
    if !scopes.is_empty() {
        fields.push(quote!(scopes: &[#(#scopes),*]));
    }
    if let Some(page) = page(api, operation.node, &parameters) {
        fields.push(quote!(page: Some(#page)));
    }
    let filters: Vec<TokenStream> =
        parameters.iter().flat_map(|parameter| pairs(parameter.get(filters::FILTERS))).collect();
    if !filters.is_empty() {
        fields.push(quote!(filters: &[#(#filters),*]));
    }
    let sorters: Vec<&str> = parameters
        .iter()
        .flat_map(|parameter| node::items(parameter, filters::SORTERS))
        .filter_map(Value::as_str)
        .collect();
    if !sorters.is_empty() {
        fields.push(quote!(sorters: &[#(#sorters),*]));
    }
    fields
}

/// `("name", &["eq", "sw"])` for each entry of a table.
fn pairs(table: Option<&Value>) -> Vec<TokenStream> {
    let entries = table.and_then(Value::as_object).into_iter().flatten();
    entries
        .map(|(name, values)| {
            let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
            quote!((#name, &[#(#values),*]))
        })
        .collect()
}

/// The media types of the answer, that of success first.
fn accept(operation: &Map) -> String {
    let media = |response: &Value| -> Vec<String> {
        node::object(response, &["content"]).into_iter().flatten().map(|(media, _)| media.clone()).collect()
    };
    let mut accepted: Vec<String> =
        lower::success(operation).map(|(_, response)| media(response)).unwrap_or_default();
    let responses = operation.get("responses").and_then(Value::as_object);
    for response in responses.into_iter().flatten().map(|(_, response)| response) {
        accepted.extend(media(response));
    }
    let mut seen = BTreeSet::new();
    accepted.retain(|media| seen.insert(media.clone()));
    if accepted.is_empty() { "*/*".into() } else { accepted.join(", ") }
}

fn idempotent(operation: &node::Operation<'_>) -> bool {
    match operation.node.get(IDEMPOTENT) {
        Some(Value::Bool(idempotent)) => *idempotent,
        _ => matches!(operation.method, "get" | "head" | "options" | "trace" | "put" | "delete"),
    }
}

fn scopes<'a>(document: &'a Value, operation: &'a Map) -> Vec<&'a str> {
    let security = operation.get("security").or_else(|| document.get("security")).and_then(Value::as_array);
    let mut scopes: Vec<&str> = security
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|scheme| scheme.values())
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut seen = BTreeSet::new();
    scopes.retain(|scope| seen.insert(*scope));
    scopes
}

/// How an operation pages, where it does.
fn page(api: &Api<'_>, operation: &Map, parameters: &[&Map]) -> Option<TokenStream> {
    let (limit, items) = listing(api, operation, parameters)?;
    let max = limit
        .get("schema")
        .and_then(|schema| schema.get("maximum")?.as_u64())
        .and_then(|max| u32::try_from(max).ok());
    let max = max.map_or(quote!(None), |max| quote!(Some(#max)));
    let count = query(parameters, "count").is_some();
    let keys = keys(api, items, parameters);
    Some(quote!(Page { max: #max, count: #count, keys: &[#(#keys),*] }))
}

/// Whether an operation pages: it does, where it takes `offset` and `limit` and gives a list.
pub(super) fn pages(api: &Api<'_>, operation: &Map) -> bool {
    let parameters: Vec<&Map> =
        node::items(operation, "parameters").iter().filter_map(Value::as_object).collect();
    listing(api, operation, &parameters).is_some()
}

/// The parameter `limit` and the schema of the items of an operation that pages.
fn listing<'a>(
    api: &'a Api<'_>,
    operation: &'a Map,
    parameters: &[&'a Map],
) -> Option<(&'a Map, Option<&'a Map>)> {
    query(parameters, "offset")?;
    let limit = query(parameters, "limit")?;
    let (_, response) = lower::success(operation)?;
    let (_, schema) = lower::body(response)?;
    let list = resolved(api, schema).filter(|schema| node::text(schema, "type") == Some("array"))?;
    Some((limit, resolved(api, node::items_of(list))))
}

fn query<'a>(parameters: &[&'a Map], name: &str) -> Option<&'a Map> {
    let same = |parameter: &&&Map| {
        node::text(parameter, "name") == Some(name) && node::text(parameter, "in") == Some("query")
    };
    parameters.iter().find(same).copied()
}

/// A schema, or what it refers to.
fn resolved<'a>(api: &'a Api<'_>, mut schema: Option<&'a Map>) -> Option<&'a Map> {
    for _ in 0..16 {
        let Some(target) = schema.and_then(node::wrapped) else { break };
        schema = api.schema(target);
    }
    schema
}

/// The fields by which a list can be read in order, going on from the last item instead of from an
/// offset: it sorts by them, filters by them with a bound that takes ties in, and its items have them and an id.
fn keys(api: &Api<'_>, items: Option<&Map>, parameters: &[&Map]) -> Vec<TokenStream> {
    let properties = items.map(|items| lower::properties(items, &api.schemas)).unwrap_or_default();
    let scalar = |name: &str, types: &[&str]| {
        let property = properties.get(name).and_then(Value::as_object);
        property.is_some_and(|property| {
            // Where an item without the key would stand, no document says.
            node::text(property, "type").is_some_and(|ty| types.contains(&ty))
                && !lower::is_nullable(property, &api.schemas)
        })
    };
    if !scalar("id", &["string"]) {
        return Vec::new();
    }
    let sorts = |name: &str| {
        parameters
            .iter()
            .flat_map(|parameter| node::items(parameter, filters::SORTERS))
            .any(|sorter| sorter.as_str() == Some(name))
    };
    parameters
        .iter()
        .filter_map(|parameter| parameter.get(filters::FILTERS)?.as_object())
        .flatten()
        .filter(|(name, _)| sorts(name) && scalar(name, &["string", "integer", "number"]))
        .filter_map(|(name, operators)| {
            let takes =
                |operator: &str| operators.as_array().is_some_and(|all| all.contains(&operator.into()));
            let (ascending, descending) = (takes("ge"), takes("le"));
            (ascending || descending)
                .then(|| quote!(PageKey { name: #name, ascending: #ascending, descending: #descending }))
        })
        .collect()
}
