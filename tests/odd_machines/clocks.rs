//! The wall clock is set, and the machine sleeps.

use std::fs;

use super::shim;
use super::support::{Program, Samples, Site, asked, simulate};

const LAST: &str = "knowbe4_exporter_collector_last_success_timestamp_seconds";
const MONTH: f64 = 2_592_000.0;

fn start(site: &Site) -> Program {
    let library = shim(site.dir.path());
    site.write("clocks", "0 0");
    let clocks = site.path("clocks");
    let arguments = site.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let env = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("ODD_CLOCKS", clocks.to_str().unwrap()),
    ];
    Program::start(&arguments, &env)
}

/// Replaced whole: a clock that is half written reads as one that was set back.
fn set(site: &Site, clocks: &str) {
    let new = site.write("clocks.new", clocks);
    fs::rename(new, site.path("clocks")).unwrap();
}

fn oldest(samples: &Samples) -> f64 {
    samples.of(LAST, &[]).into_iter().fold(f64::INFINITY, f64::min)
}

#[test]
fn data_keeps_its_age_when_the_wall_clock_is_set() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = start(&site);
    let before = exporter.until_complete();
    let sent = asked(&simulator).len();
    for (clocks, step) in [("2592000 0", MONTH), ("-2592000 0", -MONTH)] {
        set(&site, clocks);
        let after = exporter.until("the times have moved with the clock", |samples| {
            (oldest(samples) - oldest(&before) - step).abs() < 30.0
        });
        assert_eq!(after.data().len(), before.data().len(), "{step}");
    }
    assert_eq!(asked(&simulator).len(), sent, "nothing was due");
    exporter.until_logged("the wall clock was set");
}

#[test]
fn the_next_run_stands_still_until_it_changes() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(
        &simulator.url(),
        "    collectors: { account: { interval: 1s } }\n",
    );
    let mut exporter = site.serve();
    let before = exporter.until_complete();
    let next = |samples: &Samples| {
        samples.get(
            "knowbe4_exporter_collector_next_run_timestamp_seconds",
            &["collector=\"groups\""],
        )
    };
    // The account's own refreshes make the poller look at the clocks again and again.
    let runs = oldest(&before);
    let account = |samples: &Samples| samples.get(LAST, &["collector=\"account\""]).unwrap();
    let planned = exporter.scrape();
    let after = exporter.until("it has run again", |samples| account(samples) > runs + 4.0);
    assert_eq!(next(&planned), next(&after));
}

#[test]
fn what_grew_old_while_the_machine_slept_is_due_when_it_wakes() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = start(&site);
    let before = exporter.until_complete();
    // Longer than any interval, and than stale_after.
    let slept = 4.0 * 86_400.0;
    set(&site, "0 345600");
    let after = exporter.until("everything is read anew", |samples| {
        samples.of(LAST, &[]).len() == before.of(LAST, &[]).len()
            && oldest(samples) > oldest(&before) + slept - 30.0
    });
    // Nothing has vanished; a test that runs may have a series more or less than before.
    let (now, then) = (after.data().len(), before.data().len());
    assert!(now * 100 >= then * 99, "{now} series of {then}");
    exporter.until_logged("the machine has slept");
}
