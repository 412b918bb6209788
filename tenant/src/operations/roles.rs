//! Potential roles: their summaries, members, drafts, patches and provisioning.

use serde_json::{Value, json};

use super::{Answer, lenient_flag, patches, role, show};
use crate::call::Call;
use crate::collection::Listing;
use crate::reply::{Refusal, Reply};
use crate::world::{World, default_name};

/// The summaries of one session, if the path names it, or else of all.
pub(super) fn summaries(world: &mut World, call: &Call<'_>) -> Answer {
    let numbers = match call.text("sessionId") {
        Some(id) => {
            let session = world.session(id)?;
            world.roles_of(session)
        }
        None => world.all_roles(),
    };
    let shown: Vec<Value> = numbers.into_iter().map(|number| show::summary(world, number)).collect();
    let field = |summary: &Value, name: &str| match name {
        "createdById" => summary["createdBy"]["id"].clone(),
        "createdByName" => summary["createdBy"]["displayName"].clone(),
        "startDate" | "endDate" => summary["createdDate"].clone(),
        "scopingMethod" => summary["session"]["scopingMethod"].clone(),
        "sessionState" => summary["session"]["state"].clone(),
        "identityAttribute" => json!(summary["session"]["scope"].to_string()),
        _ => summary[name].clone(),
    };
    Listing { items: shown, field: &field, show: &Value::clone, default_sorter: "" }
        .page(call, &world.settings)
}

pub(super) fn get(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    Ok(Reply::json(200, show::role(world, number)))
}

pub(super) fn identities(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let world = &*world;
    let field = |&who: &u32, name: &str| match name {
        "name" => json!(world.organisation.name(who)),
        "id" => json!(world.organisation.identity_id(who)),
        _ => json!(world.organisation.attribute(who, name.strip_prefix("attributes.").unwrap_or(name))),
    };
    let show = |&who: &u32| show::identity(world, who);
    let items = world.roles[number].members().to_vec();
    Listing { items, field: &field, show: &show, default_sorter: "" }.page(call, &world.settings)
}

/// On how many days each member used a source.
pub(super) fn usage(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let id = call.text("sourceId").unwrap_or_default();
    let organisation = &world.organisation;
    let source = organisation.application_of(id).ok_or_else(|| Refusal::not_found("source", id))?;
    let field = |&who: &u32, name: &str| match name {
        "displayName" => json!(organisation.name(who)),
        "email" => json!(organisation.email(who)),
        "usageCount" => json!(organisation.usage_days(who, source)),
        _ => Value::Null,
    };
    let show = |who: &u32| {
        json!({
            "id": organisation.identity_id(*who),
            "displayName": field(who, "displayName"),
            "email": field(who, "email"),
            "usageCount": field(who, "usageCount"),
        })
    };
    let items = world.roles[number].members().to_vec();
    Listing { items, field: &field, show: &show, default_sorter: "" }.page(call, &world.settings)
}

/// The roles that somebody saved.
pub(super) fn drafts(world: &mut World, call: &Call<'_>) -> Answer {
    let mut saved = world.all_roles();
    let world = &*world;
    saved.retain(|&number| world.roles[number].saved);
    let field = |&number: &usize, name: &str| match name {
        "modified" | "modifiedDate" => json!(world.stamp(world.roles[number].modified)),
        "createdDate" => json!(world.stamp(world.roles[number].created)),
        "name" => json!(world.roles[number].name),
        _ => Value::Null,
    };
    let show = |&number: &usize| show::draft(world, number);
    Listing { items: saved, field: &field, show: &show, default_sorter: "" }.page(call, &world.settings)
}

pub(super) fn patch(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let now = world.now();
    let role = &mut world.roles[number];
    let (mut name, mut description, mut saved) = (role.name.clone(), role.description.clone(), role.saved);
    for patch in patches(call)? {
        let text =
            || patch.value.as_str().map(str::to_owned).ok_or_else(|| patch.refused("the value is text"));
        match (patch.field, patch.removes) {
            ("name", true) => name = default_name(&role.id),
            ("name", false) => name = text()?,
            ("description", removes) if removes || patch.value.is_null() => description = None,
            ("description", _) => description = Some(text()?),
            ("saved", true) => saved = false,
            ("saved", false) => {
                saved =
                    lenient_flag(patch.value).ok_or_else(|| patch.refused("the value is true or false"))?;
            }
            _ => return Err(patch.refused("the tenant keeps no such field")),
        }
    }
    (role.name, role.description, role.saved, role.modified) = (name, description, saved, now);
    Ok(Reply::json(200, show::role(world, number)))
}

pub(super) fn provision(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let (state, _) = world.provision_state(number);
    if state == "PENDING" || state == "COMPLETE" {
        return Err(Refusal::bad_request(format!(
            "Cannot provision potential role {}: its provision state is {state} already.",
            world.roles[number].id
        )));
    }
    let least_popularity = call.number("min-entitlement-popularity").unwrap_or(0);
    world.provision(number, least_popularity, call.flag("include-common-access").unwrap_or(true));
    Ok(Reply::json(202, show::summary(world, number)))
}
