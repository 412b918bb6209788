//! What the types keep of what the service sends, and of what the caller sets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use sailpoint_role_mining::types::*;
use sailpoint_role_mining::{Client, Error, Nullable, ResponseValue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[path = "server/mod.rs"]
mod server;

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn written<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Reads a value as the model of that name and writes it again.
fn through(model: &str, value: &Value) -> Option<Value> {
    macro_rules! models {
        ($($name:ident)*) => {
            match model {
                $(stringify!($name) => Some(written(&read::<$name>(value.clone()))),)*
                _ => None,
            }
        };
    }
    models!(
        EntityCreatedByDto ErrorMessageDto ErrorResponseDto JsonPatchOperation JsonPatchOperationOp LocaleOrigin
        PatchPotentialRoleRequestInner PatchPotentialRoleRequestInnerOp RoleMiningEntitlement
        RoleMiningEntitlementRef RoleMiningIdentity RoleMiningIdentityDistribution RoleMiningPotentialRole
        RoleMiningPotentialRoleApplication RoleMiningPotentialRoleEditEntitlements
        RoleMiningPotentialRoleEntitlements RoleMiningPotentialRoleExportRequest
        RoleMiningPotentialRoleExportResponse RoleMiningPotentialRoleExportState
        RoleMiningPotentialRoleProvisionRequest RoleMiningPotentialRoleProvisionState RoleMiningPotentialRoleRef
        RoleMiningPotentialRoleSourceUsage RoleMiningPotentialRoleSummary RoleMiningRoleType
        RoleMiningSessionDraftRoleDto RoleMiningSessionDto RoleMiningSessionParametersDto
        RoleMiningSessionResponse RoleMiningSessionScope RoleMiningSessionScopingMethod RoleMiningSessionState
        RoleMiningSessionStatus TooManyRequestsResponse UnauthorizedResponse
    )
}

/// A value without its nulls, since a field that only comes back may be null or absent alike.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_example_of_the_seeds_comes_through_unchanged() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/seeds");
    let (Ok(sdk), Ok(page)) = (
        std::fs::read_to_string(seeds.join("iai-role-mining-python-sdk.md")),
        std::fs::read_to_string(seeds.join("get-potential-role-summaries.txt")),
    ) else {
        eprintln!("left out: ../shared/seeds is not here");
        return;
    };
    let mut requests = 0;
    // name = '''{ body }''' # Model | words
    for part in sdk.split("= '''").skip(1) {
        let (body, rest) = part.split_once("'''").unwrap();
        let model = rest.trim_start_matches([' ', '#']).split(' ').next().unwrap();
        match model.strip_prefix("List[").and_then(|model| model.strip_suffix(']')) {
            Some(model) => {
                patches(body).iter().for_each(|patch| assert_eq!(through(model, patch).as_ref(), Some(patch)))
            }
            None => {
                let value: Value = serde_json::from_str(body).unwrap();
                assert_eq!(through(model, &value).as_ref(), Some(&value), "{model}");
            }
        }
        requests += 1;
    }
    assert_eq!(requests, 7, "all request bodies of the document");
    let mut responses = 0;
    for body in values(&page) {
        match &body {
            Value::Array(roles) => roles.iter().for_each(|role| {
                assert_eq!(through("RoleMiningPotentialRoleSummary", role).as_ref(), Some(role));
            }),
            error => {
                let model = ["ErrorResponseDto", "UnauthorizedResponse", "TooManyRequestsResponse"]
                    [usize::from(error.get("error").is_some())
                        + 2 * usize::from(error.get("message").is_some())];
                assert_eq!(through(model, error).as_ref(), Some(error), "{model}");
            }
        }
        responses += 1;
    }
    assert_eq!(responses, 8, "all response bodies of the page");
}

/// `[{op=replace, path=/name, value=A}]` as the JSON Patch it means.
fn patches(text: &str) -> Vec<Value> {
    let entries = text.trim_start_matches("[{").trim_end_matches("}]").split("}, {");
    entries
        .map(|entry| {
            let fields = entry.split(", ").map(|field| field.split_once('=').unwrap());
            fields.map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
        })
        .collect()
}

/// The JSON values that start a line of a text.
fn values(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("\n{\n").into_iter().chain(rest.find("\n[\n")).min() {
        rest = &rest[start + 1..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                found.push(value);
                rest = &rest[stream.byte_offset()..];
            }
            _ => rest = &rest[1..],
        }
    }
    found
}

