//! Waiting for sessions to be mined, and for potential roles to be provisioned.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::runtime::{Client, Error, PollSchedule, Poller, Verdict, WaitError};
use crate::types::{
    RoleMiningPotentialRoleProvisionRequest, RoleMiningPotentialRoleProvisionState as ProvisionState,
    RoleMiningSessionDto, RoleMiningSessionResponse, RoleMiningSessionState as SessionState,
};

impl Client {
    /// Waits for a session: unless told otherwise, until its potential roles are there.
    ///
    /// ```no_run
    /// # async fn example(client: sailpoint_role_mining::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use sailpoint_role_mining::SessionState;
    ///
    /// let wait = client.wait_for_session("8c190e67").until(SessionState::PotentialRolesCreated);
    /// let session = wait.timeout(Duration::from_secs(600)).await?;
    /// println!("{} potential roles", session.potential_roles.unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_for_session(&self, session_id: impl Into<String>) -> WaitForSession {
        WaitForSession {
            client: self.clone(),
            what: What::Session(session_id.into()),
            until: SessionState::PotentialRolesCreated,
            limit: None,
            schedule: PollSchedule::default(),
        }
    }

    /// Creates a session and waits for it, as [`wait_for_session`](Self::wait_for_session) does. It is created
    /// once at most; where waiting fails, the error knows its id.
    pub fn create_and_wait(&self, session: impl Into<RoleMiningSessionDto>) -> WaitForSession {
        let what = What::New(Box::new(session.into()));
        WaitForSession { what, ..self.wait_for_session(String::new()) }
    }

    /// A request to make a real role of a potential one, to be sent.
    pub fn provision(
        &self,
        session_id: impl Into<String>,
        potential_role_id: impl Into<String>,
    ) -> Provision {
        Provision {
            client: self.clone(),
            session_id: session_id.into(),
            potential_role_id: potential_role_id.into(),
            min_entitlement_popularity: None,
            include_common_access: None,
            body: None,
        }
    }

    /// Waits until a request to provision a potential role is `COMPLETE`, or fails as it is `FAILED`. The
    /// service tells this of the role, not of the request.
    pub fn wait_for_provisioning(
        &self,
        session_id: impl Into<String>,
        potential_role_id: impl Into<String>,
    ) -> Poller<ProvisionProgress> {
        let potential_role_id = potential_role_id.into();
        let what = format!("provisioning potential role {potential_role_id}");
        let ask = self.get_potential_role().session_id(session_id).potential_role_id(potential_role_id);
        let poll = move || {
            let ask = ask.clone();
            async move {
                let role = ask.send().await?;
                let state = role.provision_state.clone();
                let progress = ProvisionProgress::new(state, role.role_id.clone());
                Ok((progress, role.headers().clone()))
            }
        };
        Poller::new(poll, |progress: &ProvisionProgress| match progress.state {
            ProvisionState::Complete => Verdict::Done,
            ProvisionState::Failed => Verdict::Failed,
            _ => Verdict::Pending,
        })
        .about(what)
    }
}

/// How far a session has come.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionProgress {
    /// The session.
    pub id: String,
    /// Its state.
    pub state: SessionState,
    /// How many potential roles it has, where the service says that.
    pub potential_roles: Option<i64>,
    /// How many of them are computed.
    pub potential_roles_ready: Option<i64>,
}

impl SessionProgress {
    fn new(id: &str, session: &RoleMiningSessionResponse) -> SessionProgress {
        let state = session.status.as_ref().and_then(|status| status.state.clone());
        SessionProgress {
            id: id.to_owned(),
            state: state.unwrap_or_else(|| SessionState::Unknown("without a state".into())),
            potential_roles: session.potential_role_count,
            potential_roles_ready: session.potential_roles_ready_count,
        }
    }
}

impl fmt::Display for SessionProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}: {}", self.id, self.state)?;
        match (self.potential_roles_ready, self.potential_roles) {
            (Some(ready), Some(all)) => write!(f, ", {ready} of {all} potential roles ready"),
            _ => Ok(()),
        }
    }
}

/// Waits for a session, once it is awaited or watched.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is awaited"]
pub struct WaitForSession {
    client: Client,
    what: What,
    until: SessionState,
    limit: Option<Duration>,
    schedule: PollSchedule,
}

#[derive(Clone, Debug)]
enum What {
    Session(String),
    New(Box<RoleMiningSessionDto>),
}

impl WaitForSession {
    /// The state to wait for. A session that is past it counts as well.
    pub fn until(mut self, state: SessionState) -> Self {
        self.until = state;
        self
    }

