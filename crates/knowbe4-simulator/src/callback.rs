//! Tests by telephone: listings of their own, which are asked for by `campaign_type=callback`.
//!
//! No payload of one has been seen in public: the names of what people do in them are a guess.

use serde_json::{Value, json};

use super::organisation::{DAY, Organisation, time};

/// How many tests there were.
const TESTS: u64 = 2;

/// Id of the first.
const FIRST: u64 = 9_000_000;

/// Mails of each, and how many of them did what.
const MAILS: usize = 100;
const OPENED: usize = 60;
const CALLED: usize = 5;
const DATA_ENTERED: usize = 1;
const REPORTED: usize = 20;

impl Organisation {
    pub(super) fn callback_tests(&self) -> Vec<Value> {
        let test = |number: u64| {
            json!({
                "campaign_id": 1_900_000, "pst_id": FIRST + number, "status": "Closed", "name": "Call us back",
                "groups": [], "phish_prone_percentage": (CALLED + DATA_ENTERED) as f64 / MAILS as f64,
                "started_at": time(self.callback_started(number)), "duration": 7, "categories": [],
                "template": {"id": 1, "name": "Voice mail", "difficulty": 3}, "landing_page": null,
                "scheduled_count": MAILS, "delivered_count": MAILS, "opened_count": OPENED, "called_count": CALLED,
                "callback_data_entered_count": DATA_ENTERED, "reported_count": REPORTED, "bounced_count": 0,
            })
        };
        (0..TESTS).map(test).collect()
    }

    fn callback_started(&self, number: u64) -> f64 {
        self.epoch - (10 + 40 * number) as f64 * DAY
    }

    /// Mails of the callback test with this id, if there is one.
    pub(super) fn callback_mails(id: u64) -> Option<usize> {
        (FIRST..FIRST + TESTS).contains(&id).then_some(MAILS)
    }

    /// One row of a callback test's recipients: a minute after each other, the first ones call, the last ones report.
    pub(super) fn callback_recipient(&self, id: u64, number: usize, now: f64) -> Value {
        let delivered = self.callback_started(id - FIRST) + 60.0 * number as f64;
        let after = |minutes: f64, did: bool| {
            if did {
                json!(time(delivered + 60.0 * minutes))
            } else {
                Value::Null
            }
        };
        let user = if number < self.users {
            let user = self.user(number, now);
            json!({"id": user["id"], "first_name": user["first_name"], "email": user["email"]})
        } else {
            Value::Null
        };
        json!({
            "recipient_id": id * 1000 + number as u64, "pst_id": id, "user": user, "template": null,
            "scheduled_at": time(self.callback_started(id - FIRST)), "delivered_at": time(delivered), "bounced_at": null,
            "opened_at": after(1.0, number < OPENED), "called_at": after(3.0, number < CALLED),
            "callback_data_entered_at": after(5.0, number < DATA_ENTERED),
            "reported_at": after(2.0, number >= MAILS - REPORTED), "ip": "203.0.113.10", "ip_location": "Zqtown, FL",
        })
    }
}
