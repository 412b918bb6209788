use std::collections::HashSet;

use serde_json::{Value, json};

use crate::api::{Api, STEP, cause, column, settings};

#[tokio::test]
async fn the_metrics_follow_from_the_data() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    let role = api.json(&paths.summary).await;
    let entitlements =
        api.json(&format!("{}/entitlement-popularities?includeCommonAccess=false", paths.within)).await;
    let entitlements = entitlements.as_array().unwrap();
    assert_eq!(role["entitlementCount"], entitlements.len());
    let held: f64 = entitlements.iter().map(|entitlement| entitlement["popularity"].as_f64().unwrap()).sum();
    assert_eq!(role["density"], (held / entitlements.len() as f64).round() as u64);
    let members = role["identityCount"].as_f64().unwrap();
    for entitlement in entitlements {
        let share = entitlement["identityCount"].as_f64().unwrap() / members * 100.0;
        assert!((entitlement["popularity"].as_f64().unwrap() - share).abs() <= 0.051, "{entitlement}");
        assert!(entitlement["popularityInOrg"].as_f64().unwrap() < 60.0, "common access: {entitlement}");
    }
    let (density, freshness) = (role["density"].as_u64().unwrap(), role["freshness"].as_u64().unwrap());
    assert_eq!(role["quality"], (density + freshness).div_ceil(2));
}

#[tokio::test]
async fn common_access_is_listed_unless_it_is_unwanted() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    let count = async |query: &str| {
        column(&api.json(&format!("{}/entitlement-popularities{query}", paths.within)).await, "name").len()
    };
    assert_eq!(count("").await, count("?includeCommonAccess=true").await);
    assert_eq!(count("").await, count("?includeCommonAccess=false").await + 5);
}

#[tokio::test]
async fn an_excluded_entitlement_leaves_the_role_everywhere() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    let popularities = format!("{}/entitlement-popularities", paths.within);
    let distribution = format!("{}/entitlement-popularity-distribution", paths.within);
    let sum =
        |map: &Value| map.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum::<u64>();
    let before = api.json(&popularities).await;
    let spread = sum(&api.json(&distribution).await);
    let id = before[0]["entitlementRef"]["id"].clone();

    let edit = format!("{}/edit-entitlements", paths.within);
    let (status, role) = api.post(&edit, &json!({"ids": [id], "exclude": true})).await;
    assert_eq!((status, &role["excludedEntitlements"]), (201, &json!([id])));
    let ids = |list: Value| -> HashSet<String> {
        list.as_array().unwrap().iter().map(|item| item["entitlementRef"]["id"].to_string()).collect()
    };
    let left = ids(api.json(&popularities).await);
    assert_eq!(left.len() + 1, ids(before).len());
    assert!(!left.contains(&id.to_string()));
    assert_eq!(
        ids(api.json(&format!("{}/excluded-entitlements", paths.within)).await),
        HashSet::from([id.to_string()])
    );
    assert_eq!(sum(&api.json(&distribution).await), spread - 1);

    let (_, role) = api.post(&edit, &json!({"ids": [id], "exclude": false})).await;
    assert_eq!(role["excludedEntitlements"], json!([]));
    let (status, error) = api.post(&edit, &json!({"ids": ["nothing"], "exclude": true})).await;
    assert_eq!(status, 400);
    assert!(cause(&error).contains("nothing"));
}

