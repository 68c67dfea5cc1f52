//! What may stand under an account and under `defaults` alike, and how the one lies over the other.

mod collector;
mod lists;

use std::time::Duration;

use collector::CollectorLayer;
use lists::{pattern, segments, windows};
use regex::Regex;
use strict_yaml::{Findings, Found, Spot, Table};

use super::account::AccountConfig;
use super::{BaseUrl, BaseUrlError, GroupFilter, KeySource, SegmentAttribute, keys};
use crate::model::{AccountName, PerCollector, Region};

/// What a region may be, and how to find out which it is.
pub(super) const REGIONS: &str = "US, EU, CA, UK or DE, which the console's address tells: training.knowbe4.com is US, eu.knowbe4.com is EU, and so on";

/// What one level says; what it doesn't is [`None`].
#[derive(Debug, Default)]
pub(super) struct Layer {
    region: Option<Found<Region>>,
    base_url: Option<Found<BaseUrl>>,
    requests_per_day: Option<Found<u64>>,
    share: Option<Found<f64>>,
    requests_per_minute: Option<Found<u64>>,
    requests_per_second: Option<Found<u64>>,
    collectors: PerCollector<CollectorLayer>,
    windows: Option<Found<Vec<(String, Duration)>>>,
    max_tests: Option<Found<u64>>,
    callback: Option<Found<bool>>,
    recipients_share: Option<Found<f64>>,
    include: Option<Found<Regex>>,
    exclude: Option<Found<Option<Regex>>>,
    min_size: Option<Found<u64>>,
    segments: Option<Found<Vec<SegmentAttribute>>>,
    segment_min_size: Option<Found<u64>>,
}

impl Layer {
    /// Takes its keys out of `table`, and leaves the others.
    pub(super) fn read(table: &mut Table<'_>, findings: &Findings) -> Self {
        let mut layer = Self {
            region: table
                .take("region")
                .and_then(|item| item.text(REGIONS, |text| text.parse().ok())),
            base_url: table.take("base_url").and_then(|item| {
                item.private_text("a URL", |text| {
                    text.parse().map_err(|error: BaseUrlError| error.to_string())
                })
            }),
            ..Self::default()
        };
        layer.read_budget(table);
        layer.read_collectors(table);
        layer.read_phishing(table, findings);
        layer.read_groups(table);
        layer.segments = table.take("segments").and_then(|item| segments(item, findings));
        layer.segment_min_size = keys::SEGMENT_MIN_SIZE.take(table);
        layer
    }

    fn read_budget(&mut self, table: &mut Table<'_>) {
        let example = "{ share: 0.8 }";
        let Some(mut budget) = table.take("budget").and_then(|item| item.table(example)) else {
            return;
        };
        self.requests_per_day = keys::REQUESTS_PER_DAY.take(&mut budget);
        self.requests_per_minute = keys::REQUESTS_PER_MINUTE.take(&mut budget);
        self.requests_per_second = keys::REQUESTS_PER_SECOND.take(&mut budget);
        self.share = keys::SHARE.take(&mut budget);
        budget.finish();
    }

    fn read_collectors(&mut self, table: &mut Table<'_>) {
        let example = "{ enrollments: { min_interval: 6h } }";
        let Some(mut collectors) = table.take("collectors").and_then(|item| item.table(example)) else {
            return;
        };
        self.collectors = PerCollector::new(|collector| {
            collectors
                .take(collector.as_str())
                .and_then(|item| item.table("{ enabled: false }"))
                .map(CollectorLayer::read)
                .unwrap_or_default()
        });
        collectors.finish();
    }

    fn read_phishing(&mut self, table: &mut Table<'_>, findings: &Findings) {
        let example = "{ max_tests: 500 }";
        let Some(mut phishing) = table.take("phishing").and_then(|item| item.table(example)) else {
            return;
        };
        self.windows = phishing.take("windows").and_then(|item| windows(item, findings));
        self.max_tests = keys::MAX_TESTS.take(&mut phishing);
        self.callback = keys::CALLBACK.take(&mut phishing);
        self.recipients_share = keys::RECIPIENTS_SHARE.take(&mut phishing);
        phishing.finish();
    }

