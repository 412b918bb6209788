//! Waiting for exports, sessions and provision requests, and patching, against a tenant.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use futures_util::StreamExt as _;
use sailpoint_role_mining::{
    Client, ExportJob, ExportState, ExportToken, PollSchedule, Polled, ProvisionState, RetryPolicy,
    SessionState, WaitError, types,
};
use sailpoint_role_mining_tenant::{Fault, Tenant};

const STATUS: &str = "export_role_mining_potential_role_status";

fn client(tenant: &Tenant) -> Client {
    Client::builder(tenant.base_url())
        .credentials(tenant.client_id(), tenant.client_secret())
        .retry(RetryPolicy { base: Duration::from_millis(5), ..RetryPolicy::default() })
        .build()
        .unwrap()
}

fn quick() -> PollSchedule {
    PollSchedule {
        least: Duration::from_millis(10),
        most: Duration::from_millis(20),
        ..PollSchedule::default()
    }
}

async fn ids(client: &Client) -> (String, String) {
    let sessions = client.get_role_mining_sessions().send().await.unwrap();
    let session = sessions[0].id.clone().unwrap();
    let roles = client.get_potential_role_summaries().session_id(&session).send().await.unwrap();
    (session, roles[0].id.clone().unwrap())
}

async fn job(client: &Client) -> ExportJob {
    let (session, role) = ids(client).await;
    client.export(session, role).min_entitlement_popularity(10).start().await.unwrap()
}

/// A tenant whose time stands still, and a job it will never finish by itself.
async fn frozen() -> (Tenant, ExportJob) {
    let tenant = Tenant::builder().identities(300).frozen_clock().start().await.unwrap();
    let job = job(&client(&tenant)).await;
    (tenant, job)
}

async fn running() -> (Tenant, ExportJob) {
    let step = Duration::from_millis(60);
    let tenant = Tenant::builder().identities(300).step(step).start().await.unwrap();
    let job = job(&client(&tenant)).await;
    (tenant, job)
}

#[tokio::test]
async fn statuses_come_before_the_wait() {
    let (tenant, job) = frozen().await;
    let long = PollSchedule { least: Duration::from_secs(3600), ..PollSchedule::default() };
    let mut watch = ExportJob::watch(&client(&tenant).attach(job.token().clone())).schedule(long);
    let first = tokio::time::timeout(Duration::from_secs(5), watch.next()).await.unwrap();
    assert_eq!(first.unwrap().unwrap().status(), Some(ExportState::Queued));
    assert_eq!((watch.polls(), tenant.calls(STATUS)), (1, 1));
}

#[tokio::test]
async fn what_start_said_is_the_first_status() {
    let (tenant, job) = frozen().await;
    let mut watch = job.watch();
    assert_eq!(watch.next().await.unwrap().unwrap().status(), Some(ExportState::Queued));
    assert_eq!((watch.polls(), tenant.calls(STATUS)), (0, 0));
}

#[tokio::test]
async fn an_export_is_watched_to_its_end() {
    let (_tenant, job) = running().await;
    let seen: Vec<_> = job.watch().schedule(quick()).map(|polled| polled.unwrap().status()).collect().await;
    assert_eq!(seen.first(), Some(&Some(ExportState::Queued)));
    assert!(seen.contains(&Some(ExportState::InProgress)));
    assert_eq!(seen.last(), Some(&Some(ExportState::Success)));
    assert_eq!(job.wait().await.unwrap(), ExportState::Success);
    assert_eq!(job.status().await.unwrap(), ExportState::Success);
}

#[tokio::test]
async fn another_process_attaches_by_the_token() {
    let (tenant, job) = running().await;
    let text = serde_json::to_string(job.token()).unwrap();
    drop(job);
    let token: ExportToken = serde_json::from_str(&text).unwrap();
    let finished = client(&tenant).attach(token).finish().schedule(quick()).await.unwrap();
    assert_eq!(finished.token().export_id(), serde_json::from_str::<ExportToken>(&text).unwrap().export_id());
    assert_eq!(tenant.calls("export_role_mining_potential_role_async"), 1);
}

#[tokio::test]
async fn dropping_stops_it() {
    let (tenant, job) = frozen().await;
    let mut watch = job.watch().schedule(quick());
    for _ in 0..3 {
        watch.next().await.unwrap().unwrap();
    }
    drop(watch);
    let calls = tenant.calls(STATUS);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(tenant.calls(STATUS), calls);
}

#[tokio::test]
async fn export_fails() {
    let tenant = Tenant::builder().identities(300).step(Duration::from_millis(30)).start().await.unwrap();
    tenant.fail_exports(true);
    let error = job(&client(&tenant)).await.finish().schedule(quick()).await.unwrap_err();
    assert!(matches!(error, WaitError::Failed { status: ExportState::Error, .. }), "{error:?}");
    assert!(error.is_failure());
}

