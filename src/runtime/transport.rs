//! The one place where requests leave.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION};
use reqwest::{Method, Request, Response, StatusCode, Url};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{Instrument as _, Span, field};

use super::address::{is_loopback, same_origin};
use super::client::Client;
use super::error::{Error, Waited};
use super::operation::Operation;
use super::response::{ByteStream, read_whole};
use super::retry::{Attempts, RetryPolicy};
use super::token::{Flight, Held};

/// How much of an error's body is kept.
pub(crate) const KEPT: usize = 64 * 1024;

/// How many redirects are followed.
const HOPS: usize = 5;

/// What a call decides for itself; the rest is as the client has it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) retry: Option<RetryPolicy>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) read_timeout: Option<Duration>,
}

/// A call that is under way: as many requests as it takes.
pub(crate) struct Sending<'a> {
    client: &'a Client,
    operation: &'static Operation,
    request: Request,
    /// Whether the body is wanted as it arrives.
    streamed: bool,
    read_timeout: Duration,
    /// The time for the whole call, and when it is over.
    overall: Option<(Duration, Instant)>,
    attempts: Attempts,
    /// Whether a refused token was replaced already.
    renewed: bool,
    last: Option<Error>,
    span: Span,
    started: Instant,
}

/// A success.
pub(crate) struct Received {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Payload,
}

/// The body of a success.
pub(crate) enum Payload {
    Whole(Bytes),
    Stream(ByteStream),
}

/// Why one request failed, and what else is known of it.
struct Failed {
    error: Error,
    /// The token that was refused.
    refused: Option<Arc<Held>>,
    /// Whether the service itself answered, and not the place that it redirected to.
    is_own: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, refused: None, is_own: true }
    }
}

