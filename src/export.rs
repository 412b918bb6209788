//! Exports of one potential role: started, waited for, fetched.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::builder::{DownloadRoleMiningPotentialRoleZip, ExportRoleMiningPotentialRoleStatus};
use crate::download::Download;
use crate::runtime::wire::model;
use crate::runtime::{Client, Error, Extra, PollSchedule, Poller, Verdict, WaitError};
use crate::types::{RoleMiningPotentialRoleExportRequest, RoleMiningPotentialRoleExportState as ExportState};

impl Client {
    /// An export of a potential role, to be started: a zip of its identities and entitlements.
    ///
    /// ```no_run
    /// # async fn example(client: sailpoint_role_mining::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let export = client.export("session", "role").min_entitlement_popularity(10).start().await?;
    /// let token = export.token().clone(); // serde: another process can `attach` to the same job
    /// export.finish().await?.download().to_path("role.zip").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn export(&self, session_id: impl Into<String>, potential_role_id: impl Into<String>) -> StartExport {
        StartExport {
            client: self.clone(),
            session_id: session_id.into(),
            potential_role_id: potential_role_id.into(),
            body: RoleMiningPotentialRoleExportRequest::default(),
        }
    }

    /// An export that was started before, here or in another process. Nothing is sent.
    pub fn attach(&self, token: ExportToken) -> ExportJob {
        ExportJob { client: self.clone(), token, first: None }
    }

    /// An export of a potential role that the service makes while it is fetched: with all entitlements, and
    /// without a job that could be waited for or come back to. For small roles.
    pub fn export_now(
        &self,
        session_id: impl Into<String>,
        potential_role_id: impl Into<String>,
    ) -> Download {
        let call = self.export_role_mining_potential_role();
        Download::new(call.session_id(session_id).potential_role_id(potential_role_id).into_call())
    }
}

/// An export that is about to be started.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `start`"]
pub struct StartExport {
    client: Client,
    session_id: String,
    potential_role_id: String,
    body: RoleMiningPotentialRoleExportRequest,
}

impl StartExport {
    /// Leaves out entitlements that fewer than so many percent of the role's identities have.
    pub fn min_entitlement_popularity(mut self, percent: impl Into<i64>) -> Self {
        self.body.min_entitlement_popularity = Some(percent.into());
        self
    }

    /// Whether entitlements that are popular throughout the organization are written. By default they are.
    pub fn include_common_access(mut self, include: bool) -> Self {
        self.body.include_common_access = Some(include);
        self
    }

    /// Starts it. This is sent again only if it surely did nothing, so there is never more than one export.
    ///
    /// # Errors
    ///
    /// When the call fails, or its answer has no id to ask after.
    pub async fn start(self) -> Result<ExportJob, Error> {
        let StartExport { client, session_id, potential_role_id, body } = self;
        let call = client.export_role_mining_potential_role_async();
        let call = call.session_id(&session_id).potential_role_id(&potential_role_id).body(body);
        let answer = call.send().await?;
        let Some(export_id) = answer.export_id.clone().filter(|id| !id.is_empty()) else {
            return Err(answer.lacks(&crate::operations::EXPORT_ROLE_MINING_POTENTIAL_ROLE_ASYNC, "exportId"));
        };
        let token = ExportToken { session_id, potential_role_id, export_id, extra: Extra::new() };
        Ok(ExportJob { client, token, first: answer.into_inner().status })
    }
}

/// What it takes to come back to an export: three ids and no secret. It is written and read by serde.
///
/// ```
/// use sailpoint_role_mining::ExportToken;
///
/// let token = ExportToken::new("session", "role", "export");
/// let text = serde_json::to_string(&token)?;
/// assert_eq!(text, r#"{"sessionId":"session","potentialRoleId":"role","exportId":"export"}"#);
/// assert_eq!(serde_json::from_str::<ExportToken>(&text)?, token);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExportToken {
    session_id: String,
    potential_role_id: String,
    export_id: String,
    extra: Extra,
}

model!(ExportToken {
    session_id: required "sessionId",
    potential_role_id: required "potentialRoleId",
    export_id: required "exportId",
});

impl ExportToken {
    /// The token of an export whose ids are known from elsewhere.
    pub fn new(
        session_id: impl Into<String>,
        potential_role_id: impl Into<String>,
        export_id: impl Into<String>,
    ) -> ExportToken {
        ExportToken {
            session_id: session_id.into(),
            potential_role_id: potential_role_id.into(),
            export_id: export_id.into(),
            extra: Extra::new(),
        }
    }

