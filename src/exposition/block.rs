//! The samples about one subject, cut by family: encoded once, copied into as many bodies as are asked for.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::catalogue::FAMILIES;
use crate::model::{AccountName, Collector};
use crate::snapshot::AccountSnapshot;

use super::Format;
use super::encode::samples;
use super::families::{self, Data, Writer};
use super::samples::Subject;
use super::source::Source;
use super::text::header;

/// Samples of consecutive families of the catalogue, without their headers.
#[derive(Debug)]
pub(super) struct Block {
    first: usize,
    text: String,
    /// Where each family's samples end in `text`.
    ends: Vec<usize>,
    series: u64,
}

impl Block {
    /// Encodes `subject` with `writers`, which are in the catalogue's order; families of `part` that have no writer
    /// here stay empty.
    pub(super) fn of<T: Subject>(part: Range<usize>, writers: &[Writer<T>], subject: T) -> Self {
        let subject = Arc::new(subject);
        let mut block = Self {
            first: part.start,
            text: String::new(),
            ends: Vec::with_capacity(part.len()),
            series: 0,
        };
        let mut writers = writers.iter().peekable();
        for index in part {
            let family = &FAMILIES[index];
            if let Some(writer) = writers.next_if(|writer| writer.family == family.name) {
                let header = header(index, Format::OpenMetrics);
                block.series += samples(family, header, &subject, writer.write, &mut block.text);
            }
            block.ends.push(block.text.len());
        }
        block.text.shrink_to_fit();
        block
    }

    /// Samples of the family at `index` of the catalogue; empty if there are none.
    pub(super) fn samples(&self, index: usize) -> &str {
        let position = index - self.first;
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[position]]
    }

    /// How many samples there are; of gauges, counters and infos each is one series.
    pub(super) fn series(&self) -> u64 {
        self.series
    }
}

/// The block of one account's data, and how long it holds.
#[derive(Debug, Clone)]
pub(super) struct Dated {
    pub(super) block: Arc<Block>,
    /// When one of its collections goes stale, in unix seconds; infinite if it is empty.
    pub(super) expires: f64,
    snapshot: Arc<AccountSnapshot>,
    stale_after: f64,
}

impl Dated {
    fn of(account: &AccountName, snapshot: &Arc<AccountSnapshot>, now: f64, stale_after: f64) -> Self {
        let fresh = snapshot.fresh(now, stale_after);
        let expires = Collector::ALL
            .into_iter()
            .filter_map(|collector| fresh.at(collector))
            .fold(f64::INFINITY, |expires, at| expires.min(at + stale_after));
        let data = Data {
            account: account.clone(),
            snapshot: fresh,
        };
        Self {
            block: Arc::new(Block::of(families::data(), &families::DATA, data)),
            expires,
            snapshot: Arc::clone(snapshot),
            stale_after,
        }
    }
}

/// The blocks of all accounts' data, so that a publication encodes what it changed and no more.
#[derive(Debug, Default)]
pub(super) struct Blocks(Mutex<BTreeMap<AccountName, Dated>>);

impl Blocks {
    /// The block of one account, encoded if its snapshot is another than last time or has become stale.
    pub(super) fn get(
        &self,
        account: &AccountName,
        snapshot: &Arc<AccountSnapshot>,
        now: f64,
        stale_after: f64,
    ) -> Dated {
        let cached = self.lock().get(account).cloned();
        if let Some(dated) = cached
            && Arc::ptr_eq(&dated.snapshot, snapshot)
            && now < dated.expires
            && dated.stale_after == stale_after
        {
            return dated;
        }
        // Not under the lock: two callers may encode the same, but nobody waits for another account's block.
        let dated = Dated::of(account, snapshot, now, stale_after);
        self.lock().insert(account.clone(), dated.clone());
        dated
    }

    /// The blocks of all accounts of `source`. If those are all there are, others are forgotten.
    pub(super) fn update(&self, source: &Source, now: f64, stale_after: f64) -> Vec<(AccountName, Dated)> {
        if let Source::All(all) = source {
            self.lock().retain(|account, _| all.contains_key(account));
        }
        source
            .accounts()
            .map(|(account, snapshot)| (account.clone(), self.get(account, snapshot, now, stale_after)))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<AccountName, Dated>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
