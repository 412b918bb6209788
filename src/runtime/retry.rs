//! When a request is sent again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::error::Error;

/// How often, and for how long, a call is tried again.
///
/// A 429, a 503 with `Retry-After`, and whatever else passes by itself (500, 502, 503, 504, a connection that
/// was refused or broke, an answer that stalled) is tried again. An operation that is not idempotent is sent
/// again only when its request surely was not carried out: no connection was made, or the answer was 429 or
/// 401.
///
/// Where the service says how long to wait, that is how long; if that is more than is left, the call fails at
/// once, and [`Error::retry_after`] tells. Else the wait is chosen at random between nothing and `base`,
/// doubled with each attempt, up to `cap`.
///
/// ```
/// use std::time::Duration;
/// use sailpoint_role_mining::RetryPolicy;
///
/// let patient = RetryPolicy { max_attempts: 10, ..RetryPolicy::default() };
/// assert_eq!(patient.max_elapsed, Duration::from_secs(120));
/// assert_eq!(RetryPolicy::none().max_attempts, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at most, the first time included. Default 5. None is sent less than once.
    pub max_attempts: u32,
    /// How long after the first attempt another may begin. Default 2 minutes.
    pub max_elapsed: Duration,
    /// The longest wait before the second attempt. Default 250 ms.
    pub base: Duration,
    /// The longest wait before any attempt, unless the service asks for more. Default 20 s.
    pub cap: Duration,
}

impl RetryPolicy {
    /// Sends once. The one exception is a token that the service no longer takes: the request is sent again
    /// with a new one.
    pub const fn none() -> RetryPolicy {
        RetryPolicy { max_attempts: 1, ..RetryPolicy::standard() }
    }

    const fn standard() -> RetryPolicy {
        RetryPolicy {
            max_attempts: 5,
            max_elapsed: Duration::from_secs(120),
            base: Duration::from_millis(250),
            cap: Duration::from_secs(20),
        }
    }

    /// A wait before the attempt that follows number `attempt`: any length up to its longest is as likely as
    /// any other, so that callers that failed together do not come back together.
    pub(crate) fn wait(&self, attempt: u32) -> Duration {
        let doubled =
            self.base.saturating_mul(1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(self.cap).mul_f64(fastrand::f64())
    }
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy::standard()
    }
}

/// How many requests are sent again in all, so that a service that is down is not stormed.
///
/// A client starts with `burst` retries to spend, and earns `per_success` of one with each call that
/// succeeds, up to `burst`. Once they are spent, calls fail with their first error. A request that was
/// answered with 429 or 401 costs nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// The most retries in a row. Default 100.
    pub burst: u32,
    /// How much of a retry each success earns. Default 0.2.
    pub per_success: f64,
}

impl Default for RetryBudget {
    fn default() -> RetryBudget {
        RetryBudget { burst: 100, per_success: 0.2 }
    }
}

/// What is left of a [`RetryBudget`]; all clones of a client draw on one.
pub(crate) struct Budget {
    terms: RetryBudget,
    left: Mutex<f64>,
}

impl Budget {
    pub(crate) fn new(terms: RetryBudget) -> Budget {
        Budget { terms, left: Mutex::new(terms.burst.into()) }
    }

    /// A request was answered well.
    pub(crate) fn earn(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = (*left + self.terms.per_success).min(self.terms.burst.into());
    }

    pub(crate) fn spend(&self) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = *left >= 1.0;
        *left -= f64::from(u8::from(spent));
        spent
    }
}

/// The attempts of one call.
pub(crate) struct Attempts {
    policy: RetryPolicy,
    pub(crate) count: u32,
    first: Option<Instant>,
}

impl Attempts {
    pub(crate) fn new(policy: RetryPolicy) -> Attempts {
        Attempts { policy, count: 0, first: None }
    }

    /// A request is about to be sent.
    pub(crate) fn begin(&mut self) {
        self.count += 1;
        self.first.get_or_insert_with(Instant::now);
    }

    /// How much longer the call may wait.
    pub(crate) fn left(&self) -> Duration {
        let elapsed = self.first.map_or(Duration::ZERO, |first| first.elapsed());
        self.policy.max_elapsed.saturating_sub(elapsed)
    }

    /// How long to wait before the next attempt; none if there is to be none. `deadline` is the caller's.
    pub(crate) fn next(
        &self,
        error: &Error,
        idempotent: bool,
        deadline: Option<Instant>,
        budget: &Budget,
    ) -> Option<Duration> {
        let wait = error.retry_after().unwrap_or_else(|| self.policy.wait(self.count));
        let until_deadline = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = self.left().min(until_deadline.unwrap_or(Duration::MAX));
        let may = self.count < self.policy.max_attempts && error.may_resend(idempotent) && wait <= left;
        let paid = may && (error.was_throttled() || budget.spend());
        paid.then_some(wait)
    }
}
