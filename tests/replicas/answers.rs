//! Answers of the database that never arrive.

use super::postgres::Postgres;
use super::support::*;
use super::{SPREAD, TAKEOVER, held, holders, replica, site, until};

/// A taking that was committed, and whose answer was lost with the connection; the same is left by a giving back that
/// never arrived.
#[test]
fn an_account_whose_holder_does_not_know_of_it_is_polled_again() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    let site = site(&simulator, 1, "");
    let mut first = replica(&site, &postgres);
    until("the first holds it", SPREAD, || held(&postgres, &first) == 1);
    let mut second = replica(&site, &postgres);
    let replicas = "SELECT 1 FROM knowbe4_exporter.replica WHERE expires > clock_timestamp()";
    until("both live", SPREAD, || postgres.ask(replicas).len() == 2);
    postgres.ask(&format!(
        "UPDATE knowbe4_exporter.account SET fence = fence + 1, \
         holder = (SELECT id FROM knowbe4_exporter.replica WHERE name LIKE '%:{}')",
        second.pid()
    ));
    first.until_logged("lost=true");
    let taken = "SELECT 1 FROM knowbe4_exporter.account WHERE fence > 2";
    until("it is taken anew", TAKEOVER, || postgres.ask(taken).len() == 1);
    second.until_logged("its turn has come");
    assert_eq!(holders(&postgres).len(), 1);
}
