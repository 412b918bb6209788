//! The client: one tenant, and all that its calls share.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderMap;

use super::address::Address;
use super::config::ClientBuilder;
use super::environment::Environment;
use super::error::Error;
use super::operation::Operation;
use super::rate::Limiter;
use super::retry::{Budget, RetryPolicy};
use super::token::Tokens;

/// A client of one tenant. Cloning it is cheap; clones share connections, the token, the rate limit and the
/// retry budget, so one client serves a whole process.
///
/// ```no_run
/// # async fn example() -> Result<(), sailpoint_role_mining::Error> {
/// use sailpoint_role_mining::Client;
///
/// let client = Client::from_env()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What the calls of a client share.
pub(crate) struct Inner {
    pub(crate) address: Address,
    pub(crate) http: reqwest::Client,
    pub(crate) tokens: Option<Tokens>,
    /// Where the credentials come from, in words.
    pub(crate) source: String,
    pub(crate) limiter: Limiter,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Arc<Budget>,
    pub(crate) read_timeout: Duration,
    pub(crate) timeout: Option<Duration>,
    /// The operations that were said to be deprecated.
    pub(crate) deprecated: Mutex<Vec<&'static str>>,
}

impl Client {
    /// A client without credentials that sends to `base_url`, with every setting as it is by default.
    ///
    /// # Errors
    ///
    /// As for [`ClientBuilder::build`].
    pub fn new(base_url: &str) -> Result<Client, Error> {
        Client::builder(base_url).build()
    }

    /// A client with the address and the credentials that the process finds around it. It looks in these
    /// places, and takes the first that has any of them:
    ///
    /// 1. the variables `SAIL_BASE_URL`, `SAIL_CLIENT_ID` and `SAIL_CLIENT_SECRET`;
    /// 2. `config.json` in the current folder, with `BaseURL`, `ClientId` and `ClientSecret`;
    /// 3. `.sailpoint/config.yaml` in the home folder, as the vendor's command line tool keeps it: the
    ///    environment that is active, its `baseurl`, and `clientid` and `clientsecret` of its `pat`.
    ///
    /// The client's `Debug` says which it was.
    ///
    /// # Errors
    ///
    /// When there is no such place, or the first lacks something, in words that name the place and what it
    /// lacks; and as for [`ClientBuilder::build`].
    pub fn from_env() -> Result<Client, Error> {
        Client::builder_from_env()?.build()
    }

    /// [`from_env`](Self::from_env), with room for settings.
    ///
    /// # Errors
    ///
    /// As for [`from_env`](Self::from_env).
    pub fn builder_from_env() -> Result<ClientBuilder, Error> {
        ClientBuilder::from_environment(&Environment::of_process())
    }

    /// Settings for a client that sends to `base_url`: `https://{tenant}.api.identitynow.com`, or any other
    /// host of the service.
    ///
    /// An address without a path gets the path of the edition this crate was generated from
    /// ([`BASE_PATH`](crate::BASE_PATH)); one that has a path is taken as it is.
    pub fn builder(base_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(base_url.into())
    }

    /// The address every path is put behind, without a `/` at its end.
    pub fn base_url(&self) -> &str {
        &self.inner.address.base
    }

    pub(crate) fn from_inner(inner: Inner) -> Client {
        Client { inner: Arc::new(inner) }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl Inner {
    /// Says once for each operation that its days are numbered.
    pub(crate) fn note_deprecation(&self, operation: &'static Operation, headers: &HeaderMap) {
        let says =
            headers.get("x-deprecated").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        if !says {
            return;
        }
        let mut known = self.deprecated.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&operation.id) {
            known.push(operation.id);
            tracing::warn!(operation = operation.id, "the service says that this operation is deprecated");
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.address.base)
            .field("credentials", &format_args!("{}", self.inner.source))
            .finish_non_exhaustive()
    }
}
