use std::time::{Duration, Instant};

use sailpoint_role_mining_tenant::Fault;
use serde_json::{Value, json};

use crate::api::{Api, settings};

const LIST: &str = "get_role_mining_sessions";
const PATH: &str = "/role-mining-sessions";

/// The text of an answer, or of what went wrong on the way (the innermost cause).
async fn read(api: &Api) -> Result<String, String> {
    let answer = api.request(reqwest::Method::GET, PATH).send().await;
    let text = match answer {
        Ok(answer) => answer.text().await,
        Err(error) => Err(error),
    };
    text.map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn a_fault_strikes_the_nth_call_of_its_operation_so_many_times() {
    let api = Api::start(settings()).await;
    api.tenant.fault(Fault::status(503).with_header("Retry-After", "7").on(LIST).nth(2).times(2));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(api.get(PATH).await.status().as_u16());
        assert_eq!(api.get("/role-mining-potential-roles").await.status(), 200);
    }
    assert_eq!(statuses, [200, 503, 503, 200]);
    let processed: Vec<_> = api
        .tenant
        .record()
        .iter()
        .filter(|one| one.operation.as_deref() == Some(LIST))
        .map(|one| (one.status, one.processed))
        .collect();
    assert_eq!(processed, [(Some(200), true), (Some(503), false), (Some(503), false), (Some(200), true)]);
}

#[tokio::test]
async fn a_probability_strikes_the_same_calls_for_the_same_seed() {
    let strikes = async |seed| {
        let api = Api::start(settings()).await;
        api.tenant.fault(Fault::status(500).on(LIST).probability(0.5, seed));
        let mut struck = Vec::new();
        for _ in 0..24 {
            struck.push(api.get(PATH).await.status() == 500);
        }
        struck
    };
    let first = strikes(1).await;
    assert_eq!(first, strikes(1).await);
    assert_ne!(first, strikes(2).await);
    assert!(first.contains(&true) && first.contains(&false));
}

#[tokio::test]
async fn any_body_can_be_answered() {
    let api = Api::start(settings()).await;
    api.tenant.fault(Fault::html(502, "<h1>Bad Gateway</h1>").on(LIST).times(1));
    let answer = api.get(PATH).await;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()),
        (502, "text/html; charset=utf-8")
    );
    assert_eq!(answer.text().await.unwrap(), "<h1>Bad Gateway</h1>");
    api.tenant.fault(Fault::json(418, &json!({"short": "stout"})).on(LIST).times(1));
    assert_eq!(api.get(PATH).await.json::<Value>().await.unwrap()["short"], "stout");
    api.tenant.fault(Fault::status(504).on(LIST).times(1));
    assert_eq!(api.get(PATH).await.text().await.unwrap(), "");
}

#[tokio::test]
async fn connections_are_reset_before_and_within_the_body() {
    let api = Api::start(settings()).await;
    api.tenant.fault(Fault::reset().on(LIST).times(1));
    let error = read(&api).await.unwrap_err();
    assert!(error.contains("ConnectionReset"), "{error}");
    assert_eq!(api.tenant.record().last().unwrap().status, None);
    api.tenant.fault(Fault::reset_in_body(20).on(LIST).times(1));
    let mut answer = api.get(PATH).await;
    assert_eq!(answer.chunk().await.unwrap().unwrap().len(), 20);
    let error = format!("{:?}", answer.chunk().await.unwrap_err());
    assert!(error.contains("ConnectionReset"), "{error}");
    assert!(read(&api).await.is_ok());
}

#[tokio::test]
async fn a_request_can_be_carried_out_although_its_answer_is_lost() {
    let api = Api::start(settings()).await;
    api.tenant.fault(Fault::reset().after_processing().on("create_role_mining_sessions").times(1));
    let lost = api.request(reqwest::Method::POST, PATH).json(&json!({"name": "Lost"})).send().await;
    assert!(lost.is_err());
    assert!(api.json(PATH).await.to_string().contains("\"Lost\""));
    let record = api.tenant.record();
    let create = record.iter().find(|one| one.method == "POST" && one.path.ends_with(PATH)).unwrap();
    assert!(create.processed && create.status.is_none());
}

