//! Operations: progenitor's builders, each reduced to its parameters, over the one way of calling.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use serde_json::Value;

use super::{Api, docs, models, patches, table};
use crate::error::{Error, Result};
use crate::filters;
use crate::lower;
use crate::node::{self, Map, Place};

/// One operation, as it is written in Rust.
pub(super) struct Call {
    /// The method of the client.
    pub(super) method: Ident,
    /// The builder.
    pub(super) builder: Ident,
    /// The constant that describes it.
    pub(super) constant: Ident,
    doc: String,
    example: String,
    setters: Vec<TokenStream>,
    sent: TokenStream,
    paginate: Option<TokenStream>,
}

/// Reads the calls off progenitor's builders.
pub(super) fn calls(api: &Api<'_>, items: &[syn::Item], file: &str) -> Result<Vec<Call>> {
    let made: BTreeMap<String, Made<'_>> = made(items);
    api.operations()
        .iter()
        .map(|operation| {
            let name = operation.id().to_upper_camel_case();
            let made = made.get(&name).ok_or_else(|| {
                super::broken(file, format!("operation `{}` has no builder `{name}`", operation.id()))
            })?;
            call(api, operation, &name, made, file)
        })
        .collect()
}

/// What is of use in a builder of progenitor's: the types of its fields, and what `send` gives.
struct Made<'a> {
    fields: BTreeMap<String, &'a syn::Type>,
    sent: Option<&'a syn::Type>,
}

fn made(items: &[syn::Item]) -> BTreeMap<String, Made<'_>> {
    let mut made: BTreeMap<String, Made<'_>> = BTreeMap::new();
    for item in items {
        match item {
            syn::Item::Struct(item) => {
                let fields = item.fields.iter().filter_map(|field| {
                    // A field is a `Result<T, String>`; its first argument is what is set.
                    let name = field.ident.as_ref()?.to_string();
                    Some((name, first_argument(&field.ty, "Result")?))
                });
                made.insert(item.ident.to_string(), Made { fields: fields.collect(), sent: None });
            }
            syn::Item::Impl(item) => {
                let syn::Type::Path(of) = &*item.self_ty else { continue };
                let Some(made) =
                    of.path.segments.last().and_then(|last| made.get_mut(&last.ident.to_string()))
                else {
                    continue;
                };
                for function in &item.items {
                    let syn::ImplItem::Fn(function) = function else { continue };
                    let syn::ReturnType::Type(_, ty) = &function.sig.output else { continue };
                    if function.sig.ident == "send" {
                        made.sent =
                            first_argument(ty, "Result").and_then(|ty| first_argument(ty, "ResponseValue"));
                    }
                }
            }
            _ => {}
        }
    }
    made
}

fn first_argument<'a>(ty: &'a syn::Type, name: &str) -> Option<&'a syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

