//! Exports of potential roles: at once, or as a job to ask after.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, role};
use crate::archive::Archive;
use crate::call::Call;
use crate::download::Zip;
use crate::reply::{Body, Refusal, Reply};
use crate::world::{Export, World};

pub(super) fn start(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let least_popularity = call.body["minEntitlementPopularity"].as_i64().unwrap_or(0);
    let with_common = call.body["includeCommonAccess"].as_bool().unwrap_or(true);
    let id = world.export(number, least_popularity, with_common).archive.id.clone();
    Ok(Reply::json(202, show(world, find(world, number, &id)?)))
}

pub(super) fn status(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let export = find(world, number, call.text("exportId").unwrap_or_default())?;
    Ok(Reply::json(200, show(world, export)))
}

pub(super) fn download(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let export = find(world, number, call.text("exportId").unwrap_or_default())?;
    match world.export_state(export) {
        "SUCCESS" => Ok(zip(&export.archive)),
        state => Err(Refusal::bad_request(format!(
            "Cannot download export {}: its status is {state}, not SUCCESS.",
            export.archive.id
        ))),
    }
}

pub(super) fn direct(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    Ok(zip(&world.export(number, 0, true).archive))
}

fn find<'a>(world: &'a World, role: usize, id: &str) -> Result<&'a Export, Refusal> {
    let found = world.exports.iter().find(|export| export.role == role && export.archive.id == id);
    found.ok_or_else(|| Refusal::not_found("export of this potential role", id))
}

fn show(world: &World, export: &Export) -> Value {
    json!({
        "exportId": export.archive.id,
        "status": world.export_state(export),
        "minEntitlementPopularity": export.least_popularity,
        "includeCommonAccess": export.with_common,
    })
}

fn zip(archive: &Arc<Archive>) -> Reply {
    Reply { status: 200, headers: Vec::new(), body: Body::Zip(Zip::whole(Arc::clone(archive))) }
        .header("content-type", "application/zip")
        .header("content-disposition", format!("attachment; filename=\"potential-role-{}.zip\"", archive.id))
}
