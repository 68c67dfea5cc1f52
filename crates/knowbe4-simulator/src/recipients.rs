//! Who got a phishing test, and what they did: of one piece with the test's counts.
//!
//! People have habits. Some fail again and again and some never; some report within a minute.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::organisation::{DAY, Organisation, time};
use super::phishing::Test;
use super::random::{pick, unit};

/// How many tests' recipients are remembered: those that run at one time, and the one that is being read.
const REMEMBERED: usize = 12;

/// How long it takes until a test has been sent to everybody.
const SENDING: f64 = 2.0 * 3600.0;

/// Longest delay of what somebody does: within the days in which a test counts, also for the last who got it.
const LATEST: f64 = 5.5 * DAY;

/// What somebody may do, in the order of the test's counts.
const ACTIONS: [&str; 8] = [
    "opened",
    "clicked",
    "replied",
    "attachment_open",
    "macro_enabled",
    "data_entered",
    "qr_code_scanned",
    "reported",
];

/// The field of each action in a row.
const FIELDS: [&str; 8] = [
    "opened_at",
    "clicked_at",
    "replied_at",
    "attachment_opened_at",
    "macro_enabled_at",
    "data_entered_at",
    "qr_code_scanned",
    "reported_at",
];

const OPENED: usize = 0;
const CLICKED: usize = 1;
const REPORTED: usize = 7;

/// One mail of a test.
#[derive(Debug)]
pub(super) struct Recipient {
    person: usize,
    /// When it was delivered, or bounced.
    sent: f64,
    bounced: bool,
    /// When each action was taken.
    actions: [Option<f64>; ACTIONS.len()],
}

/// The recipients of the tests that were last asked about.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<VecDeque<(u64, Arc<Vec<Recipient>>)>>);

