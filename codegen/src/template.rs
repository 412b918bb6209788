//! What a crate of its own has around the generated modules: a manifest, and the runtime that every
//! generated client shares.

use std::path::PathBuf;

/// The runtime, which is written once, for the crate this generator belongs to.
const RUNTIME: [(&str, &str); 26] = [
    ("mod.rs", include_str!("../../src/runtime/mod.rs")),
    ("address.rs", include_str!("../../src/runtime/address.rs")),
    ("call.rs", include_str!("../../src/runtime/call.rs")),
    ("client.rs", include_str!("../../src/runtime/client.rs")),
    ("config.rs", include_str!("../../src/runtime/config.rs")),
    ("consistent.rs", include_str!("../../src/runtime/consistent.rs")),
    ("credentials.rs", include_str!("../../src/runtime/credentials.rs")),
    ("cursor.rs", include_str!("../../src/runtime/cursor.rs")),
    ("environment.rs", include_str!("../../src/runtime/environment.rs")),
    ("error.rs", include_str!("../../src/runtime/error.rs")),
    ("error_body.rs", include_str!("../../src/runtime/error_body.rs")),
    ("filter.rs", include_str!("../../src/runtime/filter.rs")),
    ("operation.rs", include_str!("../../src/runtime/operation.rs")),
    ("options.rs", include_str!("../../src/runtime/options.rs")),
    ("pager.rs", include_str!("../../src/runtime/pager.rs")),
    ("pages.rs", include_str!("../../src/runtime/pages.rs")),
    ("poll.rs", include_str!("../../src/runtime/poll.rs")),
    ("rate.rs", include_str!("../../src/runtime/rate.rs")),
    ("reader.rs", include_str!("../../src/runtime/reader.rs")),
    ("response.rs", include_str!("../../src/runtime/response.rs")),
    ("retry.rs", include_str!("../../src/runtime/retry.rs")),
    ("secret.rs", include_str!("../../src/runtime/secret.rs")),
    ("token.rs", include_str!("../../src/runtime/token.rs")),
    ("transport.rs", include_str!("../../src/runtime/transport.rs")),
    ("wire.rs", include_str!("../../src/runtime/wire.rs")),
    ("yaml.rs", include_str!("../../src/runtime/yaml.rs")),
];

/// Dependencies of what is written by hand for this crate alone.
const OVERLAY: [&str; 2] = ["csv", "zip"];

const MANIFEST: &str = include_str!("../../Cargo.toml");

/// The files of a crate `name`, without the generated ones.
pub fn files(name: &str, library: &str) -> Vec<(PathBuf, String)> {
    let runtime = RUNTIME.iter().map(|(file, text)| {
        let text = text.replace("sailpoint_role_mining", library);
        (PathBuf::from("src/runtime").join(file), text)
    });
    let mut files: Vec<(PathBuf, String)> = runtime.collect();
    files.push((PathBuf::from("Cargo.toml"), manifest(name)));
    files.push((PathBuf::from("src/lib.rs"), root(name)));
    files
}

/// The manifest: the dependencies and features of the crate this generator belongs to.
fn manifest(name: &str) -> String {
    let features: String = section("features")
        .lines()
        .filter(|line| !line.contains("dep:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let dependencies: String = section("dependencies")
        .lines()
        .filter(|line| !OVERLAY.iter().any(|name| line.split(' ').next() == Some(*name)))
        .map(|line| format!("{line}\n"))
        .collect();
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"{}\"\n\
         description = \"A typed client, generated from an OpenAPI document\"\npublish = false\n\n\
         [features]\n{features}\n[dependencies]\n{}\n[workspace]\n",
        env!("CARGO_PKG_RUST_VERSION"),
        dependencies,
    )
}

/// The lines of a table of this project's manifest.
fn section(name: &str) -> String {
    let header = format!("\n[{name}]\n");
    let rest = MANIFEST.split_once(&header).map_or("", |(_, rest)| rest);
    rest.split("\n[").next().unwrap_or_default().trim_end().to_owned() + "\n"
}

fn root(name: &str) -> String {
    format!(
        "//! A typed client, generated from an OpenAPI document.\n//!\n//! `{name}` has one method on [`Client`] \
         for each operation; [`types`] holds the models.\n\n#![forbid(unsafe_code)]\n#![deny(missing_docs)]\n\n\
         mod generated;\npub(crate) mod runtime;\n\n\
         pub use generated::{{BASE_PATH, DOCUMENT, builder, fields, operations, types}};\n\
         pub use runtime::*;\n"
    )
}
