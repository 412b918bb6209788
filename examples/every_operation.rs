//! Calls each of the 25 operations once, against a local server that holds every request against what
//! it must be: method, path, query, headers and body.
//!
//! `cargo run --example every_operation`

#[path = "../tests/server/mod.rs"]
mod server;

use std::error::Error;

use sailpoint_role_mining::fields::{
    get_potential_role_summaries as role, get_role_mining_sessions as session,
};
use sailpoint_role_mining::types::{
    JsonPatchOperation, JsonPatchOperationOp, PatchPotentialRoleRequestInner,
    RoleMiningPotentialRoleEditEntitlements, RoleMiningPotentialRoleExportRequest,
    RoleMiningPotentialRoleProvisionRequest, RoleMiningRoleType, RoleMiningSessionDto,
    RoleMiningSessionScope,
};
use sailpoint_role_mining::{BASE_PATH, Client, operations};
use serde_json::{Value, json};
use server::{Received, Server};

const SESSION: &str = "8c190e67-87aa-4ed9-a90b-d9d5344523fb";
const ROLE: &str = "278359a6-04b7-4669-9468-924cf580964a";
const EXPORT: &str = "4940ffd4-836f-48a3-b2b0-6d498c3fdf40";
const SOURCE: &str = "2c9180877620c1460176267f336a106f";

/// A name with all that a path has to have encoded.
const AWKWARD: &str = "a/b c?ü%2e#";
const ENCODED: &str = "a%2Fb%20c%3F%C3%BC%252e%23";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    for line in run().await? {
        println!("{line}");
    }
    Ok(())
}

