//! Connecting: tokens, rate, retries, deadlines and drops, against a tenant.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use sailpoint_role_mining::types::RoleMiningSessionDto;
use sailpoint_role_mining::{
    ByteStream, Client, ClientBuilder, Error, RateLimit, RetryBudget, RetryPolicy, Token,
};
use sailpoint_role_mining_tenant::{Fault, RetryAfter, Tenant};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const LIST: &str = "get_role_mining_sessions";
/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(30);

async fn tenant() -> Tenant {
    Tenant::builder().identities(100).rate_limit(None).start().await.unwrap()
}

fn builder(tenant: &Tenant) -> ClientBuilder {
    let retry = RetryPolicy {
        base: Duration::from_millis(5),
        cap: Duration::from_millis(20),
        ..RetryPolicy::default()
    };
    Client::builder(tenant.base_url())
        .credentials(tenant.client_id(), tenant.client_secret())
        .rate_limit(None)
        .retry(retry)
}

async fn list(client: &Client) -> Result<usize, Error> {
    client.get_role_mining_sessions().send().await.map(|sessions| sessions.len())
}

/// Lets the client's time leap while nothing is under way.
async fn leap(by: Duration) {
    tokio::time::pause();
    tokio::time::advance(by).await;
    tokio::time::resume();
}

fn token_of(received: &sailpoint_role_mining_tenant::Received) -> String {
    received.header("authorization").unwrap_or_default().to_owned()
}

#[test]
fn what_is_public_is_send() {
    fn send<T: Send>(_: &T) {}
    fn everywhere<T: Send + Sync + Clone + 'static>() {}
    fn lasting<T: Send + 'static>() {}
    everywhere::<Client>();
    everywhere::<Error>();
    lasting::<ByteStream>();
    let client = Client::new("https://acme.api.identitynow.com").unwrap();
    send(&client.get_role_mining_sessions().send());
    send(&client.download_role_mining_potential_role_zip().send());
    send(&client.patch_potential_role().send());
    send(&client.export_role_mining_potential_role_async().send());
}

#[tokio::test]
async fn a_thousand_tasks_ask_for_one_token_each_time_it_expires() {
    let tenant = tenant().await;
    let client = builder(&tenant).build().unwrap();
    let all = |calls: usize| {
        let tasks = (0..1000).map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..calls {
                    list(&client).await.unwrap();
                }
            })
        });
        join_all(tasks.collect::<Vec<_>>())
    };
    let mut tokens = 0;
    for round in 0..3 {
        // The service revokes the token while the tasks are at it.
        let tasks = tokio::spawn(all(2));
        let before = tenant.calls(LIST);
        while tenant.calls(LIST) < before + 500 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tenant.revoke_tokens();
        tasks.await.unwrap().into_iter().for_each(Result::unwrap);
        tokens += if round == 0 { 2 } else { 1 };
        assert_eq!(tenant.calls("token"), tokens);
        // The token expires, and the client knows.
        leap(Duration::from_secs(750)).await;
        all(1).await.into_iter().for_each(Result::unwrap);
        tokens += 1;
        assert_eq!(tenant.calls("token"), tokens);
    }
}

#[tokio::test]
async fn the_caller_that_asked_for_the_token_may_leave() {
    let tenant = tenant().await;
    tenant.fault(Fault::delay(Duration::from_millis(300)).on("token"));
    let client = builder(&tenant).build().unwrap();
    let call = |client: Client| tokio::spawn(async move { list(&client).await });
    let leader = call(client.clone());
    while tenant.calls("token") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let others = join_all((0..20).map(|_| call(client.clone())));
    leader.abort();
    for result in others.await {
        result.unwrap().unwrap();
    }
    assert_eq!(tenant.calls("token"), 1);
}

