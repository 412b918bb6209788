use std::time::Duration;

use reqwest::Method;
use sailpoint_role_mining_tenant::RetryAfter;
use serde_json::Value;

use crate::api::{Api, settings};

#[tokio::test]
async fn a_token_is_given_for_form_or_query_and_only_for_the_right_secret() {
    let api = Api::start(settings().expires_in(Duration::from_secs(60))).await;
    let (id, secret) = (api.tenant.client_id(), api.tenant.client_secret());
    let given: Value = api.token_request(id, secret).await.json().await.unwrap();
    assert_eq!((given["expires_in"].as_u64(), given["token_type"].as_str()), (Some(60), Some("bearer")));

    let url = format!("{}/oauth/token", api.tenant.base_url());
    let query = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    assert_eq!(api.http.post(&url).query(&query).send().await.unwrap().status(), 200);

    let parts = query.map(|(name, value)| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let request = api.http.post(&url).header("content-type", "multipart/form-data; boundary=x");
    let given = request.body(parts.concat() + "--x--\r\n").send().await.unwrap();
    assert_eq!(given.status(), 200);

    let refused = api.token_request(id, "wrong").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_client");
    assert_eq!(api.http.post(&url).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn an_expired_a_revoked_and_a_missing_token_are_401() {
    let api = Api::start(settings().expires_in(Duration::from_secs(60))).await;
    let status = async || api.get("/role-mining-sessions").await.status().as_u16();
    api.tenant.advance(Duration::from_secs(59));
    assert_eq!(status().await, 200);
    api.tenant.advance(Duration::from_secs(1));
    let refused = api.get("/role-mining-sessions").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "JWT validation failed: JWT is expired");

    let api = Api::start(settings()).await;
    api.tenant.revoke_tokens();
    assert_eq!(api.get("/role-mining-sessions").await.status(), 401);
    let url = format!("{}/beta/role-mining-sessions", api.tenant.base_url());
    assert_eq!(api.http.get(url).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_scope_to_read_does_not_allow_a_change() {
    let api = Api::start(settings().client("me", "secret", &["iai:access-modeling:read"])).await;
    assert_eq!(api.get("/role-mining-sessions").await.status(), 200);
    let (status, error) = api.post("/role-mining-sessions", &serde_json::json!({})).await;
    assert_eq!((status, error["detailCode"].as_str()), (403, Some("403 Forbidden")));
    assert!(!error["trackingId"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn editions_after_beta_demand_the_experimental_header() {
    let api = Api::start(settings()).await;
    let token = api.new_token().await;
    for (edition, header, expected) in [
        ("beta", None, 200),
        ("v2024", None, 400),
        ("v2024", Some("false"), 400),
        ("v2024", Some("true"), 200),
        ("v2025", Some("true"), 200),
        ("v2026", Some("true"), 200),
        ("v2023", Some("true"), 404),
    ] {
        let url = format!("{}/{edition}/role-mining-sessions", api.tenant.base_url());
        let mut request = api.http.get(url).bearer_auth(&token);
        if let Some(value) = header {
            request = request.header("X-SailPoint-Experimental", value);
        }
        assert_eq!(request.send().await.unwrap().status(), expected, "{edition} {header:?}");
    }
}

#[tokio::test]
async fn the_call_past_the_limit_is_told_how_long_to_wait() {
    let limit = Some((3, Duration::from_secs(10)));
    for form in [RetryAfter::Seconds, RetryAfter::Date] {
        let api = Api::start(settings().rate_limit(limit).retry_after(form)).await;
        api.get("/role-mining-sessions").await;
        api.tenant.advance(Duration::from_secs(4));
        for _ in 0..2 {
            assert_eq!(api.get("/role-mining-sessions").await.status(), 200);
        }
        let refused = api.get("/role-mining-sessions").await;
        assert_eq!(refused.status(), 429);
        let after = refused.headers()["retry-after"].to_str().unwrap().to_owned();
        let expected = match form {
            RetryAfter::Seconds => "6".to_owned(),
            RetryAfter::Date => httpdate::fmt_http_date(api.tenant.now() + Duration::from_secs(6)),
        };
        assert_eq!(after, expected);
        assert!(refused.json::<Value>().await.unwrap()["message"].is_string());
        api.tenant.advance(Duration::from_secs(6));
        assert_eq!(api.get("/role-mining-sessions").await.status(), 200);
    }
}

#[tokio::test]
async fn a_wrong_path_or_method_says_what_is_right() {
    let api = Api::start(settings()).await;
    assert_eq!(api.get("/role-mining-session").await.status(), 404);
    let refused = api.request(Method::DELETE, "/role-mining-sessions").send().await.unwrap();
    assert_eq!(refused.status(), 405);
    assert_eq!(refused.headers()["allow"], "GET, POST");
}

#[tokio::test]
async fn a_dropped_tenant_listens_no_more() {
    let api = Api::start(settings()).await;
    let url = format!("{}/oauth/token", api.tenant.base_url());
    drop(api.tenant);
    tokio::task::yield_now().await;
    let error = reqwest::Client::new().get(url).send().await.unwrap_err();
    assert!(error.is_connect(), "{error}");
}
