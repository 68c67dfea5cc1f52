//! People: when they come and go, where they work, how risky they are. None of them exists.

use serde_json::{Value, json};

use super::Scenario;
use super::organisation::{DAY, Organisation, time};
use super::random::{pick, unit};

const DEPARTMENTS: [&str; 8] = [
    "Sales",
    "Finance",
    "Engineering",
    "Customer Service",
    "Legal",
    "HR",
    "IT \"Core\"",
    "R&D",
];
const LOCATIONS: [&str; 5] = ["Office A", "Remote", "St. Petersburg, FL", "Zürich", "São Paulo"];
const FIRST: [&str; 6] = [
    "Zqwilliam",
    "Zqgrace",
    "Zqanaïs",
    "Zqjürgen",
    "Zqpriya",
    "Zqfatima",
];
const LAST: [&str; 6] = [
    "Zqmarcoux",
    "ZqO'Malley",
    "Zqmüller",
    "Zqnguyen",
    "Zqokafor",
    "Zqgarcía",
];

/// Every first and last name that a simulated person may have: what a test looks for where no name may be.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIRST.into_iter().chain(LAST)
}

impl Organisation {
    /// Everybody who ever was or will be: those of the beginning, who come later, and who had left before.
    pub(super) fn people(&self) -> usize {
        self.users + self.joiners() + self.leavers()
    }

    fn joiners(&self) -> usize {
        self.users / 5
    }

    /// Who had left before the beginning.
    pub(super) fn leavers(&self) -> usize {
        self.users / 10
    }

    fn span(&self, person: usize) -> (f64, f64) {
        let chance = |purpose| unit(self.seed, person as u64, purpose);
        if person >= self.users + self.joiners() {
            return (
                self.epoch - 700.0 * DAY,
                self.epoch - (1.0 + 500.0 * chance("left")) * DAY,
            );
        }
        let joined = if person < self.users {
            self.epoch - (30.0 + 1500.0 * chance("joined")) * DAY
        } else {
            self.epoch + (1.0 + 700.0 * chance("joins")) * DAY
        };
        let leaves = if chance("leaves") < 0.2 {
            self.epoch.max(joined) + (1.0 + 700.0 * chance("when")) * DAY
        } else {
            f64::MAX
        };
        (joined, leaves)
    }

    pub(super) fn is_active(&self, person: usize, now: f64) -> bool {
        let (joined, leaves) = self.span(person);
        (joined..leaves).contains(&now)
    }

    /// Some ids need more than 32 bits.
    pub(super) fn id_of(&self, person: usize) -> u64 {
        if person.is_multiple_of(3) {
            7_978_000_000 + person as u64
        } else {
            600_000 + person as u64
        }
    }

    /// Two groups each; the first group is empty, and the second has two members.
    pub(super) fn groups_of(&self, person: usize) -> Vec<usize> {
        if self.groups < 3 {
            return (0..self.groups).collect();
        }
        let mut groups: Vec<_> = ["one", "two"]
            .map(|purpose| 2 + (unit(self.seed, person as u64, purpose) * (self.groups - 2) as f64) as usize)
            .into();
        groups.dedup();
        if person < 2 {
            groups.push(1);
        }
        groups
    }

    /// Where somebody stands, drifting by the week and jumping now and then.
    pub(super) fn risk_of(&self, person: usize, now: f64) -> f64 {
        let chance = |purpose| unit(self.seed, person as u64, purpose);
        let days = (now - self.epoch) / DAY;
        let base = 15.0 + 45.0 * chance("risk");
        let drift = 6.0 * (days / (20.0 + 60.0 * chance("period")) + 6.3 * chance("phase")).sin();
        let jump = if chance("jumps") < 0.1 && (days / 30.0 + chance("when jumps")).rem_euclid(1.0) < 0.2 {
            20.0
        } else {
            0.0
        };
        let (drift, jump) = if self.scenario == Scenario::Quiet {
            (drift / 20.0, 0.0)
        } else {
            (drift, jump)
        };
        let rising = if self.scenario == Scenario::RisingRisk {
            1.5 * days.max(0.0)
        } else {
            0.0
        };
        (base + drift + jump + rising).clamp(0.0, 100.0)
    }

    pub(super) fn user(&self, person: usize, now: f64) -> Value {
        let id = self.id_of(person);
        let (joined, leaves) = self.span(person);
        let chance = |purpose| unit(self.seed, person as u64, purpose);
        let tests = (((now - joined) / (30.0 * DAY)).max(0.0) as u64).min(40);
        // Most hardly ever fail, a few again and again, and all together as often as the tests say. Somebody who fails in
        // two ways at once is beyond 100 %.
        let failures = (tests as f64 * chance("prone").powi(6) * 1.05).round();
        let percent = if tests == 0 {
            0.0
        } else {
            100.0 * failures / tests as f64
        };
        let first = pick(self.seed, person as u64, "first", &FIRST);
        let last = pick(self.seed, person as u64, "last", &LAST);
        let department = pick(self.seed, person as u64, "department", &DEPARTMENTS);
        let archived = now >= leaves;
        json!({
            "id": id,
            "employee_number": format!("{}", 10_000 + person),
            "first_name": first,
            "last_name": last,
            "job_title": format!("Zqtitle {person}"),
            "email": format!("zq{person}@example.com"),
            "phish_prone_percentage": (percent * 1000.0).round() / 1000.0,
            "phone_number": "555-554-2222",
            "extension": "42",
            "mobile_phone_number": "555-553-4422",
            "location": pick(self.seed, person as u64, "location", &LOCATIONS),
            "division": "Division 1",
            "manager_name": "Zqmanager",
            "manager_email": "zqmanager@example.com",
            "provisioning_managed": false,
            "provisioning_guid": null,
            "groups": self.groups_of(person).into_iter().map(|group| 3_000 + group).collect::<Vec<_>>(),
            "current_risk_score": if chance("no score") < 0.02 { Value::Null } else { json!(self.risk_of(person, now)) },
            "aliases": [format!("zqalias{person}@example.com")],
            "joined_on": time(joined),
            "last_sign_in": if chance("signed in") < 0.3 { Value::Null } else { json!(time(now - DAY)) },
            "status": if archived { "archived" } else { "active" },
            "organization": "Example",
            "department": if chance("no department") < 0.03 { Value::Null } else { json!(department) },
            "language": "English - United States",
            "comment": "Zqcomment",
            "employee_start_date": time(joined),
            "archived_at": if archived { json!(time(leaves)) } else { Value::Null },
            "custom_field_1": "Building C, 4th Floor",
            "custom_field_2": null,
            "custom_field_3": null,
            "custom_field_4": null,
            "custom_date_1": "1986-11-26",
            "custom_date_2": null,
        })
    }
}
