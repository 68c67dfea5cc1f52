//! The database dies or is demoted, and a copy takes its place.

use std::thread::sleep;
use std::time::Duration;

use crate::postgres::Postgres;
use crate::replica::replica_at;
use crate::support::*;
use crate::{SPREAD, accounts_served, arrivals, held, judge, site, until};

#[test]
fn a_promoted_copy_is_found_by_itself_and_forgets_nothing() {
    takes_the_place(Postgres::down);
}

#[test]
fn a_primary_that_is_demoted_and_cuts_no_connection_is_left_for_the_copy() {
    takes_the_place(|first| {
        first.ask("ALTER SYSTEM SET default_transaction_read_only = on");
        first.ask("SELECT pg_reload_conf()");
    });
}

/// The copy is promoted after `end` of the first.
fn takes_the_place(end: impl FnOnce(&mut Postgres)) {
    let Some(mut first) = Postgres::start() else {
        return;
    };
    let second = first.standby();
    let simulator = simulate(&["--users=50", "--enrollments=100", "--groups=2"]);
    let budget = "    budget: { requests_per_day: 200000, share: 1, requests_per_minute: 50, requests_per_second: 10 }\n    \
                  collectors: { account: { interval: 1s }, groups: { interval: 5s }, recipients: { enabled: false } }\n";
    let site = site(&simulator, 1, budget);
    // The copy is asked first each time, and refused while it only follows.
    let url = format!(
        "postgresql://kb4@127.0.0.1:{},127.0.0.1:{}/kb4?target_session_attrs=read-write",
        second.port, first.port
    );
    let replicas: Vec<_> = (0..2).map(|_| replica_at(&site, &url)).collect();
    until("a minute is nearly full", SPREAD, || {
        arrivals(&simulator).len() > 30
    });

    end(&mut first);
    sleep(Duration::from_secs(3));
    let before = arrivals(&simulator).len();
    sleep(Duration::from_secs(2));
    assert_eq!(arrivals(&simulator).len(), before, "sent without a record");
    second.promote();
    until("it is polled again", SPREAD, || {
        replicas.iter().any(|replica| held(&second, replica) == 1) && arrivals(&simulator).len() > before + 12
    });
    // Each that arrived is recorded there.
    let recorded = second.ask("SELECT 1 FROM knowbe4_exporter.request").len();
    let arrived = arrivals(&simulator);
    assert!(recorded >= arrived.len() - 1, "{recorded} of {}", arrived.len());
    judge(&arrived);
    for replica in &replicas {
        assert_eq!(accounts_served(replica), 1);
    }
}
