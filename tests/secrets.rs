//! No secret is told: not in a log, at any level, not in an error, not in `Debug`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sailpoint_role_mining::{Client, Error, RetryPolicy, Secret, Token};
use sailpoint_role_mining_tenant::{Fault, Tenant};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span;

/// All that was logged in this process.
static LOG: Mutex<String> = Mutex::new(String::new());

fn log(line: std::fmt::Arguments<'_>) {
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(log, "{line}").unwrap();
}

struct Everything;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl tracing::Subscriber for Everything {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut line = Line(span.metadata().name().to_owned());
        span.record(&mut line);
        log(format_args!("{} {}", span.metadata().target(), line.0));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        let mut line = Line("record".into());
        values.record(&mut line);
        log(format_args!("{}", line.0));
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        log(format_args!("{} {}{}", event.metadata().level(), event.metadata().target(), line.0));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        log(format_args!("{} {} {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

/// An error, its causes, and what it kept.
fn all_of(error: &Error) -> String {
    let mut told = String::from_utf8_lossy(error.raw_body().unwrap_or(&Default::default())).into_owned();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = cause {
        write!(told, "\n{one} {one:?}").unwrap();
        cause = one.source();
    }
    told
}

#[tokio::test]
async fn no_secret_is_told() {
    tracing::subscriber::set_global_default(Everything).unwrap();
    log::set_boxed_logger(Box::new(Everything)).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let secret = "c0rrect-horse-battery-staple";
    let tenant = Tenant::builder().client("the-id", secret, &["iai:access-modeling:read"]).identities(100);
    let tenant = tenant.redirect_downloads(true).start().await.unwrap();
    let retry = RetryPolicy { base: Duration::from_millis(1), max_attempts: 2, ..RetryPolicy::default() };
    let builder = Client::builder(tenant.base_url()).credentials("the-id", secret).retry(retry);
    let mut told = format!("{builder:?} {:?} {:?}", Secret::from(secret), Token::new(secret));
    let client = builder.build().unwrap();
    let call = client.get_role_mining_sessions();
    told += &format!("{client:?} {call:?}");
    told += &format!("{:?}", call.clone().send().await.unwrap());
    let record = tenant.record();
    let token = record[1].header("authorization").unwrap().replace("Bearer ", "");

    // A token is renewed, and calls are repeated.
    for fault in
        [Fault::status(503).times(1), Fault::status(401).times(1), Fault::header("x-deprecated", "true")]
    {
        tenant.fault(fault.on("get_role_mining_sessions"));
        call.clone().send().await.unwrap();
        tenant.clear_faults();
    }

    // The service repeats what it was sent, in every shape of error, and in answers that are none.
    let echo = json!({"detailCode": token, "trackingId": token, "error": token, "message": token,
        "messages": [{"text": format!("you sent {token}")}], token.clone(): token});
    let mut faults: Vec<Fault> =
        [400, 401, 403, 404, 429, 500].map(|status| Fault::json(status, &echo)).into();
    faults.extend([Fault::html(200, "<h1>Sign in</h1>"), Fault::reset()]);
    for fault in faults {
        let client = Client::builder(tenant.base_url()).bearer(token.as_str()).retry(retry).build().unwrap();
        tenant.fault(fault.on("get_role_mining_sessions"));
        told += &all_of(&client.get_role_mining_sessions().send().await.unwrap_err());
        tenant.clear_faults();
    }
    let echo = json!({"error": secret, "error_description": format!("client_secret={secret}"), "access_token": [secret]});
    for fault in [Fault::json(401, &echo), Fault::json(500, &echo), Fault::json(200, &echo), Fault::reset()] {
        let client = Client::builder(tenant.base_url()).credentials("the-id", secret).retry(retry);
        tenant.fault(fault.on("token"));
        told += &all_of(&client.build().unwrap().get_role_mining_sessions().send().await.unwrap_err());
        tenant.clear_faults();
    }

    let tokens = tenant.record().into_iter().filter_map(|one| one.header("authorization").map(str::to_owned));
    let mut secrets: Vec<String> = tokens.map(|header| header.replace("Bearer ", "")).collect();
    secrets.push(secret.to_owned());
    let log = LOG.lock().unwrap();
    for word in [
        "token requested",
        "token received",
        "token refused",
        "request is repeated",
        "deprecated",
        "call operation=\"get_role_mining_sessions\" method=\"GET\"",
        "attempts=2",
        "latency_ms=",
        "status=200",
        "tracking_id=",
    ] {
        assert!(log.contains(word), "nothing is logged of `{word}`");
    }
    for secret in secrets {
        for (name, text) in [("log", &*log), ("error or Debug", &told)] {
            let line = text.lines().find(|line| line.contains(&secret));
            assert!(line.is_none(), "{secret} in the {name}: {line:?}");
        }
    }
}
