//! Who renders the next page, and what everybody else gets meanwhile.
//!
//! A page holds for one second of one publication. The first who asks after that renders the next under a lock, in
//! all forms that are wanted, before anybody sees it; whoever comes meanwhile is given the last one.

use std::sync::{Arc, PoisonError, TryLockError};

use bytes::Bytes;

use crate::instrument::Instruments;
use crate::model::AccountName;
use crate::snapshot::Published;

use super::Format;
use super::block::{Block, Blocks};
use super::families::{self, Exporter, Own};
use super::page::{Form, Generation, Page, Slot};
use super::process::Process;
use super::section::Section;
use super::source::Source;

/// What it takes to render a page at one moment.
#[derive(Debug)]
pub(super) struct Renderer<'a> {
    pub(super) published: &'a Published,
    pub(super) instruments: &'a Instruments,
    pub(super) blocks: &'a Blocks,
    /// Unix seconds.
    pub(super) now: f64,
    /// Seconds.
    pub(super) stale_after: f64,
}

impl Renderer<'_> {
    /// The body of all accounts or of one; [`None`] for an unknown account.
    pub(super) fn body(&self, slot: &Slot, account: Option<&AccountName>, form: Form) -> Option<Bytes> {
        Some(self.page(slot, account, &[form])?.body(form))
    }

    /// Makes sure that the bodies of all accounts are there in `forms`.
    pub(super) fn prepare(&self, slot: &Slot, forms: &[Form]) {
        if let Some(page) = self.page(slot, None, forms) {
            forms.iter().for_each(|form| drop(page.body(*form)));
        }
    }

    fn page(&self, slot: &Slot, account: Option<&AccountName>, forms: &[Form]) -> Option<Arc<Page>> {
        let current = || slot.page().filter(|page| self.holds(page, account));
        if let Some(page) = current() {
            return Some(page);
        }
        let _single_flight = match slot.rendering.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                // Another replica may have shown the newest report already: no body without it is recent.
                let recent = slot.page().filter(|page| {
                    (0.0..=1.0).contains(&(self.second() - page.second))
                        && page.shown == self.instruments.shown()
                });
                if recent.is_some() {
                    return recent;
                }
                slot.rendering.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        if let Some(page) = current() {
            return Some(page);
        }
        let page = Arc::new(self.render(slot.page().as_deref(), account, true)?);
        for form in forms {
            page.body(*form);
        }
        slot.put(&page);
        Some(page)
    }

    /// All accounts in text 0.0.4, without what is about no account.
    pub(super) fn text(&self) -> String {
        self.render(None, None, false)
            .map_or_else(String::new, |page| page.text(Format::Text))
    }

    fn second(&self) -> f64 {
        self.now.floor()
    }

    fn holds(&self, page: &Page, account: Option<&AccountName>) -> bool {
        page.second == self.second()
            && page.shown == self.instruments.shown()
            && self.data_holds(&page.data, &Source::current(self.published, account))
    }

    fn data_holds(&self, data: &Generation, source: &Source) -> bool {
        self.now < data.expires && data.stale_after == self.stale_after && data.source.is(source)
    }

    fn render(&self, last: Option<&Page>, account: Option<&AccountName>, process: bool) -> Option<Page> {
        let shown = self.instruments.shown();
        // The instruments first, the snapshot after them: a success is counted after its data was published, so that
        // the data is at least as new as the success beside it.
        let states = match account {
            None => self.instruments.read(),
            Some(account) => [(account.clone(), self.instruments.read_account(account)?)].into(),
        };
        let holdings = states.values().filter_map(|state| state.holding.as_ref());
        let held = holdings
            .map(|holding| u64::from(holding.here))
            .reduce(|all, one| all + one);
        let exporter = Exporter::new(self.instruments.process(), held);
        let data = self.data(last, Source::current(self.published, account));

        let mut own: Vec<_> = states
            .into_iter()
            .map(|(account, state)| {
                let own = Own {
                    series: data.series.get(&account).copied().unwrap_or(0),
                    account,
                    state,
                };
                Arc::new(Block::of(families::own(), families::OWN, own))
            })
            .collect();
        if account.is_none() && process {
            own.push(Arc::new(Block::of(families::own(), families::EXPORTER, exporter)));
        }
        let mut live = vec![Section::new(families::own(), own)];
        if account.is_none() && process {
            let block = Block::of(families::process(), families::PROCESS, Process::read());
            live.push(Section::new(families::process(), vec![Arc::new(block)]));
        }
        Some(Page::new(self.second(), shown, data, live))
    }

    fn data(&self, last: Option<&Page>, source: Source) -> Generation {
        if let Some(last) = last
            && self.data_holds(&last.data, &source)
        {
            return last.data.clone();
        }
        let blocks = self.blocks.update(&source, self.now, self.stale_after);
        Generation {
            source,
            stale_after: self.stale_after,
            expires: blocks
                .iter()
                .fold(f64::INFINITY, |expires, (_, d)| expires.min(d.expires)),
            series: Arc::new(
                blocks
                    .iter()
                    .map(|(name, d)| (name.clone(), d.block.series()))
                    .collect(),
            ),
            section: Arc::new(Section::new(
                families::data(),
                blocks.into_iter().map(|(_, dated)| dated.block).collect(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Policies;
    use crate::snapshot::{AccountSnapshot, Collection};

    #[test]
    fn nobody_waits_for_a_rendering_while_there_is_a_recent_body() {
        let (published, instruments, blocks) =
            (Published::default(), Instruments::new(0.0), Blocks::default());
        let renderer = |now| Renderer {
            published: &published,
            instruments: &instruments,
            blocks: &blocks,
            now,
            stale_after: 100.0,
        };
        let slot = Slot::default();
        let body = |now| renderer(now).body(&slot, None, Form::ALL[0]).expect("body");
        let first = body(1.5);

        let account: AccountName = "acme".parse().expect("name");
        let mut snapshot = AccountSnapshot::default();
        snapshot.set(Collection::Policies(Policies { policies: 1 }), 1.0);
        published.publish(&account, Arc::new(snapshot));
        let rendering = slot.rendering.lock().expect("lock");
        assert_eq!(body(1.6), first);
        assert_eq!(body(2.9), first);

        // But for a body with what others show already.
        instruments.note_shown();
        std::thread::scope(|scope| {
            let (to, from) = std::sync::mpsc::channel();
            let body = &body;
            scope.spawn(move || to.send(body(2.9)));
            from.recv_timeout(Duration::from_millis(100))
                .expect_err("it waits for the rendering");
            drop(rendering);
            assert_ne!(from.recv().expect("body"), first);
        });
    }
}
