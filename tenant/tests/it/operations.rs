use std::collections::HashSet;

use sailpoint_role_mining_tenant::Tenant;
use serde_json::json;

use crate::api::{Api, STEP, settings};

/// Every answer is held against the document by the tenant itself, which answers 500 if it differs.
#[tokio::test]
async fn all_operations_answer_as_documented() {
    let api = Api::start(settings().identities(600).sessions(6)).await;
    let paths = api.some_role().await;
    let source =
        api.json(&format!("{}/applications", paths.summary)).await[0]["id"].as_str().unwrap().to_owned();
    let entitlements = api.json(&format!("{}/entitlements", paths.summary)).await;
    let export = api.post(&format!("{}/export-async", paths.within), &json!({})).await.1;
    let export = format!("{}/export-async/{}", paths.within, export["exportId"].as_str().unwrap());
    api.tenant.advance(STEP * 2);
    let patch = json!([{"op": "replace", "path": "/name", "value": "New"}]);
    for (method, path) in [
        ("GET", PATHS[0].to_owned()),
        ("GET", PATHS[1].to_owned()),
        ("GET", PATHS[2].to_owned()),
        ("GET", paths.session.clone()),
        ("GET", format!("{}/status", paths.session)),
        ("GET", format!("{}/potential-role-summaries", paths.session)),
        ("GET", paths.summary.clone()),
        ("GET", paths.alone.clone()),
        ("GET", format!("{}/sources/{source}/identityUsage", paths.alone)),
        ("GET", format!("{}/entitlement-popularities", paths.within)),
        ("GET", format!("{}/entitlement-popularity-distribution", paths.within)),
        ("GET", format!("{}/identities", paths.within)),
        ("GET", format!("{}/export", paths.within)),
        ("GET", export.clone()),
        ("GET", format!("{export}/download")),
        ("PATCH", paths.session.clone()),
        ("PATCH", paths.summary.clone()),
        ("PATCH", paths.alone.clone()),
    ] {
        let status = match method {
            "GET" => api.get(&path).await.status().as_u16(),
            _ => api.patch(&path, &patch).await.0,
        };
        assert!(status == 200 || status == 202, "{method} {path}: {status}");
    }
    let edit = json!({"ids": [entitlements[0]["id"]], "exclude": true});
    assert_eq!(api.post(&format!("{}/edit-entitlements", paths.within), &edit).await.0, 201);
    assert_eq!(api.get(&format!("{}/excluded-entitlements", paths.within)).await.status(), 200);
    assert_eq!(api.post(&format!("{}/provision", paths.within), &json!({})).await.0, 202);
    assert_eq!(api.post("/role-mining-sessions", &json!({"type": "COMMON"})).await.0, 201);

    let called: HashSet<String> = api.tenant.record().into_iter().filter_map(|one| one.operation).collect();
    let missed: Vec<_> = Tenant::operations().into_iter().filter(|name| !called.contains(*name)).collect();
    assert_eq!((missed, Tenant::operations().len()), (Vec::new(), 25));
}

const PATHS: [&str; 3] =
    ["/role-mining-sessions", "/role-mining-potential-roles", "/role-mining-potential-roles/saved"];

/// The document knows no 404 for some operations; there the tenant says 400.
#[tokio::test]
async fn what_does_not_exist_is_refused_as_the_document_has_it() {
    let api = Api::start(settings()).await;
    let id = "00000000-0000-4000-8000-000000000000";
    let paths = api.some_role().await;
    for path in [
        format!("/role-mining-sessions/{id}"),
        format!("/role-mining-sessions/{id}/status"),
        format!("/role-mining-potential-roles/{id}"),
        format!("{}/export-async/{id}", paths.within),
        format!("{}/export-async/no-uuid", paths.within),
        paths.within.replace("/potential-roles/", "/potential-roles/x") + "/identities",
        format!("{}/sources/none/identityUsage", paths.alone),
    ] {
        let status = api.get(&path).await.status().as_u16();
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
}
