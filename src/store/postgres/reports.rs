//! What the holders of accounts report: all replicas show it at the same age, so that whichever is asked, no counter
//! steps back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::types::Type;

use super::account::Held;
use super::saves::LATELY;
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

/// What is new, and what this replica has not seen yet.
const NEW: &str = "
SELECT account, (extract(epoch FROM at) * 1000000)::bigint FROM knowbe4_exporter.report
WHERE account = ANY($1) AND (at > clock_timestamp() - interval '10 seconds' OR account = ANY($2))";

const READ: &str = "
SELECT account, (extract(epoch FROM at) * 1000000)::bigint,
    (extract(epoch FROM clock_timestamp() - at) * 1000000)::bigint, bytes
FROM knowbe4_exporter.report WHERE account = ANY($1)";

/// A report as it was written.
type Bytes = Arc<Vec<u8>>;

/// What is heard of accounts, and what is yet to be shown.
#[derive(Default)]
pub(super) struct Reports {
    heard: BTreeMap<AccountName, Heard>,
    /// By when it is to be shown, and a number of its own.
    due: BTreeMap<(Instant, u64), (AccountName, Bytes)>,
    number: u64,
    looked: Option<Instant>,
}

struct Heard {
    to: watch::Sender<Option<Bytes>>,
    /// When the last was written, in unix microseconds of the database.
    at: Option<i64>,
}

impl Reports {
    pub(super) fn hear(&mut self, account: &AccountName) -> watch::Receiver<Option<Bytes>> {
        let heard = self.heard.entry(account.clone()).or_insert_with(|| Heard {
            to: watch::Sender::new(None),
            at: None,
        });
        heard.to.subscribe()
    }

    /// Notes a report that is `age` old, unless it is the last one once more.
    fn note(&mut self, account: &AccountName, at: i64, age: Duration, bytes: Bytes) {
        let Some(heard) = self.heard.get_mut(account).filter(|heard| heard.at != Some(at)) else {
            return;
        };
        heard.at = Some(at);
        self.number += 1;
        let due = Instant::now() + SHOWN.saturating_sub(age);
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
        let rows = self.bulk.rows(REPORT, &parameters).await?;
        let mut state = self.lock();
        for row in rows {
            let account: &str = row.get(0);
            let written = reports.iter().find(|(held, _)| held.name().as_str() == account);
            if let Some((held, report)) = written {
                state
                    .reports
                    .note(held.name(), row.get(1), Duration::ZERO, Arc::clone(report));
            }
        }
        drop(state);
        self.to_show.notify_one();
        Ok(())
    }

    /// Looks what others report.
    pub(super) async fn look_at_reports(&self) -> Result<(), Trouble> {
        let looked = Instant::now();
        let (names, unseen): (Vec<String>, Vec<String>) = {
            let mut state = self.lock();
            let reports = &mut state.reports;
            reports.heard.retain(|_, heard| heard.to.receiver_count() > 0);
            let lately = reports.looked.is_some_and(|looked| looked.elapsed() < LATELY);
            let others = |name: &&AccountName| !state.held.contains_key(*name);
            let names: Vec<_> = state.reports.heard.keys().filter(others).collect();
            let unseen = names
                .iter()
                .filter(|name| !lately || state.reports.heard[**name].at.is_none());
            let text = |name: &AccountName| name.to_string();
            (
                names.iter().map(|name| text(name)).collect(),
                unseen.map(|name| text(name)).collect(),
            )
        };
        if names.is_empty() {
            return Ok(());
        }
        let parameters = [(&names as _, Type::TEXT_ARRAY), (&unseen as _, Type::TEXT_ARRAY)];
        let rows = self.bulk.rows(NEW, &parameters).await?;
        let news: Vec<String> = {
            let state = self.lock();
            let known = |name: &AccountName| state.reports.heard.get(name).and_then(|heard| heard.at);
            let rows = rows
                .iter()
                .filter_map(|row| Some((row.get::<_, &str>(0).parse().ok()?, row.get(1))));
            rows.filter(|(name, at)| known(name) != Some(*at))
                .map(|(name, _)| name.to_string())
                .collect()
        };
        let rows = match news.is_empty() {
            true => Vec::new(),
            false => self.bulk.rows(READ, &[(&news, Type::TEXT_ARRAY)]).await?,
        };
        let mut state = self.lock();
        for row in rows {
            let report = row.get::<_, &str>(0).parse().ok().zip(packed::open(row.get(3)));
            if let Some((name, report)) = report {
                let age = Duration::from_micros(u64::try_from(row.get::<_, i64>(2)).unwrap_or_default());
                state.reports.note(&name, row.get(1), age, Arc::new(report));
            }
        }
        state.reports.looked = Some(looked);
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
