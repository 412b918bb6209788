//! What comes back when something is not well.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::operation::Operation;
use super::wire::{Extra, model};

/// Why a call failed. One type for all failures: cheap to clone, and asked what it is by predicates.
///
/// Its text is one line that names the operation, the status, the service's own message and the
/// tracking id.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    operation: Option<&'static Operation>,
    kind: Kind,
}

enum Kind {
    /// The request could not be made; nothing was sent.
    Invalid(String),
    /// No whole answer came.
    Transport(reqwest::Error),
    /// The service answered with an error status.
    Status(Answer),
    /// The service answered with success, and a body that is not what the document says.
    Body(Answer, String),
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    raw: Bytes,
    body: ErrorBody,
}

impl Error {
    pub(crate) fn invalid(operation: Option<&'static Operation>, message: impl Into<String>) -> Error {
        Error(Arc::new(Inner { operation, kind: Kind::Invalid(message.into()) }))
    }

    pub(crate) fn transport(operation: &'static Operation, error: reqwest::Error) -> Error {
        // The address may hold ids; what it is about is told by the operation.
        Error(Arc::new(Inner { operation: Some(operation), kind: Kind::Transport(error.without_url()) }))
    }

    pub(crate) fn status_error(
        operation: &'static Operation,
        status: StatusCode,
        headers: HeaderMap,
        raw: Bytes,
    ) -> Error {
        let body = serde_json::from_slice(&raw).unwrap_or_default();
        let answer = Answer { status, headers, raw, body };
        Error(Arc::new(Inner { operation: Some(operation), kind: Kind::Status(answer) }))
    }

    pub(crate) fn body_error(
        operation: &'static Operation,
        status: StatusCode,
        headers: HeaderMap,
        raw: Bytes,
        cause: impl fmt::Display,
    ) -> Error {
        let answer = Answer { status, headers, raw, body: ErrorBody::default() };
        Error(Arc::new(Inner { operation: Some(operation), kind: Kind::Body(answer, cause.to_string()) }))
    }

    fn answer(&self) -> Option<&Answer> {
        match &self.0.kind {
            Kind::Status(answer) | Kind::Body(answer, _) => Some(answer),
            Kind::Invalid(_) | Kind::Transport(_) => None,
        }
    }

    /// The name of the operation that was called.
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation.map(|operation| operation.id)
    }

    /// The status the service answered with, if it answered.
    pub fn status(&self) -> Option<StatusCode> {
        self.answer().map(|answer| answer.status)
    }

    /// The headers the service answered with, if it answered.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.answer().map(|answer| &answer.headers)
    }

    /// What the service said of the error, whatever the shape it said it in. Empty where the body was
    /// no JSON object.
    pub fn body(&self) -> Option<&ErrorBody> {
        self.answer().map(|answer| &answer.body)
    }

    /// The body as it came, up to its first 64 KiB: a gateway's page, for example.
    pub fn raw_body(&self) -> Option<&Bytes> {
        self.answer().map(|answer| &answer.raw)
    }

    /// The id by which the vendor's support finds the request.
    pub fn tracking_id(&self) -> Option<&str> {
        self.body()?.tracking_id.as_deref()
    }

    /// Whether the request was not sent, because what was asked for cannot be: a parameter is missing,
    /// or cannot stand in a path.
    pub fn is_invalid_request(&self) -> bool {
        matches!(self.0.kind, Kind::Invalid(_))
    }

    /// Whether no whole answer came: no connection, or one that broke.
    pub fn is_transport(&self) -> bool {
        matches!(self.0.kind, Kind::Transport(_))
    }

    /// Whether it took longer than the client waits.
    pub fn is_timeout(&self) -> bool {
        matches!(&self.0.kind, Kind::Transport(error) if error.is_timeout())
    }

    /// Whether the service succeeded with a body that is not what its document says.
    pub fn is_unexpected_body(&self) -> bool {
        matches!(self.0.kind, Kind::Body(..))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{} ({} {}): ", operation.id, operation.method, operation.path)?;
        }
        match &self.0.kind {
            Kind::Invalid(message) => write!(f, "not sent: {message}"),
            Kind::Transport(error) => write!(f, "no answer: {error}"),
            Kind::Status(answer) => {
                write!(f, "the service answered {}", answer.status)?;
                match answer.body.message() {
                    Some(message) => write!(f, ": {}", message.trim())?,
                    None if answer.raw.is_empty() => f.write_str(" with an empty body")?,
                    None => write!(f, " with a body that says no more ({} bytes)", answer.raw.len())?,
                }
                match &answer.body.tracking_id {
                    Some(id) => write!(f, " (tracking id {id})"),
                    None => Ok(()),
                }
            }
            Kind::Body(answer, cause) => {
                write!(f, "the service answered {}, but its body cannot be read: {cause}", answer.status)
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown.field("message", &format_args!("{self}"));
        if let Some(answer) = self.answer() {
            shown.field("body", &answer.body);
        }
        shown.finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Kind::Transport(error) => Some(error),
            _ => None,
        }
    }
}

/// What the service says of an error. It has three ways of saying it; this holds what any of them
/// holds.
///
/// A 400, 403, 404 or 500 has a detail code, a tracking id, messages and causes; a 401 has `error`; a
/// 429 has `message`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ErrorBody {
    /// A finer code than the status, with a few words: `400.1 Bad Request Content`.
    pub detail_code: Option<String>,
    /// The id by which the vendor's support finds the request.
    pub tracking_id: Option<String>,
    /// What went wrong, in one or more languages.
    pub messages: Option<Vec<ErrorMessage>>,
    /// What it went wrong from, in plain text.
    pub causes: Option<Vec<ErrorMessage>>,
    /// What a 401 says.
    pub error: Option<String>,
    /// What a 429 says.
    pub message: Option<String>,
    /// What else the body held.
    pub extra: Extra,
}

model!(ErrorBody {
    detail_code: optional "detailCode",
    tracking_id: optional "trackingId",
    messages: optional "messages",
    causes: optional "causes",
    error: optional "error",
    message: optional "message",
});

impl ErrorBody {
    /// The text that says most: the first message that has one, else what a 401 or a 429 says, else
    /// the detail code.
    pub fn message(&self) -> Option<&str> {
        let texts = self.messages.iter().chain(&self.causes).flatten();
        texts
            .filter_map(|message| message.text.as_deref())
            .chain(
                [&self.error, &self.message, &self.detail_code]
                    .into_iter()
                    .filter_map(|text| text.as_deref()),
            )
            .find(|text| !text.trim().is_empty())
    }
}

/// One text of an error, in one language.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ErrorMessage {
    /// The language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// How the language was chosen: `DEFAULT`, `REQUEST`, or something newer.
    pub locale_origin: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// What else the message held.
    pub extra: Extra,
}

model!(ErrorMessage {
    locale: optional "locale",
    locale_origin: optional "localeOrigin",
    text: optional "text",
});
