use serde_json::json;

use crate::api::{Api, STEP, cause, settings};

#[tokio::test]
async fn a_created_session_walks_through_the_documented_states() {
    let api = Api::start(settings()).await;
    let body = json!({"name": "Mine", "saved": true, "scope": {"criteria": "attributes.location:Austin"}});
    let (status, session) = api.post("/role-mining-sessions", &body).await;
    assert_eq!((status, session["status"]["state"].as_str()), (201, Some("CREATED")));
    let path = format!("/role-mining-sessions/{}", session["id"].as_str().unwrap());
    assert_eq!(api.json(&format!("{path}/potential-role-summaries")).await, json!([]));
    for state in [
        "CREATED",
        "IDENTITIES_OBTAINED",
        "PRUNE_THRESHOLD_OBTAINED",
        "POTENTIAL_ROLES_PROCESSING",
        "POTENTIAL_ROLES_CREATED",
        "POTENTIAL_ROLES_CREATED",
    ] {
        assert_eq!(api.json(&format!("{path}/status")).await["state"], state);
        api.tenant.advance(STEP);
    }
    let session = api.json(&path).await;
    let roles = api.json(&format!("{path}/potential-role-summaries")).await;
    assert_eq!(session["potentialRoleCount"], roles.as_array().unwrap().len());
    assert_eq!(session["potentialRoleCount"], session["potentialRolesReadyCount"]);
    let members =
        api.json(&format!("{path}/potential-roles/{}/identities", roles[0]["id"].as_str().unwrap())).await;
    assert!(members.as_array().unwrap().iter().all(|member| member["attributes"]["location"] == "Austin"));
}

#[tokio::test]
async fn a_patched_threshold_mines_again_and_drops_what_nobody_saved() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    let roles_path = format!("{}/potential-role-summaries", paths.session);
    let before = api.json(&roles_path).await;
    api.patch(&paths.alone, &json!([{"op": "replace", "path": "/saved", "value": true}])).await;

    let change = json!([{"op": "replace", "path": "/pruneThreshold", "value": "90"}]);
    let (status, session) = api.patch(&paths.session, &change).await;
    assert_eq!((status, session["status"]["state"].as_str()), (202, Some("UPDATED")));
    assert_eq!(session["pruneThreshold"], 90);
    api.tenant.advance(STEP * 4);
    let after = api.json(&roles_path).await;
    assert_eq!(after[0]["id"], before[0]["id"], "the saved role stays");
    let ids = |roles: &serde_json::Value| -> Vec<String> {
        roles.as_array().unwrap().iter().skip(1).map(|role| role["id"].to_string()).collect()
    };
    assert!(ids(&after).iter().all(|id| !ids(&before).contains(id)));
}

#[tokio::test]
async fn a_patched_name_mines_nothing() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    let (_, session) =
        api.patch(&paths.session, &json!([{"op": "add", "path": "/name", "value": "New"}])).await;
    assert_eq!(
        (session["name"].as_str(), session["status"]["state"].as_str()),
        (Some("New"), Some("POTENTIAL_ROLES_CREATED"))
    );
}

#[tokio::test]
async fn a_session_allows_only_the_documented_changes() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    for change in [
        json!([{"op": "remove", "path": "/name"}]),
        json!([{"op": "add", "path": "/pruneThreshold", "value": 9}]),
        json!([{"op": "replace", "path": "/type", "value": "COMMON"}]),
        json!([{"op": "replace", "path": "/pruneThreshold", "value": 101}]),
        json!([{"op": "replace", "path": "/saved", "value": "perhaps"}]),
        json!([{"op": "jump", "path": "/saved", "value": true}]),
        json!({"name": "New"}),
    ] {
        let (status, error) = api.patch(&paths.session, &change).await;
        assert_eq!(status, 400, "{change}");
        assert!(!cause(&error).is_empty(), "{error}");
    }
    let change = json!([{"op": "replace", "path": "/name", "value": "New"}]);
    let (status, error) = api.body(reqwest::Method::PATCH, &paths.session, "application/json", &change).await;
    assert_eq!(status, 400);
    assert!(cause(&error).contains("application/json-patch+json"), "{error}");
}

#[tokio::test]
async fn a_scope_nobody_understands_is_refused() {
    let api = Api::start(settings()).await;
    for scope in [json!({"criteria": "shoeSize:44"}), json!({"criteria": "what"}), json!({"criteria": 7})] {
        let (status, _) = api.post("/role-mining-sessions", &json!({"scope": scope})).await;
        assert_eq!(status, 400, "{scope}");
    }
}

#[tokio::test]
async fn a_session_without_scope_mines_everyone() {
    let api = Api::start(settings().identities(20_000).sessions(0)).await;
    api.post("/role-mining-sessions", &json!({})).await;
    api.tenant.advance(STEP * 4);
    let session = &api.json("/role-mining-sessions").await[0];
    assert_eq!(session["identityCount"], 20_000);
    assert!(session["potentialRoleCount"].as_u64().unwrap() > 40, "{session}");
}

#[tokio::test]
async fn a_thousand_years_are_no_trouble() {
    let api = Api::start(settings().starts_at(std::time::SystemTime::UNIX_EPOCH)).await;
    api.tenant.advance(std::time::Duration::MAX);
    assert_eq!(api.get("/role-mining-sessions").await.status(), 401, "the token expired long ago");
}
