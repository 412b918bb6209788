//! Role mining sessions.

use serde_json::{Value, json};

use super::{Answer, lenient_flag, lenient_number, patches, show};
use crate::call::Call;
use crate::collection::Listing;
use crate::mining::Focus;
use crate::reply::{Refusal, Reply};
use crate::scope;
use crate::world::{Session, World};

pub(super) fn create(world: &mut World, call: &Call<'_>) -> Answer {
    let body = &call.body;
    if let Err(why) = scope::resolve(&world.organisation, &body["scope"]) {
        return Err(Refusal::bad_request(format!("Cannot create a session with this scope: {why}.")));
    }
    let text = |field: &str| body[field].as_str().map(str::to_owned);
    let session = Session {
        name: text("name"),
        saved: body["saved"].as_bool().unwrap_or(false),
        scope: match &body["scope"] {
            Value::Null => {
                json!({"identityIds": [], "criteria": null, "attributeFilterCriteria": null})
            }
            scope => scope.clone(),
        },
        focus: if body["type"] == "COMMON" { Focus::Common } else { Focus::Specialized },
        least_members: optional(
            &body["minNumIdentitiesInPotentialRole"],
            lenient_number,
            "minNumIdentitiesInPotentialRole",
        )?,
        threshold: optional(&body["pruneThreshold"], threshold, "pruneThreshold")?,
        email: text("emailRecipientId"),
        ..world.new_session(world.now())
    };
    let number = world.add_session(session);
    Ok(Reply::json(201, show::session(world, number)))
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let number = world.session(call.text("sessionId").unwrap_or_default())?;
    Ok(Reply::json(200, show::session(world, number)))
}

pub(super) fn status(world: &mut World, call: &Call<'_>) -> Answer {
    let number = world.session(call.text("sessionId").unwrap_or_default())?;
    Ok(Reply::json(200, json!({"state": world.progress(number).state})))
}

pub(super) fn list(world: &mut World, call: &Call<'_>) -> Answer {
    let shown: Vec<Value> = (0..world.sessions.len()).map(|number| show::session(world, number)).collect();
    let field = |session: &Value, name: &str| match name {
        "createdBy" => session["createdBy"]["displayName"].clone(),
        "createdById" => session["createdBy"]["id"].clone(),
        "createdByName" => session["createdBy"]["displayName"].clone(),
        "state" => session["status"]["state"].clone(),
        _ => session[name].clone(),
    };
    Listing { items: shown, field: &field, show: &Value::clone, default_sorter: "" }
        .page(call, &world.settings)
}

pub(super) fn patch(world: &mut World, call: &Call<'_>) -> Answer {
    let number = world.session(call.text("sessionId").unwrap_or_default())?;
    let before = world.sessions[number].clone();
    let mut session = before.clone();
    for patch in patches(call)? {
        let value = patch.value;
        match patch.field {
            "name" if value.is_null() => session.name = None,
            "name" => {
                session.name = Some(value.as_str().ok_or_else(|| patch.refused("a name is text"))?.to_owned())
            }
            "saved" => {
                session.saved =
                    lenient_flag(value).ok_or_else(|| patch.refused("the value is true or false"))?
            }
            "pruneThreshold" => session.threshold = optional(value, threshold, patch.field)?,
            "minNumIdentitiesInPotentialRole" => {
                session.least_members = optional(value, lenient_number, patch.field)?
            }
            _ => return Err(patch.refused("the tenant keeps no such field")),
        }
    }
    session.modified = world.now();
    let mines = session.threshold != before.threshold || session.least_members != before.least_members;
    world.sessions[number] = session;
    if mines {
        world.mine_again(number);
    }
    Ok(Reply::json(202, show::session(world, number)))
}

/// A number that may be null.
fn optional<T>(value: &Value, read: fn(&Value) -> Option<T>, what: &str) -> Result<Option<T>, Refusal> {
    match value {
        Value::Null => Ok(None),
        value => match read(value) {
            Some(number) => Ok(Some(number)),
            None => Err(Refusal::bad_request(format!(
                "Cannot use {value} as {what}: it is out of range or no number."
            ))),
        },
    }
}

fn threshold(value: &Value) -> Option<u8> {
    u8::try_from(lenient_number(value)?).ok().filter(|&threshold| threshold <= 100)
}