#[tokio::test]
async fn a_token_is_renewed_ahead_and_nobody_waits() {
    let tenant = tenant().await;
    let client = builder(&tenant).build().unwrap();
    list(&client).await.unwrap();
    leap(Duration::from_secs(700)).await;
    // A renewal that takes forever holds no call up.
    tenant.fault(Fault::delay(LONG).on("token").times(1));
    let before = std::time::Instant::now();
    for _ in 0..5 {
        list(&client).await.unwrap();
    }
    assert!(before.elapsed() < LONG / 2);
    let tokens: Vec<String> =
        tenant.record().iter().filter(|one| one.operation.as_deref() == Some(LIST)).map(token_of).collect();
    assert!(tokens.iter().all(|token| token == &tokens[0]));
    // It may not have left before the calls were over; it does when there is another.
    assert!(tenant.calls("token") <= 2);
}

#[tokio::test]
async fn a_renewal_that_fails_leaves_the_token_alone() {
    let tenant = tenant().await;
    let client = builder(&tenant).build().unwrap();
    list(&client).await.unwrap();
    leap(Duration::from_secs(700)).await;
    tenant.fault(Fault::status(401).on("token").times(1));
    tenant.fault(Fault::delay(Duration::from_millis(200)).on(LIST));
    list(&client).await.unwrap();
    list(&client).await.unwrap();
    assert_eq!(tenant.calls("token"), 2, "it is not asked for again at once");
    leap(Duration::from_secs(11)).await;
    list(&client).await.unwrap();
    assert_eq!(tenant.calls("token"), 3);
    tenant.clear_faults();
    list(&client).await.unwrap();
    let record = tenant.record();
    let tokens: Vec<String> =
        record.iter().filter(|one| one.operation.as_deref() == Some(LIST)).map(token_of).collect();
    assert!(tokens[..4].iter().all(|token| token == &tokens[0]) && tokens[4] != tokens[0]);
    assert!(record.iter().all(|one| one.operation.as_deref() != Some(LIST) || one.status == Some(200)));
}

