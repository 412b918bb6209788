//! Fetching a zip: as a stream, into a writer, or to a path where it is either whole or not at all.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::archive::ArchiveError;
use crate::runtime::{Call, Error};
use crate::store;
use crate::transfer::{Piece, Transfer};

/// A zip that is there to be fetched, and how.
///
/// A transfer that breaks is taken up where it broke, if the service says which bytes these are (`ETag`),
/// takes `Range`, and the zip is still the same; else it starts over where that is possible. It is
/// given up after as many failures in a row as the client's [`RetryPolicy`](crate::RetryPolicy) has attempts.
/// What the service calls the file does not matter to anything here.
#[must_use = "nothing is fetched before a destination is given"]
pub struct Download {
    pub(crate) call: Call,
    pub(crate) max_bytes: Option<u64>,
    pub(crate) progress: Option<Progress>,
}

pub(crate) type Progress = Box<dyn FnMut(u64, Option<u64>) + Send>;

/// A zip on disk: whole, checked and under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// Where it is.
    pub path: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

impl Download {
    pub(crate) fn new(call: Call) -> Download {
        Download { call, max_bytes: None, progress: None }
    }

    /// Gives up a zip that is longer than this, as soon as that is known. By default any length will do.
    pub fn max_bytes(mut self, bytes: u64) -> Download {
        self.max_bytes = Some(bytes);
        self
    }

    /// How long nothing may arrive before the transfer counts as broken, in place of what the client has.
    pub fn stall_timeout(mut self, limit: Duration) -> Download {
        self.call.options.read_timeout = Some(limit);
        self
    }

    /// Is told how many bytes have arrived, and of how many, where the service says that. Bytes that come a
    /// second time because the transfer starts over make the first number fall.
    pub fn on_progress(mut self, tell: impl FnMut(u64, Option<u64>) + Send + 'static) -> Download {
        self.progress = Some(Box::new(tell));
        self
    }

    /// The zip as it arrives. What has been given out cannot be taken back, so a transfer that breaks goes on
    /// only if the bytes that follow are surely those of the same zip.
    ///
    /// The length is checked where the service tells it; the contents are not.
    ///
    /// # Errors
    ///
    /// When the transfer cannot begin, or is too long. Reading the stream may fail as well.
    pub async fn stream(self) -> Result<DownloadStream, DownloadError> {
        let mut transfer = Transfer::new(self, false);
        transfer.begin().await?;
        let total = transfer.total();
        let next = |mut transfer: Transfer| async move {
            loop {
                match transfer.next().await {
                    Ok(Some(Piece::Bytes(bytes))) => return Some((Ok(bytes), Some(transfer))),
                    // It was asked not to.
                    Ok(Some(Piece::Restart)) => {}
                    Ok(None) => return None,
                    Err(error) => return Some((Err(error), None)),
                }
            }
        };
        let stream = futures_util::stream::unfold(Some(transfer), move |transfer| async move {
            match transfer {
                Some(transfer) => next(transfer).await,
                None => None,
            }
        });
        Ok(DownloadStream { stream: Box::pin(stream), total })
    }

    /// Writes the zip to a writer, flushes that, and says how many bytes it was. As for
    /// [`stream`](Self::stream), what is written cannot be taken back, and the contents are not checked.
    ///
    /// # Errors
    ///
    /// When the transfer or the writer fails.
    pub async fn to_writer<W: AsyncWrite + Unpin>(self, mut writer: W) -> Result<u64, DownloadError> {
        let mut transfer = Transfer::new(self, false);
        while let Some(piece) = transfer.next().await? {
            if let Piece::Bytes(bytes) = piece {
                writer.write_all(&bytes).await.map_err(|error| DownloadError::Writer(Arc::new(error)))?;
            }
        }
        writer.flush().await.map_err(|error| DownloadError::Writer(Arc::new(error)))?;
        Ok(transfer.at())
    }

