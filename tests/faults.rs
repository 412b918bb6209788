//! Every fault a tenant can make, in every phase of work, and what is promised of it. `docs/faults.md` shows
//! these rows; `BLESS=1 cargo test --test faults` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use futures_util::StreamExt as _;
use sailpoint_role_mining::{Client, Error, RetryPolicy};
use sailpoint_role_mining_tenant::{Fault, Tenant};
use serde_json::json;

/// What the client is at when something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Token,
    FirstPage,
    ThirdPage,
    Poll,
    Download,
    Redirected,
    Write,
}
use Phase::*;

impl Phase {
    /// The operation that the fault is for, and its how manieth request.
    fn strikes(self) -> (&'static str, u64) {
        match self {
            Token => ("token", 1),
            FirstPage => ("get_all_potential_role_summaries", 1),
            ThirdPage => ("get_all_potential_role_summaries", 3),
            Poll => ("export_role_mining_potential_role_status", 2),
            Download => ("download_role_mining_potential_role_zip", 1),
            Redirected => ("download_redirect_target", 1),
            Write => (EXPORT, 1),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Token => "token",
            FirstPage => "first page",
            ThirdPage => "third page",
            Poll => "poll",
            Download => "download",
            Redirected => "download, redirected",
            Write => "start of an export",
        }
    }
}

const EXPORT: &str = "export_role_mining_potential_role_async";
const STEP: Duration = Duration::from_millis(500);
/// Longer than the client waits.
const LONG: Duration = Duration::from_secs(30);

