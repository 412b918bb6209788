//! What an import makes of the vendor's documents, in all the forms they come in.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::collections::BTreeMap;

use codegen::import::import;
use codegen::node::{self, Map};
use common::{EDITIONS, TAG, canonical, ids, import_text, models, operations, schemas, spec, vendor};
use serde_json::{Value, json};

#[test]
fn a_canonical_document_comes_through_unchanged() {
    let text = std::fs::read_to_string(spec()).unwrap();
    let imported = import(&spec(), Some(TAG), None).unwrap();
    assert_eq!(imported.report.to_string(), "");
    assert_eq!(imported.yaml().unwrap(), text);
    assert_eq!((imported.operations(), imported.models()), (25, 35));
}

#[test]
fn every_edition_has_the_names_of_the_replaced_document() {
    let own = canonical(&spec());
    for edition in EDITIONS {
        let Some(root) = vendor(edition) else { continue };
        let imported = import(&root, Some(TAG), Some(&own)).unwrap();
        assert_eq!(operations(&imported.document), operations(&own), "{edition}");
        assert_eq!(models(&imported.document), models(&own), "{edition}");
    }
}

#[test]
fn what_only_the_replaced_document_says_is_kept() {
    let own = canonical(&spec());
    let mut bare = own.clone();
    let session = "/role-mining-sessions/{sessionId}";
    let patch = bare["paths"][session]["patch"].as_object_mut().unwrap();
    patch.shift_remove("x-idempotent");
    patch["requestBody"].as_object_mut().unwrap().shift_remove("x-patch-fields");
    let imported = import_text(&bare.to_string(), Some(&own));
    assert_eq!(imported.document["paths"][session]["patch"], own_patch(&own, session));
    assert!(imported.report.to_string().contains("fact kept from the replaced document"));
    let alone = import_text(&bare.to_string(), None);
    assert_eq!(alone.document["paths"][session]["patch"].get("x-idempotent"), None);
}

/// The patch at a path, with what it shares put in place.
fn own_patch(own: &Value, path: &str) -> Value {
    let mut own = own.clone();
    inline(&mut own);
    own["paths"][path]["patch"].clone()
}

#[test]
fn an_import_is_its_own_fixed_point() {
    for edition in EDITIONS {
        let Some(root) = vendor(edition) else { continue };
        let first = import(&root, Some(TAG), None).unwrap().yaml().unwrap();
        let again = import_text(&first, None);
        assert_eq!(again.report.to_string(), "", "{edition}");
        assert_eq!(again.yaml().unwrap(), first, "{edition}");
    }
}

#[test]
fn the_tables_in_the_prose_are_those_of_our_document() {
    let own = canonical(&spec());
    for edition in EDITIONS {
        let Some(root) = vendor(edition) else { continue };
        let imported = import(&root, Some(TAG), Some(&own)).unwrap();
        assert_eq!(tables(&imported.document), tables(&own), "{edition}");
    }
}

/// The filter and sorter fields of each operation.
fn tables(document: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut document = document.clone();
    inline(&mut document);
    node::operations(&document)
        .map(|operation| {
            let parameters = node::items(operation.node, "parameters").iter().filter_map(Value::as_object);
            let tables = parameters.flat_map(|parameter| {
                ["x-filter-fields", "x-sorter-fields"]
                    .into_iter()
                    .filter_map(|key| parameter.get(key).cloned())
            });
            let mut tables: Vec<Value> = tables.collect();
            tables.sort_by_key(|table| table.is_array());
            (operation.id().to_owned(), tables)
        })
        .collect()
}

/// Puts parameters and responses where they are referred to.
fn inline(document: &mut Value) {
    let components = document["components"].clone();
    let resolve = |node: &mut Value| {
        let target =
            node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/components"));
        if let Some(whole) = target.and_then(|pointer| components.pointer(pointer)) {
            *node = whole.clone();
        }
    };
    node::operations_mut(document, "", &mut |_, _, operation, _| {
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten().for_each(resolve);
        operation
            .get_mut("responses")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
            .for_each(|(_, node)| resolve(node));
    });
}

