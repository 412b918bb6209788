//! Waiting for what the service does by itself: one engine for all of it.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use reqwest::header::HeaderMap;
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::{Error, retry_after};

/// When a job is asked after again.
///
/// The pause grows with the time waited so far, so that what is short is found out about soon, what is long
/// is not asked after often, and the delay between the end of a job and its discovery stays a share of how
/// long the job took. `Retry-After` of the service, where longer, takes its place.
///
/// As it is by default, a job of ten minutes is asked after 28 times or so, and of jobs of a second to ten minutes
/// the end is discovered after 14 % of their length in the median.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PollSchedule {
    /// The shortest pause. Default 240 ms.
    pub least: Duration,
    /// The longest pause. Default 3 minutes.
    pub most: Duration,
    /// The pause as a share of the time waited so far. Default 0.305.
    pub share: f64,
    /// By what share of itself each pause is longer or shorter at random, so that jobs that started together
    /// are not asked after together. Default 0.1.
    pub jitter: f64,
}

impl Default for PollSchedule {
    fn default() -> PollSchedule {
        PollSchedule {
            least: Duration::from_millis(240),
            most: Duration::from_secs(180),
            share: 0.305,
            jitter: 0.1,
        }
    }
}

impl PollSchedule {
    /// The pause after so much time, and so many pauses.
    fn pause(&self, elapsed: Duration, pauses: u32) -> Duration {
        // The shortest pause comes several times before the pauses begin to grow: the share of so short a
        // time would be lost in what a request takes.
        let grown = elapsed.saturating_sub(self.least).as_secs_f64() * self.share.max(0.0);
        let pause = Duration::try_from_secs_f64(grown).unwrap_or(self.most).min(self.most).max(self.least);
        // The first is the one that spreads jobs that started together.
        let jitter = if pauses == 0 { 0.5 } else { self.jitter.clamp(0.0, 1.0) };
        pause.mul_f64(1.0 + jitter * (2.0 * fastrand::f64() - 1.0))
    }
}

/// What came of asking after a job once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Polled<S> {
    /// The job's status.
    Status(S),
    /// Asking failed in a way that may pass; the job is asked after again.
    Trouble(Error),
}

impl<S> Polled<S> {
    /// The status, if there is one.
    pub fn status(self) -> Option<S> {
        match self {
            Polled::Status(status) => Some(status),
            Polled::Trouble(_) => None,
        }
    }
}

/// Why waiting for a job came to no good end: one of three things, each with the last status seen.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WaitError<S> {
    /// The time is over, or the rest of it too short for another look. The job goes on.
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long was waited.
        elapsed: Duration,
        /// How often the job was asked after.
        polls: u32,
        /// The last status seen.
        last: Option<S>,
        /// What failed after that status was seen, if anything did.
        trouble: Option<Error>,
    },
    /// The job failed.
    Failed {
        /// What was waited for.
        what: String,
        /// The status that says so.
        status: S,
    },
    /// A call failed, and it does not help to wait longer.
    Call {
        /// How it failed.
        error: Error,
        /// The last status seen.
        last: Option<S>,
    },
}

impl<S> WaitError<S> {
    /// The last status seen.
    pub fn last(&self) -> Option<&S> {
        match self {
            WaitError::TimedOut { last, .. } | WaitError::Call { last, .. } => last.as_ref(),
            WaitError::Failed { status, .. } => Some(status),
        }
    }

    /// The error of a call, if there was one.
    pub fn call_error(&self) -> Option<&Error> {
        match self {
            WaitError::Call { error, .. } => Some(error),
            WaitError::TimedOut { trouble, .. } => trouble.as_ref(),
            WaitError::Failed { .. } => None,
        }
    }

    /// Whether time ran out.
    pub fn is_timeout(&self) -> bool {
        matches!(self, WaitError::TimedOut { .. })
    }

    /// Whether the job itself failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, WaitError::Failed { .. })
    }
}

impl<S: fmt::Display> fmt::Display for WaitError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::TimedOut { what, elapsed, polls, last, trouble } => {
                write!(
                    f,
                    "{what} is not done after {elapsed:.1?}, in which it was asked after {polls} times; "
                )?;
                match last {
                    Some(last) => write!(f, "last it was {last}")?,
                    None => f.write_str("no status was seen")?,
                }
                match trouble {
                    Some(trouble) => write!(f, "; then, {trouble}"),
                    None => Ok(()),
                }
            }
            WaitError::Failed { what, status } => write!(f, "{what} failed: {status}"),
            WaitError::Call { error, last: Some(last) } => write!(f, "{error}; before that, it was {last}"),
            WaitError::Call { error, last: None } => write!(f, "{error}"),
        }
    }
}

