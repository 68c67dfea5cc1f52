//! What one level says of one collector.

use std::time::Duration;

use strict_yaml::{Findings, Found, Table};

use super::super::account::CollectorConfig;
use super::super::{duration, keys};
use super::set;
use crate::model::Collector;

#[derive(Debug, Default)]
pub(super) struct CollectorLayer {
    enabled: Option<Found<bool>>,
    weight: Option<Found<f64>>,
    min_interval: Option<Found<Duration>>,
    max_interval: Option<Found<Duration>>,
    interval: Option<Found<Duration>>,
}

impl CollectorLayer {
    pub(super) fn read(mut table: Table<'_>) -> Self {
        let layer = Self {
            enabled: keys::ENABLED.take(&mut table),
            weight: keys::WEIGHT.take(&mut table),
            min_interval: keys::MIN_INTERVAL.take(&mut table),
            max_interval: keys::MAX_INTERVAL.take(&mut table),
            interval: keys::INTERVAL.take(&mut table),
        };
        table.finish();
        layer
    }

    pub(super) fn settle(&self, below: &Self, collector: Collector, findings: &Findings) -> CollectorConfig {
        let mut settled = CollectorConfig::new(collector);
        set(&mut settled.enabled, &self.enabled, &below.enabled);
        set(&mut settled.weight, &self.weight, &below.weight);
        let min = self.min_interval.as_ref().or(below.min_interval.as_ref());
        let max = self.max_interval.as_ref().or(below.max_interval.as_ref());
        // A bound that nobody wrote gives way to the one that somebody did.
        match (min, max) {
            (Some(min), Some(max)) if min.value > max.value => {
                let at = self.min_interval.as_ref().map_or(&max.at, |min| &min.at);
                findings.wrong(
                    at,
                    format!(
                        "found a min_interval of {} and a max_interval of {}, expected the first to be the shorter",
                        duration::format(min.value),
                        duration::format(max.value)
                    ),
                );
            }
            (min, max) => {
                settled.min_interval = min.map_or(settled.min_interval, |min| min.value);
                settled.max_interval = max.map_or(settled.max_interval, |max| max.value);
                if max.is_none() {
                    settled.max_interval = settled.max_interval.max(settled.min_interval);
                }
                if min.is_none() {
                    settled.min_interval = settled.min_interval.min(settled.max_interval);
                }
            }
        }
        settled.interval = self
            .interval
            .as_ref()
            .or(below.interval.as_ref())
            .map(|found| found.value);
        settled
    }
}