    /// Puts the zip to a path. It is written to a file beside that path, checked (its length, its directory,
    /// and every member of it by its checksum), forced to the disk, and only then renamed: whatever happens,
    /// there is a whole zip under the name, or what was there before.
    ///
    /// A zip that is not whole is fetched once more. When this fails, or is dropped, the file beside the path
    /// is removed; only a process that is killed leaves it (its name ends in `.part`).
    ///
    /// # Errors
    ///
    /// When the transfer fails, the zip is not whole or too long, or the file cannot be written.
    ///
    /// ```no_run
    /// # async fn example(finished: sailpoint_role_mining::FinishedExport) -> Result<(), Box<dyn std::error::Error>> {
    /// let receipt = finished
    ///     .download()
    ///     .max_bytes(1 << 30)
    ///     .on_progress(|got, of| eprintln!("{got} of {of:?}"))
    ///     .to_path("role.zip")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn to_path(self, path: impl AsRef<Path>) -> Result<Receipt, DownloadError> {
        store::store(Transfer::new(self, true), path.as_ref()).await
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download")
            .field("operation", &self.call.operation.id)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

/// A zip as it arrives; a [`Stream`] of its bytes.
pub struct DownloadStream {
    stream: Pin<Box<dyn Stream<Item = Result<Bytes, DownloadError>> + Send>>,
    total: Option<u64>,
}

impl DownloadStream {
    /// How many bytes it will be, where the service says that.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next bytes, or `None` at the end.
    ///
    /// # Errors
    ///
    /// When the transfer broke and cannot go on, or is too long.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, DownloadError> {
        std::future::poll_fn(|cx| self.stream.as_mut().poll_next(cx)).await.transpose()
    }
}

impl Stream for DownloadStream {
    type Item = Result<Bytes, DownloadError>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for DownloadStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadStream").field("total", &self.total).finish_non_exhaustive()
    }
}

/// Why a zip was not fetched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DownloadError {
    /// The service did not give it, or the transfer broke too often.
    Call(Error),
    /// The transfer broke or ended early, and what follows cannot be told to belong to what came before.
    Interrupted {
        /// How many bytes had arrived.
        at: u64,
        /// How many there should be.
        total: Option<u64>,
        /// What broke it; none if it just ended.
        error: Option<Error>,
    },
    /// It is longer than [`Download::max_bytes`] allows.
    TooLarge {
        /// What is allowed.
        max_bytes: u64,
    },
    /// All bytes arrived, and they are no zip that is whole.
    Corrupt(ArchiveError),
    /// A file cannot be written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// The writer failed.
    Writer(Arc<io::Error>),
}

impl DownloadError {
    pub(crate) fn file(path: &Path, error: io::Error) -> DownloadError {
        DownloadError::File { path: path.to_owned(), error: Arc::new(error) }
    }

    /// The error of a call, if there was one.
    pub fn call_error(&self) -> Option<&Error> {
        match self {
            DownloadError::Call(error) => Some(error),
            DownloadError::Interrupted { error, .. } => error.as_ref(),
            _ => None,
        }
    }

    /// The error of the disk or the writer, if there was one.
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            DownloadError::File { error, .. } | DownloadError::Writer(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for DownloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DownloadError::Call(error) => error.fmt(f),
            DownloadError::Interrupted { at, total, error } => {
                write!(f, "the download broke off after {at}")?;
                match total {
                    Some(total) => write!(f, " of {total} bytes")?,
                    None => f.write_str(" bytes")?,
                }
                error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))
            }
            DownloadError::TooLarge { max_bytes } => {
                write!(f, "the download is longer than the {max_bytes} bytes allowed")
            }
            DownloadError::Corrupt(error) => write!(f, "the download is no whole zip: {error}"),
            DownloadError::File { path, error } => write!(f, "{}: {error}", path.display()),
            DownloadError::Writer(error) => write!(f, "the download cannot be written: {error}"),
        }
    }
}

impl std::error::Error for DownloadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DownloadError::Call(error) => Some(error),
            DownloadError::Interrupted { error, .. } => error.as_ref().map(|error| error as _),
            DownloadError::Corrupt(error) => Some(error),
            DownloadError::File { error, .. } | DownloadError::Writer(error) => Some(&**error),
            DownloadError::TooLarge { .. } => None,
        }
    }
}

impl From<Error> for DownloadError {
    fn from(error: Error) -> DownloadError {
        DownloadError::Call(error)
    }
}
