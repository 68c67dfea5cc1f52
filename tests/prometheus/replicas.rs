//! Replicas behind one address, scraped by every Prometheus that is there while they die.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use super::components::{Alerts, Server};
use super::postgres::Postgres;
use super::replica::{replica, site};
use super::rules;
use super::support::{Program, ask, has, optional, simulate};

/// The replica that holds each account.
const HOLDERS: &str =
    "SELECT r.name FROM knowbe4_exporter.account a JOIN knowbe4_exporter.replica r ON r.id = a.holder";

/// What is counted about an account.
const COUNTERS: [&str; 7] = [
    "knowbe4_exporter_api_requests_total",
    "knowbe4_exporter_api_retries_total",
    "knowbe4_exporter_api_throttled_total",
    "knowbe4_exporter_api_request_duration_seconds_bucket",
    "knowbe4_exporter_api_request_duration_seconds_sum",
    "knowbe4_exporter_collector_failures_total",
    "knowbe4_exporter_schema_drift_total",
];

/// A load balancer: each scrape goes to the next replica, and where one doesn't answer to the one after it.
struct Balancer {
    address: SocketAddr,
    replicas: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let replicas = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let behind = Arc::clone(&replicas);
        spawn(move || {
            for connection in listener.incoming().flatten() {
                let replicas = behind.lock().unwrap().clone();
                behind.lock().unwrap().rotate_left(1.min(replicas.len()));
                spawn(move || pass_on(connection, &replicas));
            }
        });
        Self { address, replicas }
    }

    fn is_before(&self, replicas: &[Program]) {
        *self.replicas.lock().unwrap() = replicas.iter().map(|replica| replica.address).collect();
    }
}

fn pass_on(mut connection: TcpStream, replicas: &[SocketAddr]) {
    let mut head = Vec::new();
    for line in BufReader::new(connection.try_clone().unwrap())
        .lines()
        .map_while(Result::ok)
    {
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let path = head
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or("/")
        .to_owned();
    let accepts = head.iter().find_map(|line| {
        line.to_lowercase()
            .starts_with("accept:")
            .then(|| line[7..].trim())
    });
    let headers: Vec<_> = accepts.map(|accepts| ("Accept", accepts)).into_iter().collect();
    let answers = replicas
        .iter()
        .filter_map(|replica| ask(*replica, "GET", &path, &headers).ok());
    if let Some(answer) = answers.into_iter().next() {
        let text = answer.text();
        let _ = write!(
            connection,
            "HTTP/1.1 {} OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            answer.status,
            answer.headers["content-type"],
            text.len()
        );
    }
}

/// The jobs that `docs/replicas.md` gives, with the addresses of this test.
fn jobs(service: SocketAddr, replicas: &[Program]) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/replicas.md")).unwrap();
    let begin = page.find("scrape_configs:\n").unwrap() + "scrape_configs:\n".len();
    let jobs = &page[begin..begin + page[begin..].find("```").unwrap()];
    let targets: Vec<_> = replicas
        .iter()
        .map(|replica| format!("\"{}\"", replica.address))
        .collect();
    let jobs = jobs.replace("\"knowbe4-exporter:10524\"", &format!("\"{service}\""));
    let jobs = jobs.replace(
        "\"replica-1:10524\", \"replica-2:10524\", \"replica-3:10524\"",
        &targets.join(", "),
    );
    assert!(
        jobs.contains(&targets.join(", ")) && jobs.contains(&service.to_string()),
        "{jobs}"
    );
    format!("\n{jobs}")
}

fn numbers(prometheus: &Server, expression: &str) -> Vec<f64> {
    let series = prometheus
        .query(expression, "")
        .unwrap_or_else(|error| panic!("{expression}: {error}"));
    let number = |one: &serde_json::Value| one["value"][1].as_str().and_then(|text| text.parse().ok());
    series.iter().filter_map(number).collect()
}

