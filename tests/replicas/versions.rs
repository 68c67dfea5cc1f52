//! Tables that an earlier version made or a later one, and replicas of different versions.

use std::time::Duration;

use crate::postgres::Postgres;
use crate::support::*;
use crate::{SPREAD, TAKEOVER, arrivals, held, replica, site, until};

/// What `pg_dump` took of databases that earlier versions of the tables were used in, each with a snapshot and records
/// of recipients, and how many requests they hold.
const EARLIER: [(&str, f64); 2] = [
    (include_str!("version-1.sql"), 45.0),
    (include_str!("version-2.sql"), 45.0),
];

#[test]
fn tables_of_earlier_versions_are_taken_over_with_all_that_was_spent() {
    for (dump, spent) in EARLIER {
        let Some(postgres) = Postgres::start() else { return };
        postgres.ask(dump);
        // As if it had been an hour ago.
        postgres.ask(
            "UPDATE knowbe4_exporter.request r SET at = r.at + moved, ended = r.ended + moved \
             FROM (SELECT now() - interval '1 hour' - max(at) AS moved FROM knowbe4_exporter.request) AS last",
        );
        let simulator = simulate(&["--users=20", "--enrollments=40", "--groups=2"]);
        let site = site(&simulator, 1, "");
        let exporter = replica(&site, &postgres);
        let window = ["window=\"24h\""];
        until("what was spent is known", SPREAD, || {
            let samples = exporter.scrape();
            samples.get("knowbe4_exporter_budget_used", &window) >= Some(spent)
                && samples.get("knowbe4_exporter_snapshot_restored", &[]) == Some(1.0)
        });
        assert_eq!(postgres.ask("SELECT version FROM knowbe4_exporter.meta"), ["3"]);
    }
}

/// What every replica says of all.
fn says(replica: &Program, family: &str) -> Option<f64> {
    replica.scrape().get(&format!("knowbe4_exporter_{family}"), &[])
}

#[test]
fn replicas_of_two_versions_work_side_by_side_until_the_tables_are_too_new() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let simulator = simulate(&["--users=20", "--enrollments=40", "--groups=2"]);
    let site = site(&simulator, 4, "    collectors: { account: { interval: 2s } }\n");
    let old = replica(&site, &postgres);
    until("the first holds all", SPREAD, || held(&postgres, &old) == 4);
    // A later version has migrated the tables and adds to them only; one of its replicas is there already.
    postgres.ask(
        "ALTER TABLE knowbe4_exporter.request ADD COLUMN later text NOT NULL DEFAULT 'later';
         CREATE TABLE knowbe4_exporter.later (id int);
         UPDATE knowbe4_exporter.meta SET version = 99",
    );
    let mut other = replica(&site, &postgres);
    let newer = "UPDATE knowbe4_exporter.replica SET version = '99.0.0' WHERE name LIKE";
    postgres.ask(&format!("{newer} '%:{}'", other.pid()));
    until("two each", SPREAD, || {
        held(&postgres, &old) == 2 && held(&postgres, &other) == 2
    });
    for replica in [&old, &other] {
        until("each knows who there is", TAKEOVER, || {
            let families = [
                "replicas",
                "replica_versions",
                "replica_configurations",
                "accounts_unheld",
            ];
            families.map(|family| says(replica, family)) == [2.0, 2.0, 1.0, 0.0].map(Some)
        });
    }
    // New connections are as good as the old ones.
    postgres.down();
    postgres.up();
    let before = arrivals(&simulator).len();
    until("both poll", SPREAD, || {
        let all = held(&postgres, &old) + held(&postgres, &other) == 4;
        all && arrivals(&simulator).len() > before + 8
    });

    postgres.ask("UPDATE knowbe4_exporter.meta SET oldest = 99");
    postgres.down();
    postgres.up();
    other.until_logged("its tables have version 99");
    other.until_logged("run the newer exporter");
    assert_eq!(other.get("/-/ready").status, 200);
}

#[test]
fn replicas_that_disagree_say_so_and_removed_accounts_belong_to_nobody() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--users=20", "--enrollments=40", "--groups=2"]);
    let site = site(&simulator, 6, "");
    let replicas = [replica(&site, &postgres), replica(&site, &postgres)];
    let holds = |replica: &Program| held(&postgres, replica);
    until("three each", SPREAD, || {
        replicas.iter().all(|one| holds(one) == 3)
    });
    // All accounts of the second are removed.
    let of_first = format!(":{}", replicas[0].pid());
    let first = crate::holders(&postgres)
        .into_iter()
        .filter(|line| line.ends_with(&of_first));
    let kept: Vec<_> = first
        .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
        .collect();
    let file = std::fs::read_to_string(site.path("config.yml")).unwrap();
    let entries = file.split("  - name: ").skip(1);
    let left: Vec<_> = entries
        .filter(|entry| kept.iter().any(|name| entry.starts_with(&format!("{name}\n"))))
        .map(|entry| format!("  - name: {entry}"))
        .collect();
    site.write("config.yml", &format!("accounts:\n{}", left.concat()));
    replicas[0].signal("HUP");
    for replica in &replicas {
        until("each knows that they differ", TAKEOVER, || {
            says(replica, "replica_configurations") == Some(2.0)
        });
    }
    replicas[1].signal("HUP");
    until("the rest is spread evenly", SPREAD, || {
        let mut both = replicas.each_ref().map(holds);
        both.sort_unstable();
        both == [1, 2]
    });
    for replica in &replicas {
        until("they agree", TAKEOVER, || {
            says(replica, "replica_configurations") == Some(1.0)
                && says(replica, "accounts_unheld") == Some(0.0)
        });
    }
    // A moment later nothing has moved.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(replicas.iter().map(holds).sum::<usize>(), 3);
}
