//! From the canonical document to Rust: progenitor makes the bulk, passes over its syntax tree make
//! it faithful, and prettyplease writes it down.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Ident, Span};
use quote::quote;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::node::{self, Map, Place};
use crate::{import, lower};

mod builders;
mod docs;
mod fields;
mod models;
mod patches;
mod table;

/// The modules of a client, by file name, without headers.
pub struct Sources {
    /// `mod.rs`, `types.rs`, `builder.rs`, `operations.rs`, `fields.rs`.
    pub files: Vec<(&'static str, String)>,
}

/// Makes the sources of a client for a canonical document. `library` is the name of the crate they
/// will be part of, as examples import it.
pub fn emit(document: &Value, file: &str, library: &str) -> Result<Sources> {
    let api = Api::new(document, library);
    let tree = progenitor(document, file)?;
    let types = module(&tree.items, "types").ok_or_else(|| broken(file, "no module of types"))?;
    let builders = module(&tree.items, "builder").ok_or_else(|| broken(file, "no module of builders"))?;
    let calls = builders::calls(&api, builders, file)?;
    let files = vec![
        ("mod.rs", unparse(builders::client(&api, &calls))),
        ("types.rs", models::models(&api, types, file)?),
        ("builder.rs", unparse(builders::builders(&calls))),
        ("operations.rs", unparse(table::table(&api))),
        ("fields.rs", fields::fields(&api)),
    ];
    Ok(Sources { files })
}

/// The document, as the emitters ask for it.
struct Api<'a> {
    document: &'a Value,
    schemas: Map,
    library: &'a str,
}

impl<'a> Api<'a> {
    fn new(document: &'a Value, library: &'a str) -> Api<'a> {
        let schemas = node::object(document, &["components", "schemas"]).cloned().unwrap_or_default();
        Api { document, schemas, library }
    }

    fn schema(&self, name: &str) -> Option<&Map> {
        self.schemas.get(name)?.as_object()
    }

    fn operations(&self) -> Vec<node::Operation<'a>> {
        node::operations(self.document).collect()
    }
}

/// What progenitor makes of the document.
fn progenitor(document: &Value, file: &str) -> Result<syn::File> {
    let lowered = import::typed(&lower::lower(document), file)?;
    let mut settings = progenitor_impl::GenerationSettings::default();
    settings.with_interface(progenitor_impl::InterfaceStyle::Builder);
    settings.with_map_type("::std::collections::BTreeMap");
    // It panics on what it does not expect; that is no reason for us to.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let made = catch_unwind(AssertUnwindSafe(|| {
        progenitor_impl::Generator::new(&settings).generate_tokens(&lowered)
    }));
    std::panic::set_hook(hook);
    let tokens = match made {
        Ok(Ok(tokens)) => tokens,
        Ok(Err(error)) => return Err(broken(file, error)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            return Err(broken(file, text));
        }
    };
    syn::parse2(tokens).map_err(|error| broken(file, error))
}

fn broken(file: &str, cause: impl std::fmt::Display) -> Error {
    Error::at(&Place::top(file), format!("progenitor cannot make a client of it: {cause}"))
}

fn module<'a>(items: &'a [syn::Item], name: &str) -> Option<&'a [syn::Item]> {
    items.iter().find_map(|item| match item {
        syn::Item::Mod(module) if module.ident == name => {
            module.content.as_ref().map(|(_, items)| items.as_slice())
        }
        _ => None,
    })
}

/// The items as text, a blank line between those that are more than a line.
fn unparse(items: Vec<syn::Item>) -> String {
    let mut text = String::new();
    for item in items {
        let shown = prettyplease::unparse(&syn::File { shebang: None, attrs: Vec::new(), items: vec![item] });
        let apart = !text.is_empty() && (shown.lines().count() > 1 || text.ends_with("}\n"));
        text.push_str(if apart { "\n" } else { "" });
        text.push_str(&shown);
    }
    text
}

/// An item from tokens that are known to be one.
fn items(tokens: proc_macro2::TokenStream, file: &str) -> Result<Vec<syn::Item>> {
    let file_of_items: syn::File = syn::parse2(tokens).map_err(|error| broken(file, error))?;
    Ok(file_of_items.items)
}

/// A name as Rust takes it: keywords get a `_` behind them.
fn ident(name: &str) -> Ident {
    syn::parse_str::<Ident>(name).unwrap_or_else(|_| {
        let cleaned: String = name
            .chars()
            .map(|letter| if letter.is_alphanumeric() || letter == '_' { letter } else { '_' })
            .collect();
        let lead =
            if cleaned.starts_with(|first: char| first.is_alphabetic() || first == '_') { "" } else { "x" };
        let tail = if syn::parse_str::<Ident>(&format!("{lead}{cleaned}")).is_ok() { "" } else { "_" };
        Ident::new(&format!("{lead}{cleaned}{tail}"), Span::call_site())
    })
}

/// `#[doc = ...]` for each line of a text, long lines wrapped.
fn doc(text: &str) -> proc_macro2::TokenStream {
    let lines = docs::wrap(text);
    let lines = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// A text as doc comments, where no syntax tree is at hand.
fn doc_comments(text: &str, indent: &str) -> String {
    let lines = docs::wrap(text);
    lines.iter().map(|line| format!("{indent}/// {line}").trim_end().to_owned() + "\n").collect()
}
