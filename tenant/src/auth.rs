//! Tokens, and how many requests their holders may make.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::clock::Moment;
use crate::organisation::uuid;
use crate::reply::Reply;
use crate::settings::{Client, Settings};

pub(crate) const READ: &str = "iai:access-modeling:read";
pub(crate) const MANAGE: &str = "iai:access-modeling:manage";

pub(crate) struct Desk {
    clients: Vec<Client>,
    seed: u64,
    expires_in: Duration,
    rate_limit: Option<(usize, Duration)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    issued: u64,
    tokens: HashMap<String, Token>,
    /// When a client last called an edition, the oldest first.
    calls: HashMap<(String, String), VecDeque<Moment>>,
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) client: String,
    scopes: Vec<String>,
    expires: Moment,
}

impl Token {
    /// Whether the token's scopes allow a request with this method.
    pub(crate) fn allows(&self, method: &str) -> bool {
        let has = |wanted: &str| self.scopes.iter().any(|scope| scope == wanted);
        has(MANAGE) || (method == "GET" && has(READ))
    }
}

impl Desk {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            clients: settings.clients.clone(),
            seed: settings.seed,
            expires_in: settings.expires_in,
            rate_limit: settings.rate_limit,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request for a token, its parameters taken from query and form alike.
    pub(crate) fn issue(&self, parameters: &[(String, String)], now: Moment) -> Reply {
        let get =
            |name: &str| parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value);
        let refuse = |status, error: &str, why: &str| {
            Reply::json(status, json!({"error": error, "error_description": why}))
        };
        if get("grant_type") != "client_credentials" {
            return refuse(400, "unsupported_grant_type", "The grant_type must be client_credentials.");
        }
        let client = self.clients.iter().find(|client| client.id == get("client_id"));
        let Some(client) = client.filter(|client| client.secret == get("client_secret")) else {
            return refuse(401, "invalid_client", "The client_id or the client_secret is wrong.");
        };
        let mut state = self.state();
        state.issued += 1;
        let value = format!(
            "{}{}",
            uuid(self.seed ^ 0x70ce, state.issued).replace('-', ""),
            uuid(self.seed ^ 0x70cf, state.issued).replace('-', "")
        );
        let token = Token {
            client: client.id.clone(),
            scopes: client.scopes.clone(),
            expires: now.saturating_add(self.expires_in),
        };
        state.tokens.insert(value.clone(), token);
        Reply::json(
            200,
            json!({
                "access_token": value,
                "token_type": "bearer",
                "expires_in": self.expires_in.as_secs(),
                "scope": client.scopes.join(" "),
                "jti": uuid(self.seed ^ 0x70d0, state.issued),
            }),
        )
        .header("cache-control", "no-store")
    }

    pub(crate) fn revoke(&self) {
        self.state().tokens.clear();
    }

    /// The token that a header brings, or the 401 that it earns.
    pub(crate) fn check(&self, authorization: Option<&str>, now: Moment) -> Result<Token, Reply> {
        let refuse = |why: &str| Err(Reply::json(401, json!({"error": why})));
        let Some(header) = authorization else {
            return refuse("JWT is required");
        };
        let bearer = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, value)) = bearer else {
            return refuse(
                "JWT validation failed: the Authorization header must be of the form Bearer <token>",
            );
        };
        match self.state().tokens.get(value.trim()) {
            None => refuse("JWT validation failed: JWT is unknown or was revoked"),
            Some(token) if token.expires <= now => refuse("JWT validation failed: JWT is expired"),
            Some(token) => Ok(token.clone()),
        }
    }

    /// Counts a call; `Err` holds how long to wait if there were too many.
    pub(crate) fn count(&self, client: &str, edition: &str, now: Moment) -> Result<(), Duration> {
        let Some((most, span)) = self.rate_limit else {
            return Ok(());
        };
        let mut state = self.state();
        let calls = state.calls.entry((client.to_owned(), edition.to_owned())).or_default();
        while calls.front().is_some_and(|&oldest| oldest.saturating_add(span) <= now) {
            calls.pop_front();
        }
        if calls.len() < most {
            calls.push_back(now);
            return Ok(());
        }
        Err(calls.front().map_or(span, |&oldest| oldest.saturating_add(span).saturating_sub(now)))
    }
}
