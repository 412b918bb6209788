//! What the tenant answers, before anything on the wire spoils it.

use serde_json::{Value, json};

use crate::download::Zip;
use crate::organisation::uuid;

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Bytes(Vec<u8>),
    Json(Value),
    Zip(Zip),
}

impl Reply {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(value) }
            .header("content-type", "application/json")
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(Vec::new()) }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_header(name, value.into());
        self
    }

    pub(crate) fn set_header(&mut self, name: &str, value: String) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value));
    }
}

/// Why the tenant will not do what it was asked.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Refusal {
    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self { status: 400, text: text.into() }
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self { status: 404, text: format!("There is no {what} with the id {id:?}.") }
    }

    /// The vendor's error document for this refusal; `number` makes its tracking id.
    pub(crate) fn reply(&self, number: u64) -> Reply {
        let (code, general) = match self.status {
            400 => (
                "400.1 Bad Request Content",
                "The request was syntactically correct but its content is semantically invalid.",
            ),
            403 => ("403 Forbidden", "The server understood the request but refuses to authorize it."),
            404 => {
                ("404 Not found", "The server did not find a current representation for the target resource.")
            }
            405 => ("405 Method not allowed", "The method is not allowed for the target resource."),
            _ => ("500.0 Internal Fault", "An internal fault occurred."),
        };
        let message = |text: &str| json!([{"locale": "en-US", "localeOrigin": "DEFAULT", "text": text}]);
        Reply::json(
            self.status,
            json!({
                "detailCode": code,
                "trackingId": uuid(self.status.into(), number).replace('-', ""),
                "messages": message(general),
                "causes": message(&self.text),
            }),
        )
    }
}
