//! Two accounts in which every family of the catalogue has a series, with names that nobody should choose.

use std::sync::Arc;
use std::time::Duration;

use knowbe4_exporter::{
    AccountSnapshot, Clock, Collection, Exposition, Format, Instruments, Published, model::*,
};
use quota::{Budget, Ledger, LedgerError, Limits, Living, Loaded, Mark, Pending, Stamp};

use crate::recipients::recipients;

/// 15 June 2025.
pub(crate) const EPOCH: f64 = 1_750_000_000.0;

/// What an exposition is made of.
pub(crate) struct World {
    pub(crate) published: Arc<Published>,
    pub(crate) instruments: Arc<Instruments>,
    pub(crate) exposition: Exposition,
}

/// Collections go stale after three days.
pub(crate) fn world() -> World {
    world_at(Clock::anchored(EPOCH))
}

pub(crate) fn world_at(clock: Clock) -> World {
    let published = Arc::new(Published::default());
    let instruments = Arc::new(Instruments::new(EPOCH - 60.0));
    let stale_after = Duration::from_secs(3 * 86_400);
    World {
        exposition: Exposition::new(
            Arc::clone(&published),
            Arc::clone(&instruments),
            clock,
            stale_after,
        ),
        published,
        instruments,
    }
}

impl World {
    pub(crate) fn publish(&self, account: &str, snapshot: AccountSnapshot) {
        let account = name(account);
        self.instruments.account(&account);
        self.published.publish(&account, Arc::new(snapshot));
    }

    pub(crate) fn body(&self, encoding: Format) -> String {
        let body = self
            .exposition
            .body(None, encoding, false)
            .expect("a body of all accounts");
        String::from_utf8(body.to_vec()).expect("UTF-8")
    }

    pub(crate) fn body_of(&self, account: &str, encoding: Format) -> Option<String> {
        let body = self.exposition.body(Some(&name(account)), encoding, false)?;
        Some(String::from_utf8(body.to_vec()).expect("UTF-8"))
    }
}

pub(crate) fn name(account: &str) -> AccountName {
    account.parse().expect("account name")
}

/// `acme` has everything, `zeta` a little, with its enrollments read of running campaigns only.
pub(crate) fn rich() -> World {
    let world = world();
    world.publish("zeta", small_snapshot());
    world.publish("acme", rich_snapshot());
    instruments(&world);
    world
}

fn counts(of: &[(EnrollmentStatus, usize)]) -> StatusCounts {
    let mut counts = StatusCounts::default();
    for (status, times) in of {
        (0..*times).for_each(|_| counts.add(*status));
    }
    counts
}

pub(crate) fn rich_snapshot() -> AccountSnapshot {
    use EnrollmentStatus::{Completed, Other, Passed, PastDue};
    let mut snapshot = AccountSnapshot::default();
    let collections = [
        Collection::Account(Account {
            name: "ACME \"Anvils\" {& Söhne} \\ 株式会社".to_owned(),
            kind: "paid".to_owned(),
            subscription_level: "Diamond".to_owned(),
            risk_score: Some(37.5),
            seats: Some(1_200.0),
            admins: Some(2),
            domains: Some(0),
            subscription_end: Some(1_767_225_600.0),
        }),
        Collection::Groups(Groups {
            groups: vec![
                group(
                    1,
                    "Sales\n# EOF\n# TYPE x counter",
                    Some(40.0),
                    Some(31.25),
                    false,
                ),
                group(2, "le=\"0.5\"} 1 #", Some(3.0), Some(88.8), true),
                group(3, "", None, None, false),
            ],
        }),
        Collection::Users(users()),
        Collection::PhishingCampaigns(PhishingCampaigns {
            campaigns: vec![PhishingCampaign {
                id: 11,
                name: "Q1\u{2028}two lines to some".to_owned(),
                status: "Closed".to_owned(),
                frequency: "One Time".to_owned(),
                last_phish_prone: Some(0.277),
                last_run: Some(1_749_000_000.5),
                tests: Some(1),
            }],
        }),
        Collection::PhishingTests(tests()),
        Collection::TrainingCampaigns(TrainingCampaigns {
            campaigns: vec![training(21, Some(0.97)), training(22, None), training(23, None)],
        }),
        Collection::Enrollments(Enrollments {
            campaigns: [
                (21, counts(&[(Completed, 1), (PastDue, 1)])),
                (22, counts(&[(Completed, 1), (Passed, 2), (Other, 1)])),
                (23, counts(&[])),
                (99, counts(&[(Passed, 1)])),
            ]
            .into(),
            segments: Some(vec![SegmentEnrollments {
                attribute: "department".to_owned(),
                value: "R\\&D\n".to_owned(),
                counts: counts(&[(Passed, 5)]),
            }]),
        }),
        Collection::StorePurchases(StorePurchases {
            counts: vec![
                ("Training Module".to_owned(), "false".to_owned(), 12),
                ("Video".to_owned(), String::new(), 1),
            ],
        }),
        Collection::Recipients(recipients()),
        Collection::Policies(Policies { policies: 4 }),
    ];
    for (position, collection) in collections.into_iter().enumerate() {
        snapshot.set(collection, EPOCH - 3_600.0 * (position + 1) as f64);
    }
    snapshot
}

