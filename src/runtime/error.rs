//! What comes back when something is not well.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::error_body::ErrorBody;
use super::operation::Operation;

/// Why a call failed. One type for all failures: cheap to clone, and asked what it is by predicates.
///
/// Its text is one line that names the operation, the status, the service's own message and the
/// tracking id.
///
/// ```
/// use sailpoint_role_mining::Error;
///
/// fn advice(error: &Error) -> String {
///     match error.retry_after() {
///         Some(wait) => format!("come back in {wait:?}"),
///         None if error.is_auth() => format!("look at the credentials and their scopes: {error}"),
///         None if error.is_transient() => format!("try again later, after {} attempts", error.attempts()),
///         None => format!("{error}; tell the support {:?}", error.tracking_id()),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    operation: Option<&'static Operation>,
    kind: Kind,
    /// How often the request was sent, where that is known.
    attempts: u32,
}

enum Kind {
    /// The client could not be set up.
    Config(String),
    /// The request could not be made; nothing was sent.
    Invalid(String),
    /// No whole answer came.
    Transport(reqwest::Error),
    /// No answer came in time. What went wrong before, if it was tried more than once.
    Timeout(Waited, Duration, Option<Error>),
    /// Nothing was sent: the service has asked to wait for longer than the call may.
    Throttled(Duration),
    /// There is no token to call with.
    Token(Arc<dyn std::error::Error + Send + Sync>),
    /// The service answered with an error status.
    Status(Box<Answer>),
    /// The service answered with success, and a body that is not what the document says.
    Body(Box<Answer>, Misread),
    /// The service's pages do not make a list.
    Pages(String),
}

/// What was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The next bytes.
    Stall,
    /// The end of a body.
    Body,
    /// The end of the call.
    Overall,
}

/// Why a body cannot be read.
pub(crate) struct Misread {
    pub(crate) cause: String,
    /// Whether the body ended too early, as it does when a connection breaks.
    pub(crate) cut: bool,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    raw: Bytes,
    body: ErrorBody,
    retry_after: Option<Duration>,
}

impl Error {
    fn new(operation: Option<&'static Operation>, kind: Kind) -> Error {
        Error(Arc::new(Inner { operation, kind, attempts: 0 }))
    }

    pub(crate) fn config(message: impl Into<String>) -> Error {
        Error::new(None, Kind::Config(message.into()))
    }

    pub(crate) fn invalid(operation: Option<&'static Operation>, message: impl Into<String>) -> Error {
        Error::new(operation, Kind::Invalid(message.into()))
    }

    pub(crate) fn transport(operation: &'static Operation, error: reqwest::Error) -> Error {
        // The address may hold ids; what it is about is told by the operation.
        Error::new(Some(operation), Kind::Transport(error.without_url()))
    }

    pub(crate) fn timeout(
        operation: &'static Operation,
        waited: Waited,
        limit: Duration,
        last: Option<Error>,
    ) -> Error {
        Error::new(Some(operation), Kind::Timeout(waited, limit, last))
    }

    pub(crate) fn throttled(operation: &'static Operation, wait: Duration) -> Error {
        Error::new(Some(operation), Kind::Throttled(wait))
    }

    pub(crate) fn token(
        operation: &'static Operation,
        error: Arc<dyn std::error::Error + Send + Sync>,
    ) -> Error {
        Error::new(Some(operation), Kind::Token(error))
    }

    pub(crate) fn status_error(
        operation: &'static Operation,
        status: StatusCode,
        headers: HeaderMap,
        raw: Bytes,
    ) -> Error {
        let body = serde_json::from_slice(&raw).unwrap_or_default();
        let retry_after = retry_after(&headers);
        let answer = Answer { status, headers, raw, body, retry_after };
        Error::new(Some(operation), Kind::Status(Box::new(answer)))
    }

    pub(crate) fn body_error(
        operation: &'static Operation,
        status: StatusCode,
        headers: HeaderMap,
        raw: Bytes,
        misread: Misread,
    ) -> Error {
        let answer = Answer { status, headers, raw, body: ErrorBody::default(), retry_after: None };
        Error::new(Some(operation), Kind::Body(Box::new(answer), misread))
    }

