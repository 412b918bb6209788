//! What can be set about a tenant before it starts.

use std::time::{Duration, SystemTime};

use crate::server;
use crate::tenant::{StartError, Tenant};

/// What the tenant answers to an offset at or past the end of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastEnd {
    /// `200` and an empty array.
    Empty,
    /// `400`, as the service does at times; never for an offset of zero.
    BadRequest,
}

/// How `Retry-After` says how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Whole seconds, rounded up.
    Seconds,
    /// An HTTP date.
    Date,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) seed: u64,
    pub(crate) identities: u32,
    pub(crate) sessions: usize,
    pub(crate) step: Duration,
    pub(crate) start: SystemTime,
    pub(crate) frozen: bool,
    pub(crate) clients: Vec<Client>,
    pub(crate) expires_in: Duration,
    pub(crate) experimental_editions: Vec<String>,
    pub(crate) rate_limit: Option<(usize, Duration)>,
    pub(crate) retry_after: RetryAfter,
    pub(crate) past_end: PastEnd,
    pub(crate) page_cap: Option<usize>,
    pub(crate) export_bytes: u64,
    pub(crate) redirect_downloads: bool,
    pub(crate) ranges: bool,
    pub(crate) check_replies: bool,
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) scopes: Vec<String>,
}

/// Settings for a [`Tenant`]; every one has a default.
#[derive(Clone)]
#[must_use = "nothing runs before `start`"]
pub struct Builder {
    settings: Settings,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings {
                port: 0,
                seed: 1,
                identities: 1000,
                sessions: 3,
                step: Duration::from_millis(500),
                start: SystemTime::now(),
                frozen: false,
                clients: Vec::new(),
                expires_in: Duration::from_secs(749),
                experimental_editions: ["v2024", "v2025", "v2026"].map(str::to_owned).to_vec(),
                rate_limit: Some((100, Duration::from_secs(10))),
                retry_after: RetryAfter::Seconds,
                past_end: PastEnd::Empty,
                page_cap: None,
                export_bytes: 0,
                redirect_downloads: false,
                ranges: false,
                check_replies: false,
            },
        }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// The port on 127.0.0.1; 0, the default, takes a free one.
    pub fn port(self, port: u16) -> Self {
        self.set(|settings| settings.port = port)
    }

    /// What everything made up follows from: the same seed and the same calls give the same data.
    pub fn seed(self, seed: u64) -> Self {
        self.set(|settings| settings.seed = seed)
    }

    /// How many identities the organisation has (default 1000; a million is fine).
    pub fn identities(self, identities: u32) -> Self {
        self.set(|settings| settings.identities = identities.max(1))
    }

    /// How many mined sessions are there from the start (default 3); every other one is saved.
    pub fn sessions(self, sessions: usize) -> Self {
        self.set(|settings| settings.sessions = sessions)
    }

    /// How long a session, an export or a provision request stays in each state (default 500 ms).
    pub fn step(self, step: Duration) -> Self {
        self.set(|settings| settings.step = step)
    }

    /// The tenant's time when it starts (default: the machine's).
    pub fn starts_at(self, start: SystemTime) -> Self {
        self.set(|settings| settings.start = start)
    }

    /// Lets time pass only by [`Tenant::advance`].
    pub fn frozen_clock(self) -> Self {
        self.set(|settings| settings.frozen = true)
    }

    /// Adds a client that may ask for tokens, with the scopes these shall have. Without any, the
    /// tenant makes up one that may do everything.
    pub fn client(self, id: &str, secret: &str, scopes: &[&str]) -> Self {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let client = Client { id: id.to_owned(), secret: secret.to_owned(), scopes };
        self.set(|settings| settings.clients.push(client))
    }

    /// How long a token is good for (default 749 s).
    pub fn expires_in(self, expires_in: Duration) -> Self {
        self.set(|settings| settings.expires_in = expires_in)
    }

    /// The editions (`beta`, `v2024`, ..) that demand `X-SailPoint-Experimental: true`; by default
    /// all but beta.
    pub fn experimental_editions(self, editions: &[&str]) -> Self {
        self.set(|settings| {
            settings.experimental_editions = editions.iter().map(|&name| name.to_owned()).collect()
        })
    }

    /// How many requests a client may make to an edition within how long; `None` for any number
    /// (default 100 in 10 s).
    pub fn rate_limit(self, limit: Option<(usize, Duration)>) -> Self {
        self.set(|settings| settings.rate_limit = limit)
    }

    /// How `Retry-After` is written on a 429 (default: in seconds).
    pub fn retry_after(self, form: RetryAfter) -> Self {
        self.set(|settings| settings.retry_after = form)
    }

    /// The answer to an offset at or past the end of a collection (default: an empty page).
    pub fn past_end(self, answer: PastEnd) -> Self {
        self.set(|settings| settings.past_end = answer)
    }

    /// Gives no more than so many records a page, whatever the limit asked for.
    pub fn page_cap(self, cap: usize) -> Self {
        self.set(|settings| settings.page_cap = Some(cap.max(1)))
    }

    /// Pads every export with a member `padding.bin` of so many bytes (default 0: no such member).
    pub fn export_bytes(self, bytes: u64) -> Self {
        self.set(|settings| settings.export_bytes = bytes)
    }

    /// Answers downloads with a redirect to a second port, which refuses any request that brings
    /// an `Authorization` header.
    pub fn redirect_downloads(self, redirect: bool) -> Self {
        self.set(|settings| settings.redirect_downloads = redirect)
    }

    /// Tells the length and an `ETag` of a download, and honours `Range` and `If-Range`.
    pub fn ranges(self, ranges: bool) -> Self {
        self.set(|settings| settings.ranges = ranges)
    }

    /// Holds every JSON answer against the document before any fault is applied, and answers 500
    /// with the difference if there is one.
    pub fn check_replies(self, check: bool) -> Self {
        self.set(|settings| settings.check_replies = check)
    }

    /// Starts the tenant on 127.0.0.1, on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// If the port is taken or the document in `spec/` cannot be read.
    pub async fn start(self) -> Result<Tenant, StartError> {
        server::start(self.settings).await
    }
}
