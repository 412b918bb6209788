//! The state of the tenant: its sessions, their potential roles, and exports of these.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

use crate::archive::Archive;
use crate::clock::{Clock, HISTORY, Moment};
use crate::mining::{self, Focus, Mined};
use crate::organisation::{Organisation, uuid};
use crate::reply::Refusal;
use crate::scope;
use crate::settings::Settings;

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

pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) session: usize,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) saved: bool,
    pub(crate) excluded: BTreeSet<u16>,
    pub(crate) provision: Option<Provision>,
    pub(crate) created: Moment,
    pub(crate) modified: Moment,
    mined: Arc<Mined>,
    group: usize,
}

pub(crate) struct Provision {
    pub(crate) requested: Moment,
    pub(crate) fails: bool,
    pub(crate) role_id: String,
    existing: usize,
}

pub(crate) struct Export {
    pub(crate) role: usize,
    pub(crate) created: Moment,
    pub(crate) fails: bool,
    pub(crate) least_popularity: i64,
    pub(crate) with_common: bool,
    pub(crate) archive: Arc<Archive>,
}

/// What measures a potential role, each 0 to 100.
pub(crate) struct Metrics {
    pub(crate) density: u8,
    pub(crate) freshness: u8,
    pub(crate) quality: u8,
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
        let age = HISTORY / (self.settings.sessions as u32 + 1)
            * (self.settings.sessions - number) as u32;
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
            run: Run {
                since: created,
                generation: 0,
                found: None,
                roles: Vec::new(),
                has_roles: false,
            },
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
        let steps =
            self.now().saturating_sub(since).as_secs_f64() / self.settings.step.as_secs_f64();
        (steps as usize, steps.fract())
    }

    pub(crate) fn add_session(&mut self, session: Session) -> usize {
        let number = self.sessions.len();
        self.session_numbers.insert(session.id.clone(), number);
        self.sessions.push(session);
        number
    }

    pub(crate) fn session(&self, id: &str) -> Result<usize, Refusal> {
        self.session_numbers
            .get(id)
            .copied()
            .ok_or_else(|| Refusal::not_found("role mining session", id))
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
            return Progress {
                state,
                identities: 0,
                prescribed_threshold: None,
                roles: 0,
                roles_ready: 0,
            };
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
        let least = session
            .least_members
            .unwrap_or(((identities / 100) as u32).clamp(2, 50)) as usize;
        let (focus, threshold) = (session.focus, session.threshold);
        let key = format!("{focus:?} {threshold:?} {least} {}", session.scope);
        let organisation = &self.organisation;
        let mined = self.mined.entry(key).or_insert_with(|| {
            Arc::new(mining::mine(organisation, &scope, focus, threshold, least))
        });
        let found = Found {
            identities,
            mined: Arc::clone(mined),
        };
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
        (0..self.sessions.len())
            .flat_map(|session| self.roles_of(session))
            .collect()
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
        let fitting = role.filter(|&role| {
            session.is_none_or(|id| self.sessions[self.roles[role].session].id == id)
        });
        fitting.ok_or_else(|| Refusal::not_found("potential role", id))
    }

    /// The entitlements of a role and how many members have each: without what is excluded, and if
    /// so wanted without what everyone has.
    pub(crate) fn entitlements(&self, role: usize, with_common: bool) -> Vec<(u16, u32)> {
        let role = &self.roles[role];
        let wanted = |entitlement| {
            !role.excluded.contains(&entitlement)
                && (with_common || !self.is_beside(role, entitlement))
        };
        role.counts()
            .iter()
            .copied()
            .filter(|&(entitlement, _)| wanted(entitlement))
            .collect()
    }

    /// Whether an entitlement is common access beside what the role is about.
    fn is_beside(&self, role: &Role, entitlement: u16) -> bool {
        self.organisation.is_common(entitlement)
            && self.sessions[role.session].focus == Focus::Specialized
    }

    /// Measures a role from its members' access and the roles there already are.
    pub(crate) fn metrics(&self, number: usize) -> Metrics {
        let role = &self.roles[number];
        let members = role.members().len() as f64;
        let own = self.entitlements(number, false);
        let held: f64 = own.iter().map(|&(_, count)| f64::from(count)).sum();
        let density = if own.is_empty() {
            0.0
        } else {
            held / (members * own.len() as f64)
        };
        let mut typical: Vec<u16> = own
            .iter()
            .filter(|&&(_, count)| f64::from(count) * 2.0 >= members)
            .map(|&(entitlement, _)| entitlement)
            .collect();
        typical.sort_unstable();
        let itself = role.provision.as_ref().map(|provision| provision.existing);
        let others = self
            .existing
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != itself);
        let nearest = others
            .map(|(_, other)| mining::similarity(&typical, other))
            .fold(0.0, f64::max);
        let percent = |share: f64| (share * 100.0).round() as u8;
        let (density, freshness) = (percent(density), percent(1.0 - nearest));
        Metrics {
            density,
            freshness,
            quality: percent((f64::from(density) + f64::from(freshness)) / 200.0),
        }
    }

    /// The state of a role's provisioning, and the id of the role that came of it.
    pub(crate) fn provision_state(&self, role: usize) -> (&'static str, Option<&str>) {
        match &self.roles[role].provision {
            None => ("POTENTIAL", None),
            Some(provision) if self.steps_since(provision.requested).0 == 0 => ("PENDING", None),
            Some(provision) if provision.fails => ("FAILED", None),
            Some(provision) => ("COMPLETE", Some(&provision.role_id)),
        }
    }

    pub(crate) fn provision(&mut self, number: usize, least_popularity: usize, with_common: bool) {
        let members = self.roles[number].members().len();
        let mut entitlements: Vec<u16> = self
            .entitlements(number, with_common)
            .into_iter()
            .filter(|&(_, count)| count as usize * 100 >= least_popularity * members)
            .map(|(entitlement, _)| entitlement)
            .collect();
        entitlements.sort_unstable();
        let provision = Provision {
            requested: self.now(),
            fails: self.fail_provisions,
            role_id: uuid(self.settings.seed ^ 0x90e5, number as u64).replace('-', ""),
            existing: self.existing.len(),
        };
        self.existing.push(if provision.fails {
            Vec::new()
        } else {
            entitlements
        });
        self.roles[number].provision = Some(provision);
    }

    /// Starts an export; the zip is of the role as it is now.
    pub(crate) fn export(
        &mut self,
        role: usize,
        least_popularity: i64,
        with_common: bool,
    ) -> &Export {
        let members = self.roles[role].members().len() as i64;
        let mut entitlements = self.entitlements(role, with_common);
        entitlements.retain(|&(_, count)| {
            i64::from(count) * 100 >= least_popularity.saturating_mul(members)
        });
        let archive = Archive {
            id: uuid(self.settings.seed ^ 0xe890, self.exports.len() as u64),
            organisation: Arc::clone(&self.organisation),
            mined: Arc::clone(&self.roles[role].mined),
            group: self.roles[role].group,
            entitlements,
            padding: self.settings.export_bytes,
            length: OnceLock::new(),
        };
        let number = self.exports.len();
        self.exports.push(Export {
            role,
            created: self.now(),
            fails: self.fail_exports,
            least_popularity,
            with_common,
            archive: Arc::new(archive),
        });
        &self.exports[number]
    }

    pub(crate) fn export_state(&self, export: &Export) -> &'static str {
        match self.steps_since(export.created).0 {
            0 => "QUEUED",
            1 => "IN_PROGRESS",
            _ if export.fails => "ERROR",
            _ => "SUCCESS",
        }
    }

    pub(crate) fn stamp(&self, at: Duration) -> String {
        self.clock.stamp(at)
    }
}

impl Role {
    pub(crate) fn members(&self) -> &[u32] {
        &self.mined.groups[self.group].members
    }

    /// All its entitlements, the excluded ones too; the most popular first.
    pub(crate) fn counts(&self) -> &[(u16, u32)] {
        &self.mined.groups[self.group].entitlements
    }
}

pub(crate) fn default_name(id: &str) -> String {
    format!("Potential Role - {}", id.get(..6).unwrap_or(id))
}