/// Calls all operations and gives a line for each; the first request that is not as it must be is an
/// error.
pub(crate) async fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let server = Server::start(answer).await?;
    let client = Client::new(&server.url)?;
    let mut seen = Seen { server: &server, lines: Vec::new(), operations: Vec::new() };
    let in_session = base(&format!("role-mining-sessions/{SESSION}"));
    let in_role = format!("{in_session}/potential-roles/{ROLE}");
    let summary = format!("{in_session}/potential-role-summaries/{ROLE}");

    client
        .create_role_mining_sessions()
        .body(RoleMiningSessionDto {
            scope: Some(RoleMiningSessionScope {
                identity_ids: Some(vec![]),
                criteria: "source.name:DataScienceDataset".into(),
                ..Default::default()
            }),
            prune_threshold: None.into(),
            type_: Some(RoleMiningRoleType::Specialized),
            name: "Q3".into(),
            ..Default::default()
        })
        .send()
        .await?;
    let scope = json!({ "identityIds": [], "criteria": "source.name:DataScienceDataset" });
    let body = json!({ "scope": scope, "pruneThreshold": null, "type": "SPECIALIZED", "name": "Q3" });
    seen.request("create_role_mining_sessions", "POST", &base("role-mining-sessions"), body)?;

    client
        .get_role_mining_sessions()
        .filters(session::NAME.starts_with("Q3 \"a\"") & session::SAVED.eq(true))
        .sorters([session::CREATED_BY.asc(), session::CREATED_DATE.desc()])
        .offset(0)
        .limit(250)
        .count(true)
        .send()
        .await?;
    let query = "filters=name%20sw%20%22Q3%20%5C%22a%5C%22%22%20and%20saved%20eq%20true&sorters=createdBy%2C-createdDate&offset=0&limit=250&count=true";
    seen.get("get_role_mining_sessions", &base(&format!("role-mining-sessions?{query}")))?;

    client.get_role_mining_session().session_id(SESSION).send().await?;
    seen.get("get_role_mining_session", &in_session)?;

    let thresholds = [("/pruneThreshold", json!(83)), ("/name", Value::Null)];
    client.patch_role_mining_session().session_id(SESSION).body(thresholds.map(replace)).send().await?;
    let body = json!([
        { "op": "replace", "path": "/pruneThreshold", "value": 83 },
        { "op": "replace", "path": "/name", "value": null },
    ]);
    seen.request("patch_role_mining_session", "PATCH", &in_session, body)?;

    client.get_role_mining_session_status().session_id(SESSION).send().await?;
    seen.get("get_role_mining_session_status", &format!("{in_session}/status"))?;

    client
        .get_potential_role_summaries()
        .session_id(SESSION)
        .filters(role::TYPE.eq(RoleMiningRoleType::Common))
        .send()
        .await?;
    let query = "filters=type%20eq%20%22COMMON%22";
    seen.get("get_potential_role_summaries", &format!("{in_session}/potential-role-summaries?{query}"))?;

    client.get_potential_role().session_id(SESSION).potential_role_id(ROLE).send().await?;
    seen.get("get_potential_role", &summary)?;

    let mut saved = PatchPotentialRoleRequestInner::new("replace", "/saved");
    saved.value = Some(json!(false));
    let removed = PatchPotentialRoleRequestInner::new("remove", "/description");
    let patch = vec![removed, saved];
    let body = json!([{ "op": "remove", "path": "/description" }, { "op": "replace", "path": "/saved", "value": false }]);
    client
        .patch_potential_role()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .body(patch.clone())
        .send()
        .await?;
    seen.request("patch_potential_role", "PATCH", &summary, body.clone())?;

    client.patch_role_mining_potential_role().potential_role_id(AWKWARD).body(patch).send().await?;
    seen.request(
        "patch_role_mining_potential_role",
        "PATCH",
        &base(&format!("role-mining-potential-roles/{ENCODED}")),
        body,
    )?;

    client
        .get_potential_role_applications()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .limit(1)
        .send()
        .await?;
    seen.get("get_potential_role_applications", &format!("{summary}/applications?limit=1"))?;

    client
        .get_potential_role_entitlements()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .offset(250)
        .send()
        .await?;
    seen.get("get_potential_role_entitlements", &format!("{summary}/entitlements?offset=250"))?;

    client
        .get_entitlements_potential_role()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .include_common_access(false)
        .send()
        .await?;
    seen.get(
        "get_entitlements_potential_role",
        &format!("{in_role}/entitlement-popularities?includeCommonAccess=false"),
    )?;

    client
        .get_entitlement_distribution_potential_role()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .send()
        .await?;
    seen.get(
        "get_entitlement_distribution_potential_role",
        &format!("{in_role}/entitlement-popularity-distribution"),
    )?;

    client
        .get_excluded_entitlements_potential_role()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .sorters("-popularity")
        .send()
        .await?;
    seen.get(
        "get_excluded_entitlements_potential_role",
        &format!("{in_role}/excluded-entitlements?sorters=-popularity"),
    )?;

    client
        .get_identities_potential_role()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .count(false)
        .send()
        .await?;
    seen.get("get_identities_potential_role", &format!("{in_role}/identities?count=false"))?;

    let edit = RoleMiningPotentialRoleEditEntitlements {
        ids: Some(vec!["entId1".into(), "entId2".into()]),
        exclude: Some(true),
        ..Default::default()
    };
    client
        .update_entitlements_potential_role()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .body(edit)
        .send()
        .await?;
    let body = json!({ "ids": ["entId1", "entId2"], "exclude": true });
    seen.request(
        "update_entitlements_potential_role",
        "POST",
        &format!("{in_role}/edit-entitlements"),
        body,
    )?;

    let mut zip =
        client.export_role_mining_potential_role().session_id(SESSION).potential_role_id(ROLE).send().await?;
    while zip.chunk().await?.is_some() {}
    seen.zip("export_role_mining_potential_role", &format!("{in_role}/export"))?;

    let export = RoleMiningPotentialRoleExportRequest {
        min_entitlement_popularity: Some(0),
        include_common_access: Some(true),
        ..Default::default()
    };
    client
        .export_role_mining_potential_role_async()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .body(export)
        .send()
        .await?;
    let body = json!({ "minEntitlementPopularity": 0, "includeCommonAccess": true });
    seen.request(
        "export_role_mining_potential_role_async",
        "POST",
        &format!("{in_role}/export-async"),
        body,
    )?;

    client
        .export_role_mining_potential_role_status()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .export_id(EXPORT)
        .send()
        .await?;
    seen.get("export_role_mining_potential_role_status", &format!("{in_role}/export-async/{EXPORT}"))?;

    let download = client.download_role_mining_potential_role_zip();
    let mut zip = download.session_id(SESSION).potential_role_id(ROLE).export_id(EXPORT).send().await?;
    while zip.chunk().await?.is_some() {}
    seen.zip(
        "download_role_mining_potential_role_zip",
        &format!("{in_role}/export-async/{EXPORT}/download"),
    )?;

    let provision =
        client.create_potential_role_provision_request().session_id(SESSION).potential_role_id(ROLE);
    provision.clone().send().await?;
    seen.request(
        "create_potential_role_provision_request",
        "POST",
        &format!("{in_role}/provision"),
        Value::Null,
    )?;
    let role =
        RoleMiningPotentialRoleProvisionRequest { role_name: Some("Finance".into()), ..Default::default() };
    provision.min_entitlement_popularity(10).include_common_access(true).body(role).send().await?;
    let target = format!("{in_role}/provision?min-entitlement-popularity=10&include-common-access=true");
    seen.request(
        "create_potential_role_provision_request",
        "POST",
        &target,
        json!({ "roleName": "Finance" }),
    )?;

    client.get_all_potential_role_summaries().sorters("-quality").send().await?;
    seen.get("get_all_potential_role_summaries", &base("role-mining-potential-roles?sorters=-quality"))?;

    client.get_role_mining_potential_role().potential_role_id(ROLE).send().await?;
    seen.get("get_role_mining_potential_role", &base(&format!("role-mining-potential-roles/{ROLE}")))?;

    client.get_saved_potential_roles().sorters("modified").send().await?;
    seen.get("get_saved_potential_roles", &base("role-mining-potential-roles/saved?sorters=modified"))?;

    client
        .get_potential_role_source_identity_usage()
        .potential_role_id(ROLE)
        .source_id(SOURCE)
        .sorters("-usageCount")
        .send()
        .await?;
    let usage = format!("sources/{SOURCE}/identityUsage?sorters=-usageCount");
    let target = base(&format!("role-mining-potential-roles/{ROLE}/{usage}"));
    seen.get("get_potential_role_source_identity_usage", &target)?;

    let missed: Vec<&str> = operations::ALL
        .iter()
        .map(|operation| operation.id)
        .filter(|id| !seen.operations.contains(id))
        .collect();
    if !missed.is_empty() {
        return Err(format!("not called: {}", missed.join(", ")).into());
    }
    Ok(seen.lines)
}

