//! The state of the tenant: its sessions, their potential roles, and exports of these.

mod roles;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::{Clock, HISTORY, Moment};
use crate::mining::{self, Focus, Mined};
use crate::organisation::{Organisation, uuid};
use crate::reply::Refusal;
use crate::scope;
use crate::settings::Settings;

pub(crate) use self::roles::{Export, Role, default_name};

/// The states of a session that is mined, in order; each lasts a step.
const STATES: [&str; 5] = [
    "CREATED",
    "IDENTITIES_OBTAINED",
    "PRUNE_THRESHOLD_OBTAINED",
    "POTENTIAL_ROLES_PROCESSING",
    "POTENTIAL_ROLES_CREATED",
];

pub(crate) struct World {
    pub(crate) organisation: Arc<Organisation>,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<Clock>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) roles: Vec<Role>,
    pub(crate) exports: Vec<Export>,
    pub(crate) fail_exports: bool,
    pub(crate) fail_provisions: bool,
    session_numbers: HashMap<String, usize>,
    role_numbers: HashMap<String, usize>,
    mined: HashMap<String, Arc<Mined>>,
    existing: Vec<Vec<u16>>,
}

#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) saved: bool,
    pub(crate) scope: Value,
    pub(crate) scoping_method: &'static str,
    pub(crate) focus: Focus,
    pub(crate) least_members: Option<u32>,
    pub(crate) threshold: Option<u8>,
    pub(crate) email: Option<String>,
    pub(crate) created_by: Option<Value>,
    pub(crate) created: Moment,
    pub(crate) modified: Moment,
    pub(crate) run: Run,
}

/// The mining of a session, and what came of it so far.
#[derive(Clone)]
pub(crate) struct Run {
    since: Moment,
    /// How often the session has been mined anew.
    generation: u64,
    found: Option<Found>,
    roles: Vec<usize>,
    has_roles: bool,
}

#[derive(Clone)]
struct Found {
    identities: usize,
    mined: Arc<Mined>,
}

/// How far a session has come.
pub(crate) struct Progress {
    pub(crate) state: &'static str,
    pub(crate) identities: usize,
    pub(crate) prescribed_threshold: Option<u8>,
    pub(crate) roles: usize,
    pub(crate) roles_ready: usize,
}

impl World {
    pub(crate) fn new(settings: Settings, clock: Arc<Clock>) -> Self {
        let organisation = Arc::new(Organisation::new(settings.seed, settings.identities));
        let mut world = Self {
            existing: organisation.existing_roles(),
            organisation,
            clock,
            sessions: Vec::new(),
            roles: Vec::new(),
            exports: Vec::new(),
            fail_exports: false,
            fail_provisions: false,
            session_numbers: HashMap::new(),
            role_numbers: HashMap::new(),
            mined: HashMap::new(),
            settings,
        };
        for number in 0..world.settings.sessions {
            let session = world.past_session(number);
            world.add_session(session);
        }
        world
    }

    /// A session from before the tenant started; between them they have every form of `createdBy`.
    fn past_session(&self, number: usize) -> Session {
        let department = crate::names::DEPARTMENTS[number % self.organisation.department_count()];
        let age = HISTORY / (self.settings.sessions as u32 + 1) * (self.settings.sessions - number) as u32;
        Session {
            name: Some(format!("RM Session - {department} {:02}", number + 1)),
            saved: number.is_multiple_of(2),
            scope: json!({"identityIds": [], "criteria": format!("attributes.department:\"{department}\""), "attributeFilterCriteria": null}),
            scoping_method: if number % 4 == 3 { "AUTO_RM" } else { "MANUAL" },
            created_by: match number % 3 {
                0 => Some(self.creator()),
                1 => Some(Value::Null),
                _ => None,
            },
            ..self.new_session(HISTORY.saturating_sub(age))
        }
    }

    pub(crate) fn new_session(&self, created: Moment) -> Session {
        Session {
            id: uuid(self.settings.seed ^ 0x5e55, self.sessions.len() as u64),
            name: None,
            saved: false,
            scope: Value::Null,
            scoping_method: "MANUAL",
            focus: Focus::Specialized,
            least_members: None,
            threshold: None,
            email: None,
            created_by: Some(self.creator()),
            created,
            modified: created,
            run: Run { since: created, generation: 0, found: None, roles: Vec::new(), has_roles: false },
        }
    }

