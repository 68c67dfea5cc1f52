//! Phishing campaigns, and the tests that they lead to.

use serde_json::{Map, Value, json};

use super::Scenario;
use super::organisation::{DAY, Organisation, time};
use super::random::unit;

/// How long a test runs.
pub(super) const RUNS: f64 = 7.0 * DAY;

/// How far back tests go.
const HISTORY: f64 = 730.0 * DAY;

pub(super) struct Campaign {
    id: u64,
    name: &'static str,
    frequency: &'static str,
    /// Days between tests; none for a single one.
    every: Option<f64>,
    /// Days before the beginning of the test that runs, or was, at the beginning.
    last: f64,
    /// Share of the users who get it.
    reach: f64,
    template: Option<(&'static str, u8)>,
}

const fn campaign(
    id: u64,
    name: &'static str,
    frequency: &'static str,
    every: Option<f64>,
    last: f64,
    reach: f64,
    template: Option<(&'static str, u8)>,
) -> Campaign {
    Campaign {
        id,
        name,
        frequency,
        every,
        last,
        reach,
        template,
    }
}

const CAMPAIGNS: [Campaign; 6] = [
    campaign(
        1_892_087,
        "Monthly - everyone",
        "Monthly",
        Some(30.0),
        1.0,
        0.95,
        Some(("Google Calendar", 3)),
    ),
    campaign(
        1_892_090,
        "Weekly \"new joiners\"",
        "Weekly",
        Some(7.0),
        3.0,
        0.1,
        None,
    ),
    campaign(
        1_892_101,
        "Quarterly, hard",
        "Quarterly",
        Some(91.0),
        20.0,
        0.9,
        Some(("Invoice \\ overdue", 5)),
    ),
    campaign(
        DRILL,
        "Finance drill",
        "Biweekly",
        Some(14.0),
        9.0,
        0.15,
        Some(DRILLS[0]),
    ),
    campaign(
        1_892_150,
        "Baseline",
        "One Time",
        None,
        600.0,
        1.0,
        Some(("Password check", 2)),
    ),
    campaign(
        1_892_160,
        "QR posters",
        "One Time",
        None,
        45.0,
        0.4,
        Some(("Parking", 4)),
    ),
];

/// The campaign whose tests take turns: of each difficulty one.
const DRILL: u64 = 1_892_120;

const DRILLS: [(&str, u8); 5] = [
    ("Bank details", 4),
    ("You have won", 1),
    ("Late delivery", 2),
    ("Payroll portal", 5),
    ("Expenses", 3),
];

/// The campaign that never ran.
const BROKEN: u64 = 229_823;

/// Its test.
pub(super) const TEST_THAT_NEVER_RAN: u64 = 510_501;

pub(super) struct Test {
    pub(super) id: u64,
    campaign: &'static Campaign,
    pub(super) started: f64,
}

impl Test {
    pub(super) fn template(&self) -> Option<(&'static str, u8)> {
        if self.campaign.id == DRILL {
            return Some(DRILLS[self.id as usize % DRILLS.len()]);
        }
        self.campaign.template
    }
}

impl Organisation {
    /// Tests that have started by `now`, oldest first.
    pub(super) fn tests(&self, now: f64) -> Vec<Test> {
        let mut tests = Vec::new();
        for campaign in &CAMPAIGNS {
            let last = self.epoch - campaign.last * DAY;
            let first = match campaign.every {
                Some(days) => last - (HISTORY / (days * DAY)).floor() * days * DAY,
                None => last,
            };
            let mut started = first;
            let mut number = 0;
            while started <= now {
                tests.push(Test {
                    id: campaign.id * 1000 + number,
                    campaign,
                    started,
                });
                let Some(days) = campaign.every else { break };
                started += days * DAY;
                number += 1;
            }
        }
        tests.sort_by(|a, b| a.started.total_cmp(&b.started));
        tests
    }

    fn counts(&self, test: &Test, now: f64) -> Vec<(&'static str, u64)> {
        if now < test.started + RUNS {
            self.counts_so_far(test, now)
        } else {
            self.final_counts(test)
        }
    }

    /// What a test has counted when it has ended.
    pub(super) fn final_counts(&self, test: &Test) -> Vec<(&'static str, u64)> {
        let chance = |purpose| unit(self.seed, test.id, purpose);
        let scheduled = ((self.users as f64 * test.campaign.reach).round() as u64).max(1);
        let bounced = (scheduled as f64 * 0.01).floor() as u64;
        let delivered = scheduled - bounced;
        // People learn: a fifth fewer fail each year.
        let learned = 0.8_f64.powf((test.started - self.epoch) / (365.0 * DAY));
        let difficulty = f64::from(test.template().map_or(3, |(_, difficulty)| difficulty));
        let noise = if self.scenario == Scenario::Quiet {
            1.0
        } else {
            0.75 + 0.5 * chance("noise")
        };
        let burst =
            self.scenario == Scenario::FailedCampaign && (0.0..RUNS).contains(&(self.epoch - test.started));
        let rate = if burst {
            0.7
        } else {
            (0.03 * difficulty * learned * noise).min(0.6)
        };
        let of = |share: f64| (delivered as f64 * share).round() as u64;
        let clicked = of(rate);
        let part = |share: f64| (clicked as f64 * share).round() as u64;
        let reports = (0.35 / learned).min(0.7) * (0.8 + 0.4 * chance("reports"));
        vec![
            ("scheduled", scheduled),
            ("delivered", delivered),
            ("opened", of((rate * 1.6 + 0.2).min(1.0))),
            ("clicked", clicked),
            ("replied", part(0.02)),
            ("attachment_open", part(0.1)),
            ("macro_enabled", part(0.02)),
            ("data_entered", part(0.3)),
            (
                "qr_code_scanned",
                if test.campaign.id == 1_892_160 {
                    part(0.5)
                } else {
                    0
                },
            ),
            ("reported", of(reports)),
            ("bounced", bounced),
        ]
    }

    fn ratio(counts: &[(&'static str, u64)]) -> f64 {
        let delivered = counts[1].1;
        let failed: u64 = counts[3..9].iter().map(|(_, count)| count).sum();
        if delivered == 0 {
            0.0
        } else {
            (1000.0 * failed as f64 / delivered as f64).round() / 1000.0
        }
    }

    fn status(test: &Test, now: f64) -> &'static str {
        if now < test.started + RUNS {
            "Active"
        } else {
            "Closed"
        }
    }

    pub(super) fn test(&self, test: &Test, now: f64) -> Value {
        let counts = self.counts(test, now);
        let template = match test.template() {
            Some((name, difficulty)) => {
                json!({"id": 4_813_400, "name": name, "difficulty": difficulty, "type": "USER"})
            }
            None => json!({"id": null, "name": null}),
        };
        let mut row = json!({
            "campaign_id": test.campaign.id,
            "pst_id": test.id,
            "status": Self::status(test, now),
            "name": test.campaign.name,
            "groups": [{"group_id": 0, "name": "All Users"}],
            "phish_prone_percentage": Self::ratio(&counts),
            "started_at": time(test.started),
            "duration": 7,
            "categories": [{"category_id": 4237, "name": "Current Events"}],
            "template": template,
            "landing_page": {"id": 1842, "name": "Landing Page"},
        });
        with_counts(&mut row, &counts);
        row
    }

    pub(super) fn test_that_never_ran(&self) -> Value {
        json!({
            "campaign_id": BROKEN, "pst_id": TEST_THAT_NEVER_RAN, "status": "Error", "name": "test-inactive-campaign",
            "groups": [{"group_id": 640_840, "name": "test_group"}], "phish_prone_percentage": 0.0, "started_at": null,
            "duration": 4, "categories": [], "template": {"id": null, "name": null},
            "landing_page": {"id": 4072, "name": "Verify Java"}, "scheduled_count": null, "delivered_count": 0,
            "opened_count": 0, "clicked_count": 0, "replied_count": 0, "attachment_open_count": 0,
            "macro_enabled_count": 0, "data_entered_count": 0, "reported_count": 0, "bounced_count": 0,
        })
    }

    pub(super) fn phishing_campaigns(&self, now: f64) -> Vec<Value> {
        let tests = self.tests(now);
        let mut rows: Vec<_> = CAMPAIGNS
            .iter()
            .map(|campaign| {
                let own: Vec<_> = tests.iter().filter(|test| test.campaign.id == campaign.id).collect();
                let last = own.last();
                json!({
                    "campaign_id": campaign.id,
                    "name": campaign.name,
                    "groups": [{"group_id": 0, "name": "All Users"}],
                    "last_phish_prone_percentage": last.map_or(0.0, |test| Self::ratio(&self.counts(test, now))),
                    "last_run": last.map(|test| time(test.started)),
                    "status": last.map_or("Created", |test| if campaign.every.is_some() { "Active" } else { Self::status(test, now) }),
                    "hidden": false,
                    "send_duration": "1 Business Day",
                    "track_duration": "7 Days",
                    "frequency": campaign.frequency,
                    "difficulty_filter": [1, 2, 3, 4, 5],
                    "create_date": time(self.epoch - HISTORY),
                    "psts_count": own.len(),
                    "psts": own.iter().map(|test| json!({
                        "pst_id": test.id, "status": Self::status(test, now), "start_date": time(test.started),
                        "users_count": self.counts(test, now)[0].1,
                        "phish_prone_percentage": Self::ratio(&self.counts(test, now)),
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        rows.push(json!({
            "campaign_id": BROKEN, "name": "test-inactive-campaign", "groups": [{"group_id": 640_840, "name": "test_group"}],
            "last_phish_prone_percentage": 0.0, "last_run": null, "status": "Error", "hidden": false,
            "send_duration": "1 Business Day", "track_duration": "3 Days", "frequency": "One Time",
            "difficulty_filter": [4, 2], "create_date": time(self.epoch - HISTORY), "psts_count": 1,
            "psts": [{"pst_id": TEST_THAT_NEVER_RAN, "status": "Error", "start_date": null, "users_count": null, "phish_prone_percentage": 0.0}],
        }));
        rows
    }
}

fn with_counts(row: &mut Value, counts: &[(&'static str, u64)]) {
    let fields: Option<&mut Map<String, Value>> = row.as_object_mut();
    if let Some(fields) = fields {
        fields.extend(
            counts
                .iter()
                .map(|(name, count)| (format!("{name}_count"), json!(count))),
        );
    }
}
