//! A document with any node replaced by something else is refused or made into a client, and never
//! makes the generator panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};

use common::{canonical, spec};
use serde_json::{Value, json};

/// How many nodes are replaced, spread over the document; all of them, where it is set.
const SOME: usize = 60;

#[test]
fn no_document_makes_the_generator_panic() {
    let whole = canonical(&spec());
    let mut places = Vec::new();
    pointers(&whole, String::new(), &mut places);
    let all = std::env::var_os("ALL_MUTATIONS").is_some();
    let step = if all { 1 } else { places.len() / SOME };
    let others = [
        json!(null),
        json!(7),
        json!("x"),
        json!([]),
        json!({}),
        json!(true),
        json!({ "$ref": "#/components" }),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.yaml");
    let (mut refused, mut made) = (0, 0);
    for (index, place) in places.iter().enumerate().step_by(step) {
        let mut document = whole.clone();
        let other = &others[(index / step) % others.len()];
        *document.pointer_mut(place).unwrap() = other.clone();
        std::fs::write(&path, document.to_string()).unwrap();
        match catch_unwind(AssertUnwindSafe(|| codegen::generate::generate_crate(&path, "mutant"))) {
            Ok(Ok(_)) => made += 1,
            Ok(Err(error)) => {
                refused += 1;
                assert!(error.to_string().contains("document.yaml"), "{place} = {other}: {error}");
            }
            Err(_) => panic!("{place} = {other}"),
        }
    }
    assert!(refused > 10 && made > 10, "{refused} refused, {made} made");
}

fn pointers(node: &Value, here: String, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match node {
        Value::Object(map) => {
            map.iter().map(|(key, child)| (key.replace('~', "~0").replace('/', "~1"), child)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, child)| (index.to_string(), child)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        let place = format!("{here}/{key}");
        found.push(place.clone());
        pointers(child, place, found);
    }
}
