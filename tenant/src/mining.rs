//! Finds groups of identities that share entitlements.
//!
//! Leaders are found in a sample: an identity joins the group whose typical entitlements are most
//! like its own, or leads a new one if none is like it enough. Then everyone in scope is assigned.

use crate::organisation::Organisation;

const SAMPLE: usize = 3000;
const MOST_GROUPS: usize = 400;
/// Below this share of its members, an entitlement does not belong to a group.
const LEAST_SHARE: f64 = 0.1;

/// What mining a scope found.
pub(crate) struct Mined {
    pub(crate) prescribed_threshold: u8,
    pub(crate) groups: Vec<Group>,
}

/// Identities that share entitlements.
pub(crate) struct Group {
    pub(crate) members: Vec<u32>,
    /// Entitlements, and how many members have each; the most popular first.
    pub(crate) entitlements: Vec<(u16, u32)>,
}

/// Which part of everyone's access to look at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Focus {
    Specialized,
    Common,
}

pub(crate) fn mine(
    organisation: &Organisation,
    scope: &[u32],
    focus: Focus,
    threshold: Option<u8>,
    least_members: usize,
) -> Mined {
    let common: Vec<bool> =
        (0..organisation.entitlements.len()).map(|n| organisation.is_common(n as u16)).collect();
    let list = |who: u32| -> Vec<u16> {
        let wanted = focus == Focus::Common;
        let mut list = organisation.access_list(who);
        list.retain(|&entitlement| common[usize::from(entitlement)] == wanted);
        list
    };
    let step = scope.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<Vec<u16>> = scope.iter().step_by(step).map(|&who| list(who)).collect();
    let prescribed_threshold = prescribe(&sample);
    let threshold = f64::from(threshold.unwrap_or(prescribed_threshold)) / 100.0;

    let leaders = Leaders::new(lead(&sample, threshold), organisation.entitlements.len());
    let mut groups: Vec<(Vec<u32>, Vec<u32>)> =
        vec![(Vec::new(), vec![0; organisation.entitlements.len()]); leaders.sets.len()];
    let mut shared = Vec::new();
    for &who in scope {
        if let Some(nearest) = leaders.nearest(&list(who), threshold, &mut shared) {
            let (members, counts) = &mut groups[nearest];
            members.push(who);
            for entitlement in organisation.access_list(who) {
                counts[usize::from(entitlement)] += 1;
            }
        }
    }
    groups.retain(|(members, _)| members.len() >= least_members.max(1));
    groups.sort_by_key(|(members, _)| std::cmp::Reverse(members.len()));
    let groups = groups.into_iter().map(|(members, counts)| {
        let least = (members.len() as f64 * LEAST_SHARE).ceil() as u32;
        let mut entitlements: Vec<_> =
            (0u16..).zip(counts).filter(|&(_, count)| count > 0 && count >= least).collect();
        entitlements.sort_by_key(|&(entitlement, count)| (std::cmp::Reverse(count), entitlement));
        Group { members, entitlements }
    });
    Mined { prescribed_threshold, groups: groups.collect() }
}

/// The share of two sorted lists that is in both, of all that is in either.
pub(crate) fn similarity(one: &[u16], other: &[u16]) -> f64 {
    let both = one.iter().filter(|entitlement| other.binary_search(entitlement).is_ok()).count();
    match one.len() + other.len() - both {
        0 => 0.0,
        either => both as f64 / either as f64,
    }
}

/// A little less than how alike the typical identity and its nearest neighbour are.
fn prescribe(sample: &[Vec<u16>]) -> u8 {
    let neighbours: Vec<_> = sample.iter().step_by(sample.len().div_ceil(400).max(1)).collect();
    let mut nearest: Vec<f64> = (0..neighbours.len())
        .step_by(4)
        .map(|one| {
            let others = neighbours.iter().enumerate().filter(|&(other, _)| other != one);
            others.map(|(_, other)| similarity(neighbours[one], other)).fold(0.0, f64::max)
        })
        .collect();
    nearest.sort_by(f64::total_cmp);
    let median = nearest.get(nearest.len() / 2).copied().unwrap_or(0.0);
    (median * 65.0).round() as u8
}