/// What is promised.
enum Promise {
    /// The fault changes nothing that matters, and nothing is sent again.
    Answered,
    /// What was asked for comes, after another request.
    Retried,
    /// One error, and what it tells.
    Fails(&'static str, fn(&Error) -> bool),
}
use Promise::*;

impl Promise {
    fn words(&self) -> String {
        match self {
            Answered => "answered".into(),
            Retried => "retried to success".into(),
            Fails(told, _) => format!("one clear error: {told}"),
        }
    }
}

/// A test for each row, and the rows.
macro_rules! faults {
    ($($phase:ident { $($name:ident: $words:literal, $fault:expr => $promise:expr;)* })*) => {
        $($(
            #[tokio::test]
            async fn $name() {
                check($phase, $fault, $promise).await;
            }
        )*)*

        fn rows() -> Vec<(Phase, &'static str, Promise, &'static str)> {
            vec![$($(($phase, $words, $promise, stringify!($name)),)*)*]
        }
    };
}

fn status(error: &Error) -> u16 {
    error.status().map_or(0, |status| status.as_u16())
}

fn slow_down(after: &str) -> Fault {
    Fault::json(429, &json!({"message": " Rate Limit Exceeded "})).with_header("retry-after", after)
}

fn unavailable(after: &str) -> Fault {
    Fault::status(503).with_header("retry-after", after)
}

fn not_found() -> Fault {
    let body = json!({"detailCode": "404 Not found", "trackingId": "e7eab60924f64aa284175b9fa3309599",
        "messages": [{"locale": "en-US", "localeOrigin": "DEFAULT", "text": "There is no such thing."}]});
    Fault::json(404, &body)
}

fn elsewhere() -> Fault {
    Fault::status(302).with_header("location", "http://127.0.0.1:1/nobody")
}

const TOO_LONG: Promise = Fails("429, with the wait that was asked for", |error| {
    status(error) == 429 && error.retry_after() == Some(Duration::from_secs(3600)) && error.attempts() == 1
});
const GONE: Promise = Fails("404, with the service's message and its tracking id", |error| {
    let text = error.to_string();
    status(error) == 404 && text.contains("There is no such thing.") && error.tracking_id().is_some()
});
const FORBIDDEN: Promise = Fails("403, naming the scope that is needed", |error| {
    error.is_auth() && error.to_string().contains("`iai:access-modeling:")
});
const REFUSED: Promise = Fails("401, after one replay with a new token", |error| {
    error.is_auth() && status(error) == 401 && error.attempts() == 2
});
const DOWN: Promise = Fails("500, after all attempts", |error| {
    status(error) == 500 && error.is_transient() && error.attempts() == 4
});
const BROKEN: Promise =
    Fails("no answer, after all attempts", |error| error.is_transport() && error.attempts() == 4);
const HTML: Promise = Fails("a body that is not the documented one, kept for inspection", |error| {
    error.is_unexpected_body()
        && status(error) == 200
        && error.raw_body().is_some_and(|raw| raw.starts_with(b"<h1>"))
});
const CUT: Promise = Fails("the transfer broke off", |error| error.is_transport() && !error.is_timeout());
const STALLED: Promise = Fails("nothing arrived for the read timeout", |error| error.is_timeout());
const AMBIGUOUS: Promise =
    Fails("the connection broke; sent once", |error| error.is_transport() && error.attempts() == 1);

faults! {
    Token {
        token_500: "500 once", Fault::status(500).times(1) => Retried;
        token_502_html: "502 with a page of HTML once", Fault::html(502, "<h1>Bad Gateway</h1>").times(1) => Retried;
        token_503_retry_after: "503 once, to retry after 1 s", unavailable("1").times(1) => Retried;
        token_504: "504 once", Fault::status(504).times(1) => Retried;
        token_429: "429 once, to retry after 1 s", slow_down("1").times(1) => Retried;
        token_429_for_an_hour: "429, to retry after an hour", slow_down("3600") =>
            Fails("429, with the wait that was asked for", |error| {
                status(error) == 429 && error.retry_after() == Some(Duration::from_secs(3600))
            });
        token_reset: "connection reset once", Fault::reset().times(1) => Retried;
        token_reset_in_body: "connection reset in the body once", Fault::reset_in_body(10).times(1) => Retried;
        token_truncated: "body cut short once", Fault::truncate(10).times(1) => Retried;
        token_too_short: "`Content-Length` too small once", Fault::content_length(-5).times(1) => Retried;
        token_stall: "body stalls once", Fault::stall(10, LONG).times(1) => Retried;
        token_delay: "no answer in time, once", Fault::delay(LONG).times(1) => Retried;
        token_401: "401", Fault::json(401, &json!({"error": "invalid_client"})) =>
            Fails("no token, 401; sent once", |error| error.is_auth() && status(error) == 401);
        token_400: "400", Fault::json(400, &json!({"error": "invalid_request"})) =>
            Fails("no token, 400; sent once", |error| error.is_auth() && status(error) == 400);
        token_html: "200 with a page of HTML", Fault::html(200, "<h1>Sign in</h1>") =>
            Fails("no token in the answer, whose body is not kept", |error| {
                error.is_unexpected_body() && error.raw_body().is_some_and(|raw| raw.is_empty())
            });
        token_null: "`access_token` is null", Fault::null_field("access_token") =>
            Fails("no token in the answer", Error::is_unexpected_body);
        token_redirect: "redirect to another host", elsewhere() =>
            Fails("302; the secret goes nowhere else", |error| status(error) == 302);
        token_down: "500 for good", Fault::status(500) =>
            Fails("no token, 500", |error| status(error) == 500 && error.is_transient());
        token_no_life: "`expires_in` is null", Fault::null_field("expires_in") => Answered;
        token_extra: "a field nobody knows", Fault::added_field("news", json!({"a": 1})) => Answered;
        token_content_type: "called text", Fault::content_type("text/plain") => Answered;
    }
    FirstPage {
        first_500: "500 once", Fault::status(500).times(1) => Retried;
        first_502_html: "502 with a page of HTML once", Fault::html(502, "<h1>Bad Gateway</h1>").times(1) => Retried;
        first_503_retry_after: "503 once, to retry after 1 s", unavailable("1").times(1) => Retried;
        first_504: "504 once", Fault::status(504).times(1) => Retried;
        first_429: "429 once, to retry after 1 s", slow_down("1").times(1) => Retried;
        first_429_bare: "429 once, without a wait", Fault::status(429).times(1) => Retried;
        first_429_for_an_hour: "429, to retry after an hour", slow_down("3600") => TOO_LONG;
        first_reset: "connection reset once", Fault::reset().times(1) => Retried;
        first_reset_in_body: "connection reset in the body once", Fault::reset_in_body(10).times(1) => Retried;
        first_truncated: "body cut short once", Fault::truncate(10).times(1) => Retried;
        first_too_long: "`Content-Length` too great once", Fault::content_length(50).times(1) => Retried;
        first_too_short: "`Content-Length` too small once", Fault::content_length(-5).times(1) => Retried;
        first_stall: "body stalls once", Fault::stall(10, LONG).times(1) => Retried;
        first_delay: "no answer in time, once", Fault::delay(LONG).times(1) => Retried;
        first_401: "401 once", Fault::status(401).times(1) => Retried;
        first_401_always: "401 for good", Fault::status(401) => REFUSED;
        first_403: "403", Fault::status(403) => FORBIDDEN;
        first_404: "404", not_found() => GONE;
        first_down: "500 for good", Fault::status(500) => DOWN;
        first_gone: "connection reset for good", Fault::reset() => BROKEN;
        first_html: "200 with a page of HTML", Fault::html(200, "<h1>Sign in</h1>") => HTML;
        first_content_type: "called text", Fault::content_type("text/plain") => Answered;
        first_encoding: "said to be compressed, and is not", Fault::content_encoding("gzip") => Answered;
        first_deprecated: "`X-Deprecated`", Fault::header("x-deprecated", "true") => Answered;
        first_redirect: "redirect to a host that is not there, once", elsewhere().times(1) => Retried;
    }
    ThirdPage {
        third_500: "500 once", Fault::status(500).times(1) => Retried;
        third_502_html: "502 with a page of HTML once", Fault::html(502, "<h1>Bad Gateway</h1>").times(1) => Retried;
        third_503_date: "503 once, to retry at a date that has passed", unavailable("Sun, 06 Nov 1994 08:49:37 GMT").times(1) => Retried;
        third_504: "504 twice", Fault::status(504).times(2) => Retried;
        third_429: "429 once, to retry after 1 s", slow_down("1").times(1) => Retried;
        third_429_for_an_hour: "429, to retry after an hour", slow_down("3600") => TOO_LONG;
        third_reset: "connection reset once", Fault::reset().times(1) => Retried;
        third_reset_in_body: "connection reset in the body once", Fault::reset_in_body(10).times(1) => Retried;
        third_truncated: "body cut short once", Fault::truncate(10).times(1) => Retried;
        third_too_long: "`Content-Length` too great once", Fault::content_length(50).times(1) => Retried;
        third_stall: "body stalls once", Fault::stall(10, LONG).times(1) => Retried;
        third_delay: "no answer in time, once", Fault::delay(LONG).times(1) => Retried;
        third_401: "401 once", Fault::status(401).times(1) => Retried;
        third_401_always: "401 for good", Fault::status(401) => REFUSED;
        third_403: "403", Fault::status(403) => FORBIDDEN;
        third_down: "500 for good", Fault::status(500) => DOWN;
        third_gone: "connection reset for good", Fault::reset() => BROKEN;
        third_html: "200 with a page of HTML", Fault::html(200, "<h1>Sign in</h1>") => HTML;
        third_encoding: "said to be compressed, and is not", Fault::content_encoding("br") => Answered;
    }
    Poll {
        poll_500: "500 once", Fault::status(500).times(1) => Retried;
        poll_502_html: "502 with a page of HTML once", Fault::html(502, "<h1>Bad Gateway</h1>").times(1) => Retried;
        poll_503_retry_after: "503 once, to retry after 1 s", unavailable("1").times(1) => Retried;
        poll_504: "504 once", Fault::status(504).times(1) => Retried;
        poll_429: "429 once, to retry after 1 s", slow_down("1").times(1) => Retried;
        poll_429_for_an_hour: "429, to retry after an hour", slow_down("3600") => TOO_LONG;
        poll_reset: "connection reset once", Fault::reset().times(1) => Retried;
        poll_reset_in_body: "connection reset in the body once", Fault::reset_in_body(10).times(1) => Retried;
        poll_truncated: "body cut short once", Fault::truncate(10).times(1) => Retried;
        poll_too_short: "`Content-Length` too small once", Fault::content_length(-5).times(1) => Retried;
        poll_stall: "body stalls once", Fault::stall(10, LONG).times(1) => Retried;
        poll_delay: "no answer in time, once", Fault::delay(LONG).times(1) => Retried;
        poll_401: "401 once", Fault::status(401).times(1) => Retried;
        poll_401_always: "401 for good", Fault::status(401) => REFUSED;
        poll_403: "403", Fault::status(403) => FORBIDDEN;
        poll_404: "404: the export has vanished", not_found() => GONE;
        poll_down: "500 for good", Fault::status(500) => DOWN;
        poll_gone: "connection reset for good", Fault::reset() => BROKEN;
        poll_html: "200 with a page of HTML", Fault::html(200, "<h1>Sign in</h1>") => HTML;
        poll_extra: "a field nobody knows", Fault::added_field("news", json!([1])) => Answered;
        poll_no_name: "null where a number was", Fault::null_field("minEntitlementPopularity") => Answered;
    }
    Download {
        download_500: "500 once", Fault::status(500).times(1) => Retried;
        download_502_html: "502 with a page of HTML once", Fault::html(502, "<h1>Bad Gateway</h1>").times(1) => Retried;
        download_503_retry_after: "503 once, to retry after 1 s", unavailable("1").times(1) => Retried;
        download_504: "504 once", Fault::status(504).times(1) => Retried;
        download_429: "429 once, to retry after 1 s", slow_down("1").times(1) => Retried;
        download_429_for_an_hour: "429, to retry after an hour", slow_down("3600") => TOO_LONG;
        download_reset: "connection reset before the head, once", Fault::reset().times(1) => Retried;
        download_delay: "no head in time, once", Fault::delay(LONG).times(1) => Retried;
        download_401: "401 once", Fault::status(401).times(1) => Retried;
        download_401_always: "401 for good", Fault::status(401) => REFUSED;
        download_403: "403", Fault::status(403) => FORBIDDEN;
        download_404: "404", not_found() => GONE;
        download_down: "500 for good", Fault::status(500) => DOWN;
        download_gone: "connection reset for good", Fault::reset() => BROKEN;
        download_reset_in_body: "connection reset in the body", Fault::reset_in_body(100) => CUT;
        download_truncated: "body cut short", Fault::truncate(100) => CUT;
        download_too_long: "`Content-Length` too great", Fault::content_length(50) => CUT;
        download_stall: "body stalls", Fault::stall(100, LONG) => STALLED;
        download_encoding: "said to be compressed, and is not", Fault::content_encoding("gzip") => Answered;
        download_content_type: "called text", Fault::content_type("text/plain; charset=utf-16") => Answered;
    }
    Redirected {
        redirected_503: "503 once", Fault::status(503).times(1) => Retried;
        redirected_reset: "connection reset once", Fault::reset().times(1) => Retried;
        redirected_delay: "no head in time, once", Fault::delay(LONG).times(1) => Retried;
        redirected_401: "401, which is not about our token", Fault::status(401) =>
            Fails("401, and the token stays", |error| status(error) == 401 && error.attempts() == 1);
        redirected_429: "429 once", Fault::status(429).times(1) => Retried;
        redirected_stall: "body stalls", Fault::stall(100, LONG) => STALLED;
        redirected_reset_in_body: "connection reset in the body", Fault::reset_in_body(100) => CUT;
        redirected_well: "none: the host refuses credentials, and gets none", Fault::delay(Duration::ZERO) => Answered;
    }
    Write {
        write_429: "429 once, to retry after 1 s", slow_down("1").times(1) => Retried;
        write_401: "401 once", Fault::status(401).times(1) => Retried;
        write_401_always: "401 for good", Fault::status(401) => REFUSED;
        write_403: "403", Fault::status(403) => FORBIDDEN;
        write_500: "500", Fault::status(500) => Fails("500; sent once", |error| status(error) == 500 && error.attempts() == 1);
        write_502_done: "502, although it was done", Fault::status(502).after_processing() =>
            Fails("502; sent once", |error| status(error) == 502 && error.attempts() == 1);
        write_503_retry_after: "503, to retry after 1 s", unavailable("1") =>
            Fails("503, with the wait that was asked for; sent once", |error| {
                error.retry_after() == Some(Duration::from_secs(1)) && error.attempts() == 1
            });
        write_reset: "connection reset", Fault::reset() => AMBIGUOUS;
        write_reset_done: "connection reset, although it was done", Fault::reset().after_processing() => AMBIGUOUS;
        write_reset_in_body: "connection reset in the body", Fault::reset_in_body(10) => AMBIGUOUS;
        write_truncated: "body cut short", Fault::truncate(10) => AMBIGUOUS;
        write_too_short: "`Content-Length` too small", Fault::content_length(-5) =>
            Fails("a body that cannot be read; sent once", |error| {
                error.is_unexpected_body() && error.attempts() == 1
            });
        write_stall: "body stalls", Fault::stall(10, LONG) =>
            Fails("nothing arrived for the read timeout; sent once", |error| {
                error.is_timeout() && error.attempts() == 1
            });
        write_delay: "no answer in time", Fault::delay(LONG) =>
            Fails("nothing arrived for the read timeout; sent once", |error| {
                error.is_timeout() && error.attempts() == 1
            });
        write_redirect: "redirect", elsewhere() =>
            Fails("302; a write is not sent elsewhere", |error| status(error) == 302 && error.attempts() == 1);
    }
}

/// Does the work of a phase, with a client that has not been used; gives what came of it.
async fn work(phase: Phase, tenant: &Tenant, client: &Client) -> Result<String, Error> {
    let roles = |offset: i64| client.get_all_potential_role_summaries().limit(1).offset(offset).send();
    if phase == Token {
        let sessions = client.get_role_mining_sessions().limit(1).send().await?.into_inner();
        return Ok(serde_json::to_string(&sessions).unwrap());
    }
    if matches!(phase, FirstPage | ThirdPage) {
        let mut all = Vec::new();
        for offset in [0, 1, 2] {
            all.extend(roles(offset).await?.into_inner());
        }
        assert_eq!(all.len(), 3);
        return Ok(serde_json::to_string(&all).unwrap());
    }
    let session = client.get_role_mining_sessions().limit(1).send().await?.into_inner();
    let session = serde_json::to_value(&session[0]).unwrap()["id"].as_str().unwrap().to_owned();
    let role = client.get_potential_role_summaries().session_id(&session).limit(1).send().await?.into_inner();
    let role = serde_json::to_value(&role[0]).unwrap();
    let role = role["id"].as_str().or(role["potentialRoleRef"]["id"].as_str()).unwrap().to_owned();
    let export =
        client.export_role_mining_potential_role_async().session_id(&session).potential_role_id(&role);
    let export = serde_json::to_value(export.send().await?.into_inner()).unwrap();
    if phase == Write {
        return Ok(export["status"].to_string());
    }
    let id = export["exportId"].as_str().unwrap();
    let mut seen = String::new();
    for _ in 0..4 {
        let status = client.export_role_mining_potential_role_status();
        let status = status.session_id(&session).potential_role_id(&role).export_id(id).send().await?;
        let status = serde_json::to_value(status.into_inner()).unwrap();
        seen += &status["status"].to_string();
        tenant.advance(STEP);
    }
    if phase == Poll {
        return Ok(seen);
    }
    let zip = client.download_role_mining_potential_role_zip();
    let mut zip = zip.session_id(&session).potential_role_id(&role).export_id(id).send().await?.into_inner();
    let mut length = 0;
    while let Some(chunk) = zip.next().await {
        length += chunk?.len();
    }
    assert!(zip.next().await.is_none());
    Ok(length.to_string())
}

async fn check(phase: Phase, fault: Fault, promise: Promise) {
    let tenant = Tenant::builder().identities(300).step(STEP).frozen_clock();
    let tenant = tenant.redirect_downloads(phase == Redirected).start().await.unwrap();
    let client = || {
        let retry = RetryPolicy {
            max_attempts: 4,
            max_elapsed: Duration::from_secs(20),
            base: Duration::from_millis(5),
            cap: Duration::from_millis(20),
        };
        let client = Client::builder(tenant.base_url()).retry(retry).read_timeout(Duration::from_secs(1));
        client.credentials(tenant.client_id(), tenant.client_secret()).build().unwrap()
    };
    let (operation, nth) = phase.strikes();
    let expected = work(phase, &tenant, &client()).await.unwrap();
    let calls = tenant.calls(operation);
    tenant.clear_record();
    tenant.fault(fault.on(operation).nth(nth));

    let under_test = client();
    let result = tokio::time::timeout(LONG, work(phase, &tenant, &under_test)).await.expect("it hangs");
    tenant.clear_faults();

    match (&promise, &result) {
        (Answered, Ok(answer)) => {
            assert_eq!((answer, tenant.calls(operation)), (&expected, calls));
        }
        (Retried, Ok(answer)) => {
            assert_eq!(answer, &expected);
            assert!(tenant.calls(operation) > calls, "it was not sent again");
        }
        (Fails(told, holds), Err(error)) => assert!(holds(error), "not `{told}`: {error:?}"),
        (_, result) => panic!("not {}: {result:?}", promise.words()),
    }
    if let Err(error) = &result {
        let text = format!("{error} {error:?}");
        assert!(!error.to_string().contains('\n') && error.operation().is_some(), "{text}");
        assert!(!text.contains(tenant.client_secret()), "{text}");
    }
    // No write is lost or repeated.
    let writes: Vec<_> =
        tenant.record().into_iter().filter(|one| one.operation.as_deref() == Some(EXPORT)).collect();
    let done = writes.iter().filter(|one| one.processed).count();
    let again =
        matches!((phase, &promise), (Write, Retried)) || writes.iter().any(|one| one.status == Some(401));
    assert!(done <= 1 && writes.len() <= 1 + usize::from(again), "written {done} times: {}", writes.len());
    assert!(result.is_err() || !matches!(phase, Write | Poll | Download | Redirected) || done == 1);
    // What came of it concerns that call alone.
    if !matches!(promise, Fails(told, _) if told.contains("429")) {
        work(Token, &tenant, &under_test).await.unwrap();
    }
}

#[test]
fn the_table_shows_these_rows() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    let rows = rows();
    assert!(rows.len() >= 60);
    let mut table = String::from("| Phase | Fault | Promise | Test |\n|---|---|---|---|\n");
    for (phase, fault, promise, test) in &rows {
        table += &format!("| {} | {fault} | {} | `{test}` |\n", phase.words(), promise.words());
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- rows -->\n").expect("docs/faults.md marks its rows");
    let (_, after) =
        rest.split_once("<!-- end of rows -->").expect("docs/faults.md marks the end of its rows");
    let whole = format!("{before}<!-- rows -->\n{table}<!-- end of rows -->{after}");
    let is_blessed = std::env::var_os("BLESS").is_some();
    if is_blessed {
        std::fs::write(&path, &whole).unwrap();
    }
    assert!(
        is_blessed || whole == text,
        "docs/faults.md does not show the rows of this test; BLESS=1 writes them"
    );
}
