//! What the generator's tests share.

#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use codegen::import::{Imported, import};
use codegen::node::{self, Map};
use serde_json::Value;

pub(crate) const TAG: &str = "IAI Role Mining";

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The project's own document.
pub(crate) fn spec() -> PathBuf {
    root().join("spec/role-mining.yaml")
}

/// The vendor's documents, where they are at hand; says so where they are not.
pub(crate) fn vendor(document: &str) -> Option<PathBuf> {
    let path = root().join("../shared/vendor").join(document);
    if path.exists() {
        return Some(path);
    }
    eprintln!("left out: ../shared/vendor/{document} is not here");
    None
}

pub(crate) const EDITIONS: [&str; 3] = [
    "idn/sailpoint-api.beta.yaml",
    "idn/sailpoint-api.v2024.yaml",
    "dereferenced/deref-sailpoint-api.beta.yaml",
];

/// A document in canonical form, without a change.
pub(crate) fn canonical(path: &Path) -> Value {
    codegen::source::parse(&codegen::source::read(path).unwrap(), path).unwrap()
}

/// Imports a document given as text.
pub(crate) fn import_text(text: &str, replaced: Option<&Value>) -> Imported {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.yaml");
    std::fs::write(&path, text).unwrap();
    import(&path, None, replaced).unwrap_or_else(|error| panic!("{error}"))
}

/// The method, route and id of each operation.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, String)> {
    node::operations(document)
        .map(|operation| (operation.method.to_owned(), operation.path.to_owned(), operation.id().to_owned()))
        .collect()
}

/// The ids of the operations, in alphabetical order.
pub(crate) fn ids(document: &Value) -> Vec<String> {
    let mut ids: Vec<String> = operations(document).into_iter().map(|(.., id)| id).collect();
    ids.sort();
    ids
}

/// The names of the models, in alphabetical order.
pub(crate) fn models(document: &Value) -> Vec<String> {
    let mut names: Vec<String> = schemas(document).keys().cloned().collect();
    names.sort();
    names
}

pub(crate) fn schemas(document: &Value) -> &Map {
    node::object(document, &["components", "schemas"]).unwrap()
}

/// Runs the program in `folder`.
pub(crate) fn codegen(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_codegen")).current_dir(folder).args(arguments).output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A document with one path item, and these schemas.
pub(crate) fn document(path: &str, item: &str, schemas: &str) -> String {
    let indent = |text: &str, by: &str| -> String {
        text.trim_matches('\n').lines().map(|line| format!("{by}{line}\n")).collect()
    };
    format!(
        "openapi: 3.0.1\ninfo: {{title: Test, version: '1'}}\npaths:\n  {path}:\n{}components:\n  schemas:\n{}",
        indent(item, "    "),
        indent(if schemas.trim().is_empty() { "{}" } else { schemas }, "    ")
    )
}
