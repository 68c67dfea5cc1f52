//! What a storage path meets on real machines: a second process, over real HTTP.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::thread::sleep;
use std::time::Duration;

use support::{Site, asked, simulate};

/// Asked often, so that it shows who polls.
const OFTEN: &str = "    collectors: { account: { interval: 1s } }\n";

const LAST: &str = "knowbe4_exporter_collector_last_success_timestamp_seconds";

#[test]
fn a_second_process_serves_what_the_first_saves_and_goes_on_when_it_ends() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), OFTEN);
    let mut first = site.serve();
    first.until_complete();
    let mut second = site.serve();
    assert_eq!(second.get("/-/ready").status, 200);
    assert_eq!(second.get("/-/healthy").status, 200);
    assert!(
        second.log().contains("another process uses this storage"),
        "{}",
        second.log()
    );
    let groups = |samples: &support::Samples| samples.of("knowbe4_group_members", &[]).len();
    assert!(groups(&second.scrape()) > 0 && groups(&second.scrape()) == groups(&first.scrape()));
    // It follows.
    let at = |samples: &support::Samples| samples.get(LAST, &["collector=\"account\""]).unwrap();
    let before = at(&second.scrape());
    second.until("it follows the first", |samples| at(samples) >= before + 2.0);
    // And has sent nothing of its own.
    assert!(
        second
            .scrape()
            .of("knowbe4_exporter_api_requests_total", &[])
            .is_empty()
    );
    let sent = asked(&simulator).len();

    assert_eq!(first.terminate(), Some(0));
    second.until_logged("its turn has come");
    second.until("it polls", |samples| {
        samples.sum("knowbe4_exporter_api_requests_total", &[]) > 0.0
    });
    // Nothing but the one that is due often: the rest came with the phases.
    let paths: Vec<_> = asked(&simulator).drain(sent..).collect();
    assert!(
        paths.iter().all(|(path, _)| path.starts_with("/v1/account?")),
        "{paths:?}"
    );
    assert!(
        second
            .scrape()
            .get("knowbe4_exporter_budget_used", &["window=\"24h\""])
            .unwrap()
            >= sent as f64
    );
}

#[test]
fn a_second_process_goes_on_after_a_kill() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), OFTEN);
    let mut first = site.serve();
    first.until_complete();
    let mut second = site.serve();
    // Commands that would send say whom they meet.
    let once = site.run(&["once"]);
    let said = String::from_utf8_lossy(&once.stderr).into_owned();
    assert_eq!(once.status.code(), Some(1), "{said}");
    assert!(said.contains("another process uses this storage"), "{said}");
    first.kill();
    second.until_logged("its turn has come");
    sleep(Duration::from_millis(100));
    assert_eq!(second.terminate(), Some(0));
}