fn group(id: i64, name: &str, members: Option<f64>, risk_score: Option<f64>, hidden: bool) -> Group {
    Group {
        id,
        name: name.to_owned(),
        kind: "console_group".to_owned(),
        status: "active".to_owned(),
        members,
        risk_score: risk_score.filter(|_| !hidden),
        hidden,
    }
}

fn users() -> Users {
    let mean = |sum, count| Mean { sum, count };
    Users {
        active: Some(50),
        by_risk_score: [0, 0, 5, 20, 30, 40, 45, 48, 49, 50, 50],
        by_phish_prone_ratio: [10, 10, 12, 20, 30, 40, 49, 50],
        phish_prone: Mean { sum: 8.0, count: 50 },
        // 2 is hidden and 4 no group of the listing: neither may be seen.
        group_phish_prone: [
            (1, mean(4.0, 16)),
            (2, mean(1.0, 3)),
            (3, mean(0.0, 0)),
            (4, mean(1.0, 9)),
        ]
        .into(),
        segments: vec![Segment {
            attribute: "department".to_owned(),
            value: "R\\&D\n".to_owned(),
            users: 7,
            risk_score: Some(40.25),
            phish_prone: Some(0.125),
        }],
    }
}

fn tests() -> PhishingTests {
    let steps = PhishingSums {
        scheduled: Some(5),
        bounced: Some(1),
        opened: Some(3),
        ..sums(4, 6)
    };
    PhishingTests {
        tests: vec![
            PhishingTest {
                id: 31,
                campaign_id: Some(11),
                name: "Q1\u{2028}two lines to some".to_owned(),
                status: "Closed".to_owned(),
                template: "Password expiry: \"now!\"".to_owned(),
                difficulty: "3".to_owned(),
                phish_prone: Some(1.5),
                started_at: Some(1_749_000_000.0),
                ends_at: None,
                recipients: Recipients {
                    scheduled: Some(4),
                    delivered: Some(4),
                    opened: Some(3),
                    reported: Some(1),
                    bounced: Some(0),
                },
                failures: [("clicked".to_owned(), 4), ("data_entered".to_owned(), 2)].into(),
            },
            PhishingTest {
                id: 32,
                name: "Just made".to_owned(),
                status: "Active".to_owned(),
                recipients: Recipients::default(),
                ..PhishingTest::default()
            },
        ],
        recent: vec![31],
        omitted: 3,
        last_start: Some(1_749_000_000.0),
        windows: vec![
            PhishingWindow {
                failures: [("clicked".to_owned(), 4), ("replied".to_owned(), 2)].into(),
                ..window("30d", Some(1.5), Some(steps))
            },
            window("90d", None, Some(sums(0, 0))),
            window("all", Some(0.1), None),
        ],
        months: vec![
            PhishingMonth {
                month: "2025-05".to_owned(),
                sums: PhishingSums {
                    tests: 1,
                    ..PhishingSums::default()
                },
            },
            PhishingMonth {
                month: "2025-06".to_owned(),
                sums: sums(4, 6),
            },
        ],
        difficulties: vec![
            PhishingDifficulty {
                window: "30d".to_owned(),
                difficulty: String::new(),
                sums: sums(0, 0),
            },
            PhishingDifficulty {
                window: "365d".to_owned(),
                difficulty: "3".to_owned(),
                sums: sums(4, 6),
            },
        ],
        ..PhishingTests::default()
    }
}

fn sums(delivered: u64, failures: u64) -> PhishingSums {
    PhishingSums {
        tests: 1,
        delivered: Some(delivered),
        failures: Some(failures),
        reported: Some(1),
        ..PhishingSums::default()
    }
}

