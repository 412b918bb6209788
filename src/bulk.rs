//! Exports of all potential roles of a session, or of those that match, into a folder.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use crate::builder::GetPotentialRoleSummaries;
use crate::download::{DownloadError, Receipt};
use crate::export::ExportToken;
use crate::manifest::{DONE, Entry, LISTED, Ledger, STARTED, STARTING};
use crate::runtime::{Client, Error, Filter, PollSchedule, WaitError};
use crate::types::RoleMiningPotentialRoleExportState as ExportState;

impl Client {
    /// Exports of all potential roles of a session, to be put into a folder.
    ///
    /// ```no_run
    /// # async fn example(client: sailpoint_role_mining::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use sailpoint_role_mining::fields::get_potential_role_summaries::SAVED;
    ///
    /// let report = client.export_all("session").matching(SAVED.eq(true)).to_folder("roles").await?;
    /// for (role, error) in &report.failed {
    ///     eprintln!("{role}: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn export_all(&self, session_id: impl Into<String>) -> BulkExport {
        BulkExport {
            client: self.clone(),
            session_id: session_id.into(),
            filter: None,
            concurrency: 4,
            min_entitlement_popularity: None,
            include_common_access: None,
            limit: None,
            max_bytes: None,
            schedule: PollSchedule::default(),
            restart_in_doubt: false,
        }
    }
}

/// Exports of many roles.
///
/// What is done is put on record in `manifest.json` in the folder, before and after each step. When the process
/// dies, the same call in another takes up the work: zips that are there stay, exports that were started are
/// attached to, the rest is started. One process at a time may work on a folder.
///
/// What cannot be known is whether an export was started whose answer never came: the connection broke after
/// the request was sent, or the process died between the two. The time for that is kept as short as it
/// can be (the intent is on the disk before the request is sent, the id is written as soon as it is
/// there), and at most one role for each export that may run at the same time is in doubt after a crash. These are
/// told in [`BulkReport::in_doubt`] and not started again, unless
/// [`restart_in_doubt`](Self::restart_in_doubt) says that a second export of the same role is no harm.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `to_folder`"]
pub struct BulkExport {
    client: Client,
    session_id: String,
    filter: Option<Filter<GetPotentialRoleSummaries>>,
    concurrency: usize,
    min_entitlement_popularity: Option<i64>,
    include_common_access: Option<bool>,
    limit: Option<Duration>,
    max_bytes: Option<u64>,
    schedule: PollSchedule,
    restart_in_doubt: bool,
}

/// What came of exporting many roles.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct BulkReport {
    /// The roles whose zips are there.
    pub done: Vec<Exported>,
    /// The roles whose export, or its download, failed; the next run tries them again.
    pub failed: Vec<(String, RoleError)>,
    /// The roles of which it is not known whether their export was started.
    pub in_doubt: Vec<String>,
}

/// A role whose zip is there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The potential role.
    pub potential_role_id: String,
    /// Its zip.
    pub receipt: Receipt,
    /// Whether it was there before this run.
    pub was_there: bool,
}

enum Outcome {
    Done(Exported),
    Failed(String, RoleError),
    InDoubt(String),
}

