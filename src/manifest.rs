//! What is on record of an export of many roles, so that it survives the process that makes it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::bulk::BulkError;
use crate::runtime::Extra;
use crate::runtime::wire::model;

/// The name of the file, in the folder that the zips go to.
const NAME: &str = "manifest.json";

/// The state of a role: nothing was done yet, or nothing that came to anything.
pub(crate) const LISTED: &str = "listed";
/// Its export is about to be started, or was when the process ended.
pub(crate) const STARTING: &str = "starting";
/// Its export is started and has an id.
pub(crate) const STARTED: &str = "started";
/// Its zip is there.
pub(crate) const DONE: &str = "done";

/// A file name takes letters and digits as they are, and little else.
const IN_NAMES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// What the file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) session_id: String,
    /// What decides what is in the zips: another wish is another export.
    pub(crate) settings: String,
    pub(crate) roles: BTreeMap<String, Entry>,
    pub(crate) extra: Extra,
}

model!(Manifest {
    session_id: required "sessionId",
    settings: required "settings",
    roles: required "roles",
});

/// What is on record of one role.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Entry {
    pub(crate) state: String,
    pub(crate) export_id: Option<String>,
    pub(crate) bytes: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) extra: Extra,
}

model!(Entry {
    state: required "state",
    export_id: optional "exportId",
    bytes: optional "bytes",
    error: optional "error",
});

impl Entry {
    pub(crate) fn new(state: &str) -> Entry {
        Entry { state: state.to_owned(), ..Entry::default() }
    }

    pub(crate) fn started(export_id: &str) -> Entry {
        Entry { export_id: Some(export_id.to_owned()), ..Entry::new(STARTED) }
    }

    pub(crate) fn with_error(self, error: &dyn std::fmt::Display) -> Entry {
        Entry { error: Some(error.to_string()), ..self }
    }
}

/// A manifest and the folder it stands for.
#[derive(Clone)]
pub(crate) struct Ledger {
    folder: PathBuf,
    manifest: Arc<Mutex<Manifest>>,
}

impl Ledger {
    /// Opens the manifest of a folder, or begins one; the folder is made if need be.
    pub(crate) async fn open(folder: &Path, session_id: &str, settings: String) -> Result<Ledger, BulkError> {
        let begun = Manifest { session_id: session_id.to_owned(), settings, ..Manifest::default() };
        let folder = folder.to_owned();
        blocking(move || {
            std::fs::create_dir_all(&folder).map_err(|error| BulkError::file(&folder, error))?;
            let path = folder.join(NAME);
            let manifest = match std::fs::read(&path) {
                Ok(text) => read(&text, &begun).map_err(|why| BulkError::Manifest { path, why })?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => begun,
                Err(error) => return Err(BulkError::file(&path, error)),
            };
            sweep(&folder, &manifest);
            Ok(Ledger { folder, manifest: Arc::new(Mutex::new(manifest)) })
        })
        .await
    }

    /// What is on record of a role.
    pub(crate) fn entry(&self, role: &str) -> Option<Entry> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner).roles.get(role).cloned()
    }

    /// The roles on record.
    pub(crate) fn roles(&self) -> Vec<String> {
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner).roles.keys().cloned().collect()
    }

    /// Where the zip of a role goes: a name made from its id, whatever that is.
    pub(crate) fn path(&self, role: &str) -> PathBuf {
        self.folder.join(file_name(role))
    }

    /// Adds roles that are not on record.
    pub(crate) async fn add(&self, roles: Vec<String>) -> Result<(), BulkError> {
        self.write(move |manifest| {
            for role in roles {
                manifest.roles.entry(role).or_insert_with(|| Entry::new(LISTED));
            }
        })
        .await
    }

    /// Puts an entry on record; once this returns, it is on the disk.
    pub(crate) async fn set(&self, role: &str, entry: Entry) -> Result<(), BulkError> {
        let role = role.to_owned();
        self.write(move |manifest| drop(manifest.roles.insert(role, entry))).await
    }

    /// Changes the manifest, and writes it in whole to a file that then takes its place: whenever the process
    /// or the machine stops, it is as before or as after.
    async fn write(&self, change: impl FnOnce(&mut Manifest) + Send + 'static) -> Result<(), BulkError> {
        let Ledger { folder, manifest } = self.clone();
        blocking(move || {
            // Held while it is written, so that of two changes the later is not overtaken.
            let mut manifest = manifest.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut manifest);
            let path = folder.join(NAME);
            replace(&path, &manifest).map_err(|error| BulkError::file(&path, error))
        })
        .await
    }
}

fn replace(path: &Path, manifest: &Manifest) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(manifest)?;
    let beside = path.with_extension("json.new");
    let mut file = File::create(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn read(text: &[u8], wanted: &Manifest) -> Result<Manifest, String> {
    let manifest: Manifest =
        serde_json::from_slice(text).map_err(|error| format!("it cannot be read: {error}"))?;
    if manifest.session_id != wanted.session_id || manifest.settings != wanted.settings {
        return Err(format!(
            "it is of another export: session `{}` with {}, not session `{}` with {}",
            manifest.session_id, manifest.settings, wanted.session_id, wanted.settings
        ));
    }
    Ok(manifest)
}

/// Removes what a process that was killed has left of downloads.
fn sweep(folder: &Path, manifest: &Manifest) {
    let names: Vec<String> = manifest.roles.keys().map(|role| file_name(role)).collect();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(of) = name.to_str().and_then(|name| name.strip_suffix(".part")?.rsplit_once('.')) else {
            continue;
        };
        if names.iter().any(|name| name == of.0) {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

fn file_name(role: &str) -> String {
    format!("{}.zip", utf8_percent_encode(role, IN_NAMES))
}

/// Does what blocks where that may be done.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BulkError> + Send + 'static,
) -> Result<T, BulkError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BulkError::file(Path::new(NAME), io::Error::other(error))),
    }
}
