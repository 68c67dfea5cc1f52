//! Who failed and who reported, test by test: each listing whole or not at all, the newest first.
//!
//! A refresh reads what is due now, and no more than its batch. A test that can't be read is left for later, and the
//! others go on without it; two in a row are taken for a server that is down.

mod archive;

use std::time::Duration;

use tracing::warn;

pub use self::archive::Archive;
use super::phishing::callback;
use super::{Inputs, RecipientsInputs, Yield};
use crate::api::error::ApiError;
use crate::api::wire::RecipientRow;
use crate::api::{Client, Refresh};
use crate::model::{
    Collector, DAY, Endpoint, PhishingRecipients, PhishingTests, Reason, RecipientsWindow, TestSpan,
};
use crate::recipients::{self, Purse, ReadTest, Reading, Share, Turn, summarise, turns};
use crate::snapshot::Collection;

/// Failures in a row that say more about the server than about a test.
const SERVER_IS_DOWN: u32 = 2;

/// After which pause a refresh goes on that was broken off, in seconds.
const BROKEN_OFF: f64 = 60.0;

pub(super) async fn recipients(
    client: &Client,
    refresh: &mut Refresh,
    inputs: Inputs<'_>,
) -> Result<Yield, ApiError> {
    let own = inputs
        .recipients
        .ok_or(ApiError::Incomplete("recipients are read by the poller alone"))?;
    let tests = own.tests.ok_or(ApiError::Incomplete(
        "which phishing tests there are isn't known: the collector phishing_tests has to work first",
    ))?;
    let mut archive = own.archive.lock().await;
    archive.unlock(own.key, inputs.now).await;
    archive.retain(&tests.roster).await;
    let spent = own
        .last
        .map(|last| last.backlog_spent.clone())
        .unwrap_or_default();
    let mut run = Run {
        client,
        share: Share::new(own.plan.share_per_day, archive.spent(spent)),
        archive: &mut archive,
        own,
        read: 0,
        again: None,
        wants: None,
    };
    let outcome = run.read_due(refresh, &tests.roster).await;
    let (share, read, again, wants) = (run.share, run.read, run.again, run.wants);
    let now = client.now();
    archive.keep_spent(share.spent(now)).await;
    match outcome {
        // Nothing was ever read: who is told so may not think that it works.
        Err(error) if read == 0 => return Err(error),
        _ => {}
    }
    let mut collection = summary(&archive, tests, &inputs, own.last, now);
    collection.backlog_spent = share.spent(now);
    let mut notes: Vec<_> = archive.troubles(now).collect();
    notes.extend(progress(&collection, tests, &inputs, own.plan.share_per_day, now));
    let left = turns(
        &tests.roster,
        archive.memory(),
        |id| archive.trouble(id),
        own.plan.every,
        now,
    );
    let next = next_at(&left, &share, now).map(|at| (at - now).max(1.0));
    Ok(Yield {
        notes,
        again: again.or(next),
        wants,
        ..Yield::from(Collection::Recipients(collection))
    })
}

/// What was read so far, summed up. Without the users' listing the sums over people stay as they were.
fn summary(
    archive: &Archive,
    tests: &PhishingTests,
    inputs: &Inputs<'_>,
    last: Option<&PhishingRecipients>,
    now: f64,
) -> PhishingRecipients {
    let mut collection = summarise(
        archive.memory(),
        &recipients::Inputs {
            roster: &tests.roster,
            windows: &inputs.config.phishing.windows,
            people: inputs.directory,
            group_min_size: inputs.config.groups.min_size,
            segment_min_size: inputs.config.segment_min_size,
            now,
        },
    );
    if inputs.directory.is_none() {
        carry_people_over(&mut collection.windows, last);
    }
    collection
}

