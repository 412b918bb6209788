//! From what the vendor publishes to the canonical document.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::node::{self, Map, Place};
use crate::report::Report;
use crate::source::{self, Files};
use crate::{bundle, canonical, filters, hoist, names, repair, share, yaml};

/// A document in canonical form, and what was done to get there.
#[derive(Debug)]
pub struct Imported {
    /// The document.
    pub document: Value,
    /// What was changed.
    pub report: Report,
}

impl Imported {
    /// How many operations the document has.
    pub fn operations(&self) -> usize {
        node::operations(&self.document).count()
    }

    /// How many models it has.
    pub fn models(&self) -> usize {
        node::object(&self.document, &["components", "schemas"]).map_or(0, Map::len)
    }

    /// The document as YAML.
    pub fn yaml(&self) -> Result<String> {
        let mut document = self.document.clone();
        share::share(&mut document);
        canonical::order(&mut document);
        yaml::write(&document)
    }
}

/// Reads the document at `root` and everything it refers to, cuts out the operations with `tag`, and
/// brings them into canonical form. `replaced` is the canonical document whose names stay.
///
/// # Errors
///
/// A file that is missing, is not a document of OpenAPI 3.0, or has a defect that no rule mends; the
/// message names the file, the place in it and the cause.
pub fn import(root: &Path, tag: Option<&str>, replaced: Option<&Value>) -> Result<Imported> {
    let mut report = Report::default();
    let mut document = bundle::bundle(&mut Files::default(), root, tag, &mut report)?;
    let file = root.display().to_string();
    repair::schemas(&mut document, &file, &mut report);
    names::operations(&mut document, &file, replaced, &mut report);
    names::facts(&mut document, &file, replaced, &mut report);
    hoist::hoist(&mut document, &file);
    names::components(&mut document, &file, replaced, &mut report);
    repair::operations(&mut document, &file, &mut report);
    filters::extract(&mut document, &file, &mut report);
    bundle::prune(&mut document);
    canonical::order(&mut document);
    typed(&document, &file)?;
    Ok(Imported { document, report })
}

/// The document in the terms of OpenAPI, which is the last check of what the rules left.
pub fn typed(document: &Value, file: &str) -> Result<openapiv3::OpenAPI> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let pointer =
            error.path().iter().fold(Place::top(file), |place, step| place.child(&step.to_string()));
        Error::at(&pointer, format!("is not valid OpenAPI 3.0, and no rule mends it: {}", error.into_inner()))
    })
}

/// Reads a canonical document whose names are to be kept, if there is one.
pub fn replaced(path: &Path) -> Result<Option<Value>> {
    match path.exists() {
        true => source::parse(&source::read(path)?, path).map(Some),
        false => Ok(None),
    }
}
