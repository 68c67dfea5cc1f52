//! What is rendered when, and who sees what.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flate2::read::GzDecoder;
use knowbe4_exporter::{
    AccountSnapshot, Clock, Collection, FAMILIES, Format,
    model::{Collector, Endpoint, Group, Groups, Policies},
};
use tokio::time::advance;

use crate::fixture::{EPOCH, World, name, rich, world, world_at};
use crate::parser::{Parsed, parse};

const ENCODINGS: [Format; 2] = [Format::OpenMetrics, Format::Text];

fn policies(policies: u64, at: f64) -> AccountSnapshot {
    let mut snapshot = AccountSnapshot::default();
    snapshot.set(Collection::Policies(Policies { policies }), at);
    snapshot
}

fn shown(world: &World) -> Option<f64> {
    parse(&world.body(Format::Text)).value("knowbe4_training_policies", &[])
}

fn unpacked(body: &[u8]) -> String {
    let mut decoder = GzDecoder::new(body);
    let mut text = String::new();
    decoder.read_to_string(&mut text).expect("one valid gzip member");
    assert!(decoder.into_inner().is_empty(), "bytes behind the member");
    text
}

#[tokio::test(start_paused = true)]
async fn gzip_and_plain_are_the_same() {
    let world = rich();
    for encoding in ENCODINGS {
        for account in [None, Some(name("acme"))] {
            let gzip = world
                .exposition
                .body(account.as_ref(), encoding, true)
                .expect("body");
            let plain = world
                .exposition
                .body(account.as_ref(), encoding, false)
                .expect("body");
            assert_eq!(unpacked(&gzip).as_bytes(), plain);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn scrapes_of_one_second_share_one_body() {
    let world = rich();
    let scrape = || {
        world
            .exposition
            .body(None, Format::OpenMetrics, true)
            .expect("body")
    };
    let first = scrape();
    assert_eq!(first.as_ptr(), scrape().as_ptr());
    let acme = world.instruments.account(&name("acme"));
    acme.request(Endpoint::Of(Collector::Users), "200", true, 0.1);
    assert_eq!(first.as_ptr(), scrape().as_ptr());
    advance(Duration::from_secs(1)).await;
    let users = [("account", "acme"), ("endpoint", "/v1/users"), ("code", "200")];
    let counted = |body: &[u8]| parse(&unpacked(body)).value("knowbe4_exporter_api_requests_total", &users);
    assert_eq!((counted(&first), counted(&scrape())), (Some(1.0), Some(2.0)));
}

#[tokio::test(start_paused = true)]
async fn a_publication_is_in_the_next_body() {
    let world = world();
    assert_eq!(shown(&world), None);
    for value in 1..4_u32 {
        world.publish("acme", policies(value.into(), EPOCH));
        if value == 2 {
            world.exposition.refresh();
        }
        assert_eq!(shown(&world), Some(value.into()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_stale_leaves_without_a_publication() {
    let world = world();
    assert_eq!(world.exposition.next_expiry(), None);
    world.publish("acme", policies(1, EPOCH - 86_400.0));
    let expiry = EPOCH + 2.0 * 86_400.0;
    assert_eq!(world.exposition.next_expiry(), Some(expiry));
    advance(Duration::from_secs(2 * 86_400 - 1)).await;
    assert_eq!(shown(&world), Some(1.0));
    advance(Duration::from_millis(1_001)).await;
    assert_eq!(shown(&world), None);
    assert_eq!(world.exposition.next_expiry(), None);
    world.exposition.set_stale_after(Duration::from_secs(30 * 86_400));
    assert_eq!(shown(&world), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn one_account_is_seen_alone() {
    let world = rich();
    for encoding in ENCODINGS {
        let whole = parse(&world.body(encoding));
        let alone = parse(&world.body_of("acme", encoding).expect("known"));
        let acme = ("account".to_owned(), "acme".to_owned());
        let mut expected = whole.samples;
        expected.retain(|(_, labels), _| labels.contains(&acme));
        assert_eq!(alone.samples, expected);
        assert!(world.body_of("nobody", encoding).is_none());
    }
    assert!(
        world
            .body_of("acme", Format::OpenMetrics)
            .expect("known")
            .ends_with("# EOF\n")
    );
    world.instruments.remove(&name("acme"));
    advance(Duration::from_secs(1)).await;
    assert!(world.body_of("acme", Format::Text).is_none());
}

#[test]
fn an_account_without_data_and_no_account_at_all_have_a_body() {
    let world = world();
    for encoding in ENCODINGS {
        parse(&world.body(encoding));
    }
    world.instruments.account(&name("new"));
    let body = parse(&world.body_of("new", Format::Text).expect("known"));
    assert_eq!(body.value("knowbe4_exporter_series", &[]), Some(0.0));
    assert_eq!(body.value("knowbe4_exporter_api_throttled_total", &[]), Some(0.0));
    assert_eq!(
        body.of("knowbe4_exporter_api_retries_total").len(),
        Collector::COUNT
    );
}

#[test]
fn the_textfile_has_all_that_is_about_an_account() {
    let world = rich();
    let mut whole = parse(&world.body(Format::Text));
    whole
        .samples
        .retain(|(_, labels), _| labels.iter().any(|(name, _)| name == "account"));
    whole.families.retain(|(name, _)| {
        let about = FAMILIES.iter().find(|family| family.name == name);
        about.is_some_and(|family| family.labels.contains(&"account"))
    });
    assert_eq!(parse(&world.exposition.text()), whole);
}

/// The number of data series that the body has, and the number that it says.
fn series(body: &Parsed, account: &str) -> (f64, Option<f64>) {
    let data: Vec<_> = FAMILIES
        .iter()
        .filter(|family| !family.is_own())
        .map(|f| f.name)
        .collect();
    let about = |labels: &[(String, String)]| labels.iter().any(|(k, v)| k == "account" && v == account);
    let counted = body
        .samples
        .keys()
        .filter(|(name, labels)| data.contains(&name.as_str()) && about(labels));
    let said = body.value("knowbe4_exporter_series", &[("account", account)]);
    (counted.count() as f64, said)
}

#[test]
fn the_number_of_series_is_counted() {
    let world = rich();
    for account in ["acme", "zeta"] {
        let (counted, said) = series(&parse(&world.body(Format::Text)), account);
        assert_eq!(Some(counted), said);
        let alone = parse(&world.body_of(account, Format::Text).expect("known"));
        assert_eq!(series(&alone, account), (counted, said));
    }
}

/// Groups and members are one value; a body that mixed two publications would not add up.
#[test]
fn no_body_mixes_publications() {
    let world = Arc::new(world_at(Clock::system()));
    let now = Clock::system().now();
    let done = AtomicBool::new(false);
    let publish = |generation: u32| {
        let groups = (0..=i64::from(generation % 50)).map(|id| Group {
            id,
            members: Some(generation.into()),
            ..Group::default()
        });
        let mut snapshot = AccountSnapshot::default();
        snapshot.set(
            Collection::Groups(Groups {
                groups: groups.collect(),
            }),
            now,
        );
        world.publish("acme", snapshot);
        // Counted after it was published, as the poller does.
        let acme = world.instruments.account(&name("acme"));
        acme.update(|state| state.throttled = generation.into());
    };
    publish(1);
    std::thread::scope(|scope| {
        for encoding in ENCODINGS {
            for gzip in [false, true] {
                let (world, done) = (&world, &done);
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        let body = world.exposition.body(None, encoding, gzip).expect("body");
                        let text = if gzip {
                            unpacked(&body)
                        } else {
                            String::from_utf8_lossy(&body).into_owned()
                        };
                        let body = parse(&text);
                        let members = body.of("knowbe4_group_members");
                        let generation = members[0].1;
                        assert!(members.iter().all(|(_, value)| *value == generation), "torn");
                        assert_eq!(members.len() as f64, generation % 50.0 + 1.0);
                        let (counted, said) = series(&body, "acme");
                        assert_eq!(Some(counted), said);
                        let success = body.value("knowbe4_exporter_api_throttled_total", &[]);
                        assert!(success <= Some(generation), "data older than its success");
                    }
                });
            }
        }
        for generation in 2..300 {
            publish(generation);
            if generation % 3 == 0 {
                world.exposition.refresh();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}
