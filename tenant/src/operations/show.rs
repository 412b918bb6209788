//! The JSON forms of what is in the world.

use serde_json::{Map, Value, json};

use crate::mining::Focus;
use crate::world::World;

pub(super) fn session(world: &mut World, number: usize) -> Value {
    let progress = world.progress(number);
    let session = &world.sessions[number];
    let mut shown = json!({
        "id": session.id,
        "name": session.name,
        "saved": session.saved,
        "scope": session.scope,
        "scopingMethod": session.scoping_method,
        "type": kind(session.focus),
        "minNumIdentitiesInPotentialRole": session.least_members,
        "pruneThreshold": session.threshold,
        "prescribedPruneThreshold": progress.prescribed_threshold,
        "potentialRoleCount": progress.roles,
        "potentialRolesReadyCount": progress.roles_ready,
        "identityCount": progress.identities,
        "status": {"state": progress.state},
        "emailRecipientId": session.email,
        "dataFilePath": null,
        "createdDate": world.stamp(session.created),
        "modifiedDate": world.stamp(session.modified),
    });
    set_creator(&mut shown, session.created_by.as_ref());
    shown
}

/// The parameters of the session that a role was found in.
fn parameters(world: &mut World, number: usize) -> Value {
    let state = world.progress(number).state;
    let session = &world.sessions[number];
    json!({
        "id": session.id,
        "name": session.name,
        "minNumIdentitiesInPotentialRole": session.least_members,
        "pruneThreshold": session.threshold,
        "saved": session.saved,
        "scope": session.scope,
        "type": kind(session.focus),
        "state": state,
        "scopingMethod": session.scoping_method,
    })
}

pub(super) fn summary(world: &mut World, number: usize) -> Value {
    let session = parameters(world, world.roles[number].session);
    let world = &*world;
    let (role, metrics) = (&world.roles[number], world.metrics(number));
    let (provision_state, role_id) = world.provision_state(number);
    let mut shown = json!({
        "id": role.id,
        "name": role.name,
        "potentialRoleRef": {"id": role.id, "name": role.name},
        "identityCount": role.members().len(),
        "entitlementCount": world.entitlements(number, false).len(),
        "identityGroupStatus": "OBTAINED",
        "provisionState": provision_state,
        "roleId": role_id,
        "density": metrics.density,
        "freshness": metrics.freshness,
        "quality": metrics.quality,
        "type": session["type"],
        "createdDate": world.stamp(role.created),
        "saved": role.saved,
        "description": role.description,
        "session": session,
    });
    set_creator(&mut shown, world.sessions[role.session].created_by.as_ref());
    shown
}

pub(super) fn role(world: &mut World, number: usize) -> Value {
    let mut shown = summary(world, number);
    let role = &world.roles[number];
    let organisation = &world.organisation;
    let excluded: Vec<_> = role
        .excluded
        .iter()
        .map(|&entitlement| &organisation.entitlements[usize::from(entitlement)].id)
        .collect();
    let ids: Vec<_> = role.members().iter().map(|&who| organisation.identity_id(who)).collect();
    let distribution: Vec<_> = ["department", "jobTitle", "location"]
        .iter()
        .map(|name| attribute_distribution(world, number, name))
        .collect();
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("potentialRoleRef");
        fields.remove("identityGroupStatus");
        fields.extend([
            ("excludedEntitlements".to_owned(), json!(excluded)),
            ("identityIds".to_owned(), json!(ids)),
            ("identityDistribution".to_owned(), json!(distribution)),
            ("modifiedDate".to_owned(), json!(world.stamp(role.modified))),
        ]);
    }
    shown
}

/// How the members of a role spread over the values of an attribute.
fn attribute_distribution(world: &World, number: usize, name: &str) -> Value {
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    for &who in world.roles[number].members() {
        *counts.entry(world.organisation.attribute(who, name).unwrap_or_default()).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown = counts.into_iter().map(|(value, count)| json!({"attributeValue": value, "count": count}));
    json!({"attributeName": name, "distribution": shown.collect::<Value>()})
}

pub(super) fn draft(world: &World, number: usize) -> Value {
    let role = &world.roles[number];
    let id = |entitlement: u16| world.organisation.entitlements[usize::from(entitlement)].id.clone();
    let entitlements = world.entitlements(number, true);
    let mut shown = json!({
        "id": role.id,
        "name": role.name,
        "identityIds": role.members().iter().map(|&who| world.organisation.identity_id(who)).collect::<Value>(),
        "entitlementIds": entitlements.into_iter().map(|(entitlement, _)| id(entitlement)).collect::<Value>(),
        "excludedEntitlements": role.excluded.iter().map(|&entitlement| id(entitlement)).collect::<Value>(),
        "modified": world.stamp(role.modified),
        "type": kind(world.sessions[role.session].focus),
        "createdDate": world.stamp(role.created),
        "modifiedDate": world.stamp(role.modified),
    });
    if let (Some(description), Some(fields)) = (&role.description, shown.as_object_mut()) {
        fields.insert("description".to_owned(), json!(description));
    }
    shown
}

pub(super) fn identity(world: &World, who: u32) -> Value {
    let organisation = &world.organisation;
    let mut attributes: Map<String, Value> = ["department", "jobTitle", "location"]
        .iter()
        .filter_map(|&name| Some((name.to_owned(), json!(organisation.attribute(who, name)?))))
        .collect();
    attributes.insert("firstName".to_owned(), json!(organisation.first_name(who)));
    json!({"id": organisation.identity_id(who), "name": organisation.name(who), "attributes": attributes})
}

/// An entitlement as it is in a role of so many members.
pub(super) fn entitlement(world: &World, number: usize, entitlement: u16, count: u32) -> Value {
    let organisation = &world.organisation;
    let members = world.roles[number].members();
    let known = &organisation.entitlements[usize::from(entitlement)];
    let application = &organisation.applications[usize::from(known.application)];
    let used = || members.iter().filter(|&&who| organisation.usage_days(who, known.application) > 0).count();
    json!({
        "entitlementRef": {
            "id": known.id,
            "name": known.name,
            "description": known.description,
            "attribute": known.attribute,
        },
        "name": known.name,
        "applicationName": application.name,
        "identityCount": count,
        "popularity": percent(f64::from(count) / members.len() as f64),
        "popularityInOrg": percent(organisation.popularity(entitlement)),
        "sourceId": application.id,
        "activitySourceState": if application.monitored { "complete" } else { "notComplete" },
        "sourceUsagePercent": application.monitored.then(|| percent(used() as f64 / members.len() as f64)),
    })
}

pub(super) fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

pub(super) fn kind(focus: Focus) -> &'static str {
    match focus {
        Focus::Specialized => "SPECIALIZED",
        Focus::Common => "COMMON",
    }
}

fn set_creator(shown: &mut Value, creator: Option<&Value>) {
    if let (Some(creator), Some(fields)) = (creator, shown.as_object_mut()) {
        fields.insert("createdBy".to_owned(), creator.clone());
    }
}