    /// The session that the role belongs to.
    pub fn session_id(&self) -> &str {
        &self.session_id
    }

    /// The role that is exported.
    pub fn potential_role_id(&self) -> &str {
        &self.potential_role_id
    }

    /// The export.
    pub fn export_id(&self) -> &str {
        &self.export_id
    }
}

/// An export that the service works on.
#[derive(Clone, Debug)]
pub struct ExportJob {
    client: Client,
    token: ExportToken,
    /// What starting it said, which is as good as a first look.
    first: Option<ExportState>,
}

impl ExportJob {
    /// What it takes to come back to it.
    pub fn token(&self) -> &ExportToken {
        &self.token
    }

    /// Asks once how far it has come.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn status(&self) -> Result<ExportState, Error> {
        Ok(state_of(self.ask().send().await?.into_inner().status))
    }

    /// Its statuses as a stream, or, awaited, the last of them. See [`Poller`].
    pub fn watch(&self) -> Poller<ExportState> {
        let ask = self.ask();
        let poll = move || {
            let ask = ask.clone();
            async move {
                let answer = ask.send().await?;
                let headers = answer.headers().clone();
                Ok((state_of(answer.into_inner().status), headers))
            }
        };
        let judge = |state: &ExportState| match state {
            ExportState::Success => Verdict::Done,
            ExportState::Error => Verdict::Failed,
            _ => Verdict::Pending,
        };
        Poller::new(poll, judge).about(format!("export {}", self.token.export_id)).knowing(self.first.clone())
    }

    /// Waits until it is done; the same as [`watch`](Self::watch), for those who only await it.
    pub fn wait(&self) -> Poller<ExportState> {
        self.watch()
    }

    /// Waits until there is something to fetch.
    pub fn finish(self) -> Finish {
        Finish { poller: self.watch(), job: self }
    }

    fn ask(&self) -> ExportRoleMiningPotentialRoleStatus {
        let call = self.client.export_role_mining_potential_role_status();
        let ExportToken { session_id, potential_role_id, export_id, .. } = &self.token;
        call.session_id(session_id).potential_role_id(potential_role_id).export_id(export_id)
    }
}

fn state_of(state: Option<ExportState>) -> ExportState {
    state.unwrap_or_else(|| ExportState::Unknown("without a status".into()))
}

/// Waits for an export, once it is awaited.
#[derive(Debug)]
#[must_use = "nothing is asked before it is awaited"]
pub struct Finish {
    job: ExportJob,
    poller: Poller<ExportState>,
}

impl Finish {
    /// How long to wait, as [`Poller::timeout`].
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.poller = self.poller.timeout(limit);
        self
    }

    /// When to ask, as [`Poller::schedule`].
    pub fn schedule(mut self, schedule: PollSchedule) -> Self {
        self.poller = self.poller.schedule(schedule);
        self
    }

    /// How long calls may fail, as [`Poller::tolerate`].
    pub fn tolerate(mut self, time: Duration) -> Self {
        self.poller = self.poller.tolerate(time);
        self
    }
}

impl IntoFuture for Finish {
    type Output = Result<FinishedExport, WaitError<ExportState>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let Finish { job, poller } = self;
        Box::pin(async move {
            poller.await?;
            Ok(FinishedExport { client: job.client, token: job.token })
        })
    }
}

/// An export that can be fetched, as often as is liked.
#[derive(Clone)]
pub struct FinishedExport {
    client: Client,
    token: ExportToken,
}

impl FinishedExport {
    /// What it takes to come back to it.
    pub fn token(&self) -> &ExportToken {
        &self.token
    }

    /// Its zip, to be put somewhere.
    pub fn download(&self) -> Download {
        let ExportToken { session_id, potential_role_id, export_id, .. } = &self.token;
        let call: DownloadRoleMiningPotentialRoleZip = self.client.download_role_mining_potential_role_zip();
        let call = call.session_id(session_id).potential_role_id(potential_role_id).export_id(export_id);
        Download::new(call.into_call())
    }
}

impl fmt::Debug for FinishedExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishedExport").field("token", &self.token).finish_non_exhaustive()
    }
}
