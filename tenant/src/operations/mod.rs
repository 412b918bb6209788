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
        other => Err(Refusal { status: 500, text: format!("The tenant does not know how to do {other}.") }),
    }
}

/// The role that the path names, within a session if it names one.
fn role(world: &mut World, call: &Call<'_>) -> Result<usize, Refusal> {
    world.role(call.text("sessionId"), call.text("potentialRoleId").unwrap_or_default())
}

/// One operation of a JSON patch that the document allows.
struct Patch<'a> {
    field: &'a str,
    removes: bool,
    value: &'a Value,
    operation: &'a str,
}

impl Patch<'_> {
    fn refused(&self, why: &str) -> Refusal {
        Refusal::bad_request(format!("Cannot {} {:?}: {why}.", self.operation, self.field))
    }
}

/// The operations of a JSON patch, if the document allows all of them for their fields.
fn patches<'a>(call: &'a Call<'_>) -> Result<Vec<Patch<'a>>, Refusal> {
    let read = |patch: &'a Value| {
        let (operation, path) =
            (patch["op"].as_str().unwrap_or_default(), patch["path"].as_str().unwrap_or_default());
        let field = path.strip_prefix('/').unwrap_or(path);
        let patch = Patch { field, removes: operation == "remove", value: &patch["value"], operation };
        match call.operation.patches.get(field).filter(|_| path.starts_with('/')) {
            Some(allowed) if allowed.iter().any(|known| known == operation) => Ok(patch),
            Some(allowed) => Err(patch.refused(&format!("this field allows only {}", allowed.join(", ")))),
            None => {
                let known: Vec<_> = call.operation.patches.keys().map(|field| format!("/{field}")).collect();
                Err(patch.refused(&format!("only these can be patched: {}", known.join(", "))))
            }
        }
    };
    call.body.as_array().into_iter().flatten().map(read).collect()
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
