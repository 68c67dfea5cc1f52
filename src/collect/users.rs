//! The active users as numbers: distributions, means of groups and segments. No user is kept.

use std::collections::{BTreeMap, HashMap};

use super::{Inputs, Yield};
use crate::api::error::ApiError;
use crate::api::wire::{Row as _, UserRow};
use crate::api::{Client, Refresh};
use crate::config::{AccountConfig, SegmentAttribute};
use crate::model::{Endpoint, Mean, PHISH_PRONE_BOUNDS, RISK_SCORE_BOUNDS, Segment, Users};
use crate::snapshot::Collection;

/// Upper bounds of risk scores: 10, 20, ..., 100; beyond them +Inf.
const RISK_BOUNDS: [f64; RISK_SCORE_BOUNDS.len() - 1] =
    [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0];

/// Upper bounds of phish-prone ratios in percent, which is what the API gives for users.
const PERCENT_BOUNDS: [f64; PHISH_PRONE_BOUNDS.len() - 1] = [0.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0];

pub(super) async fn users(
    client: &Client,
    refresh: &mut Refresh,
    inputs: Inputs<'_>,
) -> Result<Yield, ApiError> {
    let mut census = Census::new(inputs.config);
    let mut fold = |row: UserRow, _: &mut _| {
        census.add(&row);
        Ok(())
    };
    client.list(refresh, Endpoint::Users, &[], &mut fold).await?;
    Ok(census.finish())
}

/// Which segments each user is in: to join enrollments to. Lives in memory only.
#[derive(Default)]
pub struct Directory {
    segments: Vec<(String, String)>,
    users: HashMap<i64, u32>,
    /// For the n-th user, the segment of each attribute in turn; [`NO_SEGMENT`] where there is none.
    memberships: Vec<u32>,
    attributes: usize,
}

const NO_SEGMENT: u32 = u32::MAX;

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Directory({} users)", self.users.len())
    }
}

impl Directory {
    /// Attribute and value of each segment that is large enough to show.
    pub fn segments(&self) -> &[(String, String)] {
        &self.segments
    }

    /// Indices of the segments that a user is in.
    pub fn of(&self, user: i64) -> impl Iterator<Item = usize> {
        let start = self
            .users
            .get(&user)
            .map_or(self.memberships.len(), |index| *index as usize * self.attributes);
        let segments = self.memberships[start..].iter().take(self.attributes);
        segments
            .filter(|segment| **segment != NO_SEGMENT)
            .map(|segment| *segment as usize)
    }
}

#[derive(Default)]
struct Tally {
    users: u64,
    risk_score: Mean,
    phish_prone: Mean,
}

struct Census {
    attributes: Vec<SegmentAttribute>,
    min_size: u64,
    group_min_size: u64,
    rows: u64,
    active: u64,
    risk: [u64; RISK_SCORE_BOUNDS.len()],
    phish_prone: [u64; PHISH_PRONE_BOUNDS.len()],
    groups: BTreeMap<i64, Mean>,
    /// For each attribute its values, each with its number in `tallies`.
    values: Vec<BTreeMap<String, u32>>,
    tallies: Vec<Tally>,
    directory: Directory,
}

impl Census {
    fn new(config: &AccountConfig) -> Self {
        let attributes = config.segments.clone();
        Self {
            min_size: config.segment_min_size,
            group_min_size: config.groups.min_size,
            rows: 0,
            active: 0,
            risk: Default::default(),
            phish_prone: Default::default(),
            groups: BTreeMap::new(),
            values: vec![BTreeMap::new(); attributes.len()],
            tallies: Vec::new(),
            directory: Directory {
                attributes: attributes.len(),
                ..Directory::default()
            },
            attributes,
        }
    }

    fn add(&mut self, user: &UserRow) {
        self.rows += 1;
        if !user.is_active() {
            return;
        }
        self.active += 1;
        if let Some(score) = user.risk_score {
            count(&mut self.risk, &RISK_BOUNDS, score);
        }
        if let Some(percent) = user.phish_prone_percent {
            count(&mut self.phish_prone, &PERCENT_BOUNDS, percent);
            let mut groups = user.groups.clone();
            groups.sort_unstable();
            groups.dedup();
            for group in groups.into_iter().filter(|group| *group != 0) {
                self.groups.entry(group).or_default().add(percent / 100.0);
            }
        }
        if !self.attributes.is_empty() {
            self.place(user);
        }
    }

