//! What the documents say of the tests is so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

/// Each row about exports in `docs/faults.md` names a test, as `file::name`, that is there.
#[test]
fn the_rows_about_exports_name_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/faults.md")).unwrap();
    let (_, exports) = text.split_once("## Exports").expect("docs/faults.md has a section on exports");
    let rows: Vec<&str> =
        exports.lines().filter(|line| line.starts_with("| ") && line.contains("::")).collect();
    assert!(rows.len() >= 30, "{} rows", rows.len());
    for row in rows {
        let tests = row.rsplit('|').nth(1).unwrap().split(',');
        for test in tests.map(|test| test.trim().trim_matches('`')) {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("no test in {row}"));
            let source = std::fs::read_to_string(root.join(format!("tests/{file}.rs"))).unwrap();
            assert!(source.contains(&format!("fn {name}(")), "tests/{file}.rs has no test `{name}`");
        }
    }
}
