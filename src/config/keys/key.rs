//! What a key is: a name, a default, a range and a meaning, and how a value of it is taken out of a table.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use strict_yaml::{Found, Item, Table};

use super::super::duration;
use crate::model::Collector;

/// A key with values of `T` within `R`.
#[derive(Debug, Clone)]
pub(in crate::config) struct Key<T, R> {
    /// Its name behind those of the tables around it.
    pub(super) path: &'static str,
    /// What holds when nobody says anything.
    pub(in crate::config) default: T,
    pub(super) allowed: R,
    /// What it says, as a sentence.
    pub(super) doc: &'static str,
}

/// Numbers above 0, up to this one.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct UpTo(pub(super) f64);

/// Durations of this length and longer ones.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct AtLeast(pub(super) Duration);

/// A default or a range in words, which code elsewhere knows.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Written(pub(super) &'static str);

/// The collectors' own weights.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Weights;

impl<T, R> Key<T, R> {
    fn item<'a>(&self, table: &mut Table<'a>) -> Option<Item<'a>> {
        let name = self.path.rsplit('.').next().unwrap_or(self.path);
        table.take(name)
    }
}

impl Key<u64, RangeInclusive<u64>> {
    pub(in crate::config) fn take(&self, table: &mut Table<'_>) -> Option<Found<u64>> {
        self.item(table)?.whole(self.allowed.clone())
    }
}

impl<T> Key<T, UpTo> {
    pub(in crate::config) fn take(&self, table: &mut Table<'_>) -> Option<Found<f64>> {
        self.item(table)?.positive(self.allowed.0)
    }
}

impl Key<f64, RangeInclusive<f64>> {
    pub(in crate::config) fn take(&self, table: &mut Table<'_>) -> Option<Found<f64>> {
        self.item(table)?.number(self.allowed.clone())
    }
}

impl Key<bool, ()> {
    pub(in crate::config) fn take(&self, table: &mut Table<'_>) -> Option<Found<bool>> {
        self.item(table)?.boolean()
    }
}

impl<T> Key<T, AtLeast> {
    pub(in crate::config) fn take(&self, table: &mut Table<'_>) -> Option<Found<Duration>> {
        duration::take(self.item(table)?, self.allowed.0)
    }
}

/// A key as documentation shows it.
pub(super) trait Entry {
    fn path(&self) -> &'static str;
    fn default(&self) -> String;
    fn allowed(&self) -> String;
    fn doc(&self) -> &'static str;
}

impl<T: Shown, R: Shown> Entry for Key<T, R> {
    fn path(&self) -> &'static str {
        self.path
    }

    fn default(&self) -> String {
        self.default.shown()
    }

    fn allowed(&self) -> String {
        self.allowed.shown()
    }

    fn doc(&self) -> &'static str {
        self.doc
    }
}

/// What a cell of the table says.
trait Shown {
    fn shown(&self) -> String;
}

impl Shown for u64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for f64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for bool {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for &str {
    fn shown(&self) -> String {
        format!("`{self}`")
    }
}

impl Shown for Duration {
    fn shown(&self) -> String {
        duration::format(*self)
    }
}

impl Shown for Option<Duration> {
    fn shown(&self) -> String {
        self.map_or_else(String::new, |duration| duration.shown())
    }
}

impl Shown for Written {
    fn shown(&self) -> String {
        self.0.to_owned()
    }
}

impl Shown for Weights {
    fn shown(&self) -> String {
        weights()
    }
}

impl<T: Shown> Shown for RangeInclusive<T> {
    fn shown(&self) -> String {
        format!("{} to {}", self.start().shown(), self.end().shown())
    }
}

impl Shown for UpTo {
    fn shown(&self) -> String {
        format!("above 0, at most {}", self.0)
    }
}

impl Shown for AtLeast {
    fn shown(&self) -> String {
        format!("at least {}", duration::format(self.0))
    }
}

impl Shown for () {
    fn shown(&self) -> String {
        "true, false".to_owned()
    }
}

/// The weights of all collectors, the heaviest first.
pub(super) fn weights() -> String {
    let mut names: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for collector in Collector::ALL {
        // Weights are small multiples of a tenth.
        let tenths = (collector.resource().weight * 10.0).round() as u64;
        names.entry(tenths).or_default().push(collector.as_str());
    }
    let lines = names
        .iter()
        .rev()
        .map(|(tenths, names)| format!("{}: {}", *tenths as f64 / 10.0, names.join(", ")));
    lines.collect::<Vec<_>>().join("; ")
}

/// A key without a default of its own, or one in words.
pub(super) const fn written(
    path: &'static str,
    default: &'static str,
    allowed: &'static str,
    doc: &'static str,
) -> Key<Written, Written> {
    Key {
        path,
        default: Written(default),
        allowed: Written(allowed),
        doc,
    }
}
