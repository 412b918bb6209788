//! The settings of a client.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::address::Address;
use super::client::{Client, Inner};
use super::credentials::ClientCredentials;
use super::environment::Environment;
use super::error::Error;
use super::rate::{Limiter, RateLimit};
use super::retry::{Budget, RetryBudget, RetryPolicy};
use super::secret::Secret;
use super::token::{TokenProvider, Tokens};

/// Settings for a [`Client`]. Each has a default.
///
/// ```
/// use std::time::Duration;
/// use sailpoint_role_mining::{Client, RetryPolicy};
///
/// let client = Client::builder("https://acme.api.identitynow.com")
///     .credentials("the client id", "the client secret")
///     .user_agent("role-report/1.2")
///     .retry(RetryPolicy { max_attempts: 8, ..RetryPolicy::default() })
///     .timeout(Duration::from_secs(300))
///     .build()?;
/// # Ok::<(), sailpoint_role_mining::Error>(())
/// ```
#[must_use = "there is no client before `build`"]
pub struct ClientBuilder {
    base_url: String,
    credentials: Credentials,
    /// Where the credentials come from, in words.
    source: String,
    token_url: Option<String>,
    allow_http: bool,
    user_agent: Option<String>,
    retry: RetryPolicy,
    budget: RetryBudget,
    rate_limit: Option<RateLimit>,
    concurrency: usize,
    connect_timeout: Duration,
    read_timeout: Duration,
    timeout: Option<Duration>,
    http: Option<Adjust>,
}

type Adjust = Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

enum Credentials {
    None,
    Client(String, Secret),
    Bearer(Secret),
    Provider(Arc<dyn TokenProvider>),
}

impl ClientBuilder {
    pub(crate) fn new(base_url: String) -> ClientBuilder {
        ClientBuilder {
            base_url,
            credentials: Credentials::None,
            source: "none".into(),
            token_url: None,
            allow_http: false,
            user_agent: None,
            retry: RetryPolicy::default(),
            budget: RetryBudget::default(),
            rate_limit: Some(RateLimit::default()),
            concurrency: 32,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            timeout: None,
            http: None,
        }
    }

    /// Settings with the address and the credentials that are found in `environment`, in the order that
    /// [`Client::from_env`] tells.
    ///
    /// # Errors
    ///
    /// When there are none, or only some.
    pub fn from_environment(environment: &Environment) -> Result<ClientBuilder, Error> {
        let found = environment.find()?;
        let builder = ClientBuilder::new(found.base_url);
        Ok(ClientBuilder {
            credentials: Credentials::Client(found.client_id, found.client_secret),
            source: found.place,
            ..builder
        })
    }

    /// Gets tokens with a client id and its secret, such as those of a personal access token. Tokens are
    /// asked for on first use, renewed before they expire, and shared by all clones of the client.
    pub fn credentials(self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        let credentials = Credentials::Client(id.into(), secret.into());
        ClientBuilder { credentials, source: "given: client id and secret".into(), ..self }
    }

    /// Sends `token` as it is. Once the service refuses it, calls fail.
    pub fn bearer(self, token: impl Into<Secret>) -> Self {
        ClientBuilder {
            credentials: Credentials::Bearer(token.into()),
            source: "given: bearer token".into(),
            ..self
        }
    }

    /// Gets tokens from `provider`.
    pub fn token_provider(self, provider: impl TokenProvider) -> Self {
        let credentials = Credentials::Provider(Arc::new(provider));
        ClientBuilder { credentials, source: "given: token provider".into(), ..self }
    }

    /// Where tokens are asked for. Default: `/oauth/token` at the base URL, without its edition.
    ///
    /// The client secret is sent there, so it must be trusted as the service is.
    pub fn token_url(self, url: impl Into<String>) -> Self {
        ClientBuilder { token_url: Some(url.into()), ..self }
    }

    /// Lets credentials and answers go unencrypted, over `http`, to hosts other than this machine. Default:
    /// they may not.
    pub fn allow_http(self) -> Self {
        ClientBuilder { allow_http: true, ..self }
    }

    /// The application that uses the client, as `name/version`: it is put behind the client's own name in the
    /// `User-Agent`.
    pub fn user_agent(self, application: impl Into<String>) -> Self {
        ClientBuilder { user_agent: Some(application.into()), ..self }
    }

