//! A made-up organisation: who works in it, and what they may do.
//!
//! Nobody is stored. Everything about an identity follows from the seed and its number, so that an
//! organisation of a million costs no more memory than one of ten.

use std::sync::OnceLock;

use crate::names::{APPLICATIONS, DEPARTMENTS, FIRST_NAMES, LAST_NAMES, LOCATIONS, RIGHTS, TITLES};

/// At or above this share of the organisation, an entitlement is common access.
const COMMON_SHARE: f64 = 0.6;

pub(crate) struct Organisation {
    seed: u64,
    pub(crate) size: u32,
    pub(crate) applications: Vec<Application>,
    pub(crate) entitlements: Vec<Entitlement>,
    everyone: Grant,
    departments: Vec<Grant>,
    titles: Vec<Grant>,
    locations: Vec<Grant>,
    holders: OnceLock<Vec<u32>>,
}

pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    /// Whether the usage of this application is known.
    pub(crate) monitored: bool,
}

pub(crate) struct Entitlement {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) attribute: &'static str,
    pub(crate) application: u16,
}

/// Entitlements that go with a place in the organisation, and how many in 1000 there really have each.
struct Grant {
    entitlements: Vec<u16>,
    per_mille: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Application = 1,
    Entitlement,
    Identity,
    Department,
    Title,
    Location,
    Access,
    Stray,
    Usage,
    First,
    Last,
    Layout,
}

impl Organisation {
    pub(crate) fn new(seed: u64, size: u32) -> Self {
        let applications = (0u16..)
            .zip(APPLICATIONS)
            .map(|(n, name)| Application {
                id: id(seed, Kind::Application, u32::from(n)),
                name,
                monitored: n % 3 != 2,
            })
            .collect();
        let departments = (size / 25).clamp(2, 12) as usize;
        let titles = (size / 300).clamp(1, 4) as usize;
        let locations = (size / 50).clamp(2, 10) as usize;

        let mut made = Vec::new();
        let mut grant = |purpose: &str, count: u16, per_mille| Grant {
            entitlements: (0..count).map(|n| entitlement(seed, &mut made, purpose, n)).collect(),
            per_mille,
        };
        let everyone = grant("Employee", 5, 970);
        let departments: Vec<_> = DEPARTMENTS[..departments].iter().map(|name| grant(name, 6, 930)).collect();
        let titles = (0..departments.len() * titles)
            .map(|n| {
                let (department, title) = (DEPARTMENTS[n / titles], TITLES[n % titles]);
                grant(&format!("{department} {title}"), 5, 910)
            })
            .collect();
        let locations = LOCATIONS[..locations].iter().map(|name| grant(name, 2, 880)).collect();
        Self {
            seed,
            size,
            applications,
            everyone,
            departments,
            titles,
            locations,
            entitlements: made,
            holders: OnceLock::new(),
        }
    }

    fn roll(&self, kind: Kind, who: u32, what: u64) -> u64 {
        mix(mix(mix(self.seed ^ (kind as u64)) ^ u64::from(who)) ^ what)
    }

    fn pick(&self, kind: Kind, who: u32, among: usize) -> usize {
        (self.roll(kind, who, 0) % among.max(1) as u64) as usize
    }

    fn place(&self, who: u32) -> (usize, usize, usize) {
        let department = self.pick(Kind::Department, who, self.departments.len());
        let per_department = self.titles.len() / self.departments.len();
        let title = self.pick(Kind::Title, who, per_department);
        (
            department,
            department * per_department + title,
            self.pick(Kind::Location, who, self.locations.len()),
        )
    }

    /// Calls `each` with every entitlement the identity has, some of them perhaps twice.
    pub(crate) fn accesses(&self, who: u32, mut each: impl FnMut(u16)) {
        let (department, title, location) = self.place(who);
        let grants =
            [&self.everyone, &self.departments[department], &self.titles[title], &self.locations[location]];
        for grant in grants {
            for &entitlement in &grant.entitlements {
                if self.roll(Kind::Access, who, u64::from(entitlement)) % 1000 < grant.per_mille {
                    each(entitlement);
                }
            }
        }
        let stray = self.roll(Kind::Stray, who, 0);
        for n in 0..stray % 3 {
            each((self.roll(Kind::Stray, who, n + 1) % self.entitlements.len() as u64) as u16);
        }
    }

    /// The entitlements of an identity, in order, each once.
    pub(crate) fn access_list(&self, who: u32) -> Vec<u16> {
        let mut list = Vec::with_capacity(24);
        self.accesses(who, |entitlement| list.push(entitlement));
        list.sort_unstable();
        list.dedup();
        list
    }

    /// How many identities of the organisation hold each entitlement.
    pub(crate) fn holders(&self) -> &[u32] {
        self.holders.get_or_init(|| {
            let mut holders = vec![0; self.entitlements.len()];
            for who in 0..self.size {
                for entitlement in self.access_list(who) {
                    holders[usize::from(entitlement)] += 1;
                }
            }
            holders
        })
    }

    pub(crate) fn popularity(&self, entitlement: u16) -> f64 {
        f64::from(self.holders()[usize::from(entitlement)]) / f64::from(self.size.max(1))
    }

    pub(crate) fn is_common(&self, entitlement: u16) -> bool {
        self.popularity(entitlement) >= COMMON_SHARE
    }

