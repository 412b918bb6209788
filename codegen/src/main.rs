//! The program: `codegen import`, `codegen generate`, `codegen check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use codegen::generate::{self, COMMAND, Files};
use codegen::{import, overlay};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

const USAGE: &str = "\
Makes a typed Rust client from a SailPoint OpenAPI document.

codegen import ROOT_DOCUMENT [--tag TAG] [--names FILE] [--output FILE]
    Reads a document (YAML or JSON, one file or many), cuts out the operations with TAG
    [default: IAI Role Mining], mends it, and writes it in canonical form to FILE
    [default: spec/role-mining.yaml]. Operations and models that the file being replaced knows
    keep the names they have there; where there is none yet, those of spec/role-mining.yaml, or
    of the file named with --names. Prints what it changed, where, and why.

codegen generate [--spec FILE] [--output FOLDER]
    Makes the client from FILE [default: spec/role-mining.yaml] into FOLDER [default: generated].

codegen generate --spec FILE --crate NAME --output FOLDER
    Makes a whole crate NAME that stands alone.

codegen check [--spec FILE] [--output FOLDER]
    Says whether FOLDER holds what FILE gives; if not, how it differs, with exit code 1.
";

const SPEC: &str = "spec/role-mining.yaml";
const GENERATED: &str = "generated";
const TAG: &str = "IAI Role Mining";

fn main() -> ExitCode {
    match run(lexopt::Parser::from_env()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Arguments {
    positional: Vec<PathBuf>,
    tag: Option<String>,
    names: Option<PathBuf>,
    output: Option<PathBuf>,
    spec: Option<PathBuf>,
    name: Option<String>,
}

type Failure = Box<dyn std::error::Error>;

fn run(mut parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let mut command = None;
    let mut given = Arguments::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => {
                print!("{USAGE}");
                return Ok(ExitCode::SUCCESS);
            }
            Long("tag") => given.tag = Some(parser.value()?.string()?),
            Long("names") => given.names = Some(parser.value()?.into()),
            Long("output") => given.output = Some(parser.value()?.into()),
            Long("spec") => given.spec = Some(parser.value()?.into()),
            Long("crate") => given.name = Some(parser.value()?.string()?),
            Value(value) if command.is_none() => command = Some(value.string()?),
            Value(value) => given.positional.push(value.into()),
            other => return Err(format!("{}; see codegen --help", other.unexpected()).into()),
        }
    }
    match (command.as_deref(), &given.positional[..]) {
        (Some("import"), [root]) => import(root, &given),
        (Some("import"), _) => Err("import takes one root document; see codegen --help".into()),
        (Some("generate"), []) => generate(&given),
        (Some("check"), []) => check(&given),
        (Some("generate" | "check"), _) => {
            Err("the document is given with --spec; see codegen --help".into())
        }
        (Some(other), _) => Err(format!("there is no command `{other}`; see codegen --help").into()),
        (None, _) => Err(format!("a command is needed\n\n{USAGE}").into()),
    }
}

fn import(root: &Path, given: &Arguments) -> Result<ExitCode, Failure> {
    let output = given.output.as_deref().unwrap_or(Path::new(SPEC));
    let authority = match &given.names {
        Some(names) => names,
        None if output.exists() => output,
        None => Path::new(SPEC),
    };
    let tag = given.tag.as_deref().unwrap_or(TAG);
    let replaced = import::replaced(authority)?;
    let imported = import::import(root, Some(tag), replaced.as_ref())?;
    generate::write(output, &imported.yaml()?)?;
    print!("{}", imported.report);
    eprintln!(
        "{}: {} operations and {} models, {} repairs",
        output.display(),
        imported.operations(),
        imported.models(),
        imported.report.entries().len()
    );
    Ok(ExitCode::SUCCESS)
}

fn generate(given: &Arguments) -> Result<ExitCode, Failure> {
    let (spec, output) = places(given);
    let files = match &given.name {
        Some(_) if given.output.is_none() => {
            return Err("--crate needs --output, the folder of the crate".into());
        }
        Some(name) => generate::generate_crate(spec, name)?,
        None => generate::generate(spec)?,
    };
    if given.name.is_none() {
        for missing in overlay::missing(&files, output) {
            eprintln!("warning: {missing}");
        }
    }
    files.write(output)?;
    eprintln!("{}: {} files from {}", output.display(), files.iter().count(), spec.display());
    Ok(ExitCode::SUCCESS)
}

fn check(given: &Arguments) -> Result<ExitCode, Failure> {
    let (spec, output) = places(given);
    let files: Files = generate::generate(spec)?;
    match files.differences(output) {
        None => {
            eprintln!("{} is what {} gives", output.display(), spec.display());
            Ok(ExitCode::SUCCESS)
        }
        Some(differences) => {
            print!("{differences}");
            let (output, spec) = (output.display(), spec.display());
            eprintln!("error: {output} is not what {spec} gives; `{COMMAND}` writes it anew");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn places(given: &Arguments) -> (&Path, &Path) {
    let spec = given.spec.as_deref().unwrap_or(Path::new(SPEC));
    (spec, given.output.as_deref().unwrap_or(Path::new(GENERATED)))
}
