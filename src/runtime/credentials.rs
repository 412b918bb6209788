//! The service's own tokens, for a client id and its secret.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use zeroize::Zeroizing;

use super::error::{Error, Misread};
use super::operation::Operation;
use super::response::read_whole;
use super::retry::{Attempts, Budget, RetryPolicy};
use super::secret::Secret;
use super::token::{Token, TokenFuture, TokenProvider};
use super::transport::answer_within;

/// How much of an answer is read; tokens are shorter by far.
const LONGEST: usize = 64 * 1024;

static TOKEN: Operation = Operation {
    content_type: Some("application/x-www-form-urlencoded"),
    accept: "application/json",
    // Asking twice gives two tokens, which does no harm.
    idempotent: true,
    ..Operation::new("token", "POST", "/oauth/token")
};

/// Asks for tokens with a client id and its secret, as a personal access token is made of.
pub(crate) struct ClientCredentials {
    pub(crate) http: reqwest::Client,
    pub(crate) url: Url,
    pub(crate) id: String,
    pub(crate) secret: Secret,
    pub(crate) retry: RetryPolicy,
    pub(crate) read_timeout: Duration,
    pub(crate) budget: Arc<Budget>,
}

impl TokenProvider for ClientCredentials {
    fn token(&self) -> TokenFuture<'_> {
        Box::pin(async move { self.fetch().await.map_err(Into::into) })
    }
}

impl ClientCredentials {
    async fn fetch(&self) -> Result<Token, Error> {
        let mut attempts = Attempts::new(self.retry);
        loop {
            attempts.begin();
            let error = match self.ask().await {
                Ok(token) => {
                    self.budget.earn();
                    return Ok(token);
                }
                Err(error) => error,
            };
            let Some(wait) = attempts.next(&error, true, None, &self.budget) else {
                return Err(error.after(attempts.count));
            };
            tracing::warn!(attempt = attempts.count, ?wait, %error, "token request is repeated");
            tokio::time::sleep(wait).await;
        }
    }

    async fn ask(&self) -> Result<Token, Error> {
        let mut request = reqwest::Request::new(Method::POST, self.url.clone());
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(TOKEN.accept));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        *request.body_mut() = Some(self.form().into());
        let response = answer_within(&TOKEN, self.read_timeout, self.http.execute(request)).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let raw = read_whole(&TOKEN, response, self.read_timeout, Some(LONGEST)).await;
        if !status.is_success() {
            let raw = self.secret.redact(raw.unwrap_or_default());
            return Err(Error::status_error(&TOKEN, status, headers, raw));
        }
        self.read(status, headers, &raw?)
    }

    /// The body of the request, in memory that is overwritten afterwards.
    fn form(&self) -> Bytes {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        // Enough that it never grows, which would leave a part behind.
        let longest = 3 * (self.id.len() + self.secret.expose().len()) + 64;
        let mut form = Zeroizing::new(Vec::with_capacity(longest));
        form.extend_from_slice(b"grant_type=client_credentials&client_id=");
        encode(&self.id).for_each(|part| form.extend_from_slice(part.as_bytes()));
        form.extend_from_slice(b"&client_secret=");
        encode(self.secret.expose()).for_each(|part| form.extend_from_slice(part.as_bytes()));
        Bytes::from_owner(form)
    }

    fn read(&self, status: StatusCode, headers: HeaderMap, raw: &[u8]) -> Result<Token, Error> {
        let answer: Result<Answer, _> = serde_json::from_slice(raw);
        // Neither the body nor what the parser says of it is kept, as a token may be in both.
        let broken = |cause: &str, cut| {
            let misread = Misread { cause: cause.to_owned(), cut };
            Err(Error::body_error(&TOKEN, status, headers, Bytes::new(), misread))
        };
        match answer {
            Ok(Answer { token: Some(token), life }) if !token.is_empty() => {
                let token = Token::new(token);
                Ok(match life {
                    Some(seconds) => token.expires_in(Duration::from_secs(seconds)),
                    None => token,
                })
            }
            Ok(_) => broken("it has no `access_token`", false),
            Err(error) if error.is_eof() => broken("it ends too early", true),
            Err(_) => broken("it is not the JSON of a token", false),
        }
    }
}

struct Answer {
    token: Option<Secret>,
    life: Option<u64>,
}

impl<'de> serde::Deserialize<'de> for Answer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Answer, D::Error> {
        struct Fields;
        impl<'de> serde::de::Visitor<'de> for Fields {
            type Value = Answer;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the fields of a token")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Answer, A::Error> {
                let mut answer = Answer { token: None, life: None };
                while let Some(key) = map.next_key::<super::wire::Key<'de>>()? {
                    match &*key.0 {
                        "access_token" => answer.token = map.next_value()?,
                        "expires_in" => {
                            let life: serde_json::Value = map.next_value()?;
                            let text = life.as_str().map(str::parse);
                            answer.life = life.as_u64().or_else(|| text?.ok());
                        }
                        _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                    }
                }
                Ok(answer)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}