impl<S: fmt::Debug + fmt::Display> std::error::Error for WaitError<S> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.call_error().map(|error| error as _)
    }
}

/// What a status means to who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The job goes on. A status that is not known means this.
    Pending,
    /// The job is done.
    Done,
    /// The job failed.
    Failed,
}

type Asking<S> = Pin<Box<dyn Future<Output = Result<(S, HeaderMap), Error>> + Send>>;

/// Waits for a job of the service, and tells how it goes.
///
/// As a [`Stream`] it gives each status as soon as it is known, and only then waits: the first comes at once,
/// the last is the one that ends the job. As a future (`poller.await`) it gives the status the job
/// ended with. What may pass by itself does not end it but is told as [`Polled::Trouble`]; a status that
/// this crate does not know is a job that is not done.
///
/// Nothing runs on its own: nobody asks after the job while the poller is not polled, and dropping it is
/// all it takes to stop. A poller can be made again for the same job at any time.
#[must_use = "nothing is asked before the poller is awaited or read as a stream"]
pub struct Poller<S> {
    ask: Box<dyn FnMut() -> Asking<S> + Send>,
    judge: Box<dyn Fn(&S) -> Verdict + Send>,
    /// What is waited for, in words.
    what: String,
    schedule: PollSchedule,
    limit: Option<Duration>,
    /// How long trouble may last without a status in between.
    tolerance: Duration,
    started: Option<Instant>,
    known: Option<S>,
    last: Option<S>,
    trouble: Option<Error>,
    troubled_since: Option<Instant>,
    polls: u32,
    pauses: u32,
    state: State<S>,
}

enum State<S> {
    /// It is time to ask.
    Due,
    Asking(Asking<S>, Option<Pin<Box<Sleep>>>),
    Pausing(Pin<Box<Sleep>>),
    /// Time is over; said so once the stream is read again.
    Late,
    Ended,
}

