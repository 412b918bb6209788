//! Tokens: one at a time, for all callers.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use reqwest::header::HeaderValue;
use tokio::time::{Instant, timeout};

use super::error::Error;
use super::secret::Secret;

/// A bearer token, as a [`TokenProvider`] gives it.
#[derive(Clone, Debug)]
pub struct Token {
    secret: Secret,
    life: Option<Duration>,
}

impl Token {
    /// A token that is good until the service refuses it.
    pub fn new(secret: impl Into<Secret>) -> Token {
        Token { secret: secret.into(), life: None }
    }

    /// The same token, good for so long from now.
    pub fn expires_in(self, life: Duration) -> Token {
        Token { life: Some(life), ..self }
    }
}

/// What a [`TokenProvider`] promises: a token, or any error.
pub type TokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Token, Box<dyn std::error::Error + Send + Sync>>> + Send + 'a>>;

/// Gets tokens from somewhere else than the service's own `/oauth/token`: a vault, another process.
///
/// The client asks for one at a time, however many calls wait for it, when it has none, some time before the
/// one it has expires, and when the service refuses it. It does not ask again after an error, except for
/// the next call. A provider that takes longer than the client's
/// [`read_timeout`](crate::ClientBuilder::read_timeout) has failed. Any function that gives a future is a provider:
///
/// ```
/// use sailpoint_role_mining::{Client, Token};
///
/// let client = Client::builder("https://acme.api.identitynow.com")
///     .token_provider(|| async { Ok(Token::new(std::fs::read_to_string("/run/secrets/token")?)) })
///     .build()?;
/// # Ok::<(), sailpoint_role_mining::Error>(())
/// ```
pub trait TokenProvider: Send + Sync + 'static {
    /// Gets a token.
    fn token(&self) -> TokenFuture<'_>;
}

impl<F, T> TokenProvider for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = Result<Token, Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(self())
    }
}

/// A token in use.
pub(crate) struct Held {
    pub(crate) header: HeaderValue,
    pub(crate) secret: Secret,
    generation: u64,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

pub(crate) type Failure = Arc<dyn std::error::Error + Send + Sync>;

/// The token that is in use, and the request for the next.
pub(crate) struct Tokens {
    /// None for a token that was given once and for all.
    provider: Option<Arc<dyn TokenProvider>>,
    /// How long it may take.
    limit: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Arc<Held>>,
    flight: Option<Flight>,
    flights: u64,
    /// After a refresh failed: when the next may begin.
    quiet_until: Option<Instant>,
}

/// A request for a token that is under way. Every caller that waits for it polls it, so it goes on when any of
/// them is dropped, and needs no task of its own.
#[derive(Clone)]
pub(crate) struct Flight {
    number: u64,
    started: Instant,
    result: Shared<Asked>,
}

type Asked = Pin<Box<dyn Future<Output = Result<Arc<Held>, Failure>> + Send>>;

/// A token, and a refresh of it to be driven while it is used.
pub(crate) type Lent = (Arc<Held>, Option<Flight>);

/// How long a request for a token that nobody waits for any more may be taken up again.
const ABANDONED: Duration = Duration::from_secs(10);
/// How long after a refresh failed there is none.
const QUIET: Duration = Duration::from_secs(10);

impl Tokens {
    pub(crate) fn from_provider(provider: Arc<dyn TokenProvider>, limit: Option<Duration>) -> Tokens {
        Tokens { provider: Some(provider), limit, state: Mutex::default() }
    }

