//! Calls all operations on a server that holds requests against the vendor's own document, and tells
//! which of them it took: `tests/interop/prism.sh` runs it on Prism.
//!
//! ```sh
//! cargo run --example prism -- http://127.0.0.1:4010/beta
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::process::ExitCode;

use reqwest::header::HeaderValue;
use sailpoint_role_mining::types::{
    JsonPatchOperation, JsonPatchOperationOp, PatchPotentialRoleRequestInner,
    PatchPotentialRoleRequestInnerOp as PatchOp, RoleMiningPotentialRoleEditEntitlements,
    RoleMiningPotentialRoleExportRequest, RoleMiningPotentialRoleProvisionRequest, RoleMiningRoleType,
    RoleMiningSessionDto, RoleMiningSessionScope, RoleMiningSessionScopingMethod, RoleMiningSessionState,
};
use sailpoint_role_mining::{Client, ResponseValue, RetryPolicy, fields, operations};
use serde_json::{Value, json};

const SESSION: &str = "8c190e67-87aa-4ed9-a90b-d9d5344523fb";
const ROLE: &str = "62f28d91-7d9f-4d17-be15-666d5b41d77f";
const EXPORT: &str = "4940ffd4-836f-48a3-b2b0-6d498c3fdf40";
const SOURCE: &str = "2c9180877620c1460176267f336a106f";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let base_url =
        std::env::args().nth(1).ok_or("give the server's base URL, such as http://127.0.0.1:4010/beta")?;
    let client = Client::builder(base_url).bearer("token").retry(RetryPolicy::none()).build()?;

    // A server that takes anything would prove nothing.
    match client.get_role_mining_sessions().limit(1000).send().await {
        Err(error) if error.status().is_some_and(|status| status == 400) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("a limit of 1000 was not refused: the server does not look at requests".into()),
    }

    let mut results = Results::default();
    sessions(&client, &mut results).await;
    roles(&client, &mut results).await;
    role_of_session(&client, &mut results).await;
    entitlements(&client, &mut results).await;
    jobs(&client, &mut results).await;
    results.conclude()
}

async fn sessions(client: &Client, results: &mut Results) {
    let scope = RoleMiningSessionScope {
        identity_ids: Some(vec!["2c918090761a5aac0176215c46a62d58".into()]),
        criteria: "source.name:DataScienceDataset".into(),
        // A list, as the vendor's schema has it; the vendor's example is a single object.
        attribute_filter_criteria: Some(json!([{
            "displayName": {"untranslated": "Location: Miami"},
            "ariaLabel": {"untranslated": "Location: Miami"},
            "data": {
                "displayName": {"translateKey": "IDN.IDENTITY_ATTRIBUTES.LOCATION"},
                "name": "location",
                "operator": "EQUALS",
                "values": ["Miami"],
            },
        }])),
        ..Default::default()
    };
    let settings = RoleMiningSessionDto {
        scope: Some(scope),
        prune_threshold: 50.into(),
        min_num_identities_in_potential_role: 20.into(),
        type_: Some(RoleMiningRoleType::Specialized),
        email_recipient_id: "2c918090761a5aac0176215c46a62d58".into(),
        saved: Some(true),
        name: "Saved \"RM\" Session".into(),
        ..Default::default()
    };
    results
        .add("create_role_mining_sessions", client.create_role_mining_sessions().body(settings).send().await);

    let list = {
        use fields::get_role_mining_sessions::{CREATED_BY, CREATED_DATE, NAME, SAVED};
        client
            .get_role_mining_sessions()
            .filters(SAVED.eq("true") & NAME.starts_with("Saved \"RM\" & more"))
            .sorters([CREATED_BY.asc(), CREATED_DATE.desc()])
            .offset(0)
            .limit(250)
            .count(true)
    };
    results.add("get_role_mining_sessions", list.send().await);
    results.add("get_role_mining_session", client.get_role_mining_session().session_id(SESSION).send().await);
    let status = client.get_role_mining_session_status().session_id(SESSION);
    results.add("get_role_mining_session_status", status.send().await);

    let change =
        |op, path, value| JsonPatchOperation { value: Some(value), ..JsonPatchOperation::new(op, path) };
    let patch = client.patch_role_mining_session().session_id(SESSION).body([
        change(JsonPatchOperationOp::Replace, "/pruneThreshold", json!(83)),
        change(JsonPatchOperationOp::Replace, "/minNumIdentitiesInPotentialRole", json!(10)),
        change(JsonPatchOperationOp::Replace, "/saved", json!(false)),
        change(JsonPatchOperationOp::Add, "/name", json!("RM Session")),
    ]);
    results.add("patch_role_mining_session", patch.send().await);
}