    pub(crate) fn pages(operation: &'static Operation, message: impl Into<String>) -> Error {
        Error::new(Some(operation), Kind::Pages(message.into()))
    }

    /// The same error, after so many attempts.
    pub(crate) fn after(mut self, attempts: u32) -> Error {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.attempts = attempts;
        }
        self
    }

    /// Whether the request may be sent again.
    pub(crate) fn may_resend(&self, idempotent: bool) -> bool {
        match &self.0.kind {
            Kind::Status(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => true,
            // Nothing was sent before there was a connection.
            Kind::Transport(error) if error.is_connect() => true,
            Kind::Timeout(Waited::Overall, ..) | Kind::Token(_) | Kind::Throttled(_) => false,
            _ => idempotent && self.is_transient(),
        }
    }

    /// Whether the service said that there were too many requests.
    pub(crate) fn was_throttled(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    fn answer(&self) -> Option<&Answer> {
        match &self.0.kind {
            Kind::Status(answer) | Kind::Body(answer, _) => Some(answer),
            Kind::Token(error) => error.downcast_ref::<Error>().and_then(Error::answer),
            _ => None,
        }
    }

    fn token_error(&self) -> Option<&Error> {
        match &self.0.kind {
            Kind::Token(error) => error.downcast_ref::<Error>(),
            _ => None,
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

    /// How long the service asked to wait before the next request, whether in seconds or by a date.
    ///
    /// It is set as well when the client did not wait because the call may not take that long.
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::Throttled(wait) => Some(*wait),
            _ => self.answer()?.retry_after,
        }
    }

    /// How often the request was sent before the client gave up; 0 where nothing was sent.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the same call may succeed later with nothing changed: the service is busy or down, or the
    /// connection to it is. The client itself has tried as often as its
    /// [`RetryPolicy`](crate::RetryPolicy) allows.
    pub fn is_transient(&self) -> bool {
        match &self.0.kind {
            Kind::Config(_) | Kind::Invalid(_) | Kind::Pages(_) => false,
            Kind::Transport(error) => !error.is_builder() && !is_distrusted(error),
            Kind::Timeout(..) | Kind::Throttled(_) => true,
            Kind::Token(_) => self.token_error().is_some_and(Error::is_transient),
            Kind::Status(answer) => matches!(answer.status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504),
            Kind::Body(_, misread) => misread.cut,
        }
    }

    /// Whether the service refused the caller: no token could be had for these credentials, the token is not
    /// taken (401), or it lacks a scope (403).
    pub fn is_auth(&self) -> bool {
        match &self.0.kind {
            Kind::Token(_) => {
                let status = self.token_error().and_then(Error::status);
                status.is_some_and(|status| matches!(status.as_u16(), 400 | 401 | 403))
            }
            _ => self.status().is_some_and(|status| matches!(status.as_u16(), 401 | 403)),
        }
    }

    /// Whether the client could not be set up: credentials that are missing or cannot be read, an address
    /// that is none.
    ///
    /// ```
    /// use sailpoint_role_mining::Client;
    ///
    /// let error = Client::new("https://acme.identitynow.com").unwrap_err();
    /// assert!(error.is_configuration());
    /// assert!(error.to_string().contains("https://acme.api.identitynow.com"));
    /// ```
    pub fn is_configuration(&self) -> bool {
        matches!(self.0.kind, Kind::Config(_))
    }

    /// Whether the request was not sent, because what was asked for cannot be: a parameter is missing,
    /// or cannot stand in a path.
    pub fn is_invalid_request(&self) -> bool {
        matches!(self.0.kind, Kind::Invalid(_))
    }

    /// Whether the pages that the service gave do not make a list: the same came again, one was empty that
    /// cannot be, or the list changed while it was to be read as one.
    pub fn is_pagination(&self) -> bool {
        matches!(self.0.kind, Kind::Pages(_))
    }

    /// Whether no whole answer came: no connection, one that broke, or one that stalled.
    pub fn is_transport(&self) -> bool {
        match &self.0.kind {
            Kind::Transport(_) | Kind::Timeout(..) => true,
            _ => self.token_error().is_some_and(Error::is_transport),
        }
    }

    /// Whether it took longer than the client waits: to connect, for the next bytes, or as a whole.
    pub fn is_timeout(&self) -> bool {
        match &self.0.kind {
            Kind::Transport(error) => error.is_timeout(),
            Kind::Timeout(..) => true,
            _ => self.token_error().is_some_and(Error::is_timeout),
        }
    }

    /// Whether the service succeeded with a body that is not what its document says.
    pub fn is_unexpected_body(&self) -> bool {
        match &self.0.kind {
            Kind::Body(..) => true,
            _ => self.token_error().is_some_and(Error::is_unexpected_body),
        }
    }
}

/// How long `Retry-After` asks to wait. A date counts from the service's own, so that clocks that differ do
/// no harm.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let now = headers.get(DATE).and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    Some(until.duration_since(now.unwrap_or_else(SystemTime::now)).unwrap_or_default())
}

