//! The client: where it sends to, and through what.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::error::Error;
use super::operation::Operation;

/// A client of one tenant. Cloning it is cheap, and clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    base_url: String,
    http: reqwest::Client,
    bearer: Option<HeaderValue>,
}

impl Client {
    /// A client that sends to `base_url`: `https://{tenant}.api.identitynow.com`.
    ///
    /// An address without a path gets the path of the edition this crate was generated from
    /// ([`BASE_PATH`](crate::BASE_PATH)); one that has a path is taken as it is. Connecting may take 10
    /// seconds, and a transfer may stall for 60; how long it takes as a whole is not limited.
    ///
    /// # Errors
    ///
    /// When `base_url` is not an `http` or `https` address, or TLS cannot be set up.
    pub fn new(base_url: &str) -> Result<Client, Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::invalid(None, format!("no HTTP client can be made: {error}")))?;
        Client::with_http(base_url, http)
    }

    /// [`new`](Self::new), over an HTTP client that was set up elsewhere.
    ///
    /// # Errors
    ///
    /// When `base_url` is not an `http` or `https` address.
    pub fn with_http(base_url: &str, http: reqwest::Client) -> Result<Client, Error> {
        let invalid = |why: &str| Error::invalid(None, format!("the base URL `{base_url}` {why}"));
        let url =
            reqwest::Url::parse(base_url).map_err(|error| invalid(&format!("is no address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid("is no http or https address"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("has a query or a fragment; a base has neither"));
        }
        let mut base_url = url.as_str().trim_end_matches('/').to_owned();
        if url.path() == "/" {
            base_url.push_str(crate::BASE_PATH);
        }
        Ok(Client { inner: Arc::new(Inner { base_url, http, bearer: None }) })
    }

    /// The same client, sending `token` as its bearer token.
    ///
    /// # Errors
    ///
    /// When `token` holds what cannot stand in a header.
    pub fn bearer(&self, token: &str) -> Result<Client, Error> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Error::invalid(None, "the bearer token holds characters that no header can"))?;
        bearer.set_sensitive(true);
        let Inner { base_url, http, .. } = &*self.inner;
        let inner = Inner { base_url: base_url.clone(), http: http.clone(), bearer: Some(bearer) };
        Ok(Client { inner: Arc::new(inner) })
    }

    /// The address every path is put behind, without a `/` at its end.
    pub fn base_url(&self) -> &str {
        &self.inner.base_url
    }

    /// Where requests leave.
    pub(crate) async fn execute(
        &self,
        operation: &'static Operation,
        mut request: reqwest::Request,
    ) -> Result<reqwest::Response, Error> {
        if let Some(bearer) = &self.inner.bearer {
            request.headers_mut().insert(AUTHORIZATION, bearer.clone());
        }
        self.inner.http.execute(request).await.map_err(|error| Error::transport(operation, error))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.inner.base_url).finish_non_exhaustive()
    }
}