impl Organisation {
    /// Everybody who gets a test, in the order in which it is sent, with all that they will ever do.
    pub(super) fn recipients(&self, test: &Test) -> Arc<Vec<Recipient>> {
        let mut known = self.memory.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, recipients)) = known.iter().find(|(id, _)| *id == test.id) {
            return Arc::clone(recipients);
        }
        let recipients = Arc::new(self.make_recipients(test));
        known.truncate(REMEMBERED - 1);
        known.push_front((test.id, Arc::clone(&recipients)));
        recipients
    }

    fn make_recipients(&self, test: &Test) -> Vec<Recipient> {
        let counts = self.final_counts(test);
        let count = |name: &str| {
            let found = counts.iter().find(|(known, _)| *known == name);
            found.map_or(0, |(_, count)| *count as usize)
        };
        let (scheduled, bounced) = (count("scheduled"), count("bounced"));
        let mut recipients: Vec<_> = self
            .chosen(test, scheduled)
            .into_iter()
            .enumerate()
            .map(|(place, person)| Recipient {
                person,
                sent: test.started + SENDING * (place as f64 + 0.5) / scheduled as f64,
                // Every so many.
                bounced: bounced > 0
                    && place % (scheduled / bounced) == 1
                    && place / (scheduled / bounced) < bounced,
                actions: [None; ACTIONS.len()],
            })
            .collect();
        let mut failing: Vec<usize> = (0..recipients.len())
            .filter(|i| !recipients[*i].bounced)
            .collect();
        let mut reporting = failing.clone();
        self.rank(&recipients, &mut failing, test, "click", |person| {
            0.1 + 6.0 * unit(self.seed, person as u64, "prone").powi(6)
        });
        self.rank(&recipients, &mut reporting, test, "report", |person| {
            0.1 + 4.0 * unit(self.seed, person as u64, "reports").powi(3)
        });
        let delay = |person: usize, purpose: &str, typical: f64| {
            let chance = unit(self.seed ^ test.id, person as u64, purpose).clamp(1e-6, 1.0 - 1e-6);
            (typical * (chance / (1.0 - chance)).powf(0.9)).clamp(5.0, LATEST)
        };
        for (action, name) in ACTIONS.into_iter().enumerate() {
            let ranked = if action == REPORTED { &reporting } else { &failing };
            for place in ranked.iter().take(count(name)) {
                let recipient = &mut recipients[*place];
                let person = recipient.person;
                let after = match action {
                    CLICKED => recipient.actions[OPENED],
                    OPENED | REPORTED => None,
                    _ => recipient.actions[CLICKED],
                };
                let typical = match action {
                    OPENED => 1_500.0,
                    REPORTED if unit(self.seed, person as u64, "reports") > 0.85 => 50.0,
                    REPORTED => 2_700.0,
                    _ => 40.0,
                };
                let from = after.unwrap_or(recipient.sent);
                let at = (from + delay(person, name, typical)).min(recipient.sent + LATEST);
                recipient.actions[action] = Some(at.floor());
            }
        }
        recipients
    }

    /// Who gets a test: those who were there when it began, in an order of the test's own.
    fn chosen(&self, test: &Test, scheduled: usize) -> Vec<usize> {
        let mut people: Vec<_> = (0..self.people())
            .map(|person| {
                let place = unit(self.seed ^ test.id, person as u64, "place");
                (!self.is_active(person, test.started), place, person)
            })
            .collect();
        people.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        people
            .into_iter()
            .take(scheduled)
            .map(|(_, _, person)| person)
            .collect()
    }

    /// Sorts mails by how soon their recipients are drawn, where habit makes some likelier than others.
    fn rank(
        &self,
        recipients: &[Recipient],
        places: &mut Vec<usize>,
        test: &Test,
        purpose: &str,
        weight: impl Fn(usize) -> f64,
    ) {
        let mut drawn: Vec<_> = places
            .iter()
            .map(|place| {
                let person = recipients[*place].person;
                let chance = unit(self.seed ^ test.id, person as u64, purpose).max(1e-12);
                (-chance.ln() / weight(person), *place)
            })
            .collect();
        drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
        *places = drawn.into_iter().map(|(_, place)| place).collect();
    }

    /// The counts of a test that still runs: what its recipients have done by `now`.
    pub(super) fn counts_so_far(&self, test: &Test, now: f64) -> Vec<(&'static str, u64)> {
        let recipients = self.recipients(test);
        let sent = |bounced: bool| {
            let those = recipients
                .iter()
                .filter(|one| one.bounced == bounced && one.sent <= now);
            those.count() as u64
        };
        let mut counts = vec![("scheduled", recipients.len() as u64), ("delivered", sent(false))];
        counts.extend(ACTIONS.into_iter().enumerate().map(|(action, name)| {
            let done = recipients
                .iter()
                .filter(|one| one.actions[action].is_some_and(|at| at <= now));
            (name, done.count() as u64)
        }));
        counts.push(("bounced", sent(true)));
        counts
    }

    /// One row of a test's recipients.
    pub(super) fn recipient(&self, test: &Test, number: usize, now: f64) -> Value {
        let recipients = self.recipients(test);
        let recipient = &recipients[number];
        let person = recipient.person;
        let by_now = |at: Option<f64>| {
            at.filter(|at| *at <= now)
                .map_or(Value::Null, |at| json!(time(at)))
        };
        let sent = by_now(Some(recipient.sent));
        let (delivered, bounced) = if recipient.bounced {
            (Value::Null, sent)
        } else {
            (sent, Value::Null)
        };
        // Somebody who left may have been deleted since.
        let deleted = !self.is_active(person, now) && unit(self.seed, person as u64, "deleted") < 0.3;
        let user = if deleted {
            Value::Null
        } else {
            let user = self.user(person, now);
            json!({
                "id": user["id"], "provisioning_guid": null, "first_name": user["first_name"],
                "last_name": user["last_name"], "email": user["email"],
            })
        };
        let (template, difficulty) = test.template().unzip();
        let mut row = json!({
            "recipient_id": test.id * 10 + 1_000_000 + number as u64,
            "pst_id": test.id,
            "user": user,
            "template": {"id": template.map(|_| 4_813_400), "name": template, "difficulty": difficulty, "type": "USER"},
            "scheduled_at": time(test.started),
            "delivered_at": delivered,
            "bounced_at": bounced,
            "ip": "203.0.113.10",
            "ip_location": "Zqtown, FL",
            "browser": pick(self.seed, person as u64, "browser", &["Chrome", "Firefox", "Edge"]),
            "browser_version": "110",
            "os": "mac",
        });
        for (field, at) in FIELDS.into_iter().zip(recipient.actions) {
            row[field] = by_now(at);
        }
        row
    }
}
