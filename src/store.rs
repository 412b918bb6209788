//! A download on its way to a path.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use futures_util::future::join;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};

use crate::archive::Archive;
use crate::download::{DownloadError, Receipt};
use crate::transfer::{Piece, Transfer};

/// How much is handed to the disk at once.
const BLOCK: usize = 512 * 1024;

/// How often a zip is fetched that turns out not to be whole.
const TRIES: u32 = 2;

/// Writes a transfer to a file beside `path`, checks it, and gives it its name.
///
/// The file is written by `tokio::fs`, whose threads take a block at a time: a disk that hangs holds up this
/// download and nothing else of the runtime.
pub(crate) async fn store(mut transfer: Transfer, path: &Path) -> Result<Receipt, DownloadError> {
    let part = Part::beside(path)?;
    let broken = |error| DownloadError::file(&part.0, error);
    let file = File::options().write(true).read(true).create_new(true).open(&part.0).await.map_err(broken)?;
    let mut writer = BufWriter::with_capacity(BLOCK, file);
    for left in (0..TRIES).rev() {
        write(&mut transfer, &mut writer).await.map_err(|error| match error {
            Failure::Transfer(error) => error,
            Failure::Disk(error) => broken(error),
        })?;
        // The disk and the processor are busy at the same time.
        let (synced, checked) = join(writer.get_ref().sync_all(), checked(&part.0)).await;
        match checked {
            Err(error) if left > 0 => {
                tracing::warn!(%error, "download is fetched once more");
                transfer.rewind();
                clear(&mut writer).await.map_err(broken)?;
            }
            Err(error) => return Err(error),
            Ok(()) => {
                synced.map_err(broken)?;
                break;
            }
        }
    }
    drop(writer);
    part.rename(path).await?;
    Ok(Receipt { path: path.to_owned(), bytes: transfer.at() })
}

enum Failure {
    Transfer(DownloadError),
    Disk(io::Error),
}

async fn write(transfer: &mut Transfer, writer: &mut BufWriter<File>) -> Result<(), Failure> {
    while let Some(piece) = transfer.next().await.map_err(Failure::Transfer)? {
        match piece {
            Piece::Bytes(bytes) => writer.write_all(&bytes).await.map_err(Failure::Disk)?,
            Piece::Restart => clear(writer).await.map_err(Failure::Disk)?,
        }
    }
    writer.flush().await.map_err(Failure::Disk)
}

async fn clear(writer: &mut BufWriter<File>) -> io::Result<()> {
    writer.flush().await?;
    writer.get_mut().set_len(0).await?;
    writer.rewind().await.map(drop)
}

/// Reads a zip through. It is work for a processor, so it is done where such work may be; when nobody waits
/// for it any more, it stops.
async fn checked(path: &Path) -> Result<(), DownloadError> {
    let awaited = Arc::new(());
    let watch: Weak<()> = Arc::downgrade(&awaited);
    let owned = path.to_owned();
    let check = move || Archive::open(&owned)?.check_while(|| watch.strong_count() > 0);
    let result = tokio::task::spawn_blocking(check).await;
    drop(awaited);
    match result {
        Ok(result) => result.map_err(DownloadError::Corrupt),
        Err(error) => Err(DownloadError::file(path, io::Error::other(error))),
    }
}

/// A file that is removed unless it gets its name.
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path) -> Result<Part, DownloadError> {
        let Some(name) = path.file_name() else {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it does not end in the name of a file");
            return Err(DownloadError::file(path, error));
        };
        let mut name = name.to_owned();
        name.push(format!(".{:08x}.part", fastrand::u32(..)));
        Ok(Part(path.with_file_name(name)))
    }

    async fn rename(self, path: &Path) -> Result<(), DownloadError> {
        tokio::fs::rename(&self.0, path).await.map_err(|error| DownloadError::file(path, error))?;
        sync_folder(path).await.map_err(|error| DownloadError::file(path, error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Once it is renamed, there is nothing to remove.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Forces the name of a file to the disk, where folders can be opened.
async fn sync_folder(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).await?.sync_all().await
}
