//! Alerts about KnowBe4's data and the queries of the dashboards, over weeks of played history.

use std::path::Path;
use std::process::Command;

use knowbe4_exporter::Clock;

use super::components::{Server, by_account};
use super::play::{DAY, HOUR, MINUTE, Organisation, Span, organisations, play};
use super::support::has;
use super::{dashboards, rules};

/// How long samples are a minute apart before now: what the dashboards' courses are asked for.
const DENSE: u64 = 6;

/// How many days ago the dashboards look back at most: of then one account's day is enough.
const COMPARED_WITH: [u64; 2] = [90, 365];

/// The same with fewer people: its history takes less time to play.
fn smaller(mut organisation: Organisation) -> Organisation {
    organisation.settings.users = organisation.settings.users.min(150);
    organisation.settings.enrollments = organisation.settings.enrollments.min(1000);
    organisation.max_tests = 40;
    organisation.share = 0.1;
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
        own: HOUR,
        families: None,
        out: folder.path().join(format!("scraped-{begin}")),
    };
    // Beyond now, so that it is now for as long as the test runs.
    let weeks = span(now - 32 * DAY, now - DENSE * HOUR, now + 15 * MINUTE);
    play(organisations(&weeks).map(smaller).into(), &weeks);
    make_blocks(&weeks.out, &data);
    for days in COMPARED_WITH {
        let then = now - days * DAY;
        let day = span(then - DAY, then + HOUR, then + HOUR);
        let [acme, ..] = organisations(&day);
        play(vec![smaller(acme)], &day);
        make_blocks(&day.out, &data);
    }

    rules::hurried(folder.path());
    let alertmanager = Server::alertmanager(folder.path());
    let prometheus = Server::prometheus("prometheus", folder.path(), &alertmanager, None);
    prometheus.until("rules have settled", || prometheus.evaluations() > rules::SETTLED);
    assert_eq!(prometheus.complaints(), Vec::<String>::new());
    // Beside what they fire with, nothing: `initech` is quiet. An undocumented word is an alert of its own.
    let expected = by_account(&[
        ("acme", &["KnowBe4SchemaDrift"]),
        (
            "globex",
            &[
                // The rise of the account stands for its level and for its groups.
                "KnowBe4AccountRiskScoreJump",
                "KnowBe4TrainingPastDue",
            ],
        ),
        (
            "umbrella",
            &["KnowBe4PhishProneRegression", "KnowBe4TrainingPastDue"],
        ),
    ]);
    assert_eq!(alertmanager.alerts(), expected);
    let empty = dashboards::without_data(&prometheus, now, DENSE);
    assert!(empty.is_empty(), "{}", empty.join("\n"));
}