async fn roles(client: &Client, results: &mut Results) {
    let all = {
        use fields::get_all_potential_role_summaries::{
            CREATED_BY_NAME, IDENTITY_ATTRIBUTE, NAME, QUALITY, SAVED, SCOPING_METHOD, SESSION_STATE, TYPE,
        };
        let mined = SCOPING_METHOD.eq(RoleMiningSessionScopingMethod::Manual)
            & SESSION_STATE.eq(RoleMiningSessionState::PotentialRolesCreated);
        let wanted = CREATED_BY_NAME.contains("int") & (NAME.contains("entt") | SAVED.eq(true));
        client
            .get_all_potential_role_summaries()
            .filters(
                mined & wanted & !TYPE.eq(RoleMiningRoleType::Common) & IDENTITY_ATTRIBUTE.contains("NYC"),
            )
            .sorters(QUALITY.desc())
            .offset(250)
            .limit(250)
            .count(true)
    };
    results.add("get_all_potential_role_summaries", all.send().await);
    let drafts = client
        .get_saved_potential_roles()
        .sorters(fields::get_saved_potential_roles::MODIFIED.desc())
        .offset(0)
        .limit(20)
        .count(false);
    results.add("get_saved_potential_roles", drafts.send().await);
    let role = client.get_role_mining_potential_role().potential_role_id(ROLE);
    results.add("get_role_mining_potential_role", role.send().await);
    let patch = client.patch_role_mining_potential_role().potential_role_id(ROLE).body(role_patch());
    results.add("patch_role_mining_potential_role", patch.send().await);
    let usage = {
        use fields::get_potential_role_source_identity_usage::{DISPLAY_NAME, USAGE_COUNT};
        client
            .get_potential_role_source_identity_usage()
            .potential_role_id(ROLE)
            .source_id(SOURCE)
            .sorters([USAGE_COUNT.desc(), DISPLAY_NAME.asc()])
            .offset(0)
            .limit(1)
            .count(true)
    };
    results.add("get_potential_role_source_identity_usage", usage.send().await);
}

async fn role_of_session(client: &Client, results: &mut Results) {
    let list = {
        use fields::get_potential_role_summaries::{CREATED_DATE, END_DATE, FRESHNESS, NAME, START_DATE};
        let time = chrono::DateTime::UNIX_EPOCH;
        client
            .get_potential_role_summaries()
            .session_id(SESSION)
            .filters(START_DATE.ge(time) & END_DATE.lt(time) & (FRESHNESS.ge(50) | NAME.starts_with("R\\D")))
            .sorters(CREATED_DATE.desc())
            .offset(0)
            .limit(250)
            .count(true)
    };
    results.add("get_potential_role_summaries", list.send().await);
    let role = client.get_potential_role().session_id(SESSION).potential_role_id(ROLE);
    results.add("get_potential_role", role.send().await);
    let patch = client.patch_potential_role().session_id(SESSION).potential_role_id(ROLE).body(role_patch());
    results.add("patch_potential_role", patch.send().await);
    let applications = client
        .get_potential_role_applications()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .filters(fields::get_potential_role_applications::APPLICATION_NAME.starts_with("test"))
        .offset(0)
        .limit(250)
        .count(true);
    results.add("get_potential_role_applications", applications.send().await);
    let identities = {
        use fields::get_identities_potential_role::NAME;
        client
            .get_identities_potential_role()
            .session_id(SESSION)
            .potential_role_id(ROLE)
            .filters(NAME.starts_with("Zoë"))
            .sorters(NAME.asc())
            .offset(0)
            .limit(250)
            .count(true)
    };
    results.add("get_identities_potential_role", identities.send().await);
}