    fn read_groups(&mut self, table: &mut Table<'_>) {
        let example = "{ min_size: 5 }";
        let Some(mut groups) = table.take("groups").and_then(|item| item.table(example)) else {
            return;
        };
        self.include = groups.take("include").and_then(|item| match item.as_str() {
            Some("") => {
                item.wrong("found an empty pattern, which matches no group, expected .* for all of them")
            }
            _ => pattern(item),
        });
        self.exclude = groups.take("exclude").and_then(|item| match item.as_str() {
            Some("") => item.found(None),
            _ => pattern(item).map(|found| Found {
                value: Some(found.value),
                at: found.at,
            }),
        });
        self.min_size = keys::GROUPS_MIN_SIZE.take(&mut groups);
        groups.finish();
    }

    /// The account that this level makes over `below`, and over the constants below that.
    pub(super) fn settle(
        &self,
        below: &Self,
        name: AccountName,
        key: KeySource,
        at: &Spot,
        findings: &Findings,
    ) -> AccountConfig {
        let (region, base_url) = self.place(below);
        let mut account = AccountConfig::new(name, base_url, key);
        account.region = region;

        let budget = &mut account.budget;
        set(
            &mut budget.requests_per_day,
            &self.requests_per_day,
            &below.requests_per_day,
        );
        set(&mut budget.share, &self.share, &below.share);
        set(
            &mut budget.requests_per_minute,
            &self.requests_per_minute,
            &below.requests_per_minute,
        );
        set(
            &mut budget.requests_per_second,
            &self.requests_per_second,
            &below.requests_per_second,
        );
        self.check_budget(below, &account, at, findings);

        account.collectors = PerCollector::new(|collector| {
            self.collectors[collector].settle(&below.collectors[collector], collector, findings)
        });

        let phishing = &mut account.phishing;
        set(&mut phishing.windows, &self.windows, &below.windows);
        if let Some(found) = self.max_tests.as_ref().or(below.max_tests.as_ref()) {
            phishing.max_tests = usize::try_from(found.value).unwrap_or(usize::MAX);
        }
        set(&mut phishing.callback, &self.callback, &below.callback);
        set(
            &mut phishing.recipients_share,
            &self.recipients_share,
            &below.recipients_share,
        );

        account.groups = self.groups(below);
        set(&mut account.segments, &self.segments, &below.segments);
        set(
            &mut account.segment_min_size,
            &self.segment_min_size,
            &below.segment_min_size,
        );
        account
    }

    /// At one level a base URL goes before a region; an account's region goes before the defaults' base URL.
    fn place(&self, below: &Self) -> (Option<Region>, BaseUrl) {
        for level in [self, below] {
            if let Some(found) = &level.base_url {
                return (None, found.value.clone());
            }
            if let Some(found) = &level.region {
                return (Some(found.value), found.value.into());
            }
        }
        (Some(Region::default()), Region::default().into())
    }

    fn groups(&self, below: &Self) -> GroupFilter {
        let mut groups = GroupFilter::default();
        set(&mut groups.include, &self.include, &below.include);
        set(&mut groups.exclude, &self.exclude, &below.exclude);
        set(&mut groups.min_size, &self.min_size, &below.min_size);
        groups
    }

    fn check_budget(&self, below: &Self, account: &AccountConfig, at: &Spot, findings: &Findings) {
        let budget = account.budget;
        if budget.per_day_limit() == 0 {
            let at = spot(&[&self.share, &below.share], at);
            findings.wrong(
                at,
                format!(
                    "found a share of {} of {} requests a day, which leaves none, expected at least one",
                    budget.share, budget.requests_per_day
                ),
            );
        }
        for (value, limit, found, unit) in [
            (
                budget.requests_per_minute,
                keys::VENDOR_PER_MINUTE,
                [&self.requests_per_minute, &below.requests_per_minute],
                "minute",
            ),
            (
                budget.requests_per_second,
                keys::VENDOR_PER_SECOND,
                [&self.requests_per_second, &below.requests_per_second],
                "second",
            ),
        ] {
            if value > limit {
                findings.odd(
                    spot(&found, at),
                    format!("{value} requests a {unit} are more than the {limit} that KnowBe4 documents"),
                );
            }
        }
    }
}

fn set<T: Clone>(target: &mut T, level: &Option<Found<T>>, below: &Option<Found<T>>) {
    if let Some(found) = level.as_ref().or(below.as_ref()) {
        target.clone_from(&found.value);
    }
}

fn spot<'a, T>(found: &[&'a Option<Found<T>>], otherwise: &'a Spot) -> &'a Spot {
    found
        .iter()
        .find_map(|found| found.as_ref())
        .map_or(otherwise, |found| &found.at)
}