    /// How long to wait, as [`Poller::timeout`].
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// When to ask, as [`Poller::schedule`].
    pub fn schedule(mut self, schedule: PollSchedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// Its states and counts as a stream. A session that does not exist yet is created now.
    ///
    /// # Errors
    ///
    /// When it cannot be created.
    pub async fn watch(self) -> Result<Poller<SessionProgress>, Error> {
        let WaitForSession { client, what, until, limit, schedule } = self;
        let (id, first) = match what {
            What::Session(id) => (id, None),
            What::New(body) => {
                let session = client.create_role_mining_sessions().body(*body).send().await?;
                let Some(id) = session.id.clone() else {
                    return Err(session.lacks(&crate::operations::CREATE_ROLE_MINING_SESSIONS, "id"));
                };
                let first = SessionProgress::new(&id, &session);
                (id, Some(first))
            }
        };
        let what = format!("session {id}");
        let poll = move || {
            let (ask, id) = (client.get_role_mining_session().session_id(&id), id.clone());
            async move {
                let session = ask.send().await?;
                Ok((SessionProgress::new(&id, &session), session.headers().clone()))
            }
        };
        let judge = move |progress: &SessionProgress| match is_past(&progress.state, &until) {
            true => Verdict::Done,
            false => Verdict::Pending,
        };
        let poller = Poller::new(poll, judge).about(what).knowing(first).schedule(schedule);
        Ok(match limit {
            Some(limit) => poller.timeout(limit),
            None => poller,
        })
    }
}

impl IntoFuture for WaitForSession {
    type Output = Result<SessionProgress, WaitError<SessionProgress>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let poller = self.watch().await.map_err(|error| WaitError::Call { error, last: None })?;
            poller.await
        })
    }
}

/// Whether a session in one state has been through another.
fn is_past(state: &SessionState, until: &SessionState) -> bool {
    let rank = |state: &SessionState| match state {
        // Settings that change make mining begin anew.
        SessionState::Created | SessionState::Updated => Some(0),
        SessionState::IdentitiesObtained => Some(1),
        SessionState::PruneThresholdObtained => Some(2),
        SessionState::PotentialRolesProcessing => Some(3),
        SessionState::PotentialRolesCreated => Some(4),
        SessionState::Unknown(_) => None,
    };
    match (rank(state), rank(until)) {
        (Some(state), Some(until)) => state >= until,
        _ => state == until,
    }
}

/// How far the provisioning of a potential role has come.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProvisionProgress {
    /// Its state.
    pub state: ProvisionState,
    /// The real role, once there is one.
    pub role_id: Option<String>,
}

impl ProvisionProgress {
    fn new(state: Option<ProvisionState>, role_id: Option<String>) -> ProvisionProgress {
        let state = state.unwrap_or_else(|| ProvisionState::Unknown("without a state".into()));
        ProvisionProgress { state, role_id }
    }
}

impl fmt::Display for ProvisionProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provisioning {}", self.state)
    }
}

/// A request to make a real role of a potential one.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `start` or `create_and_wait`"]
pub struct Provision {
    client: Client,
    session_id: String,
    potential_role_id: String,
    min_entitlement_popularity: Option<i64>,
    include_common_access: Option<bool>,
    body: Option<RoleMiningPotentialRoleProvisionRequest>,
}

impl Provision {
    /// Leaves out entitlements that fewer than so many percent of the role's identities have.
    pub fn min_entitlement_popularity(mut self, percent: impl Into<i64>) -> Self {
        self.min_entitlement_popularity = Some(percent.into());
        self
    }

    /// Whether entitlements that are popular throughout the organization go into the role.
    pub fn include_common_access(mut self, include: bool) -> Self {
        self.include_common_access = Some(include);
        self
    }

    /// Name, owner and manner of the new role.
    pub fn body(mut self, body: impl Into<RoleMiningPotentialRoleProvisionRequest>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends the request, once at most, and gives what waits for it to be carried out.
    ///
    /// # Errors
    ///
    /// When the call fails.
    pub async fn start(self) -> Result<Poller<ProvisionProgress>, Error> {
        let Provision { client, session_id, potential_role_id, .. } = self;
        let mut call = client.create_potential_role_provision_request();
        call = call.session_id(&session_id).potential_role_id(&potential_role_id);
        if let Some(percent) = self.min_entitlement_popularity {
            call = call.min_entitlement_popularity(percent);
        }
        if let Some(include) = self.include_common_access {
            call = call.include_common_access(include);
        }
        if let Some(body) = self.body {
            call = call.body(body);
        }
        let answer = call.send().await?;
        // A state from before the request would be mistaken for what came of it.
        let first = match answer.provision_state.clone() {
            Some(ProvisionState::Failed) | None => None,
            state => Some(ProvisionProgress::new(state, answer.role_id.clone())),
        };
        Ok(client.wait_for_provisioning(session_id, potential_role_id).knowing(first))
    }

    /// Sends the request and waits for it, for so long at most.
    ///
    /// # Errors
    ///
    /// When the request or a look at its state fails, it came to no role, or time ran out.
    pub async fn create_and_wait(
        self,
        limit: Duration,
    ) -> Result<ProvisionProgress, WaitError<ProvisionProgress>> {
        let poller = self.start().await.map_err(|error| WaitError::Call { error, last: None })?;
        poller.timeout(limit).await
    }
}
