//! The bytes of a download across connections that break.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap};
use tokio::time::sleep;

use crate::download::{Download, DownloadError, Progress};
use crate::runtime::{ByteStream, Call, Error, ResponseValue, RetryPolicy};

/// What a transfer gives.
pub(crate) enum Piece {
    /// The bytes that follow.
    Bytes(Bytes),
    /// All that came before is void; the bytes that follow are the first.
    Restart,
}

/// A download that is under way.
pub(crate) struct Transfer {
    call: Call,
    max_bytes: Option<u64>,
    progress: Option<Progress>,
    policy: RetryPolicy,
    /// Whether what was given can be declared void.
    may_restart: bool,
    at: u64,
    total: Option<u64>,
    /// Says which bytes they are, byte by byte.
    tag: Option<String>,
    /// How many bytes come that were given already.
    skip: u64,
    body: Option<ByteStream>,
    failures: u32,
    ended: bool,
}

impl Transfer {
    pub(crate) fn new(download: Download, may_restart: bool) -> Transfer {
        let Download { call, max_bytes, progress } = download;
        let policy = call.options.retry.unwrap_or(call.client.inner().retry);
        Transfer {
            call,
            max_bytes,
            progress,
            policy,
            may_restart,
            at: 0,
            total: None,
            tag: None,
            skip: 0,
            body: None,
            failures: 0,
            ended: false,
        }
    }

    /// How many bytes were given.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// How many there are in all, where that is known.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Goes back to the first byte.
    pub(crate) fn rewind(&mut self) {
        (self.at, self.total, self.tag, self.skip) = (0, None, None, 0);
        (self.body, self.ended) = (None, false);
    }

    /// Opens the connection, if it is not open.
    pub(crate) async fn begin(&mut self) -> Result<(), DownloadError> {
        match self.body {
            Some(_) => Ok(()),
            None => self.open().await.map(drop),
        }
    }

    /// The next piece, or `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Piece>, DownloadError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            let Some(body) = &mut self.body else {
                if self.open().await? {
                    return Ok(Some(Piece::Restart));
                }
                continue;
            };
            match body.chunk().await {
                Ok(Some(bytes)) => {
                    if let Some(bytes) = self.take(bytes)? {
                        return Ok(Some(Piece::Bytes(bytes)));
                    }
                }
                Ok(None) if self.skip == 0 && self.total.is_none_or(|total| self.at == total) => {
                    self.ended = true;
                }
                Ok(None) => self.broke(None).await?,
                Err(error) => self.broke(Some(error)).await?,
            }
        }
    }

    /// Counts what arrived, and leaves out what was given before.
    fn take(&mut self, mut bytes: Bytes) -> Result<Option<Bytes>, DownloadError> {
        let old = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        drop(bytes.split_to(old));
        self.skip -= old as u64;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.at += bytes.len() as u64;
        self.check_length(self.at)?;
        // It gets ahead, so it may break as often again; else a download would end for being long.
        if self.tag.is_some() {
            self.failures = 0;
        }
        if let Some(tell) = &mut self.progress {
            tell(self.at, self.total);
        }
        Ok(Some(bytes))
    }

    fn check_length(&mut self, length: u64) -> Result<(), DownloadError> {
        match self.max_bytes {
            Some(max_bytes) if length > max_bytes => {
                self.body = None;
                self.ended = true;
                Err(DownloadError::TooLarge { max_bytes })
            }
            _ => Ok(()),
        }
    }

    /// The connection broke: `Ok` after a wait, if there may be another.
    async fn broke(&mut self, error: Option<Error>) -> Result<(), DownloadError> {
        self.body = None;
        self.failures += 1;
        let passes = error.as_ref().is_none_or(Error::is_transient);
        let budget = &self.call.client.inner().budget;
        if !passes || self.failures >= self.policy.max_attempts.max(1) || !budget.spend() {
            return Err(self.interrupted(error));
        }
        if self.at > 0 && !self.may_restart && self.tag.is_none() {
            return Err(self.interrupted(error));
        }
        let wait: Duration = self.policy.wait(self.failures);
        tracing::warn!(at = self.at, total = self.total, ?wait, "download broke off and is taken up again");
        sleep(wait).await;
        Ok(())
    }

    fn interrupted(&self, error: Option<Error>) -> DownloadError {
        DownloadError::Interrupted { at: self.at, total: self.total, error }
    }

    /// Asks for the zip, or for the rest of it. Whether it starts over.
    async fn open(&mut self) -> Result<bool, DownloadError> {
        let resumes = self.at > 0 && self.tag.is_some();
        let mut call = self.call.clone();
        if let Some(tag) = self.tag.as_ref().filter(|_| resumes) {
            call.header("range", format!("bytes={}-", self.at));
            call.header("if-range", tag);
        }
        let response = match call.stream().await {
            Ok(response) => response,
            // There is no such range any more, so it is another zip now.
            Err(error) if resumes && error.status() == Some(StatusCode::RANGE_NOT_SATISFIABLE) => {
                return self.start_over(Some(error));
            }
            Err(error) => return Err(error.into()),
        };
        if resumes && response.status() == StatusCode::PARTIAL_CONTENT {
            return match self.continues(response.headers()) {
                true => {
                    self.body = Some(response.into_inner());
                    Ok(false)
                }
                false => self.start_over(None),
            };
        }
        self.opened_whole(response)
    }

    /// The whole zip comes, though a part of it may have been given already.
    fn opened_whole(&mut self, response: ResponseValue<ByteStream>) -> Result<bool, DownloadError> {
        if response.status() == StatusCode::PARTIAL_CONTENT {
            // A part that nobody asked for is not the whole.
            return Err(self.interrupted(None));
        }
        let headers = response.headers();
        let (total, tag) = (length(headers), strong_tag(headers));
        let given = self.at;
        if given > 0 && !self.may_restart {
            if tag.is_none() || tag != self.tag || total != self.total {
                return Err(self.interrupted(None));
            }
            self.skip = given;
        } else {
            (self.at, self.total, self.tag, self.skip) = (0, total, tag, 0);
            self.check_length(total.unwrap_or(0))?;
        }
        self.body = Some(response.into_inner());
        Ok(given > 0 && self.may_restart)
    }

    /// Lets the next attempt ask for the whole.
    fn start_over(&mut self, error: Option<Error>) -> Result<bool, DownloadError> {
        if !self.may_restart {
            return Err(self.interrupted(error));
        }
        self.failures += 1;
        if self.failures >= self.policy.max_attempts.max(1) {
            return Err(self.interrupted(error));
        }
        self.rewind();
        Ok(true)
    }

    /// Whether a part is the one that was asked for, of the same zip.
    fn continues(&self, headers: &HeaderMap) -> bool {
        let range = headers.get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let Some((range, total)) =
            range.and_then(|range| range.trim().strip_prefix("bytes ")?.split_once('/'))
        else {
            return false;
        };
        let first = range.split_once('-').and_then(|(first, _)| first.trim().parse::<u64>().ok());
        let same_length = self.total.is_none_or(|known| total.trim().parse() == Ok(known) || total == "*");
        let same_tag = !headers.contains_key(ETAG) || strong_tag(headers) == self.tag;
        first == Some(self.at) && same_length && same_tag
    }
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// The tag of these very bytes; a weak one (`W/`) is of bytes that are much the same.
fn strong_tag(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(ETAG)?.to_str().ok()?;
    tag.starts_with('"').then(|| tag.to_owned())
}