fn window(window: &str, phish_prone: Option<f64>, sums: Option<PhishingSums>) -> PhishingWindow {
    PhishingWindow {
        window: window.to_owned(),
        phish_prone,
        sums,
        ..PhishingWindow::default()
    }
}

fn training(id: i64, completion: Option<f64>) -> TrainingCampaign {
    TrainingCampaign {
        id,
        name: format!("Basics {id}"),
        status: "In Progress".to_owned(),
        completion,
        start: Some(1_740_000_000.0),
        end: (id == 21).then_some(1_760_000_000.0),
    }
}

fn small_snapshot() -> AccountSnapshot {
    let mut snapshot = AccountSnapshot::default();
    let account = Account {
        name: "Zeta".to_owned(),
        kind: "trial".to_owned(),
        // What no API should say is left out rather than written.
        risk_score: Some(f64::NAN),
        seats: Some(f64::INFINITY),
        ..Account::default()
    };
    snapshot.set(Collection::Account(account), EPOCH - 10.0);
    // Anonymised: an empty list of users.
    snapshot.set(Collection::Users(Users::default()), EPOCH - 10.0);
    let campaigns = TrainingCampaigns {
        campaigns: vec![training(1, Some(1.0)), training(2, None)],
    };
    snapshot.set(Collection::TrainingCampaigns(campaigns), EPOCH - 10.0);
    let enrollments = Enrollments {
        campaigns: [(2, counts(&[(EnrollmentStatus::InProgress, 2)]))].into(),
        segments: None,
    };
    snapshot.set(Collection::Enrollments(enrollments), EPOCH - 10.0);
    // Four days old: stale.
    snapshot.set(
        Collection::Policies(Policies { policies: 9 }),
        EPOCH - 4.0 * 86_400.0,
    );
    snapshot
}

/// What is in its windows stays there for as long as a test may take: 0 in a second, 5 in a minute, 412 in a day.
fn budget() -> Budget {
    let now = EPOCH as u64 * 1000;
    let earlier = (0..407).map(|_| now - 3_600_000);
    let loaded = Loaded {
        requests: earlier.chain((0..5).map(|_| now - 10_000)).collect(),
        ..Loaded::fresh(now)
    };
    let limits = Limits {
        per_second: 3,
        per_minute: 36,
        per_day: 800,
    };
    Budget::new(Box::new(Nowhere), loaded, limits, Box::new(move || now))
}

/// Nothing is sent, so nothing is recorded.
#[derive(Debug)]
struct Nowhere;

impl Ledger for Nowhere {
    fn append(&self, _: Mark, _: Arc<dyn Living>) -> Pending<'_, Result<Stamp, LedgerError>> {
        Box::pin(async { Err(LedgerError::Lost) })
    }
}

fn instruments(world: &World) {
    let database = DatabaseUse {
        round_trips: 1_234,
        failures: 5,
        last_success: Some(EPOCH - 2.5),
    };
    let replicas = Replicas {
        living: 3,
        versions: 2,
        configurations: 1,
        accounts_unheld: 4,
    };
    world
        .instruments
        .note_storage(true, Some(database), Some(replicas), |_| None);
    let acme = world.instruments.account(&name("acme"));
    acme.request(Endpoint::Of(Collector::Users), "200", true, 0.3);
    acme.request(Endpoint::Of(Collector::Users), "429", false, 0.01);
    acme.request(Endpoint::Of(Collector::Account), "timeout", false, 100.0);
    acme.request(Endpoint::Of(Collector::Account), "200", true, 0.125);
    acme.retry(Endpoint::Of(Collector::Account));
    acme.drift(Endpoint::Of(Collector::Groups), "missing_id", 2);
    acme.failure(Collector::Users, Reason::RateLimited);
    acme.spends_from(Some(Arc::new(budget())));
    acme.update(|state| {
        state.snapshot_restored = true;
        state.plan_requests_per_day = Some(731.25);
        state.holding = Some(Holding {
            here: true,
            ..Holding::default()
        });
        for collector in Collector::ALL {
            let status = &mut state.collectors[collector];
            status.disabled = collector == Collector::StorePurchases;
            status.success = Some(collector != Collector::Users);
            status.last_success = Some(EPOCH - 3_600.5);
            status.last_attempt = Some(EPOCH - 60.0);
            status.next_run = Some(EPOCH + 900.0);
            status.interval = (collector != Collector::Enrollments).then_some(3_600.0);
            status.duration = Some(1.75);
            status.refresh_requests = Some(3);
        }
    });
}