fn call(
    api: &Api<'_>,
    operation: &node::Operation<'_>,
    name: &str,
    made: &Made<'_>,
    file: &str,
) -> Result<Call> {
    let missing = |what: &str| {
        let place = Place::top(file).child("paths").child(operation.path).child(operation.method);
        Error::at(&place, format!("progenitor made no setter for {what}"))
    };
    let method = super::ident(&operation.id().to_snake_case());
    let builder = format_ident!("{name}");
    let mut setters = Vec::new();
    let mut names = BTreeSet::new();
    let mut shown = Vec::new();
    let mut given = None;
    let parameters = node::items(operation.node, "parameters").iter().filter_map(Value::as_object);
    for parameter in parameters.filter(|parameter| lower::is_argument(parameter)) {
        let wire = node::text(parameter, "name").unwrap_or_default();
        let key = wire.to_snake_case();
        let field = made.fields.get(&key).or_else(|| made.fields.get(&format!("{key}_")));
        let ty = models::plain(field.ok_or_else(|| missing(&format!("parameter `{wire}`")))?);
        let ty = models::option_inner(&ty).cloned().unwrap_or(ty);
        let name = free_name(wire, parameter, &mut names);
        setters.push(setter(api, parameter, wire, &name, &ty, &builder));
        shown.extend(argument(parameter, wire, &ty));
    }
    if let Some(body) = operation.node.get("requestBody") {
        let ty = made.fields.get("body").map(|ty| models::plain(ty));
        let (media, schema) = lower::body(body).unwrap_or(("application/octet-stream", None));
        let doc = body_doc(body);
        match ty.filter(|_| lower::is_json(media) && schema.is_some()) {
            Some(ty) => {
                let ty = unbuilt(ty);
                setters.push(quote! {
                    #doc
                    pub fn body(mut self, value: impl Into<#ty>) -> Self {
                        self.call.json_body::<#ty>(&value.into());
                        self
                    }
                });
                shown.push(".body(body)".into());
                let value = lower::example(body).filter(|value| !value.to_string().contains("\\u"));
                given = Some((models::shown(&ty), value));
            }
            None => {
                setters.push(quote! {
                    #doc
                    ///
                    /// The body is sent as it is given, with `content_type` as its media type.
                    pub fn body(mut self, content_type: impl Into<String>, bytes: impl Into<bytes::Bytes>) -> Self {
                        self.call.raw_body(content_type, bytes);
                        self
                    }
                });
                shown.push(format!(".body({media:?}, \"...\")"));
            }
        }
    }
    let answer = made.sent.map(models::plain);
    let paginate = answer
        .as_ref()
        .filter(|_| table::pages(api, operation.node))
        .and_then(|ty| models::generic(ty, "Vec"))
        .map(|item| paginate(&item));
    setters.extend(patches::setters(api, operation));
    let sent = sent(answer, operation);
    Ok(Call {
        constant: super::ident(&operation.id().to_shouty_snake_case()),
        doc: docs::operation(operation),
        example: example(api, &method, &shown, given),
        method,
        builder,
        setters,
        sent,
        paginate,
    })
}

/// The setter's name: that of the parameter, unless the builder has a method or another parameter of
/// that name.
fn free_name(wire: &str, parameter: &Map, names: &mut BTreeSet<String>) -> Ident {
    let name = wire.to_snake_case();
    let place = node::text(parameter, "in").unwrap_or_default();
    let taken = ["send", "new", "body", "paginate", "with_retry", "with_timeout", "with_read_timeout"];
    let reserved = taken.contains(&name.as_str());
    let wanted = if reserved { format!("{name}_") } else { name.clone() };
    let named =
        [wanted.clone(), format!("{name}_{place}")].into_iter().find(|name| names.insert(name.clone()));
    super::ident(&named.unwrap_or(wanted))
}

