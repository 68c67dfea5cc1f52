//! What the holders of accounts report: all replicas show it at the same age, so that whichever is asked, no counter
//! steps back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::types::Type;

use super::account::Held;
use super::clock::DatabaseClock;
use super::trouble::Trouble;
use super::{Shared, packed};
use crate::model::AccountName;

/// Age at which a report is shown. By then all have heard it, also where nobody tells of news.
const SHOWN: Duration = Duration::from_millis(1500);

/// Pause between two writes of reports: one write takes those of all accounts.
const PAUSE: Duration = Duration::from_millis(300);

/// Under the lease's own number: what a replica reports that has lost its lease is nobody's business.
const REPORT: &str = "
WITH lease AS (
    SELECT a.name, r.bytes FROM knowbe4_exporter.account a
    JOIN unnest($1, $2, $3) AS r (name, fence, bytes) ON r.name = a.name AND r.fence = a.fence
    WHERE a.holder = $4 ORDER BY a.name FOR SHARE OF a
), news AS (SELECT pg_notify('knowbe4_exporter', ''))
INSERT INTO knowbe4_exporter.report (account, at, bytes)
SELECT name, clock_timestamp(), bytes FROM lease, news
ON CONFLICT (account) DO UPDATE SET at = excluded.at, bytes = excluded.bytes
RETURNING account, (extract(epoch FROM at) * 1000000)::bigint";

/// What others have reported since it was heard of last.
const NEW: &str = "
SELECT r.account, (extract(epoch FROM r.at) * 1000000)::bigint,
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, r.bytes
FROM knowbe4_exporter.report r JOIN unnest($1, $2) AS heard (account, at) ON heard.account = r.account
WHERE (extract(epoch FROM r.at) * 1000000)::bigint IS DISTINCT FROM heard.at";

/// A report as it was written.
type Bytes = Arc<Vec<u8>>;

/// What is heard of accounts, and what is yet to be shown.
#[derive(Default)]
pub(super) struct Reports {
    heard: BTreeMap<AccountName, Heard>,
    /// By when it is to be shown, and a number of its own.
    due: BTreeMap<(Instant, u64), (AccountName, Bytes)>,
    number: u64,
    clock: DatabaseClock,
}

struct Heard {
    to: watch::Sender<Option<Bytes>>,
    /// When the last was written, in unix microseconds of the database.
    at: Option<i64>,
    /// When the last is shown.
    due: Option<Instant>,
}

impl Reports {
    pub(super) fn hear(&mut self, account: &AccountName) -> watch::Receiver<Option<Bytes>> {
        let heard = self.heard.entry(account.clone()).or_insert_with(|| Heard {
            to: watch::Sender::new(None),
            at: None,
            due: None,
        });
        heard.to.subscribe()
    }

    /// Notes a report that was written `at`, unless it is the last one once more. One that this version can't open is not
    /// shown, and not fetched again.
    fn note(&mut self, account: &AccountName, at: i64, bytes: Option<Bytes>) {
        let Some(heard) = self.heard.get_mut(account).filter(|heard| heard.at != Some(at)) else {
            return;
        };
        heard.at = Some(at);
        let Some(bytes) = bytes else {
            return;
        };
        let now = Instant::now();
        let written = self.clock.when(at).unwrap_or(now);
        // One after the other, also when better is known by now what the database's clock shows.
        let due = (written + SHOWN)
            .clamp(now, now + SHOWN)
            .max(heard.due.unwrap_or(now));
        heard.due = Some(due);
        self.number += 1;
        self.due.insert((due, self.number), (account.clone(), bytes));
    }

    /// Shows what is due; when the next is.
    fn show(&mut self) -> Option<Instant> {
        while let Some(first) = self.due.first_entry() {
            let (due, _) = *first.key();
            if due > Instant::now() {
                return Some(due);
            }
            let (account, bytes) = first.remove();
            if let Some(heard) = self.heard.get(&account) {
                heard.to.send_replace(Some(bytes));
            }
        }
        None
    }
}