    /// Puts a user into the segments of all attributes.
    fn place(&mut self, user: &UserRow) {
        if let Some(id) = user.id() {
            let index = self.directory.users.len() as u32;
            self.directory.users.insert(id, index);
        }
        for (attribute, values) in self.attributes.iter().zip(&mut self.values) {
            let segment = user.attribute(*attribute).map(|value| match values.get(value) {
                Some(segment) => *segment,
                None => {
                    let segment = self.tallies.len() as u32;
                    values.insert(value.to_owned(), segment);
                    self.tallies.push(Tally::default());
                    segment
                }
            });
            if let Some(segment) = segment {
                let tally = &mut self.tallies[segment as usize];
                tally.users += 1;
                user.risk_score
                    .into_iter()
                    .for_each(|score| tally.risk_score.add(score));
                user.phish_prone_percent
                    .into_iter()
                    .for_each(|percent| tally.phish_prone.add(percent / 100.0));
            }
            if user.id().is_some() {
                self.directory.memberships.push(segment.unwrap_or(NO_SEGMENT));
            }
        }
    }

    fn finish(mut self) -> Yield {
        let mut segments = Vec::new();
        let mut shown = vec![NO_SEGMENT; self.tallies.len()];
        for (attribute, values) in self.attributes.iter().zip(self.values) {
            for (value, number) in values {
                let tally = &self.tallies[number as usize];
                if tally.users < self.min_size {
                    continue;
                }
                shown[number as usize] = self.directory.segments.len() as u32;
                self.directory
                    .segments
                    .push((attribute.as_str().to_owned(), value.clone()));
                segments.push(Segment {
                    attribute: attribute.as_str().to_owned(),
                    value,
                    users: tally.users,
                    risk_score: tally.risk_score.about_several(self.min_size),
                    phish_prone: tally.phish_prone.about_several(self.min_size),
                });
            }
        }
        for membership in &mut self.directory.memberships {
            *membership = shown.get(*membership as usize).copied().unwrap_or(NO_SEGMENT);
        }
        let least = self.group_min_size;
        self.groups.retain(|_, mean| mean.about_several(least).is_some());
        let empty = self.rows == 0;
        let collection = Collection::Users(Users {
            active: (!empty).then_some(self.active),
            by_risk_score: self.risk,
            by_phish_prone_ratio: self.phish_prone,
            group_phish_prone: self.groups,
            segments,
        });
        let notes = if empty {
            vec![
                "the user list is empty without an error: anonymised accounts and keys of another region answer so; no number of users is shown"
                    .to_owned(),
            ]
        } else {
            Vec::new()
        };
        let directory = (!self.attributes.is_empty()).then_some(self.directory);
        Yield {
            collection,
            directory,
            notes,
        }
    }
}

/// Counts `value` in every bucket whose bound it does not exceed.
fn count(buckets: &mut [u64], bounds: &[f64], value: f64) {
    for (bucket, bound) in buckets.iter_mut().zip(bounds.iter().chain([&f64::INFINITY])) {
        *bucket += u64::from(value <= *bound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_hold_their_bound() {
        let mut buckets = [0; 8];
        for percent in [0.0, 5.0, 5.1, 250.0] {
            count(&mut buckets, &PERCENT_BOUNDS, percent);
        }
        assert_eq!(buckets, [1, 2, 3, 3, 3, 3, 3, 4]);
    }

    #[test]
    fn bounds_are_the_labels() {
        for (bound, label) in RISK_BOUNDS.iter().zip(RISK_SCORE_BOUNDS) {
            assert_eq!(bound.to_string(), label);
        }
        for (bound, label) in PERCENT_BOUNDS.iter().zip(PHISH_PRONE_BOUNDS) {
            assert_eq!((bound / 100.0).to_string(), label);
        }
    }
}