    fn creator(&self) -> Value {
        json!({"id": self.organisation.identity_id(0), "displayName": self.organisation.name(0)})
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// How many steps have passed since a moment, and the fraction of the one that is under way.
    pub(crate) fn steps_since(&self, since: Moment) -> (usize, f64) {
        if self.settings.step.is_zero() {
            return (usize::MAX, 0.0);
        }
        let steps = self.now().saturating_sub(since).as_secs_f64() / self.settings.step.as_secs_f64();
        (steps as usize, steps.fract())
    }

    pub(crate) fn add_session(&mut self, session: Session) -> usize {
        let number = self.sessions.len();
        self.session_numbers.insert(session.id.clone(), number);
        self.sessions.push(session);
        number
    }

    pub(crate) fn session(&self, id: &str) -> Result<usize, Refusal> {
        self.session_numbers.get(id).copied().ok_or_else(|| Refusal::not_found("role mining session", id))
    }

    /// Starts to mine a session anew; what nobody kept of its roles is gone.
    pub(crate) fn mine_again(&mut self, number: usize) {
        let (now, roles, numbers) = (self.clock.now(), &self.roles, &mut self.role_numbers);
        let run = &mut self.sessions[number].run;
        run.since = now;
        run.generation += 1;
        run.found = None;
        run.has_roles = false;
        run.roles.retain(|&role| {
            let role = &roles[role];
            let kept = role.saved || role.provision.is_some();
            if !kept {
                numbers.remove(&role.id);
            }
            kept
        });
    }

    pub(crate) fn progress(&mut self, number: usize) -> Progress {
        let (steps, fraction) = self.steps_since(self.sessions[number].run.since);
        let step = steps.min(STATES.len() - 1);
        let state = match step {
            0 if self.sessions[number].run.generation > 0 => "UPDATED",
            step => STATES[step],
        };
        if step == 0 {
            return Progress { state, identities: 0, prescribed_threshold: None, roles: 0, roles_ready: 0 };
        }
        let found = self.found(number);
        let roles = found.mined.groups.len();
        Progress {
            state,
            identities: found.identities,
            prescribed_threshold: (step >= 2).then_some(found.mined.prescribed_threshold),
            roles: if step >= 3 { roles } else { 0 },
            roles_ready: match step {
                3 => (roles as f64 * fraction) as usize,
                4 => roles,
                _ => 0,
            },
        }
    }

    fn found(&mut self, number: usize) -> Found {
        let session = &self.sessions[number];
        if let Some(found) = &session.run.found {
            return found.clone();
        }
        // The scope was understood when the session was made.
        let scope = scope::resolve(&self.organisation, &session.scope).unwrap_or_default();
        let identities = scope.len();
        let least = session.least_members.unwrap_or(((identities / 100) as u32).clamp(5, 50)) as usize;
        let (focus, threshold) = (session.focus, session.threshold);
        let key = format!("{focus:?} {threshold:?} {least} {}", session.scope);
        let organisation = &self.organisation;
        let mined = self
            .mined
            .entry(key)
            .or_insert_with(|| Arc::new(mining::mine(organisation, &scope, focus, threshold, least)));
        let found = Found { identities, mined: Arc::clone(mined) };
        self.sessions[number].run.found = Some(found.clone());
        found
    }

    /// The numbers of a session's potential roles.
    pub(crate) fn roles_of(&mut self, number: usize) -> Vec<usize> {
        let done = self.steps_since(self.sessions[number].run.since).0 >= STATES.len() - 1;
        if done && !self.sessions[number].run.has_roles {
            self.make_roles(number);
        }
        self.sessions[number].run.roles.clone()
    }

    fn make_roles(&mut self, number: usize) {
        let mined = self.found(number).mined;
        let session = &mut self.sessions[number];
        session.run.has_roles = true;
        let created = session.run.since + self.settings.step * (STATES.len() as u32 - 1);
        for group in 0..mined.groups.len() {
            let id = uuid(
                self.settings.seed ^ 0x401e,
                ((number as u64) << 36) ^ (session.run.generation << 20) ^ group as u64,
            );
            self.role_numbers.insert(id.clone(), self.roles.len());
            session.run.roles.push(self.roles.len());
            self.roles.push(Role {
                name: default_name(&id),
                id,
                session: number,
                description: None,
                saved: false,
                excluded: BTreeSet::new(),
                provision: None,
                created,
                modified: created,
                mined: Arc::clone(&mined),
                group,
            });
        }
    }

    /// The numbers of all potential roles there are.
    pub(crate) fn all_roles(&mut self) -> Vec<usize> {
        (0..self.sessions.len()).flat_map(|session| self.roles_of(session)).collect()
    }

    /// A potential role; of one session, if the caller names one.
    pub(crate) fn role(&mut self, session: Option<&str>, id: &str) -> Result<usize, Refusal> {
        match session {
            Some(session) => {
                let number = self.session(session)?;
                self.roles_of(number);
            }
            None => {
                self.all_roles();
            }
        }
        let role = self.role_numbers.get(id).copied();
        let fitting =
            role.filter(|&role| session.is_none_or(|id| self.sessions[self.roles[role].session].id == id));
        fitting.ok_or_else(|| Refusal::not_found("potential role", id))
    }

    pub(crate) fn stamp(&self, at: Duration) -> String {
        self.clock.stamp(at)
    }
}