impl Shared {
    /// Writes what the accounts here report.
    pub(super) async fn pass_reports_on(&self) {
        loop {
            self.to_report.notified().await;
            let reports: Vec<(Arc<Held>, Bytes)> = {
                let state = self.lock();
                let held = state.held.values();
                held.filter_map(|held| Some((Arc::clone(held), held.take_report()?)))
                    .collect()
            };
            // What goes wrong is told where the heart beats.
            if self.write(&reports).await.is_err() {
                for (held, report) in reports {
                    held.put_report_back(report);
                }
                self.to_report.notify_one();
            }
            sleep(PAUSE).await;
        }
    }

    async fn write(&self, reports: &[(Arc<Held>, Bytes)]) -> Result<(), Trouble> {
        if reports.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = reports.iter().map(|(held, _)| held.name().as_str()).collect();
        let fences: Vec<i64> = reports.iter().map(|(held, _)| held.fence()).collect();
        let bytes: Vec<Vec<u8>> = reports
            .iter()
            .map(|(_, report)| packed::squeeze(report))
            .collect();
        let parameters = [
            (&names as _, Type::TEXT_ARRAY),
            (&fences as _, Type::INT8_ARRAY),
            (&bytes as _, Type::BYTEA_ARRAY),
            (&self.me as _, Type::TEXT),
        ];
        let asked = Instant::now();
        let rows = self.bulk.rows(REPORT, &parameters).await?;
        let mut state = self.lock();
        for row in rows {
            let (account, at): (&str, i64) = (row.get(0), row.get(1));
            state.reports.clock.read(asked, at);
            let written = reports.iter().find(|(held, _)| held.name().as_str() == account);
            if let Some((held, report)) = written {
                state.reports.note(held.name(), at, Some(Arc::clone(report)));
            }
        }
        drop(state);
        self.to_show.notify_one();
        Ok(())
    }

    /// Looks what others report.
    pub(super) async fn look_at_reports(&self) -> Result<(), Trouble> {
        let (names, heard): (Vec<String>, Vec<Option<i64>>) = {
            let mut state = self.lock();
            let reports = &mut state.reports;
            reports.heard.retain(|_, heard| heard.to.receiver_count() > 0);
            let others = state.reports.heard.iter();
            let others = others.filter(|(name, _)| !state.held.contains_key(*name));
            others.map(|(name, heard)| (name.to_string(), heard.at)).unzip()
        };
        if names.is_empty() {
            return Ok(());
        }
        let parameters = [(&names as _, Type::TEXT_ARRAY), (&heard as _, Type::INT8_ARRAY)];
        let asked = Instant::now();
        let rows = self.bulk.rows(NEW, &parameters).await?;
        let mut state = self.lock();
        for row in rows {
            state.reports.clock.read(asked, row.get(2));
            if let Ok(name) = row.get::<_, &str>(0).parse() {
                let report = packed::open(row.get(3)).map(Arc::new);
                state.reports.note(&name, row.get(1), report);
            }
        }
        drop(state);
        self.to_show.notify_one();
        Ok(())
    }

    /// Shows each report at its age.
    pub(super) async fn show_reports(&self) {
        loop {
            let next = self.lock().reports.show();
            let due = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.to_show.notified() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_report_that_cannot_be_opened_is_neither_shown_nor_fetched_again() {
        let account: AccountName = "acme".parse().expect("a name");
        let mut reports = Reports::default();
        let shown = reports.hear(&account);
        reports.note(&account, 1, Some(Arc::new(b"first".to_vec())));
        reports.note(&account, 2, None);
        assert_eq!(reports.heard[&account].at, Some(2));
        tokio::time::advance(SHOWN).await;
        assert_eq!(reports.show(), None);
        assert_eq!(shown.borrow().as_deref(), Some(&b"first".to_vec()));
    }
}
