//! The snapshot and the exporter's own instruments as bytes: OpenMetrics 1.0.0 and text 0.0.4, plain and gzip.
//!
//! A scrape never encodes what another has encoded: samples are written once per account and published snapshot
//! (`block`), compressed once per publication (`section`, `gzip`), and the finished body is shared by all who ask
//! within the same second (`page`, `render`). Only the exporter's own families are written again each second.
//!
//! Nothing here waits on the API, a refresh or a disk, and nothing here knows HTTP: `server` hands out the bodies,
//! `commands` wire the two. `prometheus-client` is spoken to in `encode` alone.

mod block;
mod encode;
mod families;
mod gzip;
mod history;
mod page;
mod process;
mod render;
mod samples;
mod section;
mod source;
mod text;
mod value;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Clock;
use crate::instrument::Instruments;
use crate::model::{AccountName, Collector};
use crate::snapshot::Published;

pub use exporter_web::Format;
pub use history::History;

use block::Blocks;
use page::{Form, Slot};
use render::Renderer;
use source::Source;

/// For how many seconds after it was last asked for a form of the body is rendered ahead of the next scrape.
/// Prometheus keeps a value for five minutes, so nobody who scrapes at all scrapes less often than this.
const ASKED_WITHIN: u64 = 600;

/// All bodies of `/metrics`.
#[derive(Debug)]
pub struct Exposition {
    published: Arc<Published>,
    instruments: Arc<Instruments>,
    clock: Clock,
    /// Seconds, as the bits of an `f64`.
    stale_after: AtomicU64,
    blocks: Blocks,
    whole: Slot,
    accounts: Mutex<BTreeMap<AccountName, Arc<Slot>>>,
    /// When each form of the whole body was last asked for, in unix seconds; 0 for never.
    asked: [AtomicU64; Form::COUNT],
}

impl Exposition {
    /// Serves what is in `published` and `instruments`; collections older than `stale_after` are left out.
    pub fn new(
        published: Arc<Published>,
        instruments: Arc<Instruments>,
        clock: Clock,
        stale_after: Duration,
    ) -> Self {
        Self {
            published,
            instruments,
            clock,
            stale_after: AtomicU64::new(stale_after.as_secs_f64().to_bits()),
            blocks: Blocks::default(),
            whole: Slot::default(),
            accounts: Mutex::default(),
            asked: Default::default(),
        }
    }

    /// The finished body: of all accounts, or of `account` alone, then without the families that have no `account`
    /// label. [`None`] for an account that the instruments don't know.
    ///
    /// What was published before the call is in it, unless another call is just rendering it: then the last body is
    /// returned rather than waiting, if that is less than two seconds old and holds the last report of every account's holder. In
    /// each body the data is at least as new as the success that is reported for it.
    pub fn body(&self, account: Option<&AccountName>, format: Format, gzip: bool) -> Option<Bytes> {
        let form = Form { format, gzip };
        let Some(account) = account else {
            self.asked[form.index()].store(self.clock.now() as u64, Ordering::Relaxed);
            return self.renderer().body(&self.whole, None, form);
        };
        let known = self.lock_accounts().get(account).cloned();
        let slot = match known {
            Some(slot) => slot,
            None => {
                self.instruments.read_account(account)?;
                Arc::clone(self.lock_accounts().entry(account.clone()).or_default())
            }
        };
        let body = self.renderer().body(&slot, Some(account), form);
        if body.is_none() {
            self.lock_accounts().remove(account);
        }
        body
    }

    /// All accounts in text 0.0.4, for `once`: without what has no `account` label. That would describe a process that
    /// is gone, and collide in node_exporter's textfile collector with its own families and with the files of other
    /// accounts.
    pub fn text(&self) -> String {
        self.renderer().text()
    }

    /// Renders ahead of the next scrape what changed since the last call: to be called after a publication, and when
    /// [`Self::next_expiry`] has passed. Takes as long as the rendering, some 20 ms per 100,000 series and format.
    pub fn refresh(&self) {
        let published = self.published.current();
        self.lock_accounts()
            .retain(|account, _| published.contains_key(account));
        let now = self.clock.now();
        let forms: Vec<Form> = Form::ALL
            .into_iter()
            .filter(|form| {
                let asked = self.asked[form.index()].load(Ordering::Relaxed);
                asked > 0 && (now as u64).saturating_sub(asked) <= ASKED_WITHIN
            })
            .collect();
        if forms.is_empty() {
            let source = Source::All(published);
            self.blocks.update(&source, now, self.stale_after());
        } else {
            self.renderer().prepare(&self.whole, &forms);
        }
    }

    /// When the next collection goes stale, in unix seconds; always in the future. [`None`] when there is none.
    pub fn next_expiry(&self) -> Option<f64> {
        let (now, stale_after) = (self.clock.now(), self.stale_after());
        let published = self.published.current();
        published
            .values()
            .flat_map(|snapshot| Collector::ALL.into_iter().filter_map(|c| snapshot.at(c)))
            .map(|at| at + stale_after)
            .filter(|expiry| *expiry > now)
            .min_by(f64::total_cmp)
    }

    /// Makes the next body a new one: what happened is to be seen by whoever asks next, not a second later.
    pub fn invalidate(&self) {
        self.whole.clear();
        self.lock_accounts().values().for_each(|slot| slot.clear());
    }

    /// Changes the age at which a collection is left out; holds from the next body on.
    pub fn set_stale_after(&self, stale_after: Duration) {
        self.stale_after
            .store(stale_after.as_secs_f64().to_bits(), Ordering::Relaxed);
    }

    fn stale_after(&self) -> f64 {
        f64::from_bits(self.stale_after.load(Ordering::Relaxed))
    }

    fn lock_accounts(&self) -> MutexGuard<'_, BTreeMap<AccountName, Arc<Slot>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn renderer(&self) -> Renderer<'_> {
        Renderer {
            published: &self.published,
            instruments: &self.instruments,
            blocks: &self.blocks,
            now: self.clock.now(),
            stale_after: self.stale_after(),
        }
    }
}
