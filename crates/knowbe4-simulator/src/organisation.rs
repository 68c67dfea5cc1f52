//! The organisation: who is there, and what holds for all of it.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::recipients::Memory;
use super::{Scenario, Settings};

pub(super) const DAY: f64 = 86_400.0;

/// One organisation. Everything about it is a function of these and of time.
#[derive(Debug)]
pub(super) struct Organisation {
    pub(super) seed: u64,
    pub(super) users: usize,
    pub(super) enrollments: usize,
    pub(super) groups: usize,
    pub(super) epoch: f64,
    pub(super) scenario: Scenario,
    /// Counts over everybody, for the minute that was last asked about.
    census: Mutex<Option<(u64, Arc<Census>)>>,
    pub(super) memory: Memory,
}

/// What takes a walk over everybody.
#[derive(Debug)]
pub(super) struct Census {
    /// Numbers of the active people.
    pub(super) active: Vec<u32>,
    /// Members and mean risk score of each group.
    pub(super) groups: Vec<(usize, f64)>,
    /// Mean risk score of all.
    pub(super) risk: f64,
}

impl Organisation {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            seed: settings.seed,
            users: settings.users,
            enrollments: settings.enrollments,
            groups: settings.groups,
            epoch: settings.origin.unwrap_or(settings.epoch) as f64,
            scenario: settings.scenario,
            census: Mutex::default(),
            memory: Memory::default(),
        }
    }

    /// The same organisation, so many seconds older: all of it began that much earlier.
    pub(super) fn aged(&self, seconds: f64) -> Self {
        Self {
            epoch: self.epoch - seconds,
            census: Mutex::default(),
            memory: Memory::default(),
            ..*self
        }
    }

    /// Who is there at `now`.
    pub(super) fn census(&self, now: f64) -> Arc<Census> {
        let minute = (now / 60.0) as u64;
        let mut known = self.census.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, census)) = known.as_ref()
            && *at == minute
        {
            return Arc::clone(census);
        }
        let now = minute as f64 * 60.0;
        let active: Vec<u32> = (0..self.people())
            .filter(|person| self.is_active(*person, now))
            .map(|p| p as u32)
            .collect();
        let mut groups = vec![(0_usize, 0.0); self.groups];
        let mut risk = 0.0;
        for person in &active {
            let score = self.risk_of(*person as usize, now);
            risk += score;
            for group in self.groups_of(*person as usize) {
                groups[group].0 += 1;
                groups[group].1 += score;
            }
        }
        for (members, risk) in &mut groups {
            *risk /= (*members).max(1) as f64;
        }
        let risk = risk / active.len().max(1) as f64;
        let census = Arc::new(Census { active, groups, risk });
        *known = Some((minute, Arc::clone(&census)));
        census
    }

    pub(super) fn account(&self, now: f64) -> Value {
        let census = self.census(now);
        json!({
            "name": "Example \"Demo\" GmbH",
            "type": "paid",
            "domains": ["example.com", "example.org"],
            "admins": [
                {"id": 33_626_551, "first_name": "Zqalex", "last_name": "Zqample", "email": "zqalex@example.com"},
                {"id": 33_626_582, "first_name": "Zqblair", "last_name": "Zqsample", "email": "zqblair@example.com"},
            ],
            "subscription_level": "Diamond",
            "subscription_end_date": date(self.epoch + 200.0 * DAY),
            "number_of_seats": self.users + self.users / 8 + 10,
            "current_risk_score": census.risk,
        })
    }

    pub(super) fn group(&self, group: usize, now: f64) -> Value {
        const NAMES: [&str; 8] = [
            "!SG - \"Clickers\"",
            "Finance",
            "Entwicklung & Büro",
            "C:\\Sales",
            "People who\nread twice",
            "Board",
            "Зал 7",
            "Logistics",
        ];
        const KINDS: [&str; 3] = ["console_group", "smart_group", "provisioning_managed_group"];
        let census = self.census(now);
        let (members, risk) = census.groups[group];
        json!({
            "id": 3_000 + group,
            "name": NAMES.get(group).map_or_else(|| format!("Group {group:03}"), |name| (*name).to_owned()),
            "group_type": KINDS[group % 3],
            "provisioning_guid": null,
            "member_count": members,
            "current_risk_score": if members == 0 { 0.0 } else { risk },
            "status": "active",
        })
    }

    pub(super) fn archived_group(&self) -> Value {
        json!({
            "id": 2_999, "name": "Former project", "group_type": "console_group", "provisioning_guid": null,
            "member_count": 3, "current_risk_score": 12.5, "status": "archived",
        })
    }
}

/// `2026-05-01T08:30:00.000Z`
pub(super) fn time(at: f64) -> String {
    jiff::Timestamp::from_second(at as i64).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
    )
}

/// `2026-05-01`
pub(super) fn date(at: f64) -> String {
    time(at).chars().take(10).collect()
}