/// The typical entitlements of each group found in the sample.
fn lead(sample: &[Vec<u16>], threshold: f64) -> Vec<Vec<u16>> {
    let mut leaders: Vec<Vec<u16>> = Vec::new();
    for _ in 0..3 {
        let mut joined: Vec<Vec<&[u16]>> = vec![Vec::new(); leaders.len()];
        for list in sample.iter().filter(|list| !list.is_empty()) {
            let best = (0..leaders.len())
                .map(|n| (n, similarity(list, &leaders[n])))
                .max_by(|one, other| one.1.total_cmp(&other.1))
                .filter(|&(_, alike)| alike >= threshold);
            match best {
                Some((n, _)) => joined[n].push(list),
                None if leaders.len() < MOST_GROUPS => {
                    leaders.push(list.clone());
                    joined.push(vec![list]);
                }
                None => {}
            }
        }
        let mut typical: Vec<Vec<u16>> = Vec::new();
        for lists in joined.iter().filter(|lists| !lists.is_empty()) {
            let majority = majority(lists);
            if !majority.is_empty() && typical.iter().all(|other| similarity(other, &majority) < 0.9) {
                typical.push(majority);
            }
        }
        leaders = typical;
    }
    leaders
}

fn majority(lists: &[&[u16]]) -> Vec<u16> {
    let mut all: Vec<u16> = lists.iter().flat_map(|list| list.iter().copied()).collect();
    all.sort_unstable();
    all.chunk_by(|one, other| one == other)
        .filter(|same| same.len() * 2 >= lists.len())
        .map(|same| same[0])
        .collect()
}

/// The leaders, and for each entitlement those that have it: most leaders share nothing with an identity.
struct Leaders {
    sets: Vec<Vec<u16>>,
    having: Vec<Vec<u16>>,
}

impl Leaders {
    fn new(sets: Vec<Vec<u16>>, entitlements: usize) -> Self {
        let mut having = vec![Vec::new(); entitlements];
        for (n, set) in (0u16..).zip(&sets) {
            for &entitlement in set {
                having[usize::from(entitlement)].push(n);
            }
        }
        Self { sets, having }
    }

    fn nearest(&self, list: &[u16], threshold: f64, shared: &mut Vec<u16>) -> Option<usize> {
        shared.clear();
        shared.resize(self.sets.len(), 0);
        for &entitlement in list {
            for &leader in &self.having[usize::from(entitlement)] {
                shared[usize::from(leader)] += 1;
            }
        }
        let mut best = None;
        let mut best_alike = threshold;
        for (leader, &both) in shared.iter().enumerate().filter(|&(_, &both)| both > 0) {
            let both = usize::from(both);
            let alike = both as f64 / (list.len() + self.sets[leader].len() - both) as f64;
            if alike > best_alike || (best.is_none() && alike >= best_alike) {
                (best, best_alike) = (Some(leader), alike);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everyone(organisation: &Organisation) -> Vec<u32> {
        (0..organisation.size).collect()
    }

    #[test]
    fn groups_are_people_of_one_place_and_nobody_is_in_two() {
        let organisation = Organisation::new(1, 3000);
        let mined = mine(&organisation, &everyone(&organisation), Focus::Specialized, None, 10);
        assert!(mined.groups.len() >= 20, "{} groups", mined.groups.len());
        let mut seen: Vec<u32> = mined.groups.iter().flat_map(|group| group.members.clone()).collect();
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all);
        assert!(all > 2500, "only {all} of 3000 are in a group");
        for group in &mined.groups {
            let title = organisation.attribute(group.members[0], "jobTitle");
            let same =
                group.members.iter().filter(|&&who| organisation.attribute(who, "jobTitle") == title).count();
            assert!(
                same * 10 >= group.members.len() * 9,
                "a group of many titles: {same} of {}",
                group.members.len()
            );
        }
    }

    #[test]
    fn a_higher_threshold_leaves_smaller_groups() {
        let organisation = Organisation::new(1, 2000);
        let members = |threshold| -> usize {
            let mined = mine(&organisation, &everyone(&organisation), Focus::Specialized, Some(threshold), 5);
            mined.groups.iter().map(|group| group.members.len()).sum()
        };
        assert!(members(90) < members(40));
    }

    #[test]
    fn common_access_is_one_group_of_nearly_everyone() {
        let organisation = Organisation::new(1, 2000);
        let mined = mine(&organisation, &everyone(&organisation), Focus::Common, None, 10);
        assert_eq!(mined.groups.len(), 1);
        assert!(mined.groups[0].members.len() > 1900);
    }
}