impl<'a> Sending<'a> {
    pub(crate) fn new(
        client: &'a Client,
        operation: &'static Operation,
        request: Request,
        options: Options,
        streamed: bool,
    ) -> Sending<'a> {
        let inner = client.inner();
        let started = Instant::now();
        let overall = options.timeout.or(inner.timeout);
        Sending {
            client,
            operation,
            request,
            streamed,
            read_timeout: options.read_timeout.unwrap_or(inner.read_timeout),
            overall: overall.and_then(|limit| Some((limit, started.checked_add(limit)?))),
            attempts: Attempts::new(options.retry.unwrap_or(inner.retry)),
            renewed: false,
            last: None,
            span: tracing::info_span!(
                "call",
                operation = operation.id,
                method = operation.method,
                attempts = field::Empty,
                status = field::Empty,
                latency_ms = field::Empty,
                tracking_id = field::Empty,
            ),
            started,
        }
    }

    /// Sends until there is a success, or nothing more to be done.
    pub(crate) async fn answer(&mut self) -> Result<Received, Error> {
        let span = self.span.clone();
        let overall = self.overall;
        let result = match overall {
            None => self.repeat().instrument(span).await,
            Some((limit, deadline)) => match timeout_at(deadline, self.repeat().instrument(span)).await {
                Ok(result) => result,
                Err(_) => Err(Error::timeout(self.operation, Waited::Overall, limit, self.last.take())),
            },
        };
        result.map_err(|error| self.failed(error))
    }

    /// The body of a success turned out to be cut short, which is another way to fail: `Ok` if there may be
    /// another attempt.
    pub(crate) async fn again(&mut self, error: Error) -> Result<(), Error> {
        let span = self.span.clone();
        self.decide(error.into()).instrument(span).await.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: Error) -> Error {
        self.note(error.status(), error.tracking_id());
        error.after(self.attempts.count)
    }

    fn note(&self, status: Option<StatusCode>, tracking_id: Option<&str>) {
        self.span.record("attempts", self.attempts.count);
        let latency = self.started.elapsed().as_millis();
        self.span.record("latency_ms", u64::try_from(latency).unwrap_or(u64::MAX));
        if let Some(status) = status {
            self.span.record("status", status.as_u16());
        }
        if let Some(id) = tracking_id {
            self.span.record("tracking_id", id);
        }
    }

    async fn repeat(&mut self) -> Result<Received, Error> {
        loop {
            match self.attempt().await {
                Ok(received) => {
                    self.client.inner().budget.earn();
                    self.note(Some(received.status), None);
                    return Ok(received);
                }
                Err(failed) => self.decide(failed).await?,
            }
        }
    }

    /// Waits for the next attempt, or gives the error back if there is none.
    async fn decide(&mut self, failed: Failed) -> Result<(), Error> {
        let Failed { error, refused, is_own } = failed;
        let inner = self.client.inner();
        if let (Some(refused), Some(tokens)) = (&refused, &inner.tokens)
            && tokens.refused(refused)
            && !self.renewed
        {
            self.renewed = true;
            self.last = Some(error);
            return Ok(());
        }
        // The token was good for something else: if it is refused later on, that is another token's end.
        self.renewed &= refused.is_some() || error.status().is_none();
        let deadline = self.overall.map(|(_, deadline)| deadline);
        let wait = self.attempts.next(&error, self.operation.idempotent, deadline, &inner.budget);
        let pauses = is_own && (error.was_throttled() || error.retry_after().is_some());
        if pauses && let Some(told) = error.retry_after().or(wait) {
            // All callers wait, this one among them.
            inner.limiter.pause(told, error.was_throttled());
        }
        let Some(wait) = wait else {
            return Err(error);
        };
        tracing::warn!(attempt = self.attempts.count, ?wait, %error, "request is repeated");
        self.last = Some(error);
        if !pauses {
            sleep(wait).await;
        }
        Ok(())
    }

    /// One request, redirects included, up to its whole answer or the beginning of its stream.
    async fn attempt(&mut self) -> Result<Received, Failed> {
        let inner = self.client.inner();
        let permit = match inner.limiter.acquire(self.attempts.left()).await {
            Ok(permit) => permit,
            Err(wait) => {
                let last = self.last.take().filter(Error::was_throttled);
                return Err(last.unwrap_or_else(|| Error::throttled(self.operation, wait)).into());
            }
        };
        let lent = match &inner.tokens {
            Some(tokens) => Some(tokens.get().await.map_err(|error| Error::token(self.operation, error))?),
            None => None,
        };
        let (held, refresh) = lent.map_or((None, None), |(held, refresh)| (Some(held), refresh));
        self.attempts.begin();
        let exchange = async {
            let response = self.follow(held.as_deref()).await?;
            let is_own = same_origin(response.url(), &inner.address.url);
            if response.status().is_success() {
                let (status, headers) = (response.status(), response.headers().clone());
                inner.note_deprecation(self.operation, &headers);
                let body = if self.streamed {
                    let body = reqwest::Body::from(response);
                    Payload::Stream(ByteStream::new(body, self.operation, self.read_timeout))
                } else {
                    Payload::Whole(read_whole(self.operation, response, self.read_timeout, None).await?)
                };
                return Ok(Received { status, headers, body });
            }
            Err(self.refusal(response, held.as_ref(), is_own).await)
        };
        let result = alongside(exchange, refresh.map(|flight| drive(self.client, flight))).await;
        drop(permit);
        result
    }

    async fn refusal(&self, response: Response, held: Option<&Arc<Held>>, is_own: bool) -> Failed {
        let (status, headers) = (response.status(), response.headers().clone());
        let raw = read_whole(self.operation, response, self.read_timeout, Some(KEPT)).await;
        let mut raw = raw.unwrap_or_default();
        if let Some(held) = held {
            raw = held.secret.redact(raw);
        }
        let refused = held.filter(|_| is_own && status == StatusCode::UNAUTHORIZED).cloned();
        Failed { error: Error::status_error(self.operation, status, headers, raw), refused, is_own }
    }

    /// The same request again, its body shared.
    fn copy(&self) -> Result<Request, Error> {
        let copy = self.request.try_clone();
        copy.ok_or_else(|| Error::invalid(Some(self.operation), "its body cannot be sent twice"))
    }

    /// Sends the request, and follows where its answer points to, if that is only to be read. Credentials go
    /// to the service alone.
    async fn follow(&self, held: Option<&Held>) -> Result<Response, Failed> {
        let inner = self.client.inner();
        let mut request = self.copy()?;
        for hop in 0.. {
            if let Some(held) = held.filter(|_| same_origin(request.url(), &inner.address.url)) {
                request.headers_mut().insert(AUTHORIZATION, held.header.clone());
            }
            let from = request.url().clone();
            let sent = inner.http.execute(request);
            let response = answer_within(self.operation, self.read_timeout, sent).await?;
            if !response.status().is_redirection() || self.request.method() != Method::GET || hop == HOPS {
                return Ok(response);
            }
            let Some(to) = target(&from, &response) else {
                return Ok(response);
            };
            if from.scheme() == "https" && to.scheme() != "https" && !is_loopback(&to) {
                return Ok(response);
            }
            request = self.copy()?;
            if !same_origin(&to, &inner.address.url) {
                for name in [AUTHORIZATION, COOKIE, CONTENT_TYPE, CONTENT_LENGTH] {
                    request.headers_mut().remove(name);
                }
            }
            tracing::debug!(host = to.host_str(), "redirect followed");
            *request.url_mut() = to;
        }
        Err(Error::invalid(Some(self.operation), "it was redirected without end").into())
    }
}

/// Where a redirect points to, if it can be followed.
fn target(from: &Url, response: &Response) -> Option<Url> {
    let to = from.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    (matches!(to.scheme(), "http" | "https") && to.has_host()).then_some(to)
}

/// Waits for the head of an answer.
pub(crate) async fn answer_within(
    operation: &'static Operation,
    limit: Duration,
    sent: impl Future<Output = reqwest::Result<Response>>,
) -> Result<Response, Error> {
    match timeout(limit, sent).await {
        Ok(response) => response.map_err(|error| Error::transport(operation, error)),
        Err(_) => Err(Error::timeout(operation, Waited::Stall, limit, None)),
    }
}

/// Drives the refresh of a token; whatever comes of it, the call does not depend on it.
async fn drive(client: &Client, flight: Flight) {
    if let Some(tokens) = &client.inner().tokens {
        drop(tokens.land(flight).await);
    }
}

/// Waits for `main`, and moves `side` on meanwhile.
async fn alongside<T>(main: impl Future<Output = T>, side: Option<impl Future<Output = ()>>) -> T {
    let main = pin!(main);
    match side {
        None => main.await,
        Some(side) => match select(main, pin!(side)).await {
            Either::Left((value, _)) => value,
            Either::Right(((), main)) => main.await,
        },
    }
}