#[tokio::test]
async fn drafts_are_what_was_saved_and_a_patch_sets_and_removes() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    assert_eq!(api.json("/role-mining-potential-roles/saved").await, json!([]));
    let change = json!([
        {"op": "replace", "path": "/saved", "value": "true"},
        {"op": "replace", "path": "/name", "value": "Accounting"},
        {"op": "replace", "path": "/description", "value": "Keeps books"},
    ]);
    let (status, role) = api.patch(&paths.summary, &change).await;
    assert_eq!(
        (status, role["name"].as_str(), role["saved"].as_bool()),
        (200, Some("Accounting"), Some(true))
    );
    let drafts = api.json("/role-mining-potential-roles/saved").await;
    assert_eq!(
        (drafts[0]["name"].as_str(), drafts[0]["description"].as_str()),
        (Some("Accounting"), Some("Keeps books"))
    );

    let change = json!([
        {"op": "remove", "path": "/name"}, {"op": "remove", "path": "/description"}, {"op": "remove", "path": "/saved"},
    ]);
    let (_, role) = api.patch(&paths.alone, &change).await;
    assert!(role["name"].as_str().unwrap().starts_with("Potential Role - "));
    assert_eq!((&role["description"], &role["saved"]), (&Value::Null, &json!(false)));
    for change in [
        json!([{"op": "add", "path": "/name", "value": "x"}]),
        json!([{"op": "replace", "path": "/density", "value": 1}]),
        json!([{"op": "replace", "path": "/name", "value": 1}]),
    ] {
        assert_eq!(api.patch(&paths.alone, &change).await.0, 400, "{change}");
    }
}

#[tokio::test]
async fn a_provision_request_is_pending_and_then_complete() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    let path =
        format!("{}/provision?min-entitlement-popularity=20&include-common-access=false", paths.within);
    let (status, role) = api.post(&path, &json!({"roleName": "Accounting"})).await;
    assert_eq!((status, role["provisionState"].as_str()), (202, Some("PENDING")));
    api.tenant.advance(STEP);
    let role = api.json(&paths.summary).await;
    assert_eq!(role["provisionState"], "COMPLETE");
    assert!(role["roleId"].is_string());
    assert_eq!(api.post(&path, &json!({})).await.0, 400);
    let path = format!("{}/provision?min-entitlement-popularity=101", paths.within);
    assert_eq!(api.post(&path, &json!({})).await.0, 400);

    let api = Api::start(settings()).await;
    api.tenant.fail_provisions(true);
    let paths = api.some_role().await;
    let request = api.request(reqwest::Method::POST, &format!("{}/provision", paths.within));
    assert_eq!(request.send().await.unwrap().status(), 202, "a body is optional");
    api.tenant.advance(STEP);
    assert_eq!(api.json(&paths.summary).await["provisionState"], "FAILED");
}

#[tokio::test]
async fn members_show_their_attributes_and_their_usage_of_a_source() {
    let api = Api::start(settings()).await;
    let paths = api.some_role().await;
    let role = api.json(&paths.alone).await;
    let members = api.json(&format!("{}/identities?sorters=name", paths.within)).await;
    assert_eq!(role["identityCount"], members.as_array().unwrap().len());
    assert!(column(&members, "name").is_sorted());
    let ids: HashSet<_> = column(&members, "id").into_iter().collect();
    let listed: HashSet<_> =
        role["identityIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(ids, listed);

    let application = &api.json(&format!("{}/applications", paths.summary)).await[0];
    let source = application["id"].as_str().unwrap();
    let usage =
        api.json(&format!("{}/sources/{source}/identityUsage?sorters=-usageCount", paths.alone)).await;
    let days: Vec<_> =
        usage.as_array().unwrap().iter().map(|one| one["usageCount"].as_u64().unwrap()).collect();
    assert!(days.is_sorted_by(|one, other| one >= other) && days.iter().all(|&days| days <= 90), "{days:?}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_roles() {
    let (one, other) = (Api::start(settings()).await, Api::start(settings()).await);
    let ids = async |api: &Api| api.json("/role-mining-potential-roles").await.to_string().len();
    assert_eq!(ids(&one).await, ids(&other).await);
    assert_eq!(one.some_role().await.alone, other.some_role().await.alone);
    let different = Api::start(settings().seed(2)).await;
    assert_ne!(one.some_role().await.alone, different.some_role().await.alone);
}