#[tokio::test]
async fn wrong_credentials_are_told_once_and_for_all_that_wait() {
    let tenant = tenant().await;
    tenant.fault(Fault::delay(Duration::from_millis(100)).on("token"));
    let client = builder(&tenant).credentials(tenant.client_id(), "not the secret").build().unwrap();
    for result in join_all((0..30).map(|_| list(&client))).await {
        let error = result.unwrap_err();
        assert!(error.is_auth() && !error.is_transient());
        assert_eq!(error.operation(), Some(LIST));
        assert!(error.to_string().contains("client_secret is wrong"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
    assert_eq!((tenant.calls("token"), tenant.calls(LIST)), (1, 0));
}

#[tokio::test]
async fn a_bearer_token_or_a_provider_will_do() {
    let tenant = tenant().await;
    list(&builder(&tenant).build().unwrap()).await.unwrap();
    let good = token_of(&tenant.record()[1]).replace("Bearer ", "");

    let bearer = Client::builder(tenant.base_url()).bearer(good.as_str()).build().unwrap();
    list(&bearer).await.unwrap();
    tenant.fault(Fault::status(401).on(LIST).times(1));
    let error = list(&bearer).await.unwrap_err();
    assert_eq!((error.is_auth(), error.attempts()), (true, 1), "there is no other token to replay it with");

    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let provider = move || {
        let number = counted.fetch_add(1, Ordering::Relaxed);
        let token = if number == 0 { "stale".to_owned() } else { good.clone() };
        async move { Ok(Token::new(token)) }
    };
    let client = Client::builder(tenant.base_url()).token_provider(provider).build().unwrap();
    list(&client).await.unwrap();
    list(&client).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);

    let locked = || async { Err("the vault is locked".into()) };
    let client = Client::builder(tenant.base_url()).token_provider(locked).build().unwrap();
    let error = list(&client).await.unwrap_err();
    assert!(error.to_string().contains("the vault is locked"), "{error}");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the vault is locked");
}

#[tokio::test]
async fn the_service_never_sees_more_than_the_limit() {
    let limit = (10, Duration::from_millis(400));
    let tenant = Tenant::builder().identities(100).rate_limit(Some(limit)).start().await.unwrap();
    let limit = RateLimit { requests: 10, per: Duration::from_millis(400) };
    let client = builder(&tenant).rate_limit(limit).build().unwrap();
    let started = std::time::Instant::now();
    for result in join_all((0..45).map(|_| list(&client))).await {
        result.unwrap();
    }
    assert_eq!(tenant.calls(LIST), 45, "none was sent in vain");
    assert!(started.elapsed() >= Duration::from_millis(1600));
}

#[tokio::test]
async fn all_wait_once_when_the_service_says_so() {
    for form in [RetryAfter::Seconds, RetryAfter::Date] {
        let tenant = Tenant::builder().identities(100).rate_limit(Some((20, Duration::from_secs(1))));
        let tenant = tenant.retry_after(form).start().await.unwrap();
        let client = builder(&tenant).concurrency(4).build().unwrap();
        for result in join_all((0..30).map(|_| list(&client))).await {
            result.unwrap();
        }
        let record = tenant.record();
        let refused: Vec<_> = record.iter().filter(|one| one.status == Some(429)).collect();
        // Those that were under way are refused together, and nobody after them.
        assert!((1..=4).contains(&refused.len()), "{form:?}: {}", refused.len());
    }
}

#[tokio::test]
async fn a_429_halves_the_rate() {
    let tenant = tenant().await;
    let limit = RateLimit { requests: 10, per: Duration::from_millis(500) };
    let client = builder(&tenant).rate_limit(limit).build().unwrap();
    let body = json!({"message": "slow down"});
    tenant.fault(Fault::json(429, &body).with_header("retry-after", "0").on(LIST).times(1));
    let started = std::time::Instant::now();
    for result in join_all((0..10).map(|_| list(&client))).await {
        result.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(500), "ten and one do not fit into the first span");
    assert_eq!(tenant.calls(LIST), 11);
}

#[tokio::test]
async fn a_poll_waits_no_longer_than_its_turn() {
    let tenant = tenant().await;
    let client = builder(&tenant).concurrency(2).build().unwrap();
    list(&client).await.unwrap();
    tenant.fault(Fault::delay(Duration::from_millis(10)).on(LIST));
    tenant.clear_record();
    let before = (0..20).map(|_| list(&client)).collect::<Vec<_>>();
    let poll = async { client.get_saved_potential_roles().send().await.map(drop) };
    let after = (0..20).map(|_| list(&client)).collect::<Vec<_>>();
    futures_util::future::join3(join_all(before), poll, join_all(after)).await.1.unwrap();
    let record = tenant.record();
    let place = record.iter().position(|one| one.operation.as_deref() != Some(LIST)).unwrap();
    assert!((18..=22).contains(&place), "it was number {place}");
    assert_eq!(tenant.most_at_once(), 2);
}

#[tokio::test]
async fn a_service_that_is_down_is_not_stormed() {
    let tenant = tenant().await;
    let client = builder(&tenant).retry_budget(RetryBudget { burst: 20, per_success: 0.2 }).build().unwrap();
    list(&client).await.unwrap();
    tenant.clear_record();
    tenant.fault(Fault::status(500).on(LIST));
    for result in join_all((0..200).map(|_| list(&client))).await {
        assert!(result.unwrap_err().is_transient());
    }
    assert_eq!(tenant.calls(LIST), 220);
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_over() {
    let tenant = tenant().await;
    let client = builder(&tenant).timeout(Duration::from_millis(200)).build().unwrap();
    tenant.fault(Fault::delay(LONG).on(LIST));
    let error = list(&client).await.unwrap_err();
    assert!(error.is_timeout() && error.is_transient() && error.status().is_none(), "{error}");
    assert_eq!(tenant.calls(LIST), 1);
    tenant.clear_faults();

    // What went wrong before is told; and a wait that does not fit is not begun.
    tenant.fault(Fault::status(503).with_header("retry-after", "5").on(LIST));
    let error = list(&client).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.retry_after()), (503, Some(Duration::from_secs(5))));
    let error = list(&client).await.unwrap_err();
    assert!(error.is_timeout() || error.retry_after().is_some(), "{error}");
    tenant.clear_faults();

    // A call has its own say.
    let client = builder(&tenant).build().unwrap();
    tenant.fault(Fault::delay(LONG).on(LIST));
    let call = client.get_role_mining_sessions().with_timeout(Duration::from_millis(100));
    assert!(call.send().await.unwrap_err().is_timeout());
    let call = client.get_role_mining_sessions().with_read_timeout(Duration::from_millis(50));
    let error = call.with_retry(RetryPolicy::none()).send().await.unwrap_err();
    assert_eq!((error.is_timeout(), error.attempts()), (true, 1));
}

#[tokio::test]
async fn a_long_pause_fails_the_calls_that_cannot_wait() {
    let tenant = tenant().await;
    let client = builder(&tenant).build().unwrap();
    tenant.fault(Fault::status(429).with_header("retry-after", "100").on(LIST).times(1));
    let short = RetryPolicy { max_elapsed: Duration::from_secs(1), ..RetryPolicy::default() };
    for sent in [1, 1] {
        let error = client.get_role_mining_sessions().with_retry(short).send().await.unwrap_err();
        assert!(error.retry_after().unwrap() > Duration::from_secs(90) && error.is_transient(), "{error}");
        assert_eq!(tenant.calls(LIST), sent);
    }
    leap(Duration::from_secs(101)).await;
    list(&client).await.unwrap();
}

#[tokio::test]
async fn a_download_is_not_cut_by_the_time_for_the_whole() {
    let tenant = tenant().await;
    tenant.fault(Fault::stall(10, Duration::from_millis(600)).on("export_role_mining_potential_role"));
    let client = builder(&tenant).timeout(Duration::from_millis(400)).build().unwrap();
    let session = client.get_role_mining_sessions().limit(1).send().await.unwrap();
    let session = serde_json::to_value(&session[0]).unwrap()["id"].as_str().unwrap().to_owned();
    let role = client.get_potential_role_summaries().session_id(&session).limit(1).send().await.unwrap();
    let role = serde_json::to_value(&role[0]).unwrap()["id"].as_str().unwrap().to_owned();
    let call = client.export_role_mining_potential_role().session_id(session).potential_role_id(role);
    let mut zip = call.send().await.unwrap().into_inner();
    let mut length = 0;
    while let Some(chunk) = zip.chunk().await.unwrap() {
        length += chunk.len();
    }
    assert!(length > 100);
}

#[tokio::test]
async fn credentials_go_to_no_other_host() {
    let (tenant, other) = (tenant().await, tenant().await);
    let client = builder(&tenant).retry(RetryPolicy::none()).build().unwrap();
    let to = format!("{}/beta/role-mining-sessions", other.base_url());
    for status in [301, 302, 303, 307, 308] {
        tenant.fault(Fault::status(status).with_header("location", &to).on(LIST).times(1));
        let error = list(&client).await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), 401, "the other host wants a token, and gets none");
        tenant.clear_faults();
    }
    assert_eq!((other.calls(LIST), tenant.calls("token")), (5, 1));
    let to = format!("{}/oauth/token", other.base_url());
    tenant.fault(Fault::status(307).with_header("location", &to).on("token"));
    let error = list(&builder(&tenant).build().unwrap()).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 307);
    assert_eq!(other.calls("token"), 0);
    for received in other.record() {
        assert!(received.header("authorization").is_none() && received.body.is_empty());
    }
    // In a circle, it comes to an end.
    let to = format!("{}/beta/role-mining-sessions", tenant.base_url());
    tenant.clear_faults();
    tenant.fault(Fault::status(302).with_header("location", &to).on(LIST));
    assert_eq!(list(&client).await.unwrap_err().status().unwrap().as_u16(), 302);
}

