//! Sees to it that `generated/` is what `spec/role-mining.yaml` gives.
//!
//! By default it compares fingerprints, for which it needs nothing but the standard library. With the
//! feature `regenerate` it runs the generator, whose sources it shares, and writes `generated/` anew.

use std::path::Path;
use std::process::ExitCode;

#[cfg(feature = "regenerate")]
#[path = "codegen/src/lib.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of the library")]
mod codegen;
// The library's modules name each other from the root of their crate, which is this one here.
#[cfg(feature = "regenerate")]
use codegen::*;

#[cfg(not(feature = "regenerate"))]
#[path = "build/fingerprint.rs"]
#[allow(unreachable_pub, reason = "it is public where it comes from")]
mod fingerprint;

const SPEC: &str = "spec/role-mining.yaml";
const GENERATED: &str = "generated";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed={SPEC}");
    println!("cargo::rerun-if-changed={GENERATED}");
    match make() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "regenerate")]
fn make() -> Result<(), String> {
    println!("cargo::rerun-if-changed=codegen/src");
    let files = generate::generate(Path::new(SPEC)).map_err(|error| error.to_string())?;
    for missing in overlay::missing(&files, Path::new(GENERATED)) {
        println!("cargo::warning={missing}");
    }
    files.write(Path::new(GENERATED)).map_err(|error| error.to_string())
}

/// The files that go into the fingerprint of the whole, in its order.
#[cfg(not(feature = "regenerate"))]
const FILES: [&str; 5] = ["mod.rs", "types.rs", "builder.rs", "operations.rs", "fields.rs"];

#[cfg(not(feature = "regenerate"))]
fn make() -> Result<(), String> {
    let mend = "`cargo regenerate` writes generated/ anew from it";
    let spec = read(Path::new(SPEC))?;
    let mut texts = FILES.map(|name| read(&Path::new(GENERATED).join(name)).unwrap_or_default());
    let content = format!("(content {})", fingerprint::fingerprint([spec.as_str()]));
    if !texts[0].lines().next().is_some_and(|line| line.contains(&content)) {
        return Err(format!("{SPEC} has changed since generated/ was made from it; {mend}"));
    }
    let marked = texts[0].lines().find(|line| line.starts_with("// All files together: ")).map(str::to_owned);
    let marked = marked.unwrap_or_default();
    texts[0] = texts[0].replacen(&format!("{marked}\n"), "", 1);
    let whole = fingerprint::fingerprint(texts.iter().map(String::as_str));
    if !marked.contains(&whole) {
        return Err(format!("generated/ was changed by hand, and is not what {SPEC} gives; {mend}"));
    }
    Ok(())
}

#[cfg(not(feature = "regenerate"))]
fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}