#[tokio::test]
async fn bodies_are_truncated_stalled_and_mislabelled_on_the_wire() {
    let api = Api::start(settings()).await;
    let whole = read(&api).await.unwrap();
    for fault in [Fault::truncate(30), Fault::content_length(5)] {
        api.tenant.fault(fault.on(LIST).times(1));
        let error = read(&api).await.unwrap_err();
        assert!(error.contains("IncompleteBody") || error.contains("UnexpectedEof"), "{error}");
    }
    api.tenant.fault(Fault::content_length(-5).on(LIST).times(1));
    assert_eq!(read(&api).await.unwrap(), whole[..whole.len() - 5]);

    let pause = Duration::from_millis(150);
    for fault in [Fault::stall(10, pause), Fault::delay(pause)] {
        api.tenant.fault(fault.on(LIST).times(1));
        let start = Instant::now();
        assert_eq!(read(&api).await.unwrap(), whole);
        assert!(start.elapsed() >= pause);
    }
    api.tenant.fault(Fault::content_type("text/plain").on(LIST).times(1));
    assert_eq!(api.get(PATH).await.headers()["content-type"], "text/plain");
    api.tenant.fault(Fault::content_encoding("none").on(LIST).times(1));
    assert_eq!(api.get(PATH).await.headers()["content-encoding"], "none");
}

#[tokio::test]
async fn answers_may_hold_what_the_document_does_not_know() {
    let api = Api::start(settings()).await;
    api.tenant.fault(Fault::unknown_status("HIBERNATING").on(LIST));
    api.tenant.fault(Fault::added_field("moon", json!("full")).on(LIST));
    api.tenant.fault(Fault::null_field("name").on(LIST));
    let session = &api.json(PATH).await[0];
    assert_eq!(session["status"]["state"], "HIBERNATING");
    assert_eq!((&session["moon"], &session["name"]), (&json!("full"), &Value::Null));
    api.tenant.clear_faults();
    assert!(api.json(PATH).await[0]["name"].is_string());
}

#[tokio::test]
async fn the_record_tells_what_was_asked() {
    let api = Api::start(settings()).await;
    api.tenant.clear_record();
    api.get("/role-mining-sessions?filters=name%20eq%20%22a%20b%22").await;
    api.post(PATH, &json!({"name": "x"})).await;
    api.get("/nowhere").await;
    let record = api.tenant.record();
    assert_eq!(record[0].parameter("filters").as_deref(), Some("name eq \"a b\""));
    assert_eq!((record[0].method.as_str(), record[0].path.as_str()), ("GET", "/beta/role-mining-sessions"));
    assert!(record[0].header("authorization").unwrap().starts_with("Bearer "));
    assert_eq!((record[1].body.as_slice(), record[1].body_length), (br#"{"name":"x"}"#.as_slice(), 12));
    assert_eq!((record[2].operation.as_deref(), record[2].status), (None, Some(404)));
    assert_eq!((api.tenant.calls(LIST), api.tenant.calls("create_role_mining_sessions")), (1, 1));
}

#[tokio::test]
async fn token_requests_can_go_wrong_too() {
    let api = Api::start(settings()).await;
    api.tenant.fault(Fault::status(500).on("token").times(1));
    assert_eq!(api.token_request(api.tenant.client_id(), api.tenant.client_secret()).await.status(), 500);
}

#[tokio::test]
async fn the_tenant_knows_how_many_requests_it_had_at_once() {
    let api = Api::start(settings()).await;
    assert_eq!(api.tenant.most_at_once(), 1);
    api.tenant.fault(Fault::delay(Duration::from_millis(300)).on(LIST));
    tokio::join!(api.get(PATH), api.get(PATH), api.get(PATH));
    assert_eq!(api.tenant.most_at_once(), 3);
    api.tenant.clear_record();
    assert_eq!(api.tenant.most_at_once(), 0);
}