/// What both ways of patching a potential role take.
fn role_patch() -> Vec<PatchPotentialRoleRequestInner> {
    let replace = |path, value| PatchPotentialRoleRequestInner {
        value: Some(value),
        ..PatchPotentialRoleRequestInner::new(PatchOp::Replace, path)
    };
    vec![
        replace("/name", json!("Potential Role Accounting")),
        replace("/saved", json!(true)),
        PatchPotentialRoleRequestInner::new(PatchOp::Remove, "/description"),
    ]
}

async fn entitlements(client: &Client, results: &mut Results) {
    let list = client
        .get_potential_role_entitlements()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .filters(fields::get_potential_role_entitlements::ENTITLEMENT_REF_NAME.starts_with("test"))
        .offset(0)
        .limit(250)
        .count(true);
    results.add("get_potential_role_entitlements", list.send().await);
    let popular = {
        use fields::get_entitlements_potential_role::{APPLICATION_NAME, ENTITLEMENT_NAME, POPULARITY};
        client
            .get_entitlements_potential_role()
            .session_id(SESSION)
            .potential_role_id(ROLE)
            .include_common_access(true)
            .filters(APPLICATION_NAME.starts_with("AD"))
            .sorters([POPULARITY.desc(), ENTITLEMENT_NAME.asc()])
            .offset(0)
            .limit(250)
            .count(true)
    };
    results.add("get_entitlements_potential_role", popular.send().await);
    let distribution = client
        .get_entitlement_distribution_potential_role()
        .session_id(SESSION)
        .potential_role_id(ROLE)
        .include_common_access(false);
    results.add("get_entitlement_distribution_potential_role", distribution.send().await);
    let edit = RoleMiningPotentialRoleEditEntitlements {
        ids: Some(vec!["2c91808a7e95e6e0017e96e2086206c8".into()]),
        exclude: Some(true),
        ..Default::default()
    };
    let edit =
        client.update_entitlements_potential_role().session_id(SESSION).potential_role_id(ROLE).body(edit);
    results.add("update_entitlements_potential_role", edit.send().await);
    let excluded = {
        use fields::get_excluded_entitlements_potential_role::{ENTITLEMENT_REF_NAME, POPULARITY};
        client
            .get_excluded_entitlements_potential_role()
            .session_id(SESSION)
            .potential_role_id(ROLE)
            .filters(ENTITLEMENT_REF_NAME.starts_with("App"))
            .sorters(POPULARITY.desc())
            .offset(0)
            .limit(250)
            .count(true)
    };
    results.add("get_excluded_entitlements_potential_role", excluded.send().await);
}

