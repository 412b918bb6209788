//! Models: progenitor's structs and enums, made to keep what the service sends and what the caller
//! sets.

use std::collections::BTreeSet;

use heck::ToUpperCamelCase;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::visit_mut::{VisitMut, visit_type_mut};

use super::{Api, docs};
use crate::error::Result;
use crate::lower;
use crate::node::{self, Map};

/// The text of `types.rs`.
pub(super) fn models(api: &Api<'_>, types: &[syn::Item], file: &str) -> Result<String> {
    let sent = sent(api);
    let mut made: Vec<(&str, String)> = Vec::new();
    for item in types {
        let (name, model) = match item {
            syn::Item::Struct(item) => (item.ident.to_string(), Some(item)),
            syn::Item::Enum(item) => (item.ident.to_string(), None),
            _ => continue,
        };
        let Some(schema) = api.schema(&name) else { continue };
        let (reader, tokens, body) = match (item, model) {
            (_, Some(item)) => with("model", model_of(api, item, &name, schema, sent.contains(&name))),
            (syn::Item::Enum(item), _) if lower::is_enum(schema) => {
                with("open_enum", open_enum(item, &name, schema))
            }
            (syn::Item::Enum(item), _) => with("union", union(item, &name, schema)),
            _ => continue,
        };
        let declared = super::unparse(super::items(tokens, file)?);
        made.push((reader, format!("{declared}\n{reader}!({body});\n")));
    }
    let mut readers: Vec<&str> = made.iter().map(|(reader, _)| *reader).collect();
    readers.sort_unstable();
    readers.dedup();
    let import = match readers[..] {
        [] => String::new(),
        [only] => format!("use crate::runtime::wire::{only};\n\n"),
        _ => format!("use crate::runtime::wire::{{{}}};\n\n", readers.join(", ")),
    };
    let texts: Vec<String> = made.into_iter().map(|(_, text)| text).collect();
    Ok(import + &texts.join("\n"))
}

fn with(reader: &'static str, (tokens, body): (TokenStream, String)) -> (&'static str, TokenStream, String) {
    (reader, tokens, body)
}

/// `Name { one: x, two: y }`, a line each.
fn listed(head: impl std::fmt::Display, entries: &[String]) -> String {
    let lines: String = entries.iter().map(|entry| format!("    {entry},\n")).collect();
    format!("{head} {{\n{lines}}}")
}

/// The models that are sent: those where a field that is null differs from one that is absent.
fn sent(api: &Api<'_>) -> BTreeSet<String> {
    let mut pending: Vec<String> = Vec::new();
    let mut found = BTreeSet::new();
    for operation in api.operations() {
        if let Some(mut body) = operation.node.get("requestBody").cloned() {
            node::references_mut(&mut body, &mut |target| {
                pending.extend(target.strip_prefix(node::SCHEMAS).map(str::to_owned));
            });
        }
    }
    while let Some(name) = pending.pop() {
        if let Some(mut schema) = api.schemas.get(&name).filter(|_| found.insert(name.clone())).cloned() {
            node::references_mut(&mut schema, &mut |target| {
                pending.extend(target.strip_prefix(node::SCHEMAS).map(str::to_owned));
            });
        }
    }
    found
}