#[test]
fn every_example_of_the_document_comes_through() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/role-mining.yaml")).unwrap();
    let document: Value = serde_yaml::from_str(&text).unwrap();
    let mut seen = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if let Some(example) = schema.get("example") {
            let back = through(name, example).unwrap_or_else(|| panic!("no type for {name}"));
            assert_eq!(without_nulls(&back), without_nulls(example), "{name}");
            seen += 1;
        }
    }
    bodies(&document, &mut |schema, example| {
        let model = |schema: &Value| Some(schema["$ref"].as_str()?.rsplit('/').next()?.to_owned());
        let (name, examples) = match (model(schema), model(&schema["items"]), example) {
            (Some(name), _, example) => (name, vec![example.clone()]),
            (None, Some(name), Value::Array(examples)) => (name, examples.clone()),
            _ => return,
        };
        for example in examples {
            let back = through(&name, &example).unwrap_or_else(|| panic!("no type for {name}"));
            assert_eq!(without_nulls(&back), without_nulls(&example), "{name}");
            seen += 1;
        }
    });
    assert!(seen > 20, "{seen} examples");
}

/// Calls `visit` with the schema and each example of every body in the document.
fn bodies(node: &Value, visit: &mut dyn FnMut(&Value, &Value)) {
    match node {
        Value::Object(map) => {
            if let Some(schema) = map.get("schema") {
                map.get("example").into_iter().for_each(|example| visit(schema, example));
                let named = map.get("examples").and_then(Value::as_object).into_iter().flatten();
                named
                    .filter_map(|(_, example)| example.get("value"))
                    .for_each(|example| visit(schema, example));
            }
            map.values().for_each(|value| bodies(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| bodies(item, visit)),
        _ => {}
    }
}

#[test]
fn an_unknown_value_of_an_enum_matches_and_comes_through() {
    let role: RoleMiningPotentialRoleSummary =
        read(json!({ "type": "HYBRID", "provisionState": "RETRYING" }));
    match role.type_.as_ref().unwrap() {
        RoleMiningRoleType::Unknown(value) => assert_eq!(value, "HYBRID"),
        known => panic!("{known}"),
    }
    assert_eq!(role.provision_state.as_ref().unwrap().as_str(), "RETRYING");
    assert_eq!(written(&role), json!({ "type": "HYBRID", "provisionState": "RETRYING" }));
    assert_eq!(RoleMiningRoleType::from("COMMON"), RoleMiningRoleType::Common);
}

#[test]
fn a_null_where_the_document_forbids_one_reads_as_absent() {
    let role: RoleMiningPotentialRole = read(json!({
        "identityIds": null, "saved": null, "density": null, "name": null, "session": null, "type": null,
        "createdDate": null, "identityDistribution": [null, { "attributeName": null, "distribution": null }],
    }));
    assert_eq!((&role.identity_ids, &role.saved, &role.density, &role.session), (&None, &None, &None, &None));
    assert_eq!(role.identity_distribution.as_ref().unwrap().len(), 1, "a null among models is none");
    let error: ErrorResponseDto =
        read(json!({ "messages": null, "causes": [{ "localeOrigin": null, "text": "why" }] }));
    assert_eq!(error.messages, None);
    assert_eq!(error.causes.unwrap()[0].locale_origin, None);
    let identity: RoleMiningIdentity =
        read(json!({ "attributes": { "department": null, "location": "NYC" } }));
    assert_eq!(without_nulls(&written(&identity)), json!({ "attributes": { "location": "NYC" } }));
    let scope: RoleMiningSessionScope = read(json!({ "identityIds": ["a", null, "b"] }));
    assert_eq!(scope.identity_ids.unwrap(), ["a", "b"]);
}

#[test]
fn a_creator_may_be_an_object_null_or_absent() {
    for (value, wanted) in [
        (json!({ "createdBy": { "id": "1", "displayName": "Ashley" } }), Some("Ashley")),
        (json!({ "createdBy": {} }), None),
        (json!({ "createdBy": null }), None),
        (json!({}), None),
    ] {
        let there = value["createdBy"].is_object();
        let name = |by: Option<EntityCreatedByDto>| {
            assert_eq!(by.is_some(), there);
            by.and_then(|by| by.display_name)
        };
        assert_eq!(name(read::<RoleMiningSessionResponse>(value.clone()).created_by).as_deref(), wanted);
        assert_eq!(name(read::<RoleMiningPotentialRole>(value.clone()).created_by).as_deref(), wanted);
        assert_eq!(name(read::<RoleMiningPotentialRoleSummary>(value).created_by).as_deref(), wanted);
    }
}

#[test]
fn what_is_set_is_sent_as_it_is_set() {
    let session = |set: fn(&mut RoleMiningSessionDto)| {
        let mut session = RoleMiningSessionDto::default();
        set(&mut session);
        written(&session)
    };
    assert_eq!(session(|_| {}), json!({}), "nothing is sent that was not set, not even a default");
    assert_eq!(
        session(|session| session.prune_threshold = Nullable::Null),
        json!({ "pruneThreshold": null })
    );
    assert_eq!(session(|session| session.prune_threshold = 0.into()), json!({ "pruneThreshold": 0 }));
    assert_eq!(session(|session| session.saved = Some(false)), json!({ "saved": false }));
    let scope = |identity_ids| RoleMiningSessionScope { identity_ids, ..Default::default() };
    assert_eq!(written(&scope(Some(Vec::new()))), json!({ "identityIds": [] }));
    assert_eq!(written(&scope(None)), json!({}));
    let mut patch = JsonPatchOperation::new("replace", "/pruneThreshold");
    assert_eq!(written(&patch), json!({ "op": "replace", "path": "/pruneThreshold" }));
    patch.value = Some(Value::Null);
    assert_eq!(written(&patch), json!({ "op": "replace", "path": "/pruneThreshold", "value": null }));
    for cleared in
        [json!({ "pruneThreshold": null, "name": null }), json!({ "value": null, "op": "add", "path": "/a" })]
    {
        let model = if cleared.get("op").is_some() { "JsonPatchOperation" } else { "RoleMiningSessionDto" };
        assert_eq!(through(model, &cleared), Some(cleared));
    }
}

#[test]
fn filter_criteria_are_a_list_or_an_object() {
    for criteria in
        [json!([{ "data": { "name": "location" } }]), json!({ "data": { "name": "location" } }), Value::Null]
    {
        let scope = json!({ "attributeFilterCriteria": criteria });
        assert_eq!(through("RoleMiningSessionScope", &scope), Some(scope));
    }
}

#[test]
fn fields_that_are_not_known_are_kept() {
    let sent = json!({ "id": "1", "minedOn": { "engine": 2 }, "tags": [1, null] });
    let session: RoleMiningSessionResponse = read(sent.clone());
    assert_eq!(session.extra["minedOn"]["engine"], 2);
    assert_eq!(written(&session), sent);
}

#[test]
fn dates_are_read_in_the_forms_that_services_write() {
    for text in [
        "2024-07-29T15:51:28.071Z",
        "2024-07-29T17:51:28.071+02:00",
        "2024-07-29T15:51:28.071+0000",
        "2024-07-29T15:51:28.071",
    ] {
        let role: RoleMiningPotentialRole = read(json!({ "createdDate": text }));
        assert_eq!(written(&role), json!({ "createdDate": "2024-07-29T15:51:28.071Z" }));
    }
    let error =
        serde_json::from_str::<RoleMiningPotentialRole>(r#"{"createdDate":"2024-13-01"}"#).unwrap_err();
    assert!(error.to_string().starts_with("RoleMiningPotentialRole.createdDate: "), "{error}");
}

/// A client of a server that answers everything with `status` and `body`.
async fn answering(status: u16, content_type: &'static str, body: &'static str) -> Client {
    let answer = move |_: &server::Received| {
        let headers = vec![("content-type", content_type.to_owned()), ("x-total-count", "7".into())];
        (status, headers, body.into())
    };
    Client::new(&server::Server::start(answer).await.unwrap().url).unwrap()
}

#[tokio::test]
async fn a_listed_session_has_its_id() {
    let client =
        answering(200, "application/json", r#"[{"id":"602ba738","name":null,"saved":false,"new":1}]"#).await;
    let sessions = client.get_role_mining_sessions().count(true).send().await.unwrap();
    assert_eq!(sessions[0].id.as_deref(), Some("602ba738"));
    assert_eq!((sessions.len(), sessions.total_count()), (1, Some(7)));
}

#[tokio::test]
async fn a_patched_role_comes_back_as_a_role() {
    let client = answering(200, "application/json", r#"{"id":"1","name":"Accounting","saved":true}"#).await;
    let patch = [PatchPotentialRoleRequestInner::new("remove", "/description")];
    let role =
        client.patch_potential_role().session_id("s").potential_role_id("r").body(patch.clone()).send();
    let role: ResponseValue<RoleMiningPotentialRole> = role.await.unwrap();
    assert_eq!(role.name.as_deref(), Some("Accounting"));
    let role =
        client.patch_role_mining_potential_role().potential_role_id("r").body(patch).send().await.unwrap();
    assert_eq!(role.saved, Some(true));
}

async fn refused(status: u16, content_type: &'static str, body: &'static str) -> Error {
    let client = answering(status, content_type, body).await;
    client.get_role_mining_session().session_id("s").send().await.unwrap_err()
}

#[tokio::test]
async fn every_shape_of_error_keeps_what_it_says() {
    let json = "application/json";
    let dto = r#"{"detailCode":"400.1 Bad Request Content","trackingId":"e7eab609","messages":[{"locale":"en-US","localeOrigin":"DEFAULT","text":"Bad."},{"locale":"de","localeOrigin":null,"text":"Falsch."}],"causes":null}"#;
    for status in [400, 403, 404, 500] {
        let error = refused(status, json, dto).await;
        let body = error.body().unwrap();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(error.tracking_id(), Some("e7eab609"));
        assert_eq!(body.detail_code.as_deref(), Some("400.1 Bad Request Content"));
        assert_eq!(body.messages.as_ref().unwrap()[1].text.as_deref(), Some("Falsch."));
        assert_eq!(error.headers().unwrap()["x-total-count"], "7");
        let text = error.to_string();
        for part in ["get_role_mining_session", &status.to_string(), "Bad.", "e7eab609"] {
            assert!(text.contains(part) && !text.contains('\n'), "{text}");
        }
    }
    let expired = refused(401, json, r#"{"error":"JWT validation failed: JWT is expired"}"#).await;
    assert!(
        expired.to_string().contains("401") && expired.to_string().contains("JWT is expired"),
        "{expired}"
    );
    let limited = refused(429, json, r#"{"message":" Rate Limit Exceeded "}"#).await;
    assert!(limited.to_string().contains("Rate Limit Exceeded"), "{limited}");
}

#[tokio::test]
async fn an_error_that_is_not_the_documented_one_is_kept_as_it_came() {
    for (content_type, body) in [
        ("text/html", "<html><body>502 Bad Gateway</body></html>"),
        ("application/json", ""),
        ("application/json", "[1]"),
        ("application/json", r#"{"messages":"many"}"#),
    ] {
        let error = refused(502, content_type, body).await;
        assert_eq!(error.status().unwrap().as_u16(), 502, "{body}");
        assert_eq!(error.raw_body().unwrap(), body.as_bytes());
        assert_eq!(error.headers().unwrap()["content-type"], content_type);
        assert_eq!(error.tracking_id(), None);
    }
}

#[tokio::test]
async fn success_with_another_body_is_an_error_that_keeps_it() {
    for body in ["", "null", "<html>", r#"{"id":7}"#, r#"{"id":"7""#] {
        let error = refused(200, "application/json", body).await;
        assert!(error.is_unexpected_body(), "{error}");
        assert_eq!(error.status().unwrap().as_u16(), 200);
        assert_eq!(error.raw_body().unwrap(), body.as_bytes());
    }
    let error = refused(200, "application/json", r#"{"id":7}"#).await;
    assert!(error.to_string().contains("RoleMiningSessionResponse.id"), "{error}");
}

#[tokio::test]
async fn a_request_that_cannot_be_made_is_not_sent() {
    let server = server::Server::start(|_| server::json(200, &json!({}))).await.unwrap();
    let client = Client::new(&server.url).unwrap();
    for id in ["", ".", ".."] {
        let error = client.get_role_mining_session().session_id(id).send().await.unwrap_err();
        assert!(error.is_invalid_request() && error.to_string().contains("sessionId"), "{error}");
    }
    let error = client.get_role_mining_session().send().await.unwrap_err();
    assert!(
        error.is_invalid_request() && error.to_string().contains("`sessionId`, which was not set"),
        "{error}"
    );
    let error = client.create_role_mining_sessions().send().await.unwrap_err();
    assert!(error.is_invalid_request() && error.to_string().contains("needs a body"), "{error}");
    assert!(server.received().is_empty());
}