#[tokio::test]
async fn export_stalls_forever() {
    let (_tenant, job) = frozen().await;
    let limit = Duration::from_millis(300);
    let error = job.finish().schedule(quick()).timeout(limit).await.unwrap_err();
    let WaitError::TimedOut { elapsed, polls, last, trouble, .. } = &error else { panic!("{error:?}") };
    assert!((limit / 2..limit * 2).contains(elapsed), "{elapsed:?}");
    assert!((5..60).contains(polls), "{polls}");
    assert_eq!(*last, Some(ExportState::Queued));
    assert!(trouble.is_none());
    assert!(error.to_string().ends_with("last it was QUEUED"), "{error}");
}

#[tokio::test]
async fn status_call_hangs() {
    let (tenant, job) = frozen().await;
    tenant.fault(Fault::delay(Duration::from_secs(60)).on(STATUS));
    let begun = std::time::Instant::now();
    let error = job.finish().timeout(Duration::from_millis(600)).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn export_vanishes() {
    let (tenant, job) = frozen().await;
    tenant.fault(Fault::status(404).on(STATUS).nth(2));
    let error = job.finish().schedule(quick()).await.unwrap_err();
    let WaitError::Call { error, last } = error else { panic!("{error:?}") };
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    assert_eq!(last, Some(ExportState::Queued));
}

#[tokio::test]
async fn status_goes_backwards() {
    let (tenant, job) = running().await;
    tenant.fault(Fault::field("status", "IN_PROGRESS".into()).on(STATUS).nth(1).times(1));
    tenant.fault(Fault::field("status", "QUEUED".into()).on(STATUS).nth(2).times(1));
    let seen: Vec<_> =
        job.watch().schedule(quick()).map(|polled| polled.unwrap().status().unwrap()).collect().await;
    assert_eq!(seen[..3], [ExportState::Queued, ExportState::InProgress, ExportState::Queued]);
    assert_eq!(seen.last(), Some(&ExportState::Success));
}

#[tokio::test]
async fn status_is_unknown() {
    let (tenant, job) = running().await;
    tenant.fault(Fault::unknown_status("PAUSED").on(STATUS).times(2));
    tenant.fault(Fault::null_field("status").on(STATUS).nth(3).times(1));
    let seen: Vec<_> =
        job.watch().schedule(quick()).map(|polled| polled.unwrap().status().unwrap()).collect().await;
    assert_eq!(seen[1], ExportState::Unknown("PAUSED".into()));
    assert_eq!(seen.last(), Some(&ExportState::Success));
}

#[tokio::test]
async fn token_expires_while_polling() {
    let (tenant, job) = frozen().await;
    let mut watch = job.watch().schedule(quick());
    for _ in 0..3 {
        watch.next().await.unwrap().unwrap();
        tenant.revoke_tokens();
        tenant.advance(Duration::from_millis(1));
    }
    tenant.advance(Duration::from_secs(749));
    assert_eq!(watch.await.unwrap(), ExportState::Success);
    assert!(tenant.calls("token") >= 3);
}

#[tokio::test]
async fn transient_errors_are_values() {
    let (tenant, job) = frozen().await;
    tenant.fault(Fault::status(503).on(STATUS).nth(2).times(5));
    let mut watch = job.watch().schedule(quick());
    let mut troubles = 0;
    while let Some(polled) = watch.next().await {
        match polled.unwrap() {
            Polled::Trouble(error) => {
                assert_eq!(error.status().unwrap().as_u16(), 503);
                troubles += 1;
                tenant.advance(Duration::from_secs(5));
            }
            polled => drop(polled),
        }
    }
    assert_eq!(troubles, 1);
}

#[tokio::test]
async fn trouble_without_end_is_an_error() {
    let (tenant, job) = frozen().await;
    tenant.fault(Fault::status(503).on(STATUS));
    let error = job.finish().schedule(quick()).tolerate(Duration::from_millis(100)).await.unwrap_err();
    assert_eq!(error.call_error().unwrap().status().unwrap().as_u16(), 503);
    assert_eq!(error.last(), Some(&ExportState::Queued));
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let (tenant, job) = frozen().await;
    tenant.fault(Fault::header("retry-after", "2").on(STATUS).times(1));
    let mut watch = client(&tenant).attach(job.token().clone()).watch().schedule(quick());
    watch.next().await.unwrap().unwrap();
    let begun = std::time::Instant::now();
    watch.next().await.unwrap().unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(1990), "{:?}", begun.elapsed());
    // A wait that is longer than the time that is left is not begun.
    tenant.fault(Fault::header("retry-after", "60").on(STATUS));
    let error = job.finish().schedule(quick()).timeout(Duration::from_secs(5)).await.unwrap_err();
    assert!(error.is_timeout() && begun.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_session_is_created_and_waited_for() {
    let tenant = Tenant::builder().identities(300).step(Duration::from_millis(80)).start().await.unwrap();
    let client = client(&tenant);
    let scope = types::RoleMiningSessionScope {
        criteria: "attributes.department:\"Finance\"".into(),
        ..Default::default()
    };
    let body = types::RoleMiningSessionDto {
        scope: Some(scope),
        min_num_identities_in_potential_role: 2.into(),
        type_: Some(types::RoleMiningRoleType::Specialized),
        ..Default::default()
    };
    let watch = client.create_and_wait(body).schedule(quick()).timeout(Duration::from_secs(20));
    let seen: Vec<_> =
        watch.watch().await.unwrap().map(|polled| polled.unwrap().status().unwrap()).collect().await;
    assert_eq!(seen[0].state, SessionState::Created);
    let last = seen.last().unwrap();
    assert_eq!(last.state, SessionState::PotentialRolesCreated);
    assert_eq!(last.potential_roles, last.potential_roles_ready);
    assert_eq!(tenant.calls("create_role_mining_sessions"), 1);

    // A session that is past the state that is waited for has reached it.
    let passed = client.wait_for_session(&last.id).until(SessionState::IdentitiesObtained).await.unwrap();
    assert_eq!(passed.state, SessionState::PotentialRolesCreated);
}

#[tokio::test]
async fn a_session_that_is_not_done_in_time_is_told_with_its_counts() {
    let tenant = Tenant::builder().identities(300).frozen_clock().start().await.unwrap();
    let client = client(&tenant);
    let (session, _) = ids(&client).await;
    client.patch_role_mining_session().session_id(&session).replace_prune_threshold(60).send().await.unwrap();
    tenant.advance(Duration::from_millis(1750));
    let wait = client.wait_for_session(&session).schedule(quick()).timeout(Duration::from_millis(200));
    let error = wait.await.unwrap_err();
    let last = error.last().unwrap();
    assert_eq!(last.state, SessionState::PotentialRolesProcessing);
    assert!(last.potential_roles_ready < last.potential_roles, "{last}");
}

#[tokio::test]
async fn a_role_is_provisioned() {
    let tenant = Tenant::builder().identities(300).step(Duration::from_millis(60)).start().await.unwrap();
    let client = client(&tenant);
    let (session, role) = ids(&client).await;
    let asked = client.provision(&session, &role).min_entitlement_popularity(20).include_common_access(false);
    let done = asked.create_and_wait(Duration::from_secs(20)).await.unwrap();
    assert_eq!(done.state, ProvisionState::Complete);
    assert!(done.role_id.is_some());
    assert_eq!(tenant.calls("create_potential_role_provision_request"), 1);
}

#[tokio::test]
async fn a_provision_that_fails_is_a_failure() {
    let tenant = Tenant::builder().identities(300).step(Duration::from_millis(30)).start().await.unwrap();
    tenant.fail_provisions(true);
    let client = client(&tenant);
    let (session, role) = ids(&client).await;
    let error = client.provision(&session, &role).create_and_wait(Duration::from_secs(20)).await.unwrap_err();
    assert_eq!(error.last().unwrap().state, ProvisionState::Failed);
    assert!(error.is_failure());

    // Another request is not taken for the failure of the one before.
    tenant.fail_provisions(false);
    let done = client.provision(&session, &role).create_and_wait(Duration::from_secs(20)).await.unwrap();
    assert_eq!(done.state, ProvisionState::Complete);
}

#[tokio::test]
async fn patches_say_what_the_service_takes() {
    let tenant = Tenant::builder().identities(300).frozen_clock().start().await.unwrap();
    let client = client(&tenant);
    let (session, role) = ids(&client).await;
    let patch = || client.patch_potential_role().session_id(&session).potential_role_id(&role);
    let patched = patch().replace_name("Clerks").replace_description("Those who file").replace_saved(true);
    let patched = patched.send().await.unwrap();
    assert_eq!(patched.name.as_deref(), Some("Clerks"));
    assert_eq!(patched.saved, Some(true));
    let patched = patch().replace_description_with_null().remove_saved().send().await.unwrap();
    assert_eq!((patched.description.clone(), patched.saved), (None, Some(false)));
    let bodies: Vec<String> = tenant
        .record()
        .into_iter()
        .filter(|received| received.operation.as_deref() == Some("patch_potential_role"))
        .map(|received| String::from_utf8(received.body).unwrap())
        .collect();
    assert_eq!(
        bodies[1],
        r#"[{"op":"replace","path":"/description","value":null},{"op":"remove","path":"/saved"}]"#
    );

    let session = client.patch_role_mining_session().session_id(&session);
    session.add_name("Q3").replace_prune_threshold(55).replace_saved(true).send().await.unwrap();
}
