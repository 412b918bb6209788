//! What is inside an exported zip, read without unpacking it.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use zip::ZipArchive;
use zip::read::ZipFile;

/// An exported zip, and the tables in it.
///
/// Reading is from a file and so of the blocking kind: in a program that has much else to do, call it within
/// `tokio::task::spawn_blocking`. A table of any length is read row by row.
///
/// ```no_run
/// use std::collections::HashMap;
/// use sailpoint_role_mining::Archive;
///
/// let mut archive = Archive::open("role.zip")?;
/// let names: Vec<String> = archive.members().map(|member| member.name).collect();
/// for row in archive.records::<HashMap<String, String>>("entitlements.csv")? {
///     println!("{}", row?["name"]);
/// }
/// # Ok::<(), sailpoint_role_mining::ArchiveError>(())
/// ```
pub struct Archive<R = BufReader<File>> {
    zip: ZipArchive<R>,
}

/// A file within an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// Its name, as the archive has it. It may be any text, so it is no path to write to.
    pub name: String,
    /// How long it is once it is unpacked.
    pub bytes: u64,
}

impl Archive {
    /// Opens a zip.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is no zip.
    pub fn open(path: impl AsRef<Path>) -> Result<Archive, ArchiveError> {
        Archive::new(BufReader::with_capacity(64 * 1024, File::open(path)?))
    }
}

impl<R: Read + Seek> Archive<R> {
    /// Reads a zip from anything that is like a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no zip.
    pub fn new(reader: R) -> Result<Archive<R>, ArchiveError> {
        Ok(Archive { zip: ZipArchive::new(reader)? })
    }

    /// What is in it.
    pub fn members(&mut self) -> impl Iterator<Item = Member> {
        (0..self.zip.len()).filter_map(|index| {
            let member = self.zip.by_index_raw(index).ok()?;
            Some(Member { name: member.name().ok()?.into_owned(), bytes: member.size() })
        })
    }

    /// One member, unpacked as it is read. Its checksum is checked at its end.
    ///
    /// # Errors
    ///
    /// When there is none of this name, or it is packed in a way that is not known.
    pub fn member(&mut self, name: &str) -> Result<impl Read + '_, ArchiveError> {
        Ok(self.zip.by_name(name)?)
    }

    /// The rows of a CSV member, each read by its header: as a struct of your own that can be deserialised
    /// by the names of the columns, or as a map from column to text.
    ///
    /// # Errors
    ///
    /// As for [`member`](Self::member).
    pub fn records<T: DeserializeOwned>(&mut self, name: &str) -> Result<Records<'_, R, T>, ArchiveError> {
        let reader = csv::ReaderBuilder::new().flexible(true).from_reader(self.zip.by_name(name)?);
        Ok(Records { reader, headers: None, row: csv::StringRecord::new(), kind: PhantomData })
    }

    /// Reads every member to its end, which fails if one is not what its checksum says.
    ///
    /// # Errors
    ///
    /// When a member cannot be read or is not what it was.
    pub fn check(&mut self) -> Result<(), ArchiveError> {
        self.check_while(|| true)
    }

    pub(crate) fn check_while(&mut self, goes_on: impl Fn() -> bool) -> Result<(), ArchiveError> {
        let mut buffer = vec![0; 128 * 1024];
        for index in 0..self.zip.len() {
            let mut member = self.zip.by_index(index)?;
            while goes_on() {
                if member.read(&mut buffer)? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl<R> fmt::Debug for Archive<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").finish_non_exhaustive()
    }
}

/// The rows of a table, one after another.
pub struct Records<'a, R: Read, T> {
    reader: csv::Reader<ZipFile<'a, R>>,
    headers: Option<csv::StringRecord>,
    row: csv::StringRecord,
    kind: PhantomData<fn() -> T>,
}

impl<R: Read, T> Records<'_, R, T> {
    /// The names of the columns, in their order.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub fn headers(&mut self) -> Result<Vec<String>, ArchiveError> {
        Ok(self.reader.headers()?.iter().map(str::to_owned).collect())
    }
}

impl<R: Read, T: DeserializeOwned> Records<'_, R, T> {
    fn read(&mut self) -> Result<Option<T>, ArchiveError> {
        if self.headers.is_none() {
            self.headers = Some(self.reader.headers()?.clone());
        }
        if !self.reader.read_record(&mut self.row)? {
            return Ok(None);
        }
        Ok(Some(self.row.deserialize::<T>(self.headers.as_ref())?))
    }
}

impl<R: Read, T: DeserializeOwned> Iterator for Records<'_, R, T> {
    type Item = Result<T, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        // A reader that has failed gives no more rows, so this ends.
        self.read().transpose()
    }
}

impl<R: Read, T> fmt::Debug for Records<'_, R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Records").finish_non_exhaustive()
    }
}

/// Why an archive, or a table in it, cannot be read.
#[derive(Clone, Debug)]
pub struct ArchiveError(Arc<dyn std::error::Error + Send + Sync>);

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ArchiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> ArchiveError {
        ArchiveError(Arc::new(error))
    }
}

impl From<zip::result::ZipError> for ArchiveError {
    fn from(error: zip::result::ZipError) -> ArchiveError {
        ArchiveError(Arc::new(error))
    }
}

impl From<csv::Error> for ArchiveError {
    fn from(error: csv::Error) -> ArchiveError {
        ArchiveError(Arc::new(error))
    }
}