/// Our document as the newest edition writes it: the version inside the path, ids with a suffix,
/// components in lower case.
fn newest(own: &Value) -> Value {
    let mut document = own.clone();
    inline(&mut document);
    let mut paths = Map::new();
    for (path, mut item) in document["paths"].as_object().unwrap().clone() {
        for operation in item.as_object_mut().unwrap().values_mut() {
            let id = operation["operationId"].as_str().unwrap().to_owned() + "V1";
            operation["operationId"] = id.into();
        }
        let (first, rest) = path[1..]
            .split_once('/')
            .map_or((&path[1..], String::new()), |(first, rest)| (first, format!("/{rest}")));
        paths.insert(format!("/{first}/v1{rest}"), item);
    }
    document["paths"] = Value::Object(paths);
    let lower: Map =
        schemas(&document).iter().map(|(name, schema)| (name.to_lowercase(), schema.clone())).collect();
    document["components"]["schemas"] = Value::Object(lower);
    node::references_mut(&mut document, &mut |target| {
        if let Some(name) = target.strip_prefix(node::SCHEMAS) {
            *target = format!("{}{}", node::SCHEMAS, name.to_lowercase());
        }
    });
    document
}

#[test]
fn the_newest_edition_keeps_the_names() {
    let own = canonical(&spec());
    let imported = import_text(&newest(&own).to_string(), Some(&own));
    assert_eq!(ids(&imported.document), ids(&own));
    assert_eq!(models(&imported.document), models(&own));
    let session = &imported.document["paths"]["/role-mining-sessions/v1/{sessionId}"]["get"];
    assert_eq!(session["operationId"], "getRoleMiningSession");
}

#[test]
fn a_version_suffix_that_all_ids_share_is_no_part_of_them() {
    let own = canonical(&spec());
    let imported = import_text(&newest(&own).to_string(), None);
    assert_eq!(ids(&imported.document), ids(&own));
}

/// Our document with every schema written in place, named by its title only, as a tool flattens it.
fn flattened(own: &Value) -> Value {
    fn expand(node: &mut Value, known: &Map) {
        match node {
            Value::Object(map) => {
                let target = map
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|target| target.strip_prefix(node::SCHEMAS));
                if let Some(name) = target {
                    let mut whole = known[name].clone();
                    if whole.get("properties").is_some() {
                        whole["title"] = name.into();
                    }
                    expand(&mut whole, known);
                    *node = whole;
                    return;
                }
                map.values_mut().for_each(|value| expand(value, known));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| expand(item, known)),
            _ => {}
        }
    }
    let mut document = own.clone();
    inline(&mut document);
    let known = schemas(&document).clone();
    expand(&mut document["paths"], &known);
    document["components"] = json!({});
    document
}

#[test]
fn a_flattened_document_gets_its_models_back_one_each() {
    let own = canonical(&spec());
    let flat = flattened(&own);
    assert!(!flat.to_string().contains("$ref"));
    let alone = import_text(&flat.to_string(), None);
    let given: Vec<String> =
        models(&own).into_iter().filter(|name| schemas(&own)[name].get("properties").is_some()).collect();
    let found = models(&alone.document);
    for name in &given {
        assert!(found.contains(name), "{name} is not among {found:?}");
    }
    assert_eq!(found.len(), models(&own).len(), "one component a model: {found:?}");
    let named = import_text(&flat.to_string(), Some(&own));
    assert_eq!(models(&named.document), models(&own));
    assert_eq!(ids(&named.document), ids(&own));
}

/// Our document as a bundler writes it that puts each schema where it is first used, and points there,
/// percent-encoded, from everywhere else.
fn bundled(own: &Value) -> Value {
    fn place(node: &mut Value, here: &str, known: &Map, seen: &mut BTreeMap<String, String>) {
        let target =
            node.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix(node::SCHEMAS));
        if let Some(name) = target.map(str::to_owned) {
            match seen.get(&name) {
                Some(first) => {
                    *node = json!({ "$ref": format!("#{}", first.replace('{', "%7B").replace('}', "%7D")) });
                    return;
                }
                None => {
                    seen.insert(name.clone(), here.to_owned());
                    *node = known[&name].clone();
                    if node.get("properties").is_some() {
                        node["title"] = name.into();
                    }
                }
            }
        }
        match node {
            Value::Object(map) => map.iter_mut().for_each(|(key, value)| {
                place(value, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), known, seen);
            }),
            Value::Array(items) => {
                items
                    .iter_mut()
                    .enumerate()
                    .for_each(|(index, item)| place(item, &format!("{here}/{index}"), known, seen));
            }
            _ => {}
        }
    }
    let mut document = own.clone();
    inline(&mut document);
    let known = schemas(&document).clone();
    place(&mut document["paths"], "/paths", &known, &mut BTreeMap::new());
    document["components"] = json!({});
    document
}

