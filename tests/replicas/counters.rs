//! One address before all replicas: whichever answers, no counter steps back.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::postgres::Postgres;
use crate::support::*;
use crate::{SPREAD, held, replica, site, until};

/// The highest value of each counter about an account that any replica has shown.
#[derive(Default)]
struct Seen(BTreeMap<String, f64>);

impl Seen {
    /// Looks at one replica after the other until so many requests more have been counted.
    fn watch(&mut self, replicas: &[Program], more: f64) {
        let (deadline, enough) = (Instant::now() + SPREAD, self.requests() + more);
        while self.requests() < enough {
            let counted = self.requests();
            assert!(
                Instant::now() < deadline,
                "{counted} requests, and {enough} were waited for"
            );
            for (which, replica) in replicas.iter().enumerate() {
                self.look(which, &replica.get("/metrics").text());
            }
            sleep(Duration::from_millis(20));
        }
    }

    fn look(&mut self, which: usize, page: &str) {
        let counters = ["_total{", "_count{", "_sum{", "_bucket{"];
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let is_counter = counters.iter().any(|suffix| line.contains(suffix));
            if !is_counter || !line.contains("account=") {
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = value.parse().unwrap();
            let highest = self.0.entry(series.to_owned()).or_insert(value);
            assert!(
                *highest <= value,
                "replica {which} says {value} after {highest}: {series}"
            );
            *highest = value;
        }
    }

    fn requests(&self) -> f64 {
        let requests = self
            .0
            .iter()
            .filter(|(series, _)| series.contains("api_requests_total"));
        requests.map(|(_, count)| count).sum()
    }
}

#[test]
fn no_counter_about_an_account_steps_back_whichever_replica_answers() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    let often = "    budget: { requests_per_day: 200000, share: 1 }\n    \
                 collectors: { account: { interval: 1s }, groups: { interval: 2s } }\n";
    let site = site(&simulator, 2, often);
    let mut replicas: Vec<_> = (0..3).map(|_| replica(&site, &postgres)).collect();
    let mut seen = Seen::default();
    seen.watch(&replicas, 20.0);

    // Everything else is the same as well, two seconds later at most.
    until("all show the same budget", SPREAD, || {
        let limit = |replica: &Program| replica.scrape().of("knowbe4_exporter_budget_limit", &[]);
        let plan = |replica: &Program| replica.scrape().of("knowbe4_exporter_plan_requests_per_day", &[]);
        let all: Vec<_> = replicas
            .iter()
            .map(|replica| (limit(replica), plan(replica)))
            .collect();
        all[0].0.len() == 6 && all[0].1.len() == 2 && all.iter().all(|one| *one == all[0])
    });

    // One is killed, another comes in its place, and one ends.
    let holder = |replicas: &[Program]| {
        replicas
            .iter()
            .position(|replica| held(&postgres, replica) > 0)
            .unwrap()
    };
    let killed = holder(&replicas);
    replicas.remove(killed).kill();
    replicas.push(replica(&site, &postgres));
    seen.watch(&replicas, 30.0);
    let ended = holder(&replicas);
    assert_eq!(replicas.remove(ended).terminate(), Some(0));
    seen.watch(&replicas, 20.0);
}
