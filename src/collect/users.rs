//! The active users as numbers: distributions, means of groups and segments. Who is active is kept by id, in memory alone.

use std::collections::BTreeMap;

use super::{Inputs, Yield};
use crate::api::error::ApiError;
use crate::api::wire::{Row as _, UserRow};
use crate::api::{Client, Refresh};
use crate::config::{AccountConfig, SegmentAttribute};
use crate::model::{
    Collector, Endpoint, Mean, PHISH_PRONE_BOUNDS, RISK_SCORE_BOUNDS, Segment, Users, privacy,
};
use crate::recipients::DirectoryBuilder;
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
    client
        .list(refresh, Endpoint::Of(Collector::Users), &[], &mut fold)
        .await?;
    Ok(census.finish())
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
    mean_phish_prone: Mean,
    phish_prone: [u64; PHISH_PRONE_BOUNDS.len()],
    groups: BTreeMap<i64, Mean>,
    /// For each attribute its values, each with its number in `tallies`.
    values: Vec<BTreeMap<String, u32>>,
    tallies: Vec<Tally>,
    directory: DirectoryBuilder,
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
            mean_phish_prone: Mean::default(),
            phish_prone: Default::default(),
            groups: BTreeMap::new(),
            values: vec![BTreeMap::new(); attributes.len()],
            tallies: Vec::new(),
            directory: DirectoryBuilder::new(attributes.len()),
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
        let mut groups = user.groups.clone();
        groups.retain(|group| *group != 0);
        groups.sort_unstable();
        groups.dedup();
        if let Some(percent) = user.phish_prone_percent {
            count(&mut self.phish_prone, &PERCENT_BOUNDS, percent);
            self.mean_phish_prone.add(percent / 100.0);
            for group in &groups {
                self.groups.entry(*group).or_default().add(percent / 100.0);
            }
        }
        let segments = self.place(user);
        if let Some(id) = user.id() {
            self.directory.add(id, &groups, segments);
        }
    }

    /// Puts a user into the segments of all attributes, and gives their numbers.
    fn place(&mut self, user: &UserRow) -> Vec<Option<u32>> {
        let mut segments = Vec::with_capacity(self.attributes.len());
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
            segments.push(segment);
        }
        segments
    }

    fn finish(mut self) -> Yield {
        let mut segments = Vec::new();
        let mut named = Vec::new();
        let mut shown = vec![None; self.tallies.len()];
        for (attribute, values) in self.attributes.iter().zip(self.values) {
            for (value, number) in values {
                let tally = &self.tallies[number as usize];
                if !privacy::is_large_enough(Some(tally.users as f64), self.min_size) {
                    continue;
                }
                shown[number as usize] = Some(named.len() as u32);
                named.push((attribute.as_str().to_owned(), value.clone()));
                segments.push(Segment {
                    attribute: attribute.as_str().to_owned(),
                    value,
                    users: tally.users,
                    risk_score: tally.risk_score.about_several(self.min_size),
                    phish_prone: tally.phish_prone.about_several(self.min_size),
                });
            }
        }
        let least = self.group_min_size;
        self.groups.retain(|_, mean| mean.about_several(least).is_some());
        let empty = self.rows == 0;
        let collection = Collection::Users(Users {
            active: (!empty).then_some(self.active),
            by_risk_score: self.risk,
            by_phish_prone_ratio: self.phish_prone,
            phish_prone: self.mean_phish_prone,
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
        Yield {
            directory: Some(self.directory.finish(named, &shown)),
            notes,
            ..Yield::from(collection)
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