#[test]
fn a_document_that_points_into_its_paths_keeps_the_names() {
    let own = canonical(&spec());
    let document = bundled(&own);
    assert!(document.to_string().contains("#/paths/~1role-mining-sessions~1%7BsessionId%7D"));
    let imported = import_text(&document.to_string(), Some(&own));
    assert_eq!(models(&imported.document), models(&own));
    assert_eq!(ids(&imported.document), ids(&own));
    let alone = import_text(&document.to_string(), None);
    assert_eq!(models(&alone.document).len(), models(&own).len(), "{:?}", models(&alone.document));
}

#[test]
fn an_id_given_to_another_operation_stays_where_it_was() {
    let own = canonical(&spec());
    let mut renamed = own.clone();
    let (session, role) = (
        "/role-mining-sessions/{sessionId}/potential-role-summaries/{potentialRoleId}",
        "/role-mining-potential-roles/{potentialRoleId}",
    );
    renamed["paths"][session]["patch"]["operationId"] = "patchPotentialRoleInSession".into();
    renamed["paths"][role]["patch"]["operationId"] = "patchPotentialRole".into();
    let imported = import_text(&renamed.to_string(), Some(&own));
    assert_eq!(imported.document["paths"][session]["patch"]["operationId"], "patchPotentialRole");
    assert_eq!(imported.document["paths"][role]["patch"]["operationId"], "patchRoleMiningPotentialRole");
    let report = imported.report.to_string();
    assert!(
        report.contains("operation `patchPotentialRole` stays `patchRoleMiningPotentialRole`"),
        "{report}"
    );
}

#[test]
fn one_id_given_twice_names_two_operations() {
    let mut twice = canonical(&spec());
    let role = "/role-mining-potential-roles/{potentialRoleId}";
    twice["paths"][role]["patch"]["operationId"] = "patchPotentialRole".into();
    let imported = import_text(&twice.to_string(), None);
    let mut unique = ids(&imported.document);
    unique.dedup();
    assert_eq!(unique.len(), 25, "{unique:?}");
}

#[test]
fn a_model_that_is_renamed_keeps_its_name_where_it_is_used() {
    let own = canonical(&spec());
    let text = own.to_string().replace("RoleMiningSessionResponse", "MiningRun");
    let imported = import_text(&text, Some(&own));
    assert_eq!(models(&imported.document), models(&own));
    assert!(imported.report.to_string().contains("model `MiningRun` stays `RoleMiningSessionResponse`"));
}

#[test]
fn what_is_new_is_named_after_the_vendor() {
    let own = canonical(&spec());
    let mut grown = own.clone();
    grown["paths"]["/role-mining-sessions/{sessionId}/cancel"] = json!({ "post": {
        "operationId": "cancelRoleMiningSession", "tags": [TAG],
        "responses": { "200": { "description": "", "content": { "application/json": { "schema": {
            "$ref": "#/components/schemas/cancelResult" } } } } },
    } });
    grown["components"]["schemas"]["cancelResult"] =
        json!({ "type": "object", "properties": { "id": { "type": "string" } } });
    let imported = import_text(&grown.to_string(), Some(&own));
    assert!(ids(&imported.document).contains(&"cancelRoleMiningSession".to_owned()));
    assert!(models(&imported.document).contains(&"CancelResult".to_owned()));
    let cancel = &imported.document["paths"]["/role-mining-sessions/{sessionId}/cancel"]["post"];
    assert_eq!(cancel["parameters"][0]["name"], "sessionId", "what the path holds is a parameter");
}

#[test]
fn other_tags_of_the_vendor_can_be_cut_out() {
    for edition in EDITIONS {
        let Some(root) = vendor(edition) else { continue };
        for tag in ["Work Items", "Segments", "Access Profiles", "Identity Profiles"] {
            let imported = import(&root, Some(tag), None).unwrap();
            assert!(imported.operations() > 3, "{edition} {tag}");
        }
    }
}