    /// The entitlements of each role that was there before any mining.
    pub(crate) fn existing_roles(&self) -> Vec<Vec<u16>> {
        let departments = self.departments.iter().step_by(3).map(|grant| grant.entitlements.clone());
        std::iter::once(self.everyone.entitlements.clone()).chain(departments).collect()
    }

    pub(crate) fn department_count(&self) -> usize {
        self.departments.len()
    }

    pub(crate) fn identity_id(&self, who: u32) -> String {
        id(self.seed, Kind::Identity, who)
    }

    pub(crate) fn identity_of(&self, id: &str) -> Option<u32> {
        let who = u32::from_str_radix(id.get(24..)?, 16).ok()?;
        (who < self.size && self.identity_id(who) == id).then_some(who)
    }

    pub(crate) fn first_name(&self, who: u32) -> &'static str {
        FIRST_NAMES[self.pick(Kind::First, who, FIRST_NAMES.len())]
    }

    fn last_name(&self, who: u32) -> &'static str {
        LAST_NAMES[self.pick(Kind::Last, who, LAST_NAMES.len())]
    }

    pub(crate) fn name(&self, who: u32) -> String {
        format!("{} {}", self.first_name(who), self.last_name(who))
    }

    pub(crate) fn email(&self, who: u32) -> String {
        format!("{}.{}{who}@example.com", self.first_name(who), self.last_name(who)).to_lowercase()
    }

    /// An attribute that many identities share; `None` for a name that is none.
    pub(crate) fn attribute(&self, who: u32, name: &str) -> Option<String> {
        let (department, title, location) = self.place(who);
        let per_department = self.titles.len() / self.departments.len();
        match name {
            "department" => Some(DEPARTMENTS[department].to_owned()),
            "jobTitle" => Some(format!("{} {}", DEPARTMENTS[department], TITLES[title % per_department])),
            "location" => Some(LOCATIONS[location].to_owned()),
            _ => None,
        }
    }

    /// The days of the last ninety on which the identity used the application.
    pub(crate) fn usage_days(&self, who: u32, application: u16) -> u32 {
        let mut has_access = false;
        self.accesses(who, |entitlement| {
            has_access |= self.entitlements[usize::from(entitlement)].application == application;
        });
        match has_access {
            true => (self.roll(Kind::Usage, who, u64::from(application)) % 121).saturating_sub(30) as u32,
            false => 0,
        }
    }

    pub(crate) fn entitlement_of(&self, id: &str) -> Option<u16> {
        let number = u16::from_str_radix(id.get(24..)?, 16).ok()?;
        (self.entitlements.get(usize::from(number))?.id == id).then_some(number)
    }

    pub(crate) fn application_of(&self, id: &str) -> Option<u16> {
        let position = self.applications.iter().position(|application| application.id == id)?;
        u16::try_from(position).ok()
    }
}

fn entitlement(seed: u64, made: &mut Vec<Entitlement>, purpose: &str, n: u16) -> u16 {
    let number = made.len() as u16;
    let roll = mix(mix(seed ^ (Kind::Layout as u64)) ^ u64::from(number));
    let application = (roll % APPLICATIONS.len() as u64) as u16;
    let right = RIGHTS[usize::from(number + n) % RIGHTS.len()];
    made.push(Entitlement {
        id: id(seed, Kind::Entitlement, u32::from(number)),
        name: format!("{purpose} {right}"),
        description: (number % 4 != 3)
            .then(|| format!("{right} rights for {purpose} in {}", APPLICATIONS[usize::from(application)])),
        attribute: if application == 0 { "memberOf" } else { "groups" },
        application,
    });
    number
}

/// 32 hexadecimal digits; the last eight are the number itself, so that an id leads back to it.
fn id(seed: u64, kind: Kind, number: u32) -> String {
    let stem = mix(seed ^ ((kind as u64) << 32));
    format!("2c9180{:018x}{number:08x}", u128::from(stem))
}

/// A well-mixed number for a number (the finaliser of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A version 4 UUID that follows from its inputs.
pub(crate) fn uuid(seed: u64, number: u64) -> String {
    let (high, low) = (mix(seed ^ mix(number)), mix(mix(seed) ^ number));
    let (high, low) = ((high & !0xf000) | 0x4000, (low & !(0b11 << 62)) | (0b10 << 62));
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_organisation() {
        let (one, two) = (Organisation::new(7, 500), Organisation::new(7, 500));
        assert!(
            (0..500)
                .all(|who| one.access_list(who) == two.access_list(who) && one.name(who) == two.name(who))
        );
        assert_ne!(one.identity_id(3), Organisation::new(8, 500).identity_id(3));
    }

    #[test]
    fn an_id_leads_back_to_its_identity_and_a_foreign_one_to_none() {
        let organisation = Organisation::new(7, 500);
        assert_eq!(organisation.identity_of(&organisation.identity_id(321)), Some(321));
        assert_eq!(organisation.identity_of(&Organisation::new(8, 500).identity_id(321)), None);
        assert_eq!(organisation.identity_of("2c9180é"), None);
    }

    #[test]
    fn employees_share_common_access_and_nothing_else_is_common() {
        let organisation = Organisation::new(1, 2000);
        let common: Vec<_> =
            (0..organisation.entitlements.len() as u16).filter(|&e| organisation.is_common(e)).collect();
        assert_eq!(common, organisation.everyone.entitlements);
    }
}
