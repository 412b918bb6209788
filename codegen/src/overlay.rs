//! What the hand-written code around a generated client needs of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use heck::{ToSnakeCase, ToUpperCamelCase};

use crate::generate::Files;

/// Operations that the hand-written code beside `output` calls and `files` do not have, in words.
///
/// An operation counts as called where a source names its constant or its builder, or, if the client
/// that is being replaced has it, its method. The typed client compiles without it all the same, as a
/// crate of its own.
pub fn missing(files: &Files, output: &Path) -> Vec<String> {
    let made = files.iter().find(|(path, _)| path.ends_with("operations.rs"));
    let made = made.map(|(_, text)| constants(text)).unwrap_or_default();
    let old = std::fs::read_to_string(output.join("operations.rs")).unwrap_or_default();
    let gone: BTreeSet<String> = constants(&old).difference(&made).cloned().collect();
    let mut uses: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    let root = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for path in ["src", "tests", "examples", "benches"].iter().flat_map(|folder| sources(&root.join(folder)))
    {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let words: BTreeSet<&str> =
            text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
        let named = |constant: &&String| {
            let (method, builder) = (constant.to_snake_case(), constant.to_upper_camel_case());
            words.contains(constant.as_str()) || words.contains(&*method) || words.contains(&*builder)
        };
        let by_path = text.split("operations::").skip(1).map(|rest| {
            rest.chars()
                .take_while(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || *letter == '_')
                .collect()
        });
        let by_path = by_path.filter(|name: &String| name.len() > 1 && name != "ALL" && !made.contains(name));
        for name in gone.iter().filter(named).cloned().chain(by_path) {
            uses.entry(name).or_default().insert(path.clone());
        }
    }
    uses.into_iter()
        .map(|(constant, paths)| {
            let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            format!(
                "the document has no operation `{}`, which is used in {}; the client alone compiles with \
                 `codegen generate --crate`",
                constant.to_snake_case(),
                paths.join(", ")
            )
        })
        .collect()
}

/// The constants that a table of operations declares.
fn constants(text: &str) -> BTreeSet<String> {
    let declared =
        text.lines().filter_map(|line| line.strip_prefix("pub static ")?.split_once(": Operation"));
    declared.map(|(name, _)| name.to_owned()).collect()
}

/// The Rust sources below a folder, without the runtime, which knows no operation.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .flat_map(|path| match path.is_dir() {
            true if path.ends_with("runtime") => Vec::new(),
            true => sources(&path),
            false if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
            false => Vec::new(),
        })
        .collect();
    found.sort();
    found
}
