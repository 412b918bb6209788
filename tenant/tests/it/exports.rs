use std::io::{Cursor, Read};

use reqwest::Response;
use sailpoint_role_mining_tenant::Fault;
use serde_json::{Value, json};

use crate::api::{Api, STEP, settings};

async fn exported(api: &Api, body: &Value) -> String {
    let path = format!("{}/export-async", api.some_role().await.within);
    let (status, export) = api.post(&path, body).await;
    assert_eq!((status, export["status"].as_str()), (202, Some("QUEUED")));
    format!("{path}/{}", export["exportId"].as_str().unwrap())
}

async fn download(api: &Api, path: &str, range: Option<&str>) -> Response {
    let mut request = api.request(reqwest::Method::GET, &format!("{path}/download"));
    if let Some(range) = range {
        request = request.header("range", range);
    }
    request.send().await.unwrap()
}

fn member(zip: &[u8], name: &str) -> String {
    let mut text = String::new();
    zip::ZipArchive::new(Cursor::new(zip)).unwrap().by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn an_export_runs_and_its_zip_holds_the_role() {
    let api = Api::start(settings()).await;
    let path = exported(&api, &json!({"minEntitlementPopularity": 50, "includeCommonAccess": false})).await;
    assert_eq!(download(&api, &path, None).await.status(), 400);
    for status in ["QUEUED", "IN_PROGRESS", "SUCCESS"] {
        assert_eq!(api.json(&path).await["status"], status);
        api.tenant.advance(STEP);
    }
    let answer = download(&api, &path, None).await;
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let zip = answer.bytes().await.unwrap();
    let role = api.json(&api.some_role().await.summary).await;
    let identities = member(&zip, "identities.csv");
    assert_eq!(identities.lines().count() as u64, role["identityCount"].as_u64().unwrap() + 1);
    let entitlements = member(&zip, "entitlements.csv");
    let popularities: Vec<f64> =
        entitlements.lines().skip(1).map(|line| line.split(',').nth(4).unwrap().parse().unwrap()).collect();
    assert!(!popularities.is_empty() && popularities.iter().all(|&popularity| popularity >= 50.0));
    assert!(!entitlements.contains("Employee"), "common access was not wanted");
}

#[tokio::test]
async fn a_role_can_be_exported_at_once() {
    let api = Api::start(settings()).await;
    let zip = api.get(&format!("{}/export", api.some_role().await.within)).await.bytes().await.unwrap();
    assert!(member(&zip, "entitlements.csv").contains("Employee"));
}

#[tokio::test]
async fn an_export_can_fail() {
    let api = Api::start(settings()).await;
    api.tenant.fail_exports(true);
    let path = exported(&api, &json!({})).await;
    api.tenant.advance(STEP * 2);
    assert_eq!(api.json(&path).await["status"], "ERROR");
    assert_eq!(download(&api, &path, None).await.status(), 400);
}

#[tokio::test]
async fn a_range_is_honoured_if_so_set_and_matches_the_whole() {
    let api = Api::start(settings().ranges(true).export_bytes(100_000)).await;
    let path = exported(&api, &json!({})).await;
    api.tenant.advance(STEP * 2);
    let whole = download(&api, &path, None).await;
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let tag = whole.headers()["etag"].clone();
    let whole = whole.bytes().await.unwrap();
    let last = whole.len() - 1;
    for (range, expected) in [
        ("bytes=0-9".to_owned(), &whole[..10]),
        ("bytes=50000-".to_owned(), &whole[50_000..]),
        ("bytes=-7".to_owned(), &whole[whole.len() - 7..]),
        (format!("bytes={last}-{}", last + 50), &whole[last..]),
    ] {
        let part = download(&api, &path, Some(&range)).await;
        assert_eq!(part.status(), 206, "{range}");
        assert_eq!(part.headers()["etag"], tag);
        assert_eq!(&part.bytes().await.unwrap()[..], expected, "{range}");
    }
    let past = download(&api, &path, Some(&format!("bytes={}-", whole.len()))).await;
    assert_eq!(
        (past.status().as_u16(), past.headers()["content-range"].to_str().unwrap()),
        (416, &*format!("bytes */{}", whole.len()))
    );

    let stale = api.request(reqwest::Method::GET, &format!("{path}/download"));
    let stale = stale.header("range", "bytes=5-").header("if-range", "\"other\"").send().await.unwrap();
    assert_eq!(stale.status(), 200);

    let api = Api::start(settings()).await;
    let path = exported(&api, &json!({})).await;
    api.tenant.advance(STEP * 2);
    assert_eq!(download(&api, &path, Some("bytes=5-")).await.status(), 200);
}

#[tokio::test]
async fn a_download_that_broke_off_can_be_taken_up_where_it_broke() {
    let api = Api::start(settings().ranges(true).export_bytes(300_000)).await;
    let path = exported(&api, &json!({})).await;
    api.tenant.advance(STEP * 2);
    let whole = download(&api, &path, None).await.bytes().await.unwrap();
    let operation = "download_role_mining_potential_role_zip";
    for fault in [Fault::truncate(200_000), Fault::reset_in_body(200_000)] {
        api.tenant.fault(fault.on(operation).times(1));
        let mut answer = download(&api, &path, None).await;
        let mut got = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            got.extend_from_slice(&chunk);
        }
        assert_eq!(got.len(), 200_000);
        let rest = download(&api, &path, Some("bytes=200000-")).await;
        got.extend_from_slice(&rest.bytes().await.unwrap());
        assert!(got == whole, "the parts do not make up the whole");
    }
}

#[tokio::test]
async fn a_redirected_download_must_not_bring_the_token_along() {
    let api = Api::start(settings().redirect_downloads(true)).await;
    let path = exported(&api, &json!({})).await;
    api.tenant.advance(STEP * 2);
    let answer = download(&api, &path, None).await;
    assert_eq!(answer.status(), 302);
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(!location.starts_with(api.tenant.base_url()));

    let zip = api.http.get(location).send().await.unwrap().bytes().await.unwrap();
    assert!(member(&zip, "identities.csv").starts_with("id,name"));
    let with_token = api.http.get(location).bearer_auth("token").send().await.unwrap();
    assert_eq!(with_token.status(), 400);
    let unsigned = api.http.get(location.split('?').next().unwrap()).send().await.unwrap();
    assert_eq!(unsigned.status(), 403);
    let seen: Vec<_> = api
        .tenant
        .record()
        .into_iter()
        .filter(|one| one.operation.as_deref() == Some("download_redirect_target"))
        .collect();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[1].header("Authorization"), Some("Bearer token"));
}

#[tokio::test]
async fn a_large_export_is_made_while_it_is_sent() {
    let api = Api::start(settings().export_bytes(2 << 30)).await;
    let path = exported(&api, &json!({})).await;
    api.tenant.advance(STEP * 2);
    let mut answer = download(&api, &path, None).await;
    let mut read = 0;
    while let Some(chunk) = answer.chunk().await.unwrap() {
        read += chunk.len();
        if read > 1 << 20 {
            break;
        }
    }
    assert!(read < 8 << 20);
}