#[tokio::test]
async fn no_write_is_sent_again_unless_it_surely_was_not_done() {
    let tenant = tenant().await;
    let client = builder(&tenant).build().unwrap();
    let create = || client.create_role_mining_sessions().body(RoleMiningSessionDto::default()).send();
    for fault in
        [Fault::reset().after_processing(), Fault::status(502).after_processing(), Fault::status(500)]
    {
        tenant.clear_record();
        tenant.fault(fault.on("create_role_mining_sessions").times(1));
        assert!(create().await.is_err());
        assert_eq!(tenant.calls("create_role_mining_sessions"), 1);
        tenant.clear_faults();
    }
    // Nobody listens: nothing can have been done, and it is tried again.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let client = Client::builder(address).bearer("token").retry(RetryPolicy {
        max_attempts: 3,
        base: Duration::from_millis(1),
        ..RetryPolicy::default()
    });
    let error = client
        .build()
        .unwrap()
        .create_role_mining_sessions()
        .body(RoleMiningSessionDto::default())
        .send()
        .await;
    let error = error.unwrap_err();
    assert_eq!((error.attempts(), error.is_transport(), error.is_transient()), (3, true, true), "{error}");
}

#[tokio::test]
async fn calls_can_be_dropped_at_any_point() {
    let tenant = tenant().await;
    let limit = RateLimit { requests: 400, per: Duration::from_millis(50) };
    let client = builder(&tenant).concurrency(2).rate_limit(limit).build().unwrap();
    tenant.fault(Fault::status(429).probability(0.1, 1).on(LIST));
    tenant.fault(Fault::status(401).probability(0.1, 2).on(LIST));
    for micros in (0..6000).step_by(20) {
        let time = Duration::from_micros(micros);
        let calls = join_all((0..4).map(|_| tokio::time::timeout(time, list(&client))));
        drop(calls.await);
    }
    tenant.clear_faults();
    // Had one of them kept a permit, these would hang.
    let calls = join_all((0..10).map(|_| list(&client)));
    for result in tokio::time::timeout(LONG, calls).await.unwrap() {
        result.unwrap();
    }
}

