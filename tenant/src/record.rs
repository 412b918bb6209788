//! What the tenant was asked, for tests to look at.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How much of a body is kept.
const KEPT: usize = 64 * 1024;
/// How many requests are kept, so that a tenant may run for weeks.
const LONGEST: usize = 100_000;

/// A request that reached the tenant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The tenant's time when it came in.
    pub at: SystemTime,
    /// A number for the connection it came on.
    pub connection: u64,
    /// The HTTP method.
    pub method: String,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent and without the question mark; empty if there was none.
    pub query: String,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, its first 64 KiB.
    pub body: Vec<u8>,
    /// How long the whole body was.
    pub body_length: usize,
    /// The operation, in snake case; `token` for a token request, `download_redirect_target` for the
    /// second port; `None` if it was no operation at all.
    pub operation: Option<String>,
    /// The status answered; `None` while there is none, or if the connection was cut before it.
    pub status: Option<u16>,
    /// Whether the tenant did what it was asked, whatever was answered.
    pub processed: bool,
}

impl Received {
    /// The value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The first value of a query parameter, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

#[derive(Default)]
pub(crate) struct Record {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many records are gone from the front.
    cleared: usize,
    received: VecDeque<Received>,
    /// How many requests are being answered, and how many were at most.
    under_way: usize,
    most_under_way: usize,
}

/// Stands for a request that is being answered.
pub(crate) struct UnderWay<'a>(&'a Record);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
    }
}

impl Record {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn under_way(&self) -> UnderWay<'_> {
        let mut state = self.state();
        state.under_way += 1;
        state.most_under_way = state.most_under_way.max(state.under_way);
        UnderWay(self)
    }

    pub(crate) fn most_under_way(&self) -> usize {
        self.state().most_under_way
    }

    /// Adds a request, and gives the number to note its outcome under.
    pub(crate) fn begin(&self, mut received: Received) -> usize {
        received.body.truncate(KEPT);
        let mut state = self.state();
        state.received.push_back(received);
        if state.received.len() > LONGEST {
            state.received.pop_front();
            state.cleared += 1;
        }
        state.cleared + state.received.len() - 1
    }

    pub(crate) fn note(&self, number: usize, change: impl FnOnce(&mut Received)) {
        let mut state = self.state();
        let index = number.checked_sub(state.cleared);
        if let Some(received) = index.and_then(|index| state.received.get_mut(index)) {
            change(received);
        }
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.state().received.iter().cloned().collect()
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.state()
            .received
            .iter()
            .filter(|received| received.operation.as_deref() == Some(operation))
            .count()
    }

    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.cleared += state.received.len();
        state.received.clear();
        state.most_under_way = state.under_way;
    }
}