/// When the first of `turns` may be read: it is due, and its purse has the money. What waits for its share holds up
/// what is older.
fn next_at(turns: &[Turn], share: &Share, now: f64) -> Option<f64> {
    let mut share_is_free = Some(now);
    let ready = turns.iter().filter_map(|turn| {
        if turn.purse == Purse::Plan {
            return Some(turn.at);
        }
        let at = share_is_free?.max(share.free_at(turn.cost, now)?);
        if turn.at <= now {
            share_is_free = Some(at);
        }
        Some(at.max(turn.at))
    });
    ready.reduce(f64::min)
}

/// One refresh under way.
struct Run<'a> {
    client: &'a Client,
    archive: &'a mut Archive,
    own: RecipientsInputs<'a>,
    share: Share,
    /// Tests read.
    read: u64,
    /// After which pause it goes on, where that is known already.
    again: Option<f64>,
    /// Requests of the test that the day has no room for.
    wants: Option<u64>,
}

impl Run<'_> {
    async fn read_due(&mut self, refresh: &mut Refresh, roster: &[TestSpan]) -> Result<(), ApiError> {
        let every = self.own.plan.every;
        let now = self.client.now();
        let due = turns(
            roster,
            self.archive.memory(),
            |id| self.archive.trouble(id),
            every,
            now,
        );
        let mut in_a_row = 0;
        let mut first_failure = None;
        // What is newer waits for its share: what is older isn't read before it.
        let mut share_is_spent = false;
        for turn in due.iter().filter(|turn| turn.at <= now) {
            let now = self.client.now();
            if turn.purse == Purse::Share {
                share_is_spent |= self.share.free_at(turn.cost, now).is_none_or(|at| at > now);
                if share_is_spent {
                    continue;
                }
            }
            if refresh.requests() > 0 && refresh.requests() + turn.cost > self.own.batch {
                self.again = Some(1.0);
                break;
            }
            if let Some(wait) = self.client.no_room(turn.cost) {
                self.again = Some(wait.max(Duration::from_secs(1)).as_secs_f64());
                self.wants = Some(turn.cost);
                break;
            }
            match self.take_turn(refresh, turn).await {
                Ok(read) => {
                    self.archive.keep(turn.test.id, read).await;
                    self.read += 1;
                    in_a_row = 0;
                }
                Err(error) if is_about_all(&error) => {
                    self.again = Some(BROKEN_OFF);
                    return Err(error);
                }
                Err(error) => {
                    self.note_failure(&turn.test, &error);
                    in_a_row += 1;
                    if in_a_row >= SERVER_IS_DOWN {
                        self.again = Some(BROKEN_OFF);
                        return Err(error);
                    }
                    first_failure = first_failure.or(Some(error));
                }
            }
        }
        match first_failure {
            Some(error) if self.archive.memory().ids().next().is_none() => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads a test out of its purse: what it may cost is kept as spent before, and what it did cost after.
    async fn take_turn(&mut self, refresh: &mut Refresh, turn: &Turn) -> Result<ReadTest, ApiError> {
        if turn.purse == Purse::Plan {
            return self.read_test(refresh, &turn.test).await;
        }
        let (before, unspent, now) = (refresh.requests(), self.share.clone(), self.client.now());
        self.share.spend(turn.cost, now);
        self.archive.keep_spent(self.share.spent(now)).await;
        let result = self.read_test(refresh, &turn.test).await;
        self.share = unspent;
        self.share.spend(refresh.requests() - before, self.client.now());
        result
    }

    async fn read_test(&self, refresh: &mut Refresh, test: &TestSpan) -> Result<ReadTest, ApiError> {
        let at = self.client.now();
        let parameters = if test.callback {
            callback().to_vec()
        } else {
            Vec::new()
        };
        let mut reading = Reading::default();
        let mut fold = |row: RecipientRow, _: &mut _| {
            reading.add(&row.mail);
            Ok(())
        };
        self.client
            .recipients(refresh, test.id, &parameters, &mut fold)
            .await?;
        Ok(reading.finish(at, test.has_ended(at)))
    }

    /// The test is left for later, and the others go on.
    fn note_failure(&mut self, test: &TestSpan, error: &ApiError) {
        let reason = error.reason();
        let failure = self.client.explain(error, Endpoint::Of(Collector::Recipients));
        self.archive.failed(test.id, &failure.cause, self.client.now());
        warn!(
            test = test.id,
            reason = reason.as_str(),
            "recipients of a test can't be read: {}",
            failure.cause
        );
        self.client.failed(Collector::Recipients, reason);
    }
}

/// Whether a failure would be the same for every other test.
fn is_about_all(error: &ApiError) -> bool {
    matches!(
        error.reason(),
        Reason::Unauthorized | Reason::Forbidden | Reason::RateLimited | Reason::Transport
    ) || matches!(error, ApiError::Budget(_))
}

/// Who is active isn't known before users have been read: until then what was known of them stays.
fn carry_people_over(windows: &mut [RecipientsWindow], last: Option<&PhishingRecipients>) {
    for window in windows {
        let known = last.into_iter().flat_map(|last| &last.windows);
        let known = known.filter(|known| known.window == window.window);
        window.people = known.filter_map(|known| known.people.clone()).next();
    }
}

/// How much has been read, and what is missing for which window.
fn progress(
    collection: &PhishingRecipients,
    tests: &PhishingTests,
    inputs: &Inputs<'_>,
    share_per_day: f64,
    now: f64,
) -> Option<String> {
    if collection.unread == 0 {
        return None;
    }
    let started = |test: &&TestSpan| test.started_at <= now;
    let unread = |test: &&TestSpan| !collection.tests.contains_key(&test.id);
    let missing: Vec<_> = tests.roster.iter().filter(started).filter(unread).collect();
    let windows = inputs.config.phishing.windows.iter().map(|(label, length)| {
        let begins = now - length.as_secs_f64();
        let lacks = missing.iter().filter(|test| test.started_at >= begins).count();
        format!("{label} lacks {lacks}")
    });
    let windows: Vec<_> = windows.collect();
    let requests: u64 = missing.iter().map(|test| test.cost()).sum();
    let pace = if share_per_day > 0.0 {
        format!(
            "{requests} requests at {share_per_day:.0} a day take about {:.1} days",
            (requests as f64 / share_per_day).max(1.0 / DAY)
        )
    } else {
        "the other collectors leave no requests for it: raise budget.requests_per_day or max_interval, or phishing.recipients_share".to_owned()
    };
    Some(format!(
        "the recipients of {} of {} phishing tests have been read; of the windows {}; {pace}",
        collection.tests.len(),
        collection.tests.len() as u64 + collection.unread,
        windows.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(id: i64, at: f64, purse: Purse, cost: u64) -> Turn {
        let test = TestSpan {
            id,
            ..TestSpan::default()
        };
        Turn {
            test,
            at,
            purse,
            cost,
        }
    }

    #[test]
    fn what_waits_for_its_share_holds_up_what_is_older() {
        let now = 10.0 * DAY;
        let share = Share::new(3.0, vec![(now - 1000.0, 2)]);
        let freed = share.free_at(2, now).expect("there is a share");
        assert!(freed > now + DAY / 2.0);
        let newest = turn(3, now, Purse::Share, 2);
        let older = turn(2, now, Purse::Share, 1);
        assert_eq!(next_at(&[newest, older], &share, now), Some(freed));
        assert_eq!(next_at(&[older], &share, now), Some(now));
        // What isn't due yet holds up nothing, and neither does the share what the plan pays.
        let later = Turn {
            at: now + 1.0,
            ..newest
        };
        assert_eq!(next_at(&[later, older], &share, now), Some(now));
        let planned = turn(1, now + 5.0, Purse::Plan, 9);
        assert_eq!(next_at(&[newest, planned], &share, now), Some(now + 5.0));
        let none = Share::new(0.0, Vec::new());
        assert_eq!(next_at(&[newest, older], &none, now), None);
    }
}