/// A path below that of the edition.
fn base(path: &str) -> String {
    format!("{BASE_PATH}/{path}")
}

fn replace((path, value): (&str, Value)) -> JsonPatchOperation {
    let mut operation = JsonPatchOperation::new(JsonPatchOperationOp::Replace, path);
    operation.value = Some(value);
    operation
}

/// Answers lists with lists, zips with bytes, and all else with an empty object.
fn answer(request: &Received) -> server::Answer {
    let path = request.target.split('?').next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let lists = [
        "role-mining-sessions",
        "potential-role-summaries",
        "applications",
        "entitlements",
        "entitlement-popularities",
        "excluded-entitlements",
        "identities",
        "role-mining-potential-roles",
        "saved",
        "identityUsage",
    ];
    match (request.method.as_str(), last) {
        ("GET", "export" | "download") => {
            (200, vec![("content-type", "application/zip".into())], vec![0x50, 0x4b, 0xff, 0x00].into())
        }
        ("GET", last) if lists.contains(&last) => server::json(200, &json!([])),
        ("POST", "role-mining-sessions" | "edit-entitlements") => server::json(201, &json!({})),
        ("POST", _) => server::json(202, &json!({})),
        // The service answers this one with nothing.
        ("PATCH", SESSION) => (202, Vec::new(), Default::default()),
        _ => server::json(200, &json!({})),
    }
}

/// What the header must be: editions before v2024 do not ask for it, and a document of theirs is taken
/// at its word.
fn experimental(operation: &str) -> &'static str {
    let described = operations::ALL.iter().find(|described| described.id == operation);
    let headers = described.map_or(&[][..], |described| described.headers);
    if headers.is_empty() { "" } else { "true" }
}

struct Seen<'a> {
    server: &'a Server,
    lines: Vec<String>,
    operations: Vec<&'static str>,
}

impl Seen<'_> {
    fn get(&mut self, operation: &'static str, target: &str) -> Result<(), String> {
        self.check(operation, "GET", target, "application/json", Value::Null)
    }

    fn zip(&mut self, operation: &'static str, target: &str) -> Result<(), String> {
        self.check(operation, "GET", target, "application/zip, application/json", Value::Null)
    }

    fn request(
        &mut self,
        operation: &'static str,
        method: &str,
        target: &str,
        body: Value,
    ) -> Result<(), String> {
        self.check(operation, method, target, "application/json", body)
    }

    /// Holds the last request against what it must be.
    fn check(
        &mut self,
        operation: &'static str,
        method: &str,
        target: &str,
        accept: &str,
        body: Value,
    ) -> Result<(), String> {
        let last = self.server.last().ok_or_else(|| format!("{operation}: nothing was sent"))?;
        let content_type = match (method, &body) {
            (_, Value::Null) => "",
            ("PATCH", _) => "application/json-patch+json",
            _ => "application/json",
        };
        for (what, found, wanted) in [
            ("method", last.method.as_str(), method),
            ("path and query", &last.target, target),
            ("Accept", last.header("accept"), accept),
            ("Content-Type", last.header("content-type"), content_type),
            ("X-SailPoint-Experimental", last.header("x-sailpoint-experimental"), experimental(operation)),
            ("api-version", last.header("api-version"), ""),
            ("body", &last.json().to_string(), &body.to_string()),
        ] {
            if found != wanted {
                return Err(format!("{operation}: {what} is `{found}`, and must be `{wanted}`"));
            }
        }
        self.operations.push(operation);
        self.lines.push(format!("{:>2} {operation:<46} {method:<5} {target}", self.operations.len()));
        Ok(())
    }
}