fn setter(
    api: &Api<'_>,
    parameter: &Map,
    wire: &str,
    name: &Ident,
    ty: &syn::Type,
    builder: &Ident,
) -> TokenStream {
    let doc = super::doc(&docs::parameter(parameter, &api.schemas));
    let text = models::shown(ty);
    match node::text(parameter, "in") {
        Some("path") => quote! {
            #doc
            pub fn #name(mut self, value: impl Into<#ty>) -> Self {
                self.call.path(#wire, value.into());
                self
            }
        },
        Some("header") => quote! {
            #doc
            pub fn #name(mut self, value: impl Into<#ty>) -> Self {
                self.call.header(#wire, value.into());
                self
            }
        },
        _ if parameter.contains_key(filters::FILTERS) => quote! {
            #doc
            pub fn #name(mut self, value: impl Into<crate::Filter<#builder>>) -> Self {
                self.call.query(#wire, Query::One(value.into().to_string()));
                self
            }
        },
        _ if parameter.contains_key(filters::SORTERS) => quote! {
            #doc
            pub fn #name(mut self, value: impl Into<crate::Sorters<#builder>>) -> Self {
                self.call.query(#wire, Query::One(value.into().to_string()));
                self
            }
        },
        _ => match models::generic(ty, "Vec") {
            Some(item) => {
                let joined = parameter.get("explode") == Some(&Value::Bool(false));
                let form = if joined { quote!(Query::Joined) } else { quote!(Query::Repeated) };
                quote! {
                    #doc
                    pub fn #name(mut self, values: impl IntoIterator<Item = impl Into<#item>>) -> Self {
                        let values = values.into_iter().map(|value| Into::<#item>::into(value).to_string());
                        self.call.query(#wire, #form(values.collect()));
                        self
                    }
                }
            }
            None if text == "String" => quote! {
                #doc
                pub fn #name(mut self, value: impl Into<String>) -> Self {
                    self.call.query(#wire, Query::One(value.into()));
                    self
                }
            },
            None if text == "bool" => quote! {
                #doc
                pub fn #name(mut self, value: bool) -> Self {
                    self.call.query(#wire, Query::One(value.to_string()));
                    self
                }
            },
            None => quote! {
                #doc
                pub fn #name(mut self, value: impl Into<#ty>) -> Self {
                    self.call.query(#wire, Query::One(Into::<#ty>::into(value).to_string()));
                    self
                }
            },
        },
    }
}

/// `types::builder::X` is `types::X`: models have no builders of their own here.
fn unbuilt(ty: syn::Type) -> syn::Type {
    if let syn::Type::Path(path) = &ty {
        let names: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let ["types", "builder", name] = names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            let name = format_ident!("{name}");
            return syn::parse_quote!(types::#name);
        }
    }
    ty
}

/// How the answer is read, and as what.
fn sent(ty: Option<syn::Type>, operation: &node::Operation<'_>) -> TokenStream {
    let doc = format!(" Sends `{} {}`.", operation.method.to_uppercase(), operation.path);
    let (ty, read, errors) = match ty {
        Some(ty) if quote!(#ty).to_string() == "ByteStream" => {
            (quote!(crate::ByteStream), quote!(stream()), "Reading the stream may fail as well.")
        }
        Some(ty) if models::shown(&ty) != "()" => {
            (quote!(#ty), quote!(json()), "A body that cannot be read is an error.")
        }
        _ => (quote!(()), quote!(empty()), "What the body of the answer holds does not matter."),
    };
    let errors =
        format!(" When a parameter is missing, no answer comes, or its status is no success. {errors}");
    quote! {
        #[doc = #doc]
        ///
        /// # Errors
        ///
        #[doc = #errors]
        pub async fn send(self) -> Result<ResponseValue<#ty>, Error> {
            self.call.#read.await
        }
    }
}

/// How the whole list is read.
fn paginate(item: &impl quote::ToTokens) -> TokenStream {
    quote! {
        /// Reads the whole list, as a stream: from `offset` on, if that is set, and `limit` records a page.
        pub fn paginate(self) -> crate::Pager<#item> {
            crate::Pager::new(self.call)
        }
    }
}

fn body_doc(body: &Value) -> TokenStream {
    let text =
        body.get("description").and_then(Value::as_str).map(docs::markdown).filter(|text| !text.is_empty());
    let required = body.get("required") == Some(&Value::Bool(true));
    let text = text.unwrap_or_else(|| "Sets the body.".into());
    super::doc(&format!("{text}\n\n{}", if required { "Required." } else { "Not sent unless set." }))
}

/// `.name(example)`, for parameters that are required or have an example that says something.
fn argument(parameter: &Map, wire: &str, ty: &syn::Type) -> Option<String> {
    let required = node::is_true(parameter, "required");
    let listing = ["filters", "sorters", "limit"].contains(&wire);
    if !required && !listing {
        return None;
    }
    let schema = parameter.get("schema");
    let example = parameter.get("example").or_else(|| schema?.get("example"));
    let text = models::shown(ty);
    let value = match (text.as_str(), example) {
        ("String", Some(Value::String(example))) if example.contains('"') => format!("r#\"{example}\"#"),
        ("String", Some(Value::String(example))) => format!("{example:?}"),
        ("String", _) => format!("{:?}", wire.to_snake_case()),
        ("i64" | "bool" | "f64", Some(example)) if example.is_number() || example.is_boolean() => {
            example.to_string()
        }
        ("i64", _) => "1".into(),
        ("bool", _) => "true".into(),
        _ if text.starts_with("types::") => match example {
            Some(Value::String(example)) => format!("{example:?}"),
            _ => return None,
        },
        _ => return None,
    };
    let name = super::ident(&wire.to_snake_case());
    Some(format!(".{name}({value})"))
}

/// A doctest that compiles and shows the call. `body` is the type of the body and a value for it.
fn example(
    api: &Api<'_>,
    method: &Ident,
    shown: &[String],
    body: Option<(String, Option<&Value>)>,
) -> String {
    let library = api.library;
    let calls: String = shown.iter().map(|call| format!("\n    {call}")).collect();
    let (mut argument, mut made) = (String::new(), String::new());
    if let Some((ty, value)) = body {
        let ty =
            ty.replace("types::", &format!("{library}::types::")).replace("crate::", &format!("{library}::"));
        match value {
            Some(value) => {
                let json = serde_json::to_string_pretty(value).unwrap_or_default();
                made = format!("let body: {ty} = serde_json::from_value(serde_json::json!({json}))?;\n");
            }
            None => argument = format!(", body: {ty}"),
        }
    }
    format!(
        "```no_run\n# async fn example(client: {library}::Client{argument}) -> Result<(), Box<dyn std::error::Error>> \
         {{\n{made}let answer = client\n    .{method}(){calls}\n    .send()\n    .await?;\n# Ok(())\n# }}\n```"
    )
}

/// The items of `mod.rs`: the modules, and the client's methods.
pub(super) fn client(api: &Api<'_>, calls: &[Call]) -> Vec<syn::Item> {
    let methods = calls.iter().map(|call| {
        let (method, builder) = (&call.method, &call.builder);
        let doc = super::doc(&format!("{}\n\n{}", call.doc, call.example));
        quote! {
            #doc
            pub fn #method(&self) -> builder::#builder {
                builder::#builder::new(self)
            }
        }
    });
    let base = base_path(api.document);
    let title =
        node::object(api.document, &["info"]).and_then(|info| node::text(info, "title")).unwrap_or_default();
    let version = node::object(api.document, &["info"])
        .and_then(|info| node::text(info, "version"))
        .unwrap_or_default();
    let doc = format!(
        " The title and version of the document: {}, {}.",
        docs::markdown(title),
        docs::markdown(version)
    );
    let described = format!("{title} {version}");
    vec![
        syn::parse_quote! {
            /// The parameters of each operation.
            pub mod builder;
        },
        syn::parse_quote! {
            /// What each operation filters and sorts by.
            pub mod fields;
        },
        syn::parse_quote! {
            /// What the document says of each operation, as data.
            pub mod operations;
        },
        syn::parse_quote! {
            /// The models.
            pub mod types;
        },
        syn::parse_quote! {
            /// The path of the edition, which stands before each operation's own: the client adds it to a
            /// base URL that has none.
            pub const BASE_PATH: &str = #base;
        },
        syn::parse_quote! {
            #[doc = #doc]
            pub const DOCUMENT: &str = #described;
        },
        syn::parse_quote! {
            impl crate::Client {
                #(#methods)*
            }
        },
    ]
}