#[tokio::test]
async fn the_application_is_named_and_the_proxy_serves_tokens_too() {
    let tenant = tenant().await;
    let client = builder(&tenant).user_agent("report/1.2").build().unwrap();
    list(&client).await.unwrap();
    for received in tenant.record() {
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!("sailpoint-role-mining/{version} report/1.2");
        assert_eq!(received.header("user-agent"), Some(expected.as_str()));
    }
    // Plain HTTP through a proxy asks it for the whole address; the tenant stands in for one.
    let proxy = reqwest::Proxy::all(tenant.base_url()).unwrap();
    let client = Client::builder("http://acme.example").allow_http().credentials("id", "secret");
    let client = client.http(|http| http.proxy(proxy)).build().unwrap();
    tenant.clear_record();
    assert!(list(&client).await.unwrap_err().is_auth());
    let record = tenant.record();
    assert_eq!((record.len(), record[0].header("host")), (1, Some("acme.example")));
}

#[tokio::test]
async fn what_never_ends_is_ended() {
    // A service that sends its answer byte by byte, and never the last.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n[").await;
                while stream.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            });
        }
    });
    let client = Client::builder(address).retry(RetryPolicy::none()).read_timeout(Duration::from_millis(500));
    let error = tokio::time::timeout(LONG, list(&client.build().unwrap())).await.unwrap().unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("did not end within 5s"), "{error}");

    // A provider that never gives a token.
    let never = || std::future::pending::<Result<Token, Box<dyn std::error::Error + Send + Sync>>>();
    let client = Client::builder("http://localhost:1").token_provider(never);
    let client = client.read_timeout(Duration::from_millis(100)).build().unwrap();
    let error = tokio::time::timeout(LONG, list(&client)).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("the token provider gave none within 100ms"), "{error}");
}