    /// One token that is never replaced; none if it holds what cannot stand in a header.
    pub(crate) fn fixed(secret: Secret) -> Option<Tokens> {
        let held = Held::new(Token::new(secret), 0, Instant::now())?;
        let state = State { held: Some(Arc::new(held)), ..State::default() };
        Some(Tokens { provider: None, limit: None, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that is good, as far as is known. It waits only if there is none; a token that will expire soon
    /// is given at once, together with its refresh.
    pub(crate) async fn get(&self) -> Result<Lent, Failure> {
        let (held, flight) = self.look();
        match (held, flight) {
            (Some(held), flight) => Ok((held, flight)),
            (None, Some(flight)) => self.land(flight).await.map(|held| (held, None)),
            (None, None) => Err(Arc::new(Error::config("there is no token"))),
        }
    }

    fn look(&self) -> (Option<Arc<Held>>, Option<Flight>) {
        let mut state = self.state();
        let now = Instant::now();
        let passed = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        let held = state.held.clone().filter(|held| !passed(held.expires_at));
        let Some(provider) = &self.provider else {
            return (held, None);
        };
        let is_quiet = state.quiet_until.is_some() && !passed(state.quiet_until);
        if held.as_ref().is_some_and(|held| is_quiet || !passed(held.refresh_at)) {
            return (held, None);
        }
        if state.flight.as_ref().is_some_and(Flight::is_abandoned) {
            state.flight = None;
        }
        let flight = state.flight.clone().unwrap_or_else(|| {
            state.flights += 1;
            let flight = Flight::start(Arc::clone(provider), self.limit, state.flights, now);
            state.flight = Some(flight.clone());
            tracing::debug!(number = flight.number, ahead = held.is_some(), "token requested");
            flight
        });
        (held, Some(flight))
    }

    /// Waits for a request for a token, and takes up what it gives.
    pub(crate) async fn land(&self, flight: Flight) -> Result<Arc<Held>, Failure> {
        let result = flight.result.await;
        let mut state = self.state();
        // The first caller to come here takes it up for all.
        if state.flight.as_ref().is_some_and(|current| current.number == flight.number) {
            state.flight = None;
            match &result {
                Ok(held) => {
                    state.held = Some(Arc::clone(held));
                    state.quiet_until = None;
                    tracing::debug!(number = flight.number, "token received");
                }
                Err(error) => {
                    state.quiet_until = Instant::now().checked_add(QUIET);
                    tracing::warn!(number = flight.number, %error, "no token received");
                }
            }
        }
        result
    }

    /// The service refused a token. `false` if there can be no other.
    pub(crate) fn refused(&self, refused: &Held) -> bool {
        let mut state = self.state();
        if self.provider.is_some()
            && state.held.as_ref().is_some_and(|held| held.generation == refused.generation)
        {
            tracing::debug!(number = refused.generation, "token refused");
            state.held = None;
        }
        self.provider.is_some()
    }
}

impl Flight {
    fn start(provider: Arc<dyn TokenProvider>, limit: Option<Duration>, number: u64, now: Instant) -> Flight {
        let result = async move {
            let asked = provider.token();
            let token = match limit {
                None => asked.await,
                Some(limit) => timeout(limit, asked)
                    .await
                    .unwrap_or_else(|_| Err(format!("the token provider gave none within {limit:?}").into())),
            };
            let token = token.map_err(Failure::from)?;
            // It is good from when it was asked for, at the least.
            let held = Held::new(token, number, now);
            held.map(Arc::new).ok_or_else(|| {
                Arc::new(Error::config("the token is empty, or holds characters that no header can"))
                    as Failure
            })
        };
        let result: Asked = Box::pin(result);
        Flight { number, started: now, result: result.shared() }
    }

    /// Whether nobody has waited for it for some time: its connection may be gone.
    fn is_abandoned(&self) -> bool {
        self.result.strong_count() == Some(1) && self.started.elapsed() > ABANDONED
    }
}

impl Held {
    fn new(token: Token, generation: u64, now: Instant) -> Option<Held> {
        let header = token.secret.bearer()?;
        // Not used to the last moment, as the request takes time and clocks differ.
        let expiry = token.life.map(|life| life - (life / 20).min(Duration::from_secs(5)));
        let refresh = token.life.map(|life| life - (life / 4).min(Duration::from_secs(60)));
        Some(Held {
            header,
            secret: token.secret,
            generation,
            refresh_at: refresh.and_then(|life| now.checked_add(life)),
            expires_at: expiry.and_then(|life| now.checked_add(life)),
        })
    }
}