/// Whether the connection was given up because the other side is not who it says, which no retry mends.
fn is_distrusted(error: &reqwest::Error) -> bool {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    error.is_connect()
        && causes
            .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
            .any(|cause| cause.kind() == std::io::ErrorKind::InvalidData)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.0.operation {
            write!(f, "{} ({} {}): ", operation.id, operation.method, operation.path)?;
        }
        match &self.0.kind {
            Kind::Config(message) => f.write_str(message)?,
            Kind::Invalid(message) => write!(f, "not sent: {message}")?,
            Kind::Pages(message) => f.write_str(message)?,
            Kind::Transport(error) => {
                write!(f, "no answer: {error}")?;
                // What the connection says of it is deeper down.
                let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
                if let Some(cause) = causes.last() {
                    write!(f, ": {cause}")?;
                }
            }
            Kind::Timeout(waited, limit, last) => {
                match waited {
                    Waited::Stall => write!(f, "nothing arrived for {limit:?}")?,
                    Waited::Body => write!(f, "the answer did not end within {limit:?}")?,
                    Waited::Overall => write!(f, "not done within {limit:?}")?,
                }
                if let Some(last) = last {
                    write!(f, "; before that, {last}")?;
                }
            }
            Kind::Throttled(wait) => {
                write!(f, "not sent: the service asked to wait for another {wait:?}, which is too long")?;
            }
            Kind::Token(error) => write!(f, "no token: {error}")?,
            Kind::Status(answer) => {
                write!(f, "the service answered {}", answer.status)?;
                match answer.body.message() {
                    Some(message) => write!(f, ": {}", OneLine(message))?,
                    None if answer.raw.is_empty() => f.write_str(" with an empty body")?,
                    None => write!(f, " with a body that says no more ({} bytes)", answer.raw.len())?,
                }
                let scopes = self.0.operation.map_or(&[][..], |operation| operation.scopes);
                if answer.status == StatusCode::FORBIDDEN && !scopes.is_empty() {
                    write!(f, "; it needs the scope `{}`", scopes.join("` or `"))?;
                }
                if let Some(id) = &answer.body.tracking_id {
                    write!(f, " (tracking id {})", OneLine(id))?;
                }
            }
            Kind::Body(answer, Misread { cause, .. }) => {
                let status = answer.status;
                write!(f, "the service answered {status}, but its body cannot be read: {}", OneLine(cause))?;
            }
        }
        match self.0.attempts {
            0 | 1 => Ok(()),
            attempts => write!(f, " (after {attempts} attempts)"),
        }
    }
}

/// Text from elsewhere, on one line and of moderate length.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.trim();
        for character in text.chars().take(500) {
            f.write_char(if character.is_control() { ' ' } else { character })?;
        }
        if text.chars().nth(500).is_some() { f.write_str(" ..") } else { Ok(()) }
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
            Kind::Token(error) => Some(&**error),
            Kind::Timeout(_, _, last) => last.as_ref().map(|last| last as _),
            _ => None,
        }
    }
}
