//! Potential roles: what they hold, how they measure, and what becomes of them.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::archive::Archive;
use crate::clock::Moment;
use crate::mining::{self, Focus, Mined};
use crate::organisation::uuid;
use crate::world::World;

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
    pub(super) mined: Arc<Mined>,
    pub(super) group: usize,
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
    /// The entitlements of a role and how many members have each: without what is excluded, and if
    /// so wanted without what everyone has.
    pub(crate) fn entitlements(&self, role: usize, with_common: bool) -> Vec<(u16, u32)> {
        let role = &self.roles[role];
        let wanted = |entitlement| {
            !role.excluded.contains(&entitlement) && (with_common || !self.is_beside(role, entitlement))
        };
        role.counts().iter().copied().filter(|&(entitlement, _)| wanted(entitlement)).collect()
    }

    /// Whether an entitlement is common access beside what the role is about.
    fn is_beside(&self, role: &Role, entitlement: u16) -> bool {
        self.organisation.is_common(entitlement) && self.sessions[role.session].focus == Focus::Specialized
    }

    /// Measures a role from its members' access and the roles there already are.
    pub(crate) fn metrics(&self, number: usize) -> Metrics {
        let role = &self.roles[number];
        let members = role.members().len() as f64;
        let own = self.entitlements(number, false);
        let held: f64 = own.iter().map(|&(_, count)| f64::from(count)).sum();
        let density = if own.is_empty() { 0.0 } else { held / (members * own.len() as f64) };
        let mut typical: Vec<u16> = own
            .iter()
            .filter(|&&(_, count)| f64::from(count) * 2.0 >= members)
            .map(|&(entitlement, _)| entitlement)
            .collect();
        typical.sort_unstable();
        let itself = role.provision.as_ref().map(|provision| provision.existing);
        let others = self.existing.iter().enumerate().filter(|(index, _)| Some(*index) != itself);
        let nearest = others.map(|(_, other)| mining::similarity(&typical, other)).fold(0.0, f64::max);
        let percent = |share: f64| (share * 100.0).round() as u8;
        let (density, freshness) = (percent(density), percent(1.0 - nearest));
        Metrics { density, freshness, quality: percent((f64::from(density) + f64::from(freshness)) / 200.0) }
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
        self.existing.push(if provision.fails { Vec::new() } else { entitlements });
        self.roles[number].provision = Some(provision);
    }

    /// Starts an export; the zip is of the role as it is now.
    pub(crate) fn export(&mut self, role: usize, least_popularity: i64, with_common: bool) -> &Export {
        let members = self.roles[role].members().len() as i64;
        let mut entitlements = self.entitlements(role, with_common);
        entitlements.retain(|&(_, count)| i64::from(count) * 100 >= least_popularity.saturating_mul(members));
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
