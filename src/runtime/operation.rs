//! What is known of an operation without calling it.

/// What the document says of one operation. Everything in which operations differ is here, as data:
/// the code that sends, repeats and pages is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Its name, as the method on [`Client`](crate::Client) has it.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path template, with each parameter in braces.
    pub path: &'static str,
    /// The names of the query and header parameters that must be set.
    pub required: &'static [&'static str],
    /// Headers that go with every request.
    pub headers: &'static [(&'static str, &'static str)],
    /// What is accepted, for the `Accept` header.
    pub accept: &'static str,
    /// The media type of the body, where there is one.
    pub content_type: Option<&'static str>,
    /// Whether a body must be given.
    pub body_required: bool,
    /// Whether sending the request twice does what sending it once does.
    pub idempotent: bool,
    /// The scopes any one of which gives access.
    pub scopes: &'static [&'static str],
    /// How it pages, where it lists a collection by `offset` and `limit`.
    pub page: Option<Page>,
    /// The fields it filters by, and the operators of each.
    pub filters: &'static [(&'static str, &'static [&'static str])],
    /// The fields it sorts by.
    pub sorters: &'static [&'static str],
    /// The fields its body can patch, and the operations allowed on each.
    pub patches: &'static [(&'static str, &'static [&'static str])],
}

/// How a collection pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The largest `limit` the service takes, where it says so.
    pub max: Option<u32>,
    /// Whether `count=true` makes the service say how many items there are.
    pub count: bool,
}

impl Operation {
    /// An operation about which nothing is known but how it is reached.
    pub(crate) const fn new(id: &'static str, method: &'static str, path: &'static str) -> Operation {
        Operation {
            id,
            method,
            path,
            required: &[],
            headers: &[],
            accept: "*/*",
            content_type: None,
            body_required: false,
            idempotent: false,
            scopes: &[],
            page: None,
            filters: &[],
            sorters: &[],
            patches: &[],
        }
    }
}