impl BulkExport {
    /// Exports only the roles that match a filter.
    pub fn matching(mut self, filter: impl Into<Filter<GetPotentialRoleSummaries>>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// How many exports are under way at the same time. Default 4. However many, their requests share the
    /// client's rate limit.
    pub fn concurrency(mut self, exports: usize) -> Self {
        self.concurrency = exports.max(1);
        self
    }

    /// As [`StartExport::min_entitlement_popularity`](crate::StartExport::min_entitlement_popularity).
    pub fn min_entitlement_popularity(mut self, percent: impl Into<i64>) -> Self {
        self.min_entitlement_popularity = Some(percent.into());
        self
    }

    /// As [`StartExport::include_common_access`](crate::StartExport::include_common_access).
    pub fn include_common_access(mut self, include: bool) -> Self {
        self.include_common_access = Some(include);
        self
    }

    /// How long to wait for each export.
    pub fn timeout_each(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Gives up a zip that is longer than this.
    pub fn max_bytes_each(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// When to ask after each export.
    pub fn schedule(mut self, schedule: PollSchedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Starts exports again of which it is not known whether they were started.
    pub fn restart_in_doubt(mut self, restart: bool) -> Self {
        self.restart_in_doubt = restart;
        self
    }

    /// Does it. What fails for one role is told in the report and does not keep the others.
    ///
    /// # Errors
    ///
    /// When the roles cannot be listed, or the manifest cannot be read or written.
    pub async fn to_folder(self, folder: impl AsRef<Path>) -> Result<BulkReport, BulkError> {
        let ledger = Ledger::open(folder.as_ref(), &self.session_id, self.settings()).await?;
        let listed = self.roles().await.map_err(BulkError::Call)?;
        ledger.add(listed).await?;
        let exports = ledger.roles().into_iter().map(|role| self.one(&ledger, role));
        let mut outcomes = futures_util::stream::iter(exports).buffer_unordered(self.concurrency);
        let mut report = BulkReport::default();
        while let Some(outcome) = outcomes.next().await {
            match outcome? {
                Outcome::Done(exported) => report.done.push(exported),
                Outcome::Failed(role, error) => report.failed.push((role, error)),
                Outcome::InDoubt(role) => report.in_doubt.push(role),
            }
        }
        Ok(report)
    }

    fn settings(&self) -> String {
        let filter = self.filter.as_ref().map(ToString::to_string).unwrap_or_default();
        let (least, common) = (self.min_entitlement_popularity, self.include_common_access);
        format!(
            "filter `{filter}`, popularity of at least {}, common access {}",
            least.unwrap_or(0),
            common.unwrap_or(true)
        )
    }

    /// The ids of the roles.
    async fn roles(&self) -> Result<Vec<String>, Error> {
        let mut list = self.client.get_potential_role_summaries().session_id(&self.session_id);
        if let Some(filter) = &self.filter {
            list = list.filters(filter.clone());
        }
        let roles = list.paginate().all().await?;
        Ok(roles.into_iter().filter_map(|role| role.id).filter(|id| !id.is_empty()).collect())
    }

    async fn one(&self, ledger: &Ledger, role: String) -> Result<Outcome, BulkError> {
        let entry = ledger.entry(&role).unwrap_or_else(|| Entry::new(LISTED));
        let path = ledger.path(&role);
        if entry.state == DONE
            && let Some(bytes) = entry.bytes.and_then(|bytes| u64::try_from(bytes).ok())
            && tokio::fs::metadata(&path).await.is_ok_and(|found| found.len() == bytes)
        {
            let receipt = Receipt { path, bytes };
            return Ok(Outcome::Done(Exported { potential_role_id: role, receipt, was_there: true }));
        }
        let known = entry.export_id.filter(|_| entry.state == DONE || entry.state == STARTED);
        let export_id = match known {
            Some(id) => id,
            None if entry.state == STARTING && !self.restart_in_doubt => return Ok(Outcome::InDoubt(role)),
            None => match self.start(ledger, &role).await? {
                Ok(id) => id,
                Err(outcome) => return Ok(outcome),
            },
        };
        let fetched = self.fetch(&role, &export_id, path).await;
        let started = Entry::started(&export_id);
        match fetched {
            Ok(receipt) => {
                let bytes = i64::try_from(receipt.bytes).ok();
                let done = Entry { state: DONE.to_owned(), bytes, ..started };
                ledger.set(&role, done).await?;
                Ok(Outcome::Done(Exported { potential_role_id: role, receipt, was_there: false }))
            }
            Err(error) => {
                // What has failed or is gone is to be started anew; what may still come is not.
                let entry = if error.is_final() { Entry::new(LISTED) } else { started };
                ledger.set(&role, entry.with_error(&error)).await?;
                Ok(Outcome::Failed(role, error))
            }
        }
    }

    /// Starts the export of a role, with the intent on record before and the id after.
    async fn start(&self, ledger: &Ledger, role: &str) -> Result<Result<String, Outcome>, BulkError> {
        ledger.set(role, Entry::new(STARTING)).await?;
        let mut start = self.client.export(&self.session_id, role);
        if let Some(percent) = self.min_entitlement_popularity {
            start = start.min_entitlement_popularity(percent);
        }
        if let Some(include) = self.include_common_access {
            start = start.include_common_access(include);
        }
        match start.start().await {
            Ok(job) => {
                let id = job.token().export_id().to_owned();
                ledger.set(role, Entry::started(&id)).await?;
                Ok(Ok(id))
            }
            Err(error) if surely_did_nothing(&error) => {
                ledger.set(role, Entry::new(LISTED).with_error(&error)).await?;
                Ok(Err(Outcome::Failed(role.to_owned(), RoleError::Start(error))))
            }
            Err(error) => {
                ledger.set(role, Entry::new(STARTING).with_error(&error)).await?;
                Ok(Err(Outcome::InDoubt(role.to_owned())))
            }
        }
    }

    async fn fetch(&self, role: &str, export_id: &str, path: PathBuf) -> Result<Receipt, RoleError> {
        let job = self.client.attach(ExportToken::new(&self.session_id, role, export_id));
        let mut finish = job.finish().schedule(self.schedule);
        if let Some(limit) = self.limit {
            finish = finish.timeout(limit);
        }
        let mut download = finish.await.map_err(RoleError::Wait)?.download();
        if let Some(bytes) = self.max_bytes {
            download = download.max_bytes(bytes);
        }
        download.to_path(path).await.map_err(RoleError::Download)
    }
}

/// Whether a request that failed surely started nothing.
fn surely_did_nothing(error: &Error) -> bool {
    let refused = error.status().is_some_and(|status| status.is_client_error() && status != 408);
    error.attempts() == 0 || refused || error.may_resend(false)
}

/// Why the export of one role among many failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RoleError {
    /// It was not started.
    Start(Error),
    /// It did not come to an end, or to a bad one.
    Wait(WaitError<ExportState>),
    /// It was not fetched.
    Download(DownloadError),
}

impl RoleError {
    /// Whether there is nothing left to come back to.
    fn is_final(&self) -> bool {
        let gone = |error: Option<&Error>| {
            error.and_then(Error::status).is_some_and(|status| status == 404 || status == 410)
        };
        match self {
            RoleError::Start(_) => true,
            RoleError::Wait(error) => error.is_failure() || gone(error.call_error()),
            RoleError::Download(error) => gone(error.call_error()),
        }
    }
}

impl fmt::Display for RoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoleError::Start(error) => error.fmt(f),
            RoleError::Wait(error) => error.fmt(f),
            RoleError::Download(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RoleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(match self {
            RoleError::Start(error) => error,
            RoleError::Wait(error) => error,
            RoleError::Download(error) => error,
        })
    }
}

/// Why an export of many roles cannot go on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum BulkError {
    /// The roles cannot be listed.
    Call(Error),
    /// The folder or the manifest cannot be read or written.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: Arc<io::Error>,
    },
    /// The manifest in the folder is not one of this export.
    Manifest {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl BulkError {
    pub(crate) fn file(path: &Path, error: io::Error) -> BulkError {
        BulkError::File { path: path.to_owned(), error: Arc::new(error) }
    }
}

impl fmt::Display for BulkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BulkError::Call(error) => error.fmt(f),
            BulkError::File { path, error } => write!(f, "{}: {error}", path.display()),
            BulkError::Manifest { path, why } => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for BulkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BulkError::Call(error) => Some(error),
            BulkError::File { error, .. } => Some(&**error),
            BulkError::Manifest { .. } => None,
        }
    }
}