fn model_of(
    api: &Api<'_>,
    item: &syn::ItemStruct,
    name: &str,
    schema: &Map,
    sent: bool,
) -> (TokenStream, String) {
    let properties = lower::properties(schema, &api.schemas);
    let keys = lower::keys(&properties);
    let required = lower::required(schema, &api.schemas);
    let ident = &item.ident;
    let mut fields: Vec<(usize, TokenStream, String)> = Vec::new();
    let mut arguments = Vec::new();
    for field in &item.fields {
        let Some(field_ident) = &field.ident else { continue };
        let key = renamed(&field.attrs).unwrap_or_else(|| field_ident.to_string());
        let Some((place, wire)) = keys
            .iter()
            .enumerate()
            .find(|(_, (known, _))| *known == key)
            .map(|(place, (_, wire))| (place, *wire))
        else {
            continue;
        };
        let Some(property) = properties[wire].as_object() else { continue };
        let nullable = lower::is_nullable(property, &api.schemas);
        let must = required.contains(wire) && lower::is_required(property, &api.schemas);
        let inner = plain(option_inner(&field.ty).unwrap_or(&field.ty));
        let any = is_any(&inner);
        let collection = generic(&inner, "Vec").is_some() || generic(&inner, "BTreeMap").is_some();
        let (kind, ty) = match (must, nullable && sent && !any) {
            (true, _) if collection => ("list", quote!(#inner)),
            (true, _) => ("required", quote!(#inner)),
            (false, true) => ("nullable", quote!(crate::Nullable<#inner>)),
            (false, false) => ("optional", quote!(Option<#inner>)),
        };
        if must {
            arguments.push((place, quote!(#field_ident: impl Into<#inner>), quote!(#field_ident)));
        }
        let doc = super::doc(&docs::property(wire, property, schema, &api.schemas, must));
        fields.push((place, quote!(#doc pub #field_ident: #ty), format!("{field_ident}: {kind} {wire:?}")));
    }
    // The document's order, which groups what belongs together.
    fields.sort_by_key(|(place, ..)| *place);
    arguments.sort_by_key(|(place, ..)| *place);
    let (declared, read): (Vec<_>, Vec<_>) =
        fields.into_iter().map(|(_, declared, read)| (declared, read)).unzip();
    let doc = super::doc(&docs::model(name, schema));
    let default = if arguments.is_empty() { quote!(, Default) } else { quote!() };
    let new = constructor(ident, &item.fields, &arguments);
    let tokens = quote! {
        #doc
        #[derive(Clone, Debug, PartialEq #default)]
        pub struct #ident {
            #(#declared,)*
            /// Fields that are not known to the document, by their name on the wire.
            pub extra: crate::Extra,
        }
        #new
    };
    (tokens, listed(ident, &read))
}

/// `new` with what is required, for a model that has no default.
fn constructor(
    ident: &syn::Ident,
    fields: &syn::Fields,
    arguments: &[(usize, TokenStream, TokenStream)],
) -> TokenStream {
    if arguments.is_empty() {
        return quote!();
    }
    let given: Vec<String> = arguments.iter().map(|(.., name)| name.to_string()).collect();
    let rest = fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .filter(|name| !given.contains(&name.to_string()))
        .map(|name| quote!(#name: Default::default()));
    let taken = arguments.iter().map(|(_, argument, _)| argument);
    let set = arguments.iter().map(|(.., name)| quote!(#name: #name.into()));
    let doc = format!(" A `{ident}` with what is required, and nothing else set.");
    quote! {
        impl #ident {
            #[doc = #doc]
            pub fn new(#(#taken),*) -> Self {
                Self { #(#set,)* #(#rest,)* extra: Default::default() }
            }
        }
    }
}

fn open_enum(item: &syn::ItemEnum, name: &str, schema: &Map) -> (TokenStream, String) {
    let ident = &item.ident;
    let taken: Vec<String> = item.variants.iter().map(|variant| variant.ident.to_string()).collect();
    let unknown = spare(&["Unknown", "Other", "Unrecognized"], &taken);
    let mut declared = Vec::new();
    let mut read = Vec::new();
    let values = lower::values(schema);
    for variant in &item.variants {
        let text = renamed(&variant.attrs).unwrap_or_else(|| variant.ident.to_string());
        let Some((_, wire)) = values.iter().find(|(known, _)| *known == text) else { continue };
        let variant = &variant.ident;
        let doc = super::doc(&docs::variant(wire, schema));
        declared.push(quote!(#doc #variant));
        read.push(format!("{variant} = {wire:?}"));
    }
    let doc = super::doc(&docs::model(name, schema));
    let tokens = quote! {
        #doc
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum #ident {
            #(#declared,)*
            /// A value that was not known when this crate was made, as it is on the wire.
            #unknown(String),
        }
    };
    (tokens, listed(format_args!("{ident}, {unknown}"), &read))
}

fn union(item: &syn::ItemEnum, name: &str, schema: &Map) -> (TokenStream, String) {
    let ident = &item.ident;
    let taken: Vec<String> = item.variants.iter().map(|variant| variant.ident.to_string()).collect();
    let other = spare(&["Other", "Unknown", "Unrecognized"], &taken);
    let mut declared = Vec::new();
    let mut read = Vec::new();
    let mut from: Vec<(String, TokenStream)> = Vec::new();
    for variant in &item.variants {
        let name = &variant.ident;
        let Some(kind) = variant.fields.iter().next().map(|field| plain(&field.ty)) else { continue };
        let doc = format!(" It is {}.", docs::article(&shown(&kind)));
        declared.push(quote!(#[doc = #doc] #name(#kind)));
        read.push(format!("{name}({})", shown(&kind)));
        let conversion = quote! {
            impl From<#kind> for #ident {
                fn from(value: #kind) -> Self {
                    Self::#name(value)
                }
            }
        };
        from.push((quote!(#kind).to_string(), conversion));
    }
    let lone = from.iter().filter(|(kind, _)| from.iter().filter(|(other, _)| other == kind).count() == 1);
    let from = lone.map(|(_, conversion)| conversion);
    let doc = super::doc(&docs::model(name, schema));
    let tokens = quote! {
        #doc
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum #ident {
            #(#declared,)*
            /// It is none of those that were known when this crate was made; as it came.
            #other(serde_json::Value),
        }
        #(#from)*
    };
    (tokens, listed(format_args!("{ident}, {other}"), &read))
}

/// A type as it is written.
pub(super) fn shown(ty: &syn::Type) -> String {
    quote!(#ty).to_string().replace(' ', "").replace(',', ", ")
}

fn spare(names: &[&str], taken: &[String]) -> syn::Ident {
    let free = names.iter().find(|name| !taken.iter().any(|taken| taken == *name));
    match free {
        Some(name) => format_ident!("{name}"),
        None => format_ident!("{}Value", taken.concat().to_upper_camel_case()),
    }
}

/// The name of `#[serde(rename = "...")]`.
fn renamed(attributes: &[syn::Attribute]) -> Option<String> {
    let mut name = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // What else serde is told there is of no interest, parsed or not.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = Some(meta.value()?.parse::<syn::LitStr>()?.value());
            } else if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    name
}

/// A type with the paths of the prelude and of this crate's own names shortened.
pub(super) fn plain(ty: &syn::Type) -> syn::Type {
    struct Shorten;
    impl VisitMut for Shorten {
        fn visit_type_mut(&mut self, ty: &mut syn::Type) {
            visit_type_mut(self, ty);
            if let syn::Type::Path(path) = ty {
                let path = &mut path.path;
                let names: Vec<String> =
                    path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let last = path.segments.last().cloned();
                match names[..] {
                    ["std", _, "String" | "Vec" | "Option" | "Box"] => {
                        path.leading_colon = None;
                        path.segments = last.into_iter().collect();
                    }
                    ["std", "collections", ..] => path.leading_colon = None,
                    ["serde_json", "Map"] => *ty = syn::parse_quote!(crate::Extra),
                    ["serde_json", ..] => path.leading_colon = None,
                    ["chrono", .., "DateTime"] => *ty = syn::parse_quote!(chrono::DateTime<chrono::Utc>),
                    ["chrono", ..] => *ty = syn::parse_quote!(chrono::NaiveDate),
                    _ => {}
                }
            }
        }
    }
    let mut ty = ty.clone();
    Shorten.visit_type_mut(&mut ty);
    ty
}

fn is_any(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Value")
        && path.path.segments.first().is_some_and(|first| first.ident == "serde_json"))
}

/// `T` of `Option<T>`.
pub(super) fn option_inner(ty: &syn::Type) -> Option<&syn::Type> {
    generic(ty, "Option")
}

/// The last argument of a type by that name.
pub(super) fn generic<'a>(ty: &'a syn::Type, name: &str) -> Option<&'a syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.last()? {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}