async fn jobs(client: &Client, results: &mut Results) {
    let direct = client.export_role_mining_potential_role().session_id(SESSION).potential_role_id(ROLE);
    results.add("export_role_mining_potential_role", direct.send().await);
    let wanted = RoleMiningPotentialRoleExportRequest {
        min_entitlement_popularity: Some(10),
        include_common_access: Some(true),
        ..Default::default()
    };
    let start = client.export_role_mining_potential_role_async().session_id(SESSION).potential_role_id(ROLE);
    results.add("export_role_mining_potential_role_async", start.clone().body(wanted).send().await);
    results.add("export_role_mining_potential_role_async without a body", start.send().await);
    let status =
        client.export_role_mining_potential_role_status().session_id(SESSION).potential_role_id(ROLE);
    results.add("export_role_mining_potential_role_status", status.export_id(EXPORT).send().await);
    let download =
        client.download_role_mining_potential_role_zip().session_id(SESSION).potential_role_id(ROLE);
    results.add("download_role_mining_potential_role_zip", download.export_id(EXPORT).send().await);
    let role = RoleMiningPotentialRoleProvisionRequest {
        role_name: Some("Finance - Accounting".into()),
        role_description: Some("General access for accounting department".into()),
        owner_id: Some("2b568c65bc3c4c57a43bd97e3a8e41".into()),
        include_identities: Some(true),
        directly_assigned_entitlements: Some(false),
        ..Default::default()
    };
    let bare = client.create_potential_role_provision_request().session_id(SESSION).potential_role_id(ROLE);
    let provision = bare.clone().min_entitlement_popularity(55).include_common_access(false).body(role);
    results.add("create_potential_role_provision_request", provision.send().await);
    results.add("create_potential_role_provision_request without a body", bare.send().await);
}

/// What became of the calls.
#[derive(Default)]
struct Results {
    called: BTreeSet<&'static str>,
    refused: usize,
    odd: usize,
}

impl Results {
    fn add<T>(&mut self, call: &'static str, answer: Result<ResponseValue<T>, sailpoint_role_mining::Error>) {
        self.called.extend(call.split(' ').next());
        let (status, headers) = match &answer {
            Ok(answer) => (Some(answer.status()), Some(answer.headers())),
            Err(error) => (error.status(), error.headers()),
        };
        let status = status.map_or("no answer".to_owned(), |status| status.as_str().to_owned());
        // Prism tells here what it has against the request, or against the answer that it made up itself
        // from the document's examples; a valid request with an answer that is not valid gives a 500.
        let violations = headers.and_then(|headers| headers.get("sl-violations"));
        let (of_answer, of_request) = violations.map(told).unwrap_or_default();
        let outcome = match &answer {
            _ if !of_request.is_empty() => self.refused(&of_request.join("; ")),
            Ok(_) => "answered".to_owned(),
            Err(error) if error.is_unexpected_body() => {
                self.odd += 1;
                format!("answered, body not decodable: {error}")
            }
            Err(_) if !of_answer.is_empty() => {
                self.odd += 1;
                format!("answered, example in the document not valid: {}", of_answer.join("; "))
            }
            Err(error) => self.refused(&error.to_string()),
        };
        println!("{call:<54} {status} {outcome}");
    }

    fn refused(&mut self, why: &str) -> String {
        self.refused += 1;
        format!("REFUSED: {why}")
    }

    fn conclude(self) -> Result<(), Box<dyn Error>> {
        let all: BTreeSet<_> = operations::ALL.iter().map(|operation| operation.id).collect();
        let (calls, refused, odd) = (self.called.len(), self.refused, self.odd);
        println!(
            "{calls} operations called: {refused} refused, {odd} answered with what is not valid itself"
        );
        if all != self.called {
            let missed: Vec<_> = all.symmetric_difference(&self.called).collect();
            return Err(format!("these were not called: {missed:?}").into());
        }
        if refused > 0 {
            return Err(format!("{refused} requests were refused").into());
        }
        Ok(())
    }
}

/// What Prism has against its own answer, and what it has against the request.
fn told(violations: &HeaderValue) -> (Vec<String>, Vec<String>) {
    let violations: Vec<Value> = match serde_json::from_slice(violations.as_bytes()) {
        Ok(violations) => violations,
        Err(_) => return (vec![], vec![format!("{violations:?}")]),
    };
    let (of_answer, of_request): (Vec<Value>, Vec<Value>) =
        violations.into_iter().partition(|violation| violation["location"][0] == "response");
    let texts = |violations: Vec<Value>| -> Vec<String> {
        violations.iter().map(|violation| violation["message"].as_str().unwrap_or("?").to_owned()).collect()
    };
    (texts(of_answer), texts(of_request))
}
