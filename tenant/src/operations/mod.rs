//! What each of the operations does to the world, and what it answers.

mod entitlements;
mod exports;
mod roles;
mod sessions;
mod show;

use serde_json::Value;

use crate::call::Call;
use crate::reply::{Refusal, Reply};
use crate::world::World;

type Answer = Result<Reply, Refusal>;

/// Carries out a call.
pub(crate) fn perform(world: &mut World, call: &Call<'_>) -> Answer {
    match call.operation.name.as_str() {
        "create_potential_role_provision_request" => roles::provision(world, call),
        "create_role_mining_sessions" => sessions::create(world, call),
        "download_role_mining_potential_role_zip" => exports::download(world, call),
        "export_role_mining_potential_role" => exports::direct(world, call),
        "export_role_mining_potential_role_async" => exports::start(world, call),
        "export_role_mining_potential_role_status" => exports::status(world, call),
        "get_all_potential_role_summaries" => roles::summaries(world, call),
        "get_entitlement_distribution_potential_role" => entitlements::distribution(world, call),
        "get_entitlements_potential_role" => entitlements::popularities(world, call),
        "get_excluded_entitlements_potential_role" => entitlements::excluded(world, call),
        "get_identities_potential_role" => roles::identities(world, call),
        "get_potential_role" => roles::get(world, call),
        "get_potential_role_applications" => entitlements::applications(world, call),
        "get_potential_role_entitlements" => entitlements::references(world, call),
        "get_potential_role_source_identity_usage" => roles::usage(world, call),
        "get_potential_role_summaries" => roles::summaries(world, call),
        "get_role_mining_potential_role" => roles::get(world, call),
        "get_role_mining_session" => sessions::get(world, call),
        "get_role_mining_session_status" => sessions::status(world, call),
        "get_role_mining_sessions" => sessions::list(world, call),
        "get_saved_potential_roles" => roles::drafts(world, call),
        "patch_potential_role" => roles::patch(world, call),
        "patch_role_mining_potential_role" => roles::patch(world, call),
        "patch_role_mining_session" => sessions::patch(world, call),
        "update_entitlements_potential_role" => entitlements::edit(world, call),
        other => Err(Refusal {
            status: 500,
            text: format!("The tenant does not know how to do {other}."),
        }),
    }
}

/// The role that the path names, within a session if it names one.
fn role(world: &mut World, call: &Call<'_>) -> Result<usize, Refusal> {
    world.role(
        call.text("sessionId"),
        call.text("potentialRoleId").unwrap_or_default(),
    )
}

/// The operations of a JSON patch: operation, path and value.
fn patches(body: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    body.as_array().into_iter().flatten().map(|patch| {
        (
            patch["op"].as_str().unwrap_or_default(),
            patch["path"].as_str().unwrap_or_default(),
            &patch["value"],
        )
    })
}

fn patch_refused(operation: &str, path: &str, why: &str) -> Refusal {
    Refusal::bad_request(format!("Cannot {operation} {path:?}: {why}."))
}

/// A boolean, or the text of one, as the vendor's examples write it.
fn lenient_flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_str()?.parse().ok())
}

/// A whole number of at least zero, or the text of one, as the vendor's examples write it.
fn lenient_number(value: &Value) -> Option<u32> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u32::try_from(number).ok()
}
