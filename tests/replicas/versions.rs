//! Tables that an earlier version made.

use crate::postgres::Postgres;
use crate::support::*;
use crate::{SPREAD, replica, site, until};

/// What `pg_dump` took of a database that version 1 of the tables was used in: 45 requests, a snapshot and records of recipients.
const VERSION_1: &str = include_str!("version-1.sql");

#[test]
fn tables_of_the_first_version_are_taken_over_with_all_that_was_spent() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.ask(VERSION_1);
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
        samples.get("knowbe4_exporter_budget_used", &window) >= Some(45.0)
            && samples.get("knowbe4_exporter_snapshot_restored", &[]) == Some(1.0)
    });
    assert_eq!(postgres.ask("SELECT version FROM knowbe4_exporter.meta"), ["2"]);
}
