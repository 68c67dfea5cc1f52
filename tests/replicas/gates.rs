//! A network between replicas and database that hangs, cuts and is slow: the quota holds, and somebody polls.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{sleep, spawn};
use std::time::Duration;

use crate::postgres::Postgres;
use crate::replica::replica_at;
use crate::support::*;
use crate::{SPREAD, TAKEOVER, arrivals, held, judge, site, until};

/// Bytes pass at once.
const OPEN: u64 = 0;
/// Connections stand, and no byte passes.
const HANGS: u64 = u64::MAX;
/// Connections break, and none is made.
const CUTS: u64 = u64::MAX - 1;

/// Passes bytes on to the database, or doesn't. Any other state than those above is a delay of answers, in milliseconds.
struct Gate {
    port: u16,
    state: Arc<AtomicU64>,
}

impl Gate {
    fn before(database: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<AtomicU64>::default();
        let states = Arc::clone(&state);
        spawn(move || {
            for client in listener.incoming().flatten() {
                if states.load(Ordering::SeqCst) == CUTS {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", database)).unwrap();
                let (asks, answers) = ((client.try_clone(), server.try_clone()), (server, client));
                let (to, back) = (Arc::clone(&states), Arc::clone(&states));
                spawn(move || pass(asks.0.unwrap(), asks.1.unwrap(), &to, false));
                spawn(move || pass(answers.0, answers.1, &back, true));
            }
        });
        Self { port, state }
    }

    fn is(&self, state: u64) {
        self.state.store(state, Ordering::SeqCst);
    }

    fn replica(&self, site: &Site) -> Program {
        replica_at(site, &format!("postgresql://kb4@127.0.0.1:{}/kb4", self.port))
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &AtomicU64, answers: bool) {
    let mut bytes = [0; 1 << 16];
    from.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    loop {
        match state.load(Ordering::SeqCst) {
            HANGS => {
                sleep(Duration::from_millis(20));
                continue;
            }
            CUTS => break,
            _ => {}
        }
        match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => {
                let delay = state.load(Ordering::SeqCst);
                if answers && delay < CUTS {
                    sleep(Duration::from_millis(delay));
                }
                if to.write_all(&bytes[..read]).is_err() {
                    break;
                }
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(_) => break,
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn gates_that_hang_cut_and_are_slow_exceed_nothing_and_stop_nobody_for_long() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    let budget = "    budget: { requests_per_day: 200000, share: 1, requests_per_minute: 50, requests_per_second: 10 }\n    \
                  collectors: { account: { interval: 1s }, groups: { interval: 5s }, recipients: { enabled: false } }\n";
    let site = site(&simulator, 1, budget);
    let gates = [Gate::before(postgres.port), Gate::before(postgres.port)];
    let mut replicas = [gates[0].replica(&site), gates[1].replica(&site)];
    let holder = || replicas.iter().position(|replica| held(&postgres, replica) == 1);
    let count = || arrivals(&simulator).len();
    let goes_on = |patience| {
        let before = count();
        until("it goes on", patience, || count() > before + 5);
    };
    until("one polls", TAKEOVER, || holder().is_some());
    goes_on(SPREAD);

    // The holder hears nothing from the database, which believes it to be connected.
    let first = holder().unwrap();
    gates[first].is(HANGS);
    until("the other polls", TAKEOVER, || holder() == Some(1 - first));
    goes_on(SPREAD);
    until("the first knows", TAKEOVER, || {
        replicas[first]
            .scrape()
            .get("knowbe4_exporter_ledger_writable", &[])
            == Some(0.0)
    });
    assert_eq!(replicas[first].get("/-/healthy").status, 200);
    assert!(
        replicas[first]
            .scrape()
            .get("knowbe4_account_seats", &[])
            .is_some()
    );
    gates[first].is(OPEN);
    replicas[first].until_logged("the database can be used again");

    // Its connections break for a moment: nothing moves.
    let second = 1 - first;
    gates[second].is(CUTS);
    sleep(Duration::from_secs(2));
    gates[second].is(OPEN);
    goes_on(SPREAD);

    // Answers come late, and then too late to send anything by.
    gates.iter().for_each(|gate| gate.is(700));
    goes_on(SPREAD);
    gates.iter().for_each(|gate| gate.is(6_000));
    sleep(Duration::from_secs(13));
    let before = count();
    sleep(Duration::from_secs(5));
    assert_eq!(count(), before, "sent on an answer that came too late");
    gates.iter().for_each(|gate| gate.is(OPEN));
    goes_on(SPREAD);
    judge(&arrivals(&simulator));
    for replica in replicas {
        assert_eq!(replica.terminate(), Some(0));
    }
}
