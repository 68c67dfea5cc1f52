//! Training campaigns, enrollments, and what trainings are made of.

use serde_json::{Value, json};

use super::Scenario;
use super::organisation::{DAY, Organisation, date, time};
use super::random::unit;

struct Campaign {
    name: &'static str,
    /// Days between the beginning of the simulation and its start; negative for the past.
    starts: f64,
    /// Days from start to due date; none for campaigns without an end.
    lasts: Option<f64>,
    /// Cancelled before it ended.
    cancelled: bool,
}

const fn campaign(name: &'static str, starts: f64, lasts: Option<f64>) -> Campaign {
    Campaign {
        name,
        starts,
        lasts,
        cancelled: false,
    }
}

/// Two share a name, as recurring campaigns do; and there are more of them than one page has.
const CAMPAIGNS: [Campaign; 13] = [
    campaign("Annual Training", -600.0, Some(60.0)),
    campaign("Annual Training", -235.0, Some(60.0)),
    campaign("New joiners", -700.0, None),
    campaign("Acceptable use", -20.0, Some(35.0)),
    campaign("Phishing \"101\"", -40.0, Some(45.0)),
    campaign("GDPR", -100.0, Some(90.0)),
    campaign("Board briefing", -12.0, Some(30.0)),
    campaign("Passwords", -300.0, Some(30.0)),
    Campaign {
        name: "Pilot",
        starts: -350.0,
        lasts: Some(90.0),
        cancelled: true,
    },
    campaign("Remedial", -5.0, Some(14.0)),
    campaign("Travel safety", 10.0, Some(30.0)),
    campaign("Home office", -500.0, Some(40.0)),
    campaign("Everybody, everything", -60.0, Some(120.0)),
];

/// Days before its start from which a campaign is there.
const LEAD: f64 = 14.0;

/// The campaign whose completion is too large to calculate.
const TOO_LARGE: usize = 12;

/// Content items of each campaign: one enrollment each and user.
const ITEMS: usize = 2;

impl Campaign {
    fn status(&self, start: f64, now: f64) -> &'static str {
        match self.lasts {
            _ if self.cancelled => "Cancelled",
            _ if now < start => "Created",
            Some(days) if now > start + (days + 30.0) * DAY => "Closed",
            Some(days) if now > start + days * DAY => "Completed",
            None => "Enrolling",
            Some(_) => "In Progress",
        }
    }
}

impl Organisation {
    pub(super) fn campaign_id(campaign: usize) -> u64 {
        4_261 + campaign as u64
    }

    fn start(&self, campaign: usize) -> f64 {
        self.epoch + CAMPAIGNS[campaign].starts * DAY
    }

    pub(super) fn training_campaigns(&self, now: f64, percentages: bool) -> Vec<Value> {
        self.planned(now)
            .into_iter()
            .map(|campaign| self.training_campaign(campaign, now, percentages))
            .collect()
    }

    /// Campaigns that are there at `now`.
    fn planned(&self, now: f64) -> Vec<usize> {
        (0..CAMPAIGNS.len())
            .filter(|campaign| now >= self.start(*campaign) - LEAD * DAY)
            .collect()
    }

    fn training_campaign(&self, number: usize, now: f64, percentages: bool) -> Value {
        let campaign = &CAMPAIGNS[number];
        let start = self.start(number);
        let content = json!({
            "store_purchase_id": 7, "content_type": "Store Purchase", "name": "Security Awareness Training",
            "description": "An overview of best practices.", "type": "Training Module", "duration": 42, "retired": false,
            "retirement_date": null, "publish_date": "2019-04-02T15:02:38.000Z", "publisher": "KnowBe4",
            "purchase_date": "2019-04-02T15:02:38.000Z", "policy_url": null,
        });
        let policy = json!({
            "policy_id": 142, "content_type": "Uploaded Policy", "name": "Security Awareness Policy", "minimum_time": 3,
            "default_language": "en-us", "published": true,
        });
        let mut row = json!({
            "campaign_id": Self::campaign_id(number),
            "name": campaign.name,
            "groups": [{"group_id": 0, "name": "All Users"}],
            "status": campaign.status(start, now),
            // The documentation's own example has an array in the array.
            "content": if number.is_multiple_of(2) { json!([[content, policy]]) } else { json!([content, policy]) },
            "duration_type": if campaign.lasts.is_some() { "Specific End Date" } else { "No End Date" },
            "start_date": time(start),
            "end_date": campaign.lasts.map(|days| time(start + days * DAY)),
            "relative_duration": null,
            "auto_enroll": true,
            "allow_multiple_enrollments": false,
        });
        if percentages {
            row["completion_percentage"] = if number == TOO_LARGE {
                json!(-1)
            } else {
                json!(self.completion(number, now))
            };
        }
        row
    }

    /// Whole percent, as the API rounds it, of at most the first 2,000 enrollments.
    fn completion(&self, campaign: usize, now: f64) -> u64 {
        let rows = self.rows_of(campaign).min(2000);
        let done = (0..rows)
            .filter(|row| matches!(self.progress(campaign, *row, now), "Passed" | "Completed"))
            .count();
        (100 * done / rows.max(1)) as u64
    }