    /// How calls, and requests for tokens, are tried again. Default: [`RetryPolicy::default`]. A call may
    /// decide otherwise for itself.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        ClientBuilder { retry: policy, ..self }
    }

    /// How many retries there are in all. Default: [`RetryBudget::default`].
    pub fn retry_budget(self, budget: RetryBudget) -> Self {
        ClientBuilder { budget, ..self }
    }

    /// How fast requests leave; `None` for as fast as they come. Default: [`RateLimit::default`], which is
    /// what the service allows. Requests for tokens are not counted.
    pub fn rate_limit(self, limit: impl Into<Option<RateLimit>>) -> Self {
        ClientBuilder { rate_limit: limit.into(), ..self }
    }

    /// How many requests are under way at the same time, at most; others wait, in their order. Default 32;
    /// at least 1. A download counts until its first byte.
    pub fn concurrency(self, requests: usize) -> Self {
        ClientBuilder { concurrency: requests, ..self }
    }

    /// How long connecting may take, name lookup and TLS included. Default 10 s.
    pub fn connect_timeout(self, limit: Duration) -> Self {
        ClientBuilder { connect_timeout: limit, ..self }
    }

    /// How long nothing may arrive while something is due: the head of an answer, or the next part of its
    /// body. Default 60 s. An answer that is read as a whole may take ten times that, and a
    /// [`TokenProvider`] that time. A call may decide otherwise for itself.
    pub fn read_timeout(self, limit: Duration) -> Self {
        ClientBuilder { read_timeout: limit, ..self }
    }

    /// How long a call may take as a whole, with all its attempts and all waiting between them. Default: as
    /// long as it takes. It does not cut a download: that has to have begun within the time. A call may
    /// decide otherwise for itself.
    pub fn timeout(self, limit: Duration) -> Self {
        ClientBuilder { timeout: Some(limit), ..self }
    }

    /// Adjusts the HTTP client below: a proxy, the certificates to trust, a client certificate, a resolver. It
    /// goes for calls and for requests for tokens alike. A second adjustment replaces the first.
    ///
    /// Redirects stay as they are: followed for reads alone, and without credentials.
    ///
    /// ```
    /// use sailpoint_role_mining::Client;
    ///
    /// let proxy = reqwest::Proxy::https("http://proxy.example.com:3128")?;
    /// let client = Client::builder("https://acme.api.identitynow.com")
    ///     .http(|http| http.proxy(proxy))
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn http(
        self,
        adjust: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        ClientBuilder { http: Some(Box::new(adjust)), ..self }
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the base URL is no `https` address, holds a user name, or is that of the tenant's pages and not of
    /// its API; when credentials are empty or cannot stand in a header; when TLS cannot be set up.
    pub fn build(self) -> Result<Client, Error> {
        let mut address = Address::parse(&self.base_url, self.allow_http)?;
        if let Some(url) = &self.token_url {
            address.token = Address::parse(url, self.allow_http)?.url;
        }
        let name = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        let user_agent = self.user_agent.as_ref().map(|application| format!("{name} {application}"));
        let http = reqwest::Client::builder()
            .connect_timeout(self.connect_timeout)
            .user_agent(user_agent.unwrap_or_else(|| name.to_owned()));
        let http = match self.http {
            Some(adjust) => adjust(http),
            None => http,
        };
        let http = http
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::config(format!("no HTTP client can be made: {}", chain(&error))))?;
        let budget = Arc::new(Budget::new(self.budget));
        let tokens = match self.credentials {
            Credentials::None => None,
            Credentials::Client(id, secret) => {
                if id.trim().is_empty() || secret.is_empty() {
                    return Err(Error::config("the client id or the client secret is empty"));
                }
                let provider = ClientCredentials {
                    http: http.clone(),
                    url: address.token.clone(),
                    id,
                    secret,
                    retry: self.retry,
                    read_timeout: self.read_timeout,
                    budget: Arc::clone(&budget),
                };
                // It has deadlines of its own.
                Some(Tokens::from_provider(Arc::new(provider), None))
            }
            Credentials::Bearer(token) => {
                let fixed = Tokens::fixed(token).ok_or_else(|| {
                    Error::config("the bearer token is empty, or holds characters that no header can")
                })?;
                Some(fixed)
            }
            Credentials::Provider(provider) => Some(Tokens::from_provider(provider, Some(self.read_timeout))),
        };
        Ok(Client::from_inner(Inner {
            address,
            http,
            tokens,
            source: self.source,
            limiter: Limiter::new(self.rate_limit, self.concurrency),
            retry: self.retry,
            budget,
            read_timeout: self.read_timeout,
            timeout: self.timeout,
            deprecated: Mutex::default(),
        }))
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("credentials", &format_args!("{}", self.source))
            .field("retry", &self.retry)
            .field("rate_limit", &self.rate_limit)
            .finish_non_exhaustive()
    }
}
