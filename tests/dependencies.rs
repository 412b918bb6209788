//! What a crate that depends on ours compiles: the client, and nothing of the generator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::process::Command;

/// The generator's crates, and what makes compiling slow.
const UNWANTED: [&str; 12] = [
    "progenitor",
    "progenitor-impl",
    "progenitor-client",
    "typify",
    "typify-impl",
    "openapiv3",
    "serde_yaml",
    "prettyplease",
    "schemars",
    "serde_derive",
    "regex",
    "clap",
];

/// The crates that a crate compiles which depends on ours with these features.
fn tree(features: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    std::fs::write(folder.path().join("src/lib.rs"), "").unwrap();
    std::fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).unwrap();
    let manifest = format!(
        "[package]\nname = \"user\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         sailpoint-role-mining = {{ path = {root:?}, default-features = false, features = {features:?} }}\n"
    );
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    let run = Command::new(env!("CARGO"))
        .args(["tree", "--prefix", "none", "--edges", "normal,build", "--format", "{p}"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).unwrap();
    let mut crates: Vec<String> = text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect();
    crates.sort();
    crates.dedup();
    crates
}

fn name(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

#[test]
fn users_compile_nothing_of_the_generator() {
    for features in [&[][..], &["rustls"], &["native-tls"]] {
        let tree = tree(features);
        assert!(tree.iter().any(|line| name(line) == "reqwest"), "the tree is that of the client: {tree:?}");
        let found: Vec<&String> = tree.iter().filter(|line| UNWANTED.contains(&name(line))).collect();
        assert!(found.is_empty(), "with {features:?}: {found:?}");
        // OpenSSL's bindings bring macros of their own, on an older `syn`; nothing of ours can change that.
        let twice: Vec<&String> = tree
            .iter()
            .filter(|line| name(line) != "syn" || features != ["native-tls"])
            .filter(|line| tree.iter().filter(|other| name(other) == name(line)).count() > 1)
            .collect();
        assert!(twice.is_empty(), "in two versions, with {features:?}: {twice:?}");
    }
}

#[test]
fn each_dependency_is_accounted_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let accounted = std::fs::read_to_string(root.join("docs/dependencies.md")).unwrap();
    let mut seen = 0;
    for manifest in ["Cargo.toml", "codegen/Cargo.toml", "tenant/Cargo.toml"] {
        let text = std::fs::read_to_string(root.join(manifest)).unwrap();
        let tables = text
            .split("\n[")
            .filter(|table| table.split(']').next().is_some_and(|name| name.ends_with("dependencies")));
        for line in tables.flat_map(|table| table.lines().skip(1)) {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if name.is_empty() || name.starts_with('#') || name == "sailpoint-role-mining-tenant" {
                continue;
            }
            assert!(
                accounted.contains(&format!("`{name}`")),
                "docs/dependencies.md says nothing of `{name}` ({manifest})"
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} dependencies");
}