impl<S: Clone> Poller<S> {
    /// Waits for a job of any kind: `ask` makes the call that tells its status, with the headers of the answer,
    /// in which `Retry-After` may be, and `judge` says what a status means.
    ///
    /// ```no_run
    /// # async fn example(client: sailpoint_role_mining::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use sailpoint_role_mining::{Poller, Verdict};
    ///
    /// // Waits until there is no session.
    /// let ask = move || {
    ///     let call = client.get_role_mining_sessions().count(true).limit(0);
    ///     async move {
    ///         let answer = call.send().await?;
    ///         Ok((answer.total_count().unwrap_or(0), answer.headers().clone()))
    ///     }
    /// };
    /// let judge = |left: &u64| if *left == 0 { Verdict::Done } else { Verdict::Pending };
    /// Poller::new(ask, judge).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new<F>(
        mut ask: impl FnMut() -> F + Send + 'static,
        judge: impl Fn(&S) -> Verdict + Send + 'static,
    ) -> Poller<S>
    where
        F: Future<Output = Result<(S, HeaderMap), Error>> + Send + 'static,
    {
        Poller {
            ask: Box::new(move || Box::pin(ask())),
            judge: Box::new(judge),
            what: "the job".into(),
            schedule: PollSchedule::default(),
            limit: None,
            tolerance: Duration::from_secs(300),
            started: None,
            known: None,
            last: None,
            trouble: None,
            troubled_since: None,
            polls: 0,
            pauses: 0,
            state: State::Due,
        }
    }

    /// What is waited for, as errors name it. By default it is "the job".
    pub fn about(mut self, what: impl Into<String>) -> Poller<S> {
        self.what = what.into();
        self
    }

    /// A status that is known already, as from the answer that started the job: it stands for the first look.
    pub fn knowing(mut self, status: Option<S>) -> Poller<S> {
        self.known = status;
        self
    }

    /// When the job is asked after.
    pub fn schedule(mut self, schedule: PollSchedule) -> Poller<S> {
        self.schedule = schedule;
        self
    }

    /// How long to wait in all, from the first look on. By default there is no limit.
    ///
    /// It ends early when what is left is less than the next pause: no look would be left to take.
    pub fn timeout(mut self, limit: Duration) -> Poller<S> {
        self.limit = Some(limit);
        self
    }

    /// How long calls may fail in passing, one after another, before that ends the wait. Default 5 minutes.
    /// Each call has been tried again as its [`RetryPolicy`](crate::RetryPolicy) says before it counts.
    pub fn tolerate(mut self, time: Duration) -> Poller<S> {
        self.tolerance = time;
        self
    }

    /// How often the job was asked after so far.
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// The next of what the stream gives, for those who have no use for that trait.
    pub async fn next(&mut self) -> Option<Result<Polled<S>, WaitError<S>>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    async fn finish(mut self) -> Result<S, WaitError<S>> {
        while let Some(polled) = self.next().await {
            drop(polled?);
        }
        match self.last.take() {
            Some(status) => Ok(status),
            None => Err(self.timed_out()),
        }
    }

    fn elapsed(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| started.elapsed())
    }

    fn timed_out(&mut self) -> WaitError<S> {
        WaitError::TimedOut {
            what: self.what.clone(),
            elapsed: self.elapsed(),
            polls: self.polls,
            last: self.last.clone(),
            trouble: self.trouble.take(),
        }
    }

    /// Waits for as long as the schedule says, or the service, if that is longer and there is time.
    fn pause(&mut self, asked_for: Option<Duration>) {
        let elapsed = self.elapsed();
        let pause = self.schedule.pause(elapsed, self.pauses).max(asked_for.unwrap_or_default());
        self.pauses += 1;
        let left = self.limit.map(|limit| limit.saturating_sub(elapsed));
        let until = Instant::now().checked_add(pause).filter(|_| left.is_none_or(|left| pause <= left));
        self.state = until.map_or(State::Late, |until| State::Pausing(Box::pin(sleep_until(until))));
    }

    /// Takes in a status, and gives it on.
    fn seen(&mut self, status: S, asked_for: Option<Duration>) -> Result<Polled<S>, WaitError<S>> {
        self.trouble = None;
        self.troubled_since = None;
        self.last = Some(status.clone());
        match (self.judge)(&status) {
            Verdict::Done => self.state = State::Ended,
            Verdict::Failed => {
                self.state = State::Ended;
                return Err(WaitError::Failed { what: self.what.clone(), status });
            }
            Verdict::Pending => self.pause(asked_for),
        }
        Ok(Polled::Status(status))
    }

    /// Takes in an error: one that may pass is told and borne, for as long as it is tolerated.
    fn failed(&mut self, error: Error) -> Result<Polled<S>, WaitError<S>> {
        let since = *self.troubled_since.get_or_insert_with(Instant::now);
        if !error.is_transient() || since.elapsed() > self.tolerance {
            self.state = State::Ended;
            return Err(WaitError::Call { error, last: self.last.clone() });
        }
        self.trouble = Some(error.clone());
        self.pause(error.retry_after());
        Ok(Polled::Trouble(error))
    }
}

// No status is ever pinned.
impl<S> Unpin for Poller<S> {}

impl<S: Clone> Stream for Poller<S> {
    type Item = Result<Polled<S>, WaitError<S>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let started = *this.started.get_or_insert_with(Instant::now);
        if let Some(status) = this.known.take() {
            return Poll::Ready(Some(this.seen(status, None)));
        }
        loop {
            match &mut this.state {
                State::Ended => return Poll::Ready(None),
                State::Late => {
                    this.state = State::Ended;
                    return Poll::Ready(Some(Err(this.timed_out())));
                }
                State::Pausing(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    this.state = State::Due;
                }
                State::Due => {
                    let end = this.limit.and_then(|limit| started.checked_add(limit));
                    let end = end.map(|end| Box::pin(sleep_until(end)));
                    this.polls += 1;
                    this.state = State::Asking((this.ask)(), end);
                }
                State::Asking(asking, end) => match asking.as_mut().poll(cx) {
                    Poll::Ready(Ok((status, headers))) => {
                        return Poll::Ready(Some(this.seen(status, retry_after(&headers))));
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(this.failed(error))),
                    Poll::Pending => {
                        match end {
                            Some(end) => ready!(end.as_mut().poll(cx)),
                            None => return Poll::Pending,
                        }
                        this.state = State::Late;
                    }
                },
            }
        }
    }
}

impl<S: Clone + Send + 'static> IntoFuture for Poller<S> {
    type Output = Result<S, WaitError<S>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.finish())
    }
}

impl<S: fmt::Debug> fmt::Debug for Poller<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("polls", &self.polls).field("last", &self.last).finish_non_exhaustive()
    }
}