/// The path of the first server, without its variables.
fn base_path(document: &Value) -> String {
    let url =
        document.get("servers").and_then(|servers| servers.get(0)?.get("url")?.as_str()).unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map(|start| rest[start..].trim_end_matches('/').to_owned()).unwrap_or_default()
}

/// The items of `builder.rs`.
pub(super) fn builders(calls: &[Call]) -> Vec<syn::Item> {
    let mut items: Vec<syn::Item> = vec![
        syn::parse_quote!(
            use super::operations;
        ),
        syn::parse_quote!(
            use crate::runtime::{Call, Query};
        ),
        syn::parse_quote!(
            use crate::{Client, Error, ResponseValue, types};
        ),
    ];
    let bodies: String = calls
        .iter()
        .map(|call| {
            call.sent.to_string() + &call.setters.iter().map(TokenStream::to_string).collect::<String>()
        })
        .collect();
    if !bodies.contains("Query ::") {
        items[1] = syn::parse_quote!(
            use crate::runtime::Call;
        );
    }
    if !bodies.contains("types ::") {
        items[2] = syn::parse_quote!(
            use crate::{Client, Error, ResponseValue};
        );
    }
    for call in calls {
        let Call { method, builder, constant, setters, sent, paginate, .. } = call;
        let doc = format!(" The parameters of [`{method}`](crate::Client::{method}).");
        items.push(syn::parse_quote! {
            #[doc = #doc]
            #[derive(Clone, Debug)]
            #[must_use = "nothing is sent before `send`"]
            pub struct #builder {
                call: Call,
            }
        });
        items.push(syn::parse_quote! {
            impl #builder {
                pub(super) fn new(client: &Client) -> Self {
                    Self { call: Call::new(client, &operations::#constant) }
                }
                #(#setters)*
                #sent
                #paginate
            }
        });
        items.push(syn::parse_quote!(crate::runtime::options::call_options! { #builder }));
    }
    items
}
