//! The entitlements of potential roles, and the applications these belong to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, role, show};
use crate::call::Call;
use crate::collection::Listing;
use crate::reply::{Refusal, Reply};
use crate::world::World;

pub(super) fn popularities(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let entitlements = world.entitlements(number, call.flag("includeCommonAccess").unwrap_or(true));
    list(world, call, number, entitlements)
}

pub(super) fn excluded(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let role = &world.roles[number];
    let is_excluded = |&(entitlement, _): &(u16, u32)| role.excluded.contains(&entitlement);
    let entitlements = role.counts().iter().copied().filter(is_excluded).collect();
    list(world, call, number, entitlements)
}

fn list(world: &World, call: &Call<'_>, number: usize, entitlements: Vec<(u16, u32)>) -> Answer {
    let organisation = &world.organisation;
    let members = world.roles[number].members().len() as f64;
    let field = |&(entitlement, count): &(u16, u32), name: &str| {
        let known = &organisation.entitlements[usize::from(entitlement)];
        match name {
            "popularity" => json!(show::percent(f64::from(count) / members)),
            "entitlementName" | "entitlementRef.name" | "name" => json!(known.name),
            "applicationName" => {
                json!(organisation.applications[usize::from(known.application)].name)
            }
            _ => Value::Null,
        }
    };
    let show = |&(entitlement, count): &(u16, u32)| show::entitlement(world, number, entitlement, count);
    Listing { items: entitlements, field: &field, show: &show, default_sorter: "-popularity" }
        .page(call, &world.settings)
}

/// How many entitlements there are in each tenth of popularity, by its lower end in percent.
pub(super) fn distribution(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let members = world.roles[number].members().len();
    let mut counts: BTreeMap<String, usize> = (0..10).map(|tenth| (format!("{}", tenth * 10), 0)).collect();
    for (_, count) in world.entitlements(number, call.flag("includeCommonAccess").unwrap_or(true)) {
        let tenth = (count as usize * 10 / members).min(9);
        *counts.entry(format!("{}", tenth * 10)).or_default() += 1;
    }
    Ok(Reply::json(200, json!(counts)))
}

/// The entitlements by id and name alone.
pub(super) fn references(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let world = &*world;
    let known = |entitlement: &u16| &world.organisation.entitlements[usize::from(*entitlement)];
    let field = |entitlement: &u16, name: &str| match name {
        "entitlementRef.name" | "name" => json!(known(entitlement).name),
        _ => Value::Null,
    };
    let show = |entitlement: &u16| json!({"id": known(entitlement).id, "name": known(entitlement).name});
    let items = world.entitlements(number, true).into_iter().map(|(entitlement, _)| entitlement).collect();
    Listing { items, field: &field, show: &show, default_sorter: "" }.page(call, &world.settings)
}

pub(super) fn applications(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let organisation = &world.organisation;
    let of = |(entitlement, _): (u16, u32)| organisation.entitlements[usize::from(entitlement)].application;
    let mut items: Vec<u16> = world.entitlements(number, true).into_iter().map(of).collect();
    items.sort_unstable();
    items.dedup();
    let known = |application: &u16| &organisation.applications[usize::from(*application)];
    let field = |application: &u16, name: &str| match name {
        "applicationName" | "name" => json!(known(application).name),
        _ => Value::Null,
    };
    let show = |application: &u16| json!({"id": known(application).id, "name": known(application).name});
    Listing { items, field: &field, show: &show, default_sorter: "" }.page(call, &world.settings)
}

/// Puts entitlements on the list of what the role leaves out, or takes them off it.
pub(super) fn edit(world: &mut World, call: &Call<'_>) -> Answer {
    let number = role(world, call)?;
    let now = world.now();
    let (Some(ids), Some(exclude)) = (call.body["ids"].as_array(), call.body["exclude"].as_bool()) else {
        return Err(Refusal::bad_request(
            "Cannot edit the entitlements: both \"ids\" and \"exclude\" are needed.",
        ));
    };
    let mut entitlements = Vec::new();
    for id in ids.iter().filter_map(Value::as_str) {
        let known = world.organisation.entitlement_of(id);
        let own = known
            .filter(|known| world.roles[number].counts().iter().any(|(entitlement, _)| entitlement == known));
        entitlements.push(own.ok_or_else(|| {
            Refusal::bad_request(format!(
                "Cannot edit the entitlements: the potential role has none with the id {id:?}."
            ))
        })?);
    }
    let role = &mut world.roles[number];
    for entitlement in entitlements {
        match exclude {
            true => role.excluded.insert(entitlement),
            false => role.excluded.remove(&entitlement),
        };
    }
    role.modified = now;
    Ok(Reply::json(201, show::role(world, number)))
}
