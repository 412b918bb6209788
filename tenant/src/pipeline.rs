//! The way of a request from its head to an answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::http::request::Parts;
use serde_json::json;

use crate::auth::Desk;
use crate::call::Call;
use crate::clock::Clock;
use crate::contract::{Contract, Found, Operation};
use crate::download;
use crate::fault::Faults;
use crate::form;
use crate::operations;
use crate::record::Record;
use crate::reply::{Body, Refusal, Reply};
use crate::settings::{RetryAfter, Settings};
use crate::world::World;

const EDITIONS: [&str; 4] = ["beta", "v2024", "v2025", "v2026"];
pub(crate) const TOKEN: &str = "token";
pub(crate) const DOWNLOAD: &str = "download_redirect_target";

/// All that the requests to one tenant have in common.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) contract: &'static Contract,
    pub(crate) clock: Arc<Clock>,
    pub(crate) desk: Desk,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) world: Mutex<World>,
    /// Where downloads are redirected to, if they are.
    pub(crate) download_url: Option<String>,
}

/// Where a request leads.
pub(crate) enum Route {
    Token,
    Download,
    Operation { edition: &'static str, operation: &'static Operation, in_path: Vec<String> },
    OtherMethods(Vec<String>),
    Nothing,
}

impl Route {
    pub(crate) fn of(contract: &'static Contract, parts: &Parts) -> Self {
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        if path == "/oauth/token" {
            return if method == "POST" { Self::Token } else { Self::OtherMethods(vec!["POST".to_owned()]) };
        }
        let rest = path.strip_prefix('/').and_then(|path| path.split_once('/'));
        let edition = rest
            .and_then(|(first, rest)| Some((EDITIONS.into_iter().find(|edition| *edition == first)?, rest)));
        let Some((edition, rest)) = edition else {
            return Self::Nothing;
        };
        match contract.find(method, rest) {
            Found::Operation(operation, in_path) => Self::Operation { edition, operation, in_path },
            Found::OtherMethods(methods) => Self::OtherMethods(methods),
            Found::Nothing => Self::Nothing,
        }
    }

    /// The name that records and faults know it by.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Token => Some(TOKEN),
            Self::Download => Some(DOWNLOAD),
            Self::Operation { operation, .. } => Some(&operation.name),
            Self::OtherMethods(_) | Self::Nothing => None,
        }
    }
}

/// A request that was read to its end.
pub(crate) struct Incoming {
    pub(crate) number: u64,
    pub(crate) parts: Parts,
    pub(crate) body: Vec<u8>,
    pub(crate) shift: isize,
}

impl Incoming {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.parts.uri.query().unwrap_or("").as_bytes()).into_owned().collect()
    }
}

/// Does what a request asks for, as far as it may.
pub(crate) fn process(shared: &Shared, route: &Route, incoming: &Incoming) -> Reply {
    match route {
        Route::Token => {
            let mut parameters = incoming.query();
            parameters.extend(form::fields(incoming.header("content-type"), &incoming.body));
            shared.desk.issue(&parameters, shared.clock.now())
        }
        Route::Download => download::fetch(shared, incoming),
        Route::Operation { edition, operation, in_path } => {
            let mut reply = match admit(shared, edition, operation, incoming) {
                Ok(()) => carry_out(shared, operation, in_path, incoming),
                Err(reply) => reply,
            };
            if shared.settings.check_replies
                && let Body::Json(answer) = &reply.body
                && let Some(difference) = operation.difference(reply.status, answer)
            {
                let text = format!("The answer of {} is not as documented: {difference}.", operation.name);
                reply = Refusal { status: 500, text }.reply(incoming.number);
            }
            reply
        }
        Route::OtherMethods(methods) => {
            let text = format!("{} is not allowed here.", incoming.parts.method);
            Refusal { status: 405, text }.reply(incoming.number).header("allow", methods.join(", "))
        }
        Route::Nothing => {
            let text = format!(
                "There is nothing at {}; operations are below /beta, /v2024, /v2025 and /v2026.",
                incoming.parts.uri.path()
            );
            Refusal { status: 404, text }.reply(incoming.number)
        }
    }
}

/// Checks who asks, how often, and with which header; `Err` is the answer to the unwelcome.
fn admit(shared: &Shared, edition: &str, operation: &Operation, incoming: &Incoming) -> Result<(), Reply> {
    let now = shared.clock.now();
    let token = shared.desk.check(incoming.header("authorization"), now)?;
    shared.desk.count(&token.client, edition, now).map_err(|wait| too_many(shared, wait))?;
    let refuse = |status, text: String| Err(Refusal { status, text }.reply(incoming.number));
    let demanded = shared.settings.experimental_editions.iter().any(|name| name == edition);
    if demanded && incoming.header("x-sailpoint-experimental") != Some("true") {
        let text =
            format!("The edition {edition} demands the header X-SailPoint-Experimental with the value true.");
        return refuse(400, text);
    }
    if !token.allows(incoming.parts.method.as_str()) {
        return refuse(403, format!("The scopes of the token do not allow {}.", operation.name));
    }
    Ok(())
}

fn too_many(shared: &Shared, wait: Duration) -> Reply {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let after = match shared.settings.retry_after {
        RetryAfter::Seconds => seconds.to_string(),
        RetryAfter::Date => {
            httpdate::fmt_http_date(shared.clock.date(shared.clock.now()) + Duration::from_secs(seconds))
        }
    };
    Reply::json(429, json!({"message": " Rate Limit Exceeded "})).header("retry-after", after)
}

fn carry_out(shared: &Shared, operation: &Operation, in_path: &[String], incoming: &Incoming) -> Reply {
    let refuse = |refusal: Refusal| {
        let undocumented = refusal.status == 404 && !operation.documents(404);
        Refusal { status: if undocumented { 400 } else { refusal.status }, ..refusal }.reply(incoming.number)
    };
    let malformed =
        |why: String| refuse(Refusal::bad_request(format!("Cannot do {}: {why}.", operation.name)));
    let parameters = match operation.parameters(in_path, &incoming.query()) {
        Ok(parameters) => parameters,
        Err(why) => return malformed(why),
    };
    let body = match operation.body(incoming.header("content-type"), &incoming.body) {
        Ok(body) => body,
        Err(why) => return malformed(why),
    };
    let call = Call { operation, parameters, body, shift: incoming.shift };
    let answer = operations::perform(&mut shared.world.lock().unwrap_or_else(PoisonError::into_inner), &call);
    match answer {
        Ok(reply) => download::deliver(shared, reply, incoming),
        Err(refusal) => refuse(refusal),
    }
}
