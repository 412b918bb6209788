//! A small client, and a tenant for it whose time stands still.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use sailpoint_role_mining_tenant::{Builder, Tenant};
use serde_json::Value;

pub(crate) const STEP: Duration = Duration::from_secs(1);

pub(crate) struct Api {
    pub(crate) tenant: Tenant,
    pub(crate) http: reqwest::Client,
    token: String,
}

/// Settings for a tenant that is small, holds its answers against the document, and waits for `advance`.
pub(crate) fn settings() -> Builder {
    Tenant::builder().identities(300).step(STEP).frozen_clock().rate_limit(None).check_replies(true)
}

impl Api {
    pub(crate) async fn start(builder: Builder) -> Self {
        let tenant = builder.start().await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let mut api = Self { tenant, http, token: String::new() };
        api.token = api.new_token().await;
        api
    }

    pub(crate) async fn new_token(&self) -> String {
        let answer = self.token_request(self.tenant.client_id(), self.tenant.client_secret()).await;
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn token_request(&self, id: &str, secret: &str) -> Response {
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        self.http.post(format!("{}/oauth/token", self.tenant.base_url())).form(&form).send().await.unwrap()
    }

    /// A request below `/beta` with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/beta{path}", self.tenant.base_url());
        self.http.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// The JSON of an answer that must be a 200.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.body(Method::POST, path, "application/json", body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        self.body(Method::PATCH, path, "application/json-patch+json", body).await
    }

    pub(crate) async fn body(&self, method: Method, path: &str, kind: &str, body: &Value) -> (u16, Value) {
        let request = self.request(method, path).header("content-type", kind).body(body.to_string());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The paths of a session that is mined and of its largest role: the latter within the session,
    /// and below `/role-mining-potential-roles`.
    pub(crate) async fn some_role(&self) -> Paths {
        let role = &self.json("/role-mining-potential-roles").await[0];
        let (session, id) = (role["session"]["id"].as_str().unwrap(), role["id"].as_str().unwrap());
        Paths {
            session: format!("/role-mining-sessions/{session}"),
            summary: format!("/role-mining-sessions/{session}/potential-role-summaries/{id}"),
            within: format!("/role-mining-sessions/{session}/potential-roles/{id}"),
            alone: format!("/role-mining-potential-roles/{id}"),
        }
    }
}

pub(crate) struct Paths {
    pub(crate) session: String,
    pub(crate) summary: String,
    pub(crate) within: String,
    pub(crate) alone: String,
}

/// What an error document says is the cause.
pub(crate) fn cause(error: &Value) -> &str {
    error["causes"][0]["text"].as_str().unwrap_or_default()
}

/// The texts of one field of every item.
pub(crate) fn column<'a>(items: &'a Value, field: &str) -> Vec<&'a str> {
    items.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap_or_default()).collect()
}
