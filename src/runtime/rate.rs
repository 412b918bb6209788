//! How fast requests leave.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::select;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// How many requests may be made within how long, by a client and all its clones together.
///
/// The service counts by client id, so that several processes with the same one have to share: give each its
/// part. When the service says that there were too many all the same, the client halves its rate, and takes
/// it back to the full step by step.
///
/// ```
/// use std::time::Duration;
/// use sailpoint_role_mining::RateLimit;
///
/// assert_eq!(RateLimit::default(), RateLimit { requests: 100, per: Duration::from_secs(10) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests. Default 100. Less than 1 is taken as 1.
    pub requests: u32,
    /// Within how long. Default 10 s.
    pub per: Duration,
}

impl Default for RateLimit {
    fn default() -> RateLimit {
        RateLimit { requests: 100, per: Duration::from_secs(10) }
    }
}

/// A service that asks for more is asked again after this: it may not have meant it.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Lets requests pass in the order in which they came, no more than the limit allows, and none while the
/// service has asked to wait.
///
/// A request counts from its beginning until `per` after its answer, since the service may have seen it at any
/// time between: so the service never sees more than the limit in any span of that length.
pub(crate) struct Limiter {
    limit: Option<RateLimit>,
    /// How many requests may be under way.
    at_once: Semaphore,
    /// Held by the request whose turn it is; semaphores are fair.
    turn: Semaphore,
    state: Mutex<State>,
    /// A request has ended.
    ended: Notify,
}

struct State {
    /// How many requests pass now; less than the limit once the service has complained.
    allowed: usize,
    /// When `allowed` was last changed.
    changed: Instant,
    under_way: usize,
    /// When requests ended, the oldest first.
    ended: VecDeque<Instant>,
    paused_until: Option<Instant>,
}

/// A request that may be sent. Dropping it says that its answer has come, or never will.
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    _at_once: Option<SemaphorePermit<'a>>,
}

impl Limiter {
    pub(crate) fn new(limit: Option<RateLimit>, at_once: usize) -> Limiter {
        let allowed = limit.map_or(usize::MAX, full);
        Limiter {
            limit,
            at_once: Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)),
            turn: Semaphore::new(1),
            state: Mutex::new(State {
                allowed,
                changed: Instant::now(),
                under_way: 0,
                ended: VecDeque::new(),
                paused_until: None,
            }),
            ended: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request may be sent; `Err` tells how long the service wants to be left alone, if that is
    /// longer than `patience`.
    pub(crate) async fn acquire(&self, patience: Duration) -> Result<Permit<'_>, Duration> {
        self.check(patience)?;
        // Neither semaphore is ever closed.
        let at_once = self.at_once.acquire().await.ok();
        let _turn = self.turn.acquire().await.ok();
        loop {
            self.check(patience)?;
            let claim = self.state().claim(self.limit);
            match claim {
                Claim::Granted => return Ok(Permit { limiter: self, _at_once: at_once }),
                Claim::At(time) => {
                    select(pin!(sleep_until(time)), pin!(self.ended.notified())).await;
                }
                Claim::Later => self.ended.notified().await,
            }
        }
    }

    fn check(&self, patience: Duration) -> Result<(), Duration> {
        let left = self.state().paused_until.map(|until| until.saturating_duration_since(Instant::now()));
        left.filter(|left| *left > patience).map_or(Ok(()), Err)
    }

    /// Lets no request pass for so long, or for `LONGEST_PAUSE`; `reduce` if it is because there were too
    /// many. Of several that ask at the same time, the longest counts.
    pub(crate) fn pause(&self, wait: Duration, reduce: bool) {
        let mut state = self.state();
        let now = Instant::now();
        let is_paused = state.paused_until.is_some_and(|until| now < until);
        let until = now + wait.min(LONGEST_PAUSE);
        state.paused_until = state.paused_until.max(Some(until));
        if reduce
            && !is_paused
            && let Some(limit) = self.limit
        {
            state.allowed = (state.allowed / 2).max(1);
            state.changed = now;
            tracing::warn!(requests = state.allowed, per = ?limit.per, ?wait, "rate reduced");
        }
    }
}

fn full(limit: RateLimit) -> usize {
    usize::try_from(limit.requests.max(1)).unwrap_or(usize::MAX)
}

enum Claim {
    Granted,
    /// It may be so far at that time.
    At(Instant),
    /// It depends on the requests that are under way.
    Later,
}

impl State {
    fn claim(&mut self, limit: Option<RateLimit>) -> Claim {
        let now = Instant::now();
        if let Some(until) = self.paused_until {
            if now < until {
                return Claim::At(until);
            }
            // What the rate is restored by begins with the end of the pause.
            self.changed = self.changed.max(until);
            self.paused_until = None;
        }
        let Some(limit) = limit else {
            return Claim::Granted;
        };
        let full = full(limit);
        if self.allowed < full && now.duration_since(self.changed) >= limit.per {
            self.allowed = (self.allowed + (full / 10).max(1)).min(full);
            self.changed = now;
        }
        while self.ended.front().is_some_and(|ended| now.duration_since(*ended) >= limit.per) {
            self.ended.pop_front();
        }
        if self.under_way + self.ended.len() < self.allowed {
            self.under_way += 1;
            return Claim::Granted;
        }
        self.ended.front().map_or(Claim::Later, |first| Claim::At(*first + limit.per))
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.limiter.limit.is_some() {
            let mut state = self.limiter.state();
            state.under_way = state.under_way.saturating_sub(1);
            state.ended.push_back(Instant::now());
        }
        self.limiter.ended.notify_one();
    }
}
