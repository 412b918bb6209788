//! One call of one operation, from its parameters to its answer.

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::client::Client;
use super::error::{Error, Misread};
use super::operation::Operation;
use super::response::{ByteStream, ResponseValue};
use super::transport::{KEPT, Options, Payload, Received, Sending};
use super::wire::Wire;

/// All that RFC 3986 does not leave unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameters of an operation that is about to be called.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) client: Client,
    pub(crate) operation: &'static Operation,
    pub(crate) options: Options,
    path: Vec<(&'static str, String)>,
    query: Vec<(&'static str, Query)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Result<Body, String>>,
    patches: Vec<serde_json::Value>,
}

/// The value of a query parameter.
#[allow(dead_code, reason = "what is called depends on the document")]
#[derive(Clone, Debug)]
pub(crate) enum Query {
    /// One value.
    One(String),
    /// A list, the parameter repeated for each item.
    Repeated(Vec<String>),
    /// A list, its items joined by commas.
    Joined(Vec<String>),
}

#[derive(Clone, Debug)]
struct Body {
    content_type: Option<String>,
    bytes: Bytes,
}

impl Call {
    pub(crate) fn new(client: &Client, operation: &'static Operation) -> Call {
        Call {
            client: client.clone(),
            operation,
            options: Options::default(),
            path: Vec::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            patches: Vec::new(),
        }
    }

    /// Sets a parameter of the path.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) fn path(&mut self, name: &'static str, value: impl ToString) {
        self.path.retain(|(known, _)| *known != name);
        self.path.push((name, value.to_string()));
    }

    /// Sets a parameter of the query.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) fn query(&mut self, name: &'static str, value: Query) {
        self.query.retain(|(known, _)| *known != name);
        self.query.push((name, value));
    }

    /// The value of a parameter of the query, where it has one and no list.
    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find_map(|(known, value)| match value {
            Query::One(value) if *known == name => Some(value.as_str()),
            _ => None,
        })
    }

    /// Takes a parameter out of the query again.
    pub(crate) fn take_query(&mut self, name: &str) -> Option<String> {
        let value = self.query_value(name).map(str::to_owned);
        self.query.retain(|(known, _)| *known != name);
        value
    }

    /// What the call asks for, as far as its address says it.
    pub(crate) fn target(&self) -> Result<String, Error> {
        Ok(self.filled_path()? + &self.filled_query()?)
    }

    /// Sets a header.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) fn header(&mut self, name: &'static str, value: impl ToString) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_string()));
    }

    /// Sets the body to a value as JSON.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) fn json_body<T: serde::Serialize>(&mut self, value: &T) {
        let bytes = serde_json::to_vec(value).map_err(|error| format!("the body has no JSON form: {error}"));
        self.body = Some(bytes.map(|bytes| Body { content_type: None, bytes: bytes.into() }));
    }

    /// Adds an operation to the JSON Patch that is the body.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) fn patch(&mut self, operation: &str, path: &str, value: Option<serde_json::Value>) {
        let mut fields = serde_json::Map::new();
        fields.insert("op".into(), operation.into());
        fields.insert("path".into(), path.into());
        fields.extend(value.map(|value| ("value".into(), value)));
        self.patches.push(fields.into());
        let patches = serde_json::Value::from(self.patches.clone());
        self.json_body(&patches);
    }

    /// Sets the body to bytes of a media type that the document leaves to the caller.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) fn raw_body(&mut self, content_type: impl Into<String>, bytes: impl Into<Bytes>) {
        self.body = Some(Ok(Body { content_type: Some(content_type.into()), bytes: bytes.into() }));
    }

    /// Sends the call and reads the answer as JSON.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) async fn json<T: Wire>(self) -> Result<ResponseValue<T>, Error> {
        let mut sending = self.sending(false)?;
        loop {
            let Received { status, headers, body } = sending.answer().await?;
            let Payload::Whole(raw) = body else {
                return Err(Error::invalid(Some(self.operation), "its answer is no whole"));
            };
            match read(&raw) {
                Ok(value) => return Ok(ResponseValue { value, status, headers }),
                Err(misread) => {
                    let kept = Bytes::copy_from_slice(&raw[..raw.len().min(KEPT)]);
                    let error = Error::body_error(self.operation, status, headers, kept, misread);
                    sending.again(error).await?;
                }
            }
        }
    }

    /// Sends the call; what the answer holds does not matter.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) async fn empty(self) -> Result<ResponseValue<()>, Error> {
        let Received { status, headers, .. } = self.sending(false)?.answer().await?;
        Ok(ResponseValue { value: (), status, headers })
    }

    /// Sends the call and gives the answer's body as it arrives.
    #[allow(dead_code, reason = "what is called depends on the document")]
    pub(crate) async fn stream(self) -> Result<ResponseValue<ByteStream>, Error> {
        let Received { status, headers, body } = self.sending(true)?.answer().await?;
        match body {
            Payload::Stream(value) => Ok(ResponseValue { value, status, headers }),
            Payload::Whole(_) => Err(Error::invalid(Some(self.operation), "its answer is no stream")),
        }
    }

    fn sending(&self, streamed: bool) -> Result<Sending<'_>, Error> {
        Ok(Sending::new(&self.client, self.operation, self.request()?, self.options, streamed))
    }

    /// The request this call is.
    fn request(&self) -> Result<reqwest::Request, Error> {
        let invalid = |message: String| Error::invalid(Some(self.operation), message);
        let url = self.client.base_url().to_owned() + &self.filled_path()? + &self.filled_query()?;
        let url = Url::parse(&url).map_err(|error| invalid(format!("`{url}` is no address: {error}")))?;
        let method = Method::from_bytes(self.operation.method.as_bytes())
            .map_err(|_| invalid(format!("`{}` is no method", self.operation.method)))?;
        let mut request = reqwest::Request::new(method, url);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(self.operation.accept));
        for (name, value) in self.operation.headers {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(invalid("a header holds characters that no header can".into()));
            };
            headers.insert(name, value);
        }
        match &self.body {
            Some(Ok(body)) => {
                let content_type = body.content_type.as_deref().or(self.operation.content_type);
                if let Some(content_type) = content_type {
                    let value = HeaderValue::from_str(content_type)
                        .map_err(|_| invalid(format!("`{content_type}` is no content type")))?;
                    headers.insert(CONTENT_TYPE, value);
                }
                *request.body_mut() = Some(body.bytes.clone().into());
            }
            Some(Err(message)) => return Err(invalid(message.clone())),
            None if self.operation.body_required => {
                return Err(invalid("it needs a body, and none was set".into()));
            }
            None => {}
        }
        Ok(request)
    }

    fn filled_path(&self) -> Result<String, Error> {
        let invalid = |message: String| Error::invalid(Some(self.operation), message);
        let mut filled = String::new();
        let mut rest = self.operation.path;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            let value = self
                .path
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.as_str())
                .ok_or_else(|| invalid(format!("it needs `{name}`, which was not set")))?;
            // Empty and dotted segments would make another path of it.
            if matches!(value, "" | "." | "..") {
                return Err(invalid(format!("`{name}` is \"{value}\", which cannot stand in a path")));
            }
            filled.push_str(before);
            filled.extend(utf8_percent_encode(value, RESERVED));
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn filled_query(&self) -> Result<String, Error> {
        for name in self.operation.required {
            let set = self.query.iter().any(|(known, _)| known == name)
                || self.headers.iter().any(|(known, _)| known == name);
            if !set {
                let message = format!("it needs `{name}`, which was not set");
                return Err(Error::invalid(Some(self.operation), message));
            }
        }
        let mut pairs = Vec::new();
        let encode = |value: &str| utf8_percent_encode(value, RESERVED).to_string();
        for (name, value) in &self.query {
            let name = encode(name);
            match value {
                Query::One(value) => pairs.push(format!("{name}={}", encode(value))),
                Query::Repeated(values) => {
                    pairs.extend(values.iter().map(|value| format!("{name}={}", encode(value))));
                }
                Query::Joined(values) => {
                    let values: Vec<String> = values.iter().map(|value| encode(value)).collect();
                    pairs.push(format!("{name}={}", values.join(",")));
                }
            }
        }
        Ok(if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) })
    }
}

/// Reads a whole body as JSON.
fn read<T: Wire>(raw: &[u8]) -> Result<T, Misread> {
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let value = match raw.iter().all(u8::is_ascii_whitespace) {
        true => Ok(T::nothing()),
        false => T::read(&mut deserializer).and_then(|value| deserializer.end().map(|()| value)),
    };
    match value {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(Misread { cause: "it is empty, or null".into(), cut: false }),
        Err(error) => {
            // The error of a field hides whether the text ended in it; reading it as any JSON tells.
            let any: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(raw);
            let cut = any.is_err_and(|error| error.is_eof());
            Err(Misread { cut, cause: error.to_string() })
        }
    }
}
