//! What comes back when all is well.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use http_body::Body as _;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::time::{Sleep, sleep, timeout};

use super::error::{Error, Misread, Waited};
use super::operation::Operation;

/// A value, with the status and the headers it came with.
#[derive(Clone, Debug)]
pub struct ResponseValue<T> {
    pub(crate) value: T,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

impl<T> ResponseValue<T> {
    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The error of a success without what the caller cannot do without.
    #[allow(dead_code, reason = "not every client needs more of an answer than its document says")]
    pub(crate) fn lacks(&self, operation: &'static Operation, field: &str) -> Error {
        let misread = Misread { cause: format!("it has no `{field}`"), cut: false };
        Error::body_error(operation, self.status, self.headers.clone(), Bytes::new(), misread)
    }

    /// How many items the whole collection has, from `X-Total-Count`; there when the request said
    /// `count(true)`.
    pub fn total_count(&self) -> Option<u64> {
        self.headers.get("x-total-count")?.to_str().ok()?.trim().parse().ok()
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// A body that comes piece by piece, as it arrives: a download of any size is never held whole.
///
/// It is a [`Stream`] of byte chunks; [`chunk`](Self::chunk) reads it without that trait. Dropping it
/// ends the transfer.
pub struct ByteStream {
    /// None once it has ended, well or not.
    body: Option<reqwest::Body>,
    operation: &'static Operation,
    limit: Duration,
    /// Runs while the reader waits for the next chunk, and only then: a slow reader is no stall.
    stall: Option<Pin<Box<Sleep>>>,
}

impl ByteStream {
    pub(crate) fn new(body: reqwest::Body, operation: &'static Operation, limit: Duration) -> ByteStream {
        ByteStream { body: Some(body), operation, limit, stall: None }
    }

    /// The next chunk, or `None` at the end.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or nothing arrives for longer than the client waits.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }
}

impl Stream for ByteStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        let error = loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Pending => {
                    let stall = this.stall.get_or_insert_with(|| Box::pin(sleep(this.limit)));
                    match stall.as_mut().poll(cx) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(()) => {
                            break Some(Error::timeout(this.operation, Waited::Stall, this.limit, None));
                        }
                    }
                }
                Poll::Ready(None) => break None,
                Poll::Ready(Some(Err(error))) => break Some(Error::transport(this.operation, error)),
                Poll::Ready(Some(Ok(frame))) => {
                    this.stall = None;
                    // Trailers hold nothing of the body.
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        };
        this.body = None;
        this.stall = None;
        Poll::Ready(error.map(Err))
    }
}

/// How many times as long as for its next part one may wait for a whole body.
const WHOLE: u32 = 10;

/// Reads a body to its end, or to `most` bytes of it. None of its chunks may take longer than `limit`, and all
/// of them together no longer than ten times that: a body that drips in for ever ends as well.
pub(crate) async fn read_whole(
    operation: &'static Operation,
    mut response: reqwest::Response,
    limit: Duration,
    most: Option<usize>,
) -> Result<Bytes, Error> {
    let most = most.unwrap_or(usize::MAX);
    let mut whole = Vec::new();
    let reading = async {
        while whole.len() < most {
            let chunk = match timeout(limit, response.chunk()).await {
                Err(_) => return Err(Error::timeout(operation, Waited::Stall, limit, None)),
                Ok(Err(error)) => return Err(Error::transport(operation, error)),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(chunk))) => chunk,
            };
            whole.extend_from_slice(&chunk[..chunk.len().min(most - whole.len())]);
        }
        Ok(())
    };
    let longest = limit.saturating_mul(WHOLE);
    match timeout(longest, reading).await {
        Ok(result) => result?,
        Err(_) => return Err(Error::timeout(operation, Waited::Body, longest, None)),
    }
    Ok(whole.into())
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream").field("operation", &self.operation.id).finish_non_exhaustive()
    }
}
