//! Bad input: one clear error with the file and the place, exit code 1, and nothing touched.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use std::path::Path;

use common::{TAG, codegen, spec, stderr};

/// Runs an import that must fail, over an output that must stay, and gives its one line of error.
fn refused(folder: &Path, root: &str, tag: &str) -> String {
    let output = folder.join("out.yaml");
    std::fs::copy(spec(), &output).unwrap();
    let run = codegen(folder, &["import", root, "--tag", tag, "--output", "out.yaml"]);
    let error = stderr(&run);
    assert_eq!(run.status.code(), Some(1), "{error}");
    assert!(error.starts_with("error: ") && error.trim_end().lines().count() == 1, "one line: {error}");
    assert!(!error.contains("panicked"), "{error}");
    assert_eq!(std::fs::read(&output).unwrap(), std::fs::read(spec()).unwrap(), "the output is as it was");
    let beside: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.iter().any(|name| name.to_string_lossy().contains(".tmp")), "{beside:?}");
    error
}

#[test]
fn each_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(spec()).unwrap();
    let garbage: Vec<u8> = (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let head = "openapi: 3.0.1\ninfo: {title: T, version: '1'}\n";
    let with_schema = |schemas: &str| {
        format!(
            "{head}paths:\n  /a:\n    get:\n      operationId: a\n      tags: ['{TAG}']\n      responses: {{'200': {{description: d, content: {{application/json: {{schema: {{$ref: '#/components/schemas/A'}}}}}}}}}}\ncomponents: {{schemas: {{{schemas}}}}}\n"
        )
    };
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("truncated.yaml", good.as_bytes()[..good.len() / 2 - 7].to_vec(), "truncated.yaml"),
        ("garbage.yaml", garbage, "is not text: byte"),
        ("text.yaml", b"just a line of text".to_vec(), "top level is no mapping"),
        ("empty.yaml", Vec::new(), "is not an OpenAPI document"),
        ("other.yaml", b"a: 1\n".to_vec(), "it has no `openapi` version"),
        ("new.yaml", b"openapi: 3.1.0\npaths: {}\n".to_vec(), "new.yaml#/openapi: says version \"3.1.0\""),
        ("old.yaml", b"swagger: '2.0'\npaths: {}\n".to_vec(), "is a Swagger 2 document"),
        ("pathless.yaml", head.into(), "has no `paths`"),
        (
            "cycle.yaml",
            with_schema("A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}").into(),
            "is a cycle of references",
        ),
        (
            "nowhere.yaml",
            with_schema("B: {type: string}").into(),
            "refers to `nowhere.yaml#/components/schemas/A`, which is not there",
        ),
        (
            "no-file.yaml",
            with_schema("A: {type: object, properties: {b: {$ref: './gone.yaml'}}}").into(),
            "gone.yaml",
        ),
        (
            "remote.yaml",
            with_schema("A: {$ref: 'https://example.com/a.yaml'}").into(),
            "nothing is fetched from the network",
        ),
        (
            "schema.yaml",
            with_schema("A: {type: object, properties: {b: 7}}").into(),
            "schema.yaml#/components/schemas/A/properties/b: is no schema",
        ),
        (
            "loop.yaml",
            format!("{head}paths:\n  /a: {{$ref: './loop.yaml#/paths/~1a'}}\n").into(),
            "refers to itself",
        ),
        ("bomb.yaml", bomb().into(), "bomb.yaml"),
    ];
    for (name, content, wanted) in cases {
        std::fs::write(folder.path().join(name), content).unwrap();
        let error = refused(folder.path(), name, TAG);
        assert!(error.contains(name) && error.contains(wanted), "{name}: {error}");
    }
}

/// YAML aliases that would grow to billions of nodes.
fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let last = format!("*a{}", n - 1);
        text.push_str(&format!("a{n}: &a{n} [{}]\n", vec![last; 10].join(", ")));
    }
    text
}

#[test]
fn a_missing_file_and_an_unknown_tag_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refused(folder.path(), "gone.yaml", TAG).contains("gone.yaml: cannot be read"));
    std::fs::copy(spec(), folder.path().join("good.yaml")).unwrap();
    let error = refused(folder.path(), "good.yaml", "Rule Mining");
    assert!(
        error.contains("no operation has the tag \"Rule Mining\"; the tags in use are: \"IAI Role Mining\""),
        "{error}"
    );
}

#[test]
fn generate_leaves_what_is_there_when_the_document_is_bad() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yaml"), "openapi: 3.0.1\npaths: [").unwrap();
    std::fs::create_dir(folder.path().join("generated")).unwrap();
    std::fs::write(folder.path().join("generated/mod.rs"), "mine").unwrap();
    let run = codegen(folder.path(), &["generate", "--spec", "bad.yaml"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("bad.yaml: is neither YAML nor JSON"), "{}", stderr(&run));
    assert_eq!(std::fs::read_to_string(folder.path().join("generated/mod.rs")).unwrap(), "mine");
}

#[test]
fn a_wrong_command_line_says_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, wanted) in [
        (&["import"][..], "import takes one root document"),
        (&["improt", "x"], "there is no command `improt`"),
        (&["generate", "--spce", "x"], "--spce"),
        (&["generate", "--crate", "x", "--spec", "y"], "--crate needs --output"),
        (&[], "a command is needed"),
    ] {
        let run = codegen(folder.path(), arguments);
        assert_eq!(run.status.code(), Some(1));
        assert!(stderr(&run).contains(wanted), "{}", stderr(&run));
    }
}