fn watched_by(program: &str) {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--scenario", "quiet", "--users", "100", "--enrollments", "200"]);
    let often = "    collectors: { account: { interval: 5s } }\n    \
                 budget: { requests_per_day: 100000, share: 1, requests_per_minute: 1000, requests_per_second: 50 }\n";
    let site = site(&simulator, 2, often);
    let mut replicas: Vec<_> = (0..3).map(|_| replica(&site, &postgres)).collect();
    let balancer = Balancer::start();
    balancer.is_before(&replicas);
    for replica in &mut replicas {
        replica.until_complete();
    }
    let folder = tempfile::tempdir().unwrap();
    rules::hurried(folder.path());
    let alertmanager = Server::alertmanager(folder.path());
    let jobs = jobs(balancer.address, &replicas);
    let prometheus = Server::prometheus_of(program, folder.path(), &alertmanager, &jobs);
    let is_polled_by_the_living = |replicas: &[Program]| {
        let holders = postgres.ask(HOLDERS);
        let living: Vec<_> = replicas
            .iter()
            .map(|replica| format!(":{}", replica.pid()))
            .collect();
        holders.len() == 2
            && holders
                .iter()
                .all(|holder| living.iter().any(|name| holder.ends_with(name)))
    };
    let scraped = || {
        numbers(&prometheus, "count_over_time(up{job=\"knowbe4\"}[10m])")
            .first()
            .copied()
            .unwrap_or_default()
    };
    prometheus.until("it is scraped", || scraped() > 10.0);
    prometheus.until("each account is held once", || {
        let held = "sum(knowbe4_exporter_replica_accounts{job=\"knowbe4-replicas\"})";
        numbers(&prometheus, held) == [2.0]
    });

    // One is killed, and another comes in its place; then one ends.
    let asked = || numbers(&prometheus, "sum(knowbe4_exporter_api_requests_total)")[0];
    let before = asked();
    replicas.remove(0).kill();
    prometheus.until("the living poll", || is_polled_by_the_living(&replicas));
    replicas.push(replica(&site, &postgres));
    balancer.is_before(&replicas);
    prometheus.until("it goes on", || asked() > before + 3.0);
    let before = asked();
    assert_eq!(replicas.remove(0).terminate(), Some(0));
    balancer.is_before(&replicas);
    prometheus.until("it goes on", || {
        asked() > before + 3.0 && is_polled_by_the_living(&replicas)
    });
    let enough = prometheus.evaluations() + rules::SETTLED;
    prometheus.until("rules have settled", || prometheus.evaluations() > enough);

    let service = "job=\"knowbe4\"";
    let ups = numbers(&prometheus, &format!("min_over_time(up{{{service}}}[10m])"));
    assert_eq!(ups, [1.0], "no scrape fails");
    let counts = numbers(
        &prometheus,
        &format!("count_over_time(knowbe4_account_seats{{{service}}}[10m])"),
    );
    let scrapes = scraped();
    assert_eq!(counts.len(), 2, "one series an account");
    assert!(
        counts.iter().all(|count| scrapes - count <= 2.0),
        "{counts:?} of {scrapes}: no gap"
    );
    for counter in COUNTERS {
        let resets = format!("max(resets({counter}{{{service}}}[10m]))");
        assert_eq!(numbers(&prometheus, &resets), [0.0], "{counter} steps back");
    }
    let twice = "count by (account) (knowbe4_account_seats)";
    assert_eq!(numbers(&prometheus, twice), [1.0, 1.0], "no series is doubled");
    assert_eq!(alertmanager.alerts(), Alerts::new());
}

const INSTALL: &str = "apt-get install prometheus prometheus-alertmanager";

#[test]
fn replicas_die_without_a_gap_a_doubled_series_or_an_alert() {
    if has("prometheus", INSTALL) && has("prometheus-alertmanager", INSTALL) {
        watched_by("prometheus");
    }
}

#[test]
fn a_newer_prometheus_sees_no_gap_either() {
    let newer = "prometheus3";
    if optional(newer, "a Prometheus 3 under this name") && has("prometheus-alertmanager", INSTALL) {
        watched_by(newer);
    }
}
