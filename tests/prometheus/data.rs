//! Alerts about KnowBe4's data and the queries of the dashboards, over weeks of played history.

use std::path::Path;
use std::process::Command;

use knowbe4_exporter::clock::Clock;

use super::components::{Server, by_account};
use super::play::{DAY, HOUR, MINUTE, Organisation, Span, organisations, play};
use super::support::has;
use super::{dashboards, rules};

/// How long samples are a minute apart before now: what the dashboards' courses are asked for.
const DENSE: u64 = 6;

/// The same with fewer people: its history takes less time to play.
fn smaller(mut organisation: Organisation) -> Organisation {
    organisation.settings.users = organisation.settings.users.min(150);
    organisation.settings.enrollments = organisation.settings.enrollments.min(1000);
    organisation.max_tests = 40;
    organisation.share = 0.2;
    organisation
}

fn make_blocks(from: &Path, data: &Path) {
    for entry in from.read_dir().unwrap() {
        let file = entry.unwrap().path();
        let output = Command::new("promtool")
            .args([
                "tsdb",
                "create-blocks-from",
                "--max-block-duration=486h",
                "openmetrics",
            ])
            .args([&file, data])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {output:?}", file.display());
    }
}

#[test]
fn history_raises_the_expected_alerts_and_fills_every_dashboard() {
    let install = "apt-get install prometheus prometheus-alertmanager";
    if !(has("prometheus", install) && has("promtool", install) && has("prometheus-alertmanager", install)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let now = Clock::system().now() as u64 / MINUTE * MINUTE;
    let span = |begin, dense, end| Span {
        begin,
        dense,
        end,
        out: folder.path().join(format!("scraped-{begin}")),
    };
    // A comparison with last year wants a day of then; beyond now, so that it is now for as long as the test runs.
    let last_year = span(now - 366 * DAY, now, now - 364 * DAY);
    let weeks = span(now - 32 * DAY, now - DENSE * HOUR, now + 15 * MINUTE);
    let [acme, ..] = organisations(&last_year);
    play(vec![smaller(acme)], &last_year);
    play(organisations(&weeks).map(smaller).into(), &weeks);
    make_blocks(&last_year.out, &data);
    make_blocks(&weeks.out, &data);

    rules::hurried(folder.path());
    let alertmanager = Server::alertmanager(folder.path());
    let prometheus = Server::prometheus("prometheus", folder.path(), &alertmanager, None);
    prometheus.until("rules have settled", || prometheus.evaluations() > rules::SETTLED);
    assert_eq!(prometheus.complaints(), Vec::<String>::new());
    let expected = [("acme", &[""])];
    assert_eq!(alertmanager.alerts(), by_account(&expected));
    let empty = dashboards::without_data(&prometheus, now, DENSE);
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}