    /// Enrollments are dealt out to the campaigns in turn.
    fn rows_of(&self, campaign: usize) -> usize {
        (self.enrollments + CAMPAIGNS.len() - 1 - campaign) / CAMPAIGNS.len()
    }

    fn rows_of_all(&self, campaigns: &[usize]) -> usize {
        campaigns.iter().map(|campaign| self.rows_of(*campaign)).sum()
    }

    /// How many enrollments there are: of all campaigns or of one, those of leavers included or not.
    pub(super) fn enrollment_count(&self, campaign: Option<usize>, leavers: bool, now: f64) -> usize {
        let planned = self.planned(now);
        match campaign {
            Some(campaign) if !planned.contains(&campaign) => 0,
            Some(campaign) => self.rows_of(campaign),
            None => {
                let rows = self.rows_of_all(&planned);
                rows + if leavers { rows / 20 } else { 0 }
            }
        }
    }

    /// One enrollment: of all by number, or of one campaign by number.
    pub(super) fn enrollment(
        &self,
        campaign: Option<usize>,
        number: usize,
        now: f64,
        with_campaign: bool,
    ) -> Value {
        let planned = campaign.map_or_else(|| self.planned(now), |campaign| vec![campaign]);
        let of_leaver = campaign.is_none() && number >= self.rows_of_all(&planned);
        let (campaign, row) = (planned[number % planned.len()], number / planned.len());
        let person = if of_leaver {
            self.people() - 1 - number % self.leavers().max(1)
        } else {
            (row / ITEMS) % self.users.max(1)
        };
        let status = self.progress(campaign, row, now);
        let start = self.start(campaign);
        let done = matches!(status, "Passed" | "Completed");
        let begun = done || status == "In Progress";
        let mut enrollment = json!({
            "enrollment_id": 1_425_526 + (row * CAMPAIGNS.len() + campaign) + if of_leaver { 500_000_000 } else { 0 },
            "content_type": if row.is_multiple_of(ITEMS) { "Store Purchase" } else { "Uploaded Policy" },
            "module_name": "Security Awareness Training",
            "user": {
                "id": self.id_of(person), "first_name": "Zqsarah", "last_name": "Zqthomas",
                "email": format!("zq{person}@example.com"),
            },
            "campaign_name": CAMPAIGNS[campaign].name,
            "enrollment_date": time(start),
            "start_date": if begun { json!(time(self.finish(campaign, row) - 2.0 * DAY)) } else { Value::Null },
            "completion_date": if done { json!(time(self.finish(campaign, row))) } else { Value::Null },
            "status": status,
            "time_spent": if begun { 2340 } else { 0 },
            "policy_acknowledged": false,
            "score": null,
        });
        if with_campaign {
            enrollment["campaign_id"] = json!(Self::campaign_id(campaign));
        }
        enrollment
    }

    /// When somebody finishes; never, for one in eight where people are as people are.
    fn finish(&self, campaign: usize, row: usize) -> f64 {
        let chance = |purpose| unit(self.seed, (row * CAMPAIGNS.len() + campaign) as u64, purpose);
        let (never, days) = if self.scenario == Scenario::Quiet {
            (0.02, 3.0)
        } else {
            (0.12, 14.0)
        };
        if chance("never") < never {
            return f64::MAX;
        }
        self.start(campaign) - (1.0 - chance("finish")).ln() * days * DAY
    }

    fn progress(&self, campaign: usize, row: usize, now: f64) -> &'static str {
        let finish = self.finish(campaign, row);
        let due = CAMPAIGNS[campaign]
            .lasts
            .map(|days| self.start(campaign) + days * DAY);
        if now >= finish {
            if unit(self.seed, row as u64, "how") < 0.8 {
                "Passed"
            } else {
                "Completed"
            }
        } else if due.is_some_and(|due| now > due) {
            "Past Due"
        } else if now >= finish - 2.0 * DAY {
            "In Progress"
        } else {
            "Not Started"
        }
    }

    pub(super) fn store_purchases(&self) -> Vec<Value> {
        const KINDS: [&str; 4] = ["Training Module", "Video Module", "Game", "Assessment"];
        (0..12)
            .map(|number: usize| {
                json!({
                    "store_purchase_id": 7 + number, "content_type": "Store Purchase", "name": format!("Module {number}"),
                    "description": "An overview of best practices.", "type": KINDS[number % 4], "duration": 40,
                    "retired": number.is_multiple_of(5), "retirement_date": null, "publish_date": "2018-02-03T02:20:00.000Z",
                    "publisher": "KnowBe4", "purchase_date": date(self.epoch - 400.0 * DAY) + "T00:00:00.000Z", "policy_url": null,
                })
            })
            .collect()
    }

    pub(super) fn policies() -> Vec<Value> {
        (0..5)
            .map(|number: usize| {
                json!({
                    "policy_id": 2420 + number, "content_type": "Uploaded Policy", "name": format!("Policy {number}"),
                    "minimum_time": 3, "default_language": "en-us",
                    "status": if number.is_multiple_of(2) { json!(1) } else { json!("published") },
                })
            })
            .collect()
    }
}
