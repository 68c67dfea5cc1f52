//! Alerts about operation: the real binary, scraped by every Prometheus that is there.

use std::net::SocketAddr;

use super::components::{Server, by_account};
use super::rules;
use super::support::{Program, Site, free_port, has, optional};

const ACCOUNTS: [(&str, &[&str]); 3] = [
    ("healthy", &["--scenario", "quiet"]),
    ("refused", &["--fault", "401"]),
    ("throttled", &["--fault", "429:retry-after=1"]),
];

/// Three accounts in one exporter. Of the last two the API can't be reached yet, so that what happens to them happens
/// while it is scraped.
fn exporter(site: &Site, ports: [u16; 3], listen: SocketAddr) -> Program {
    let mut config = "accounts:\n".to_owned();
    for ((name, _), port) in ACCOUNTS.iter().zip(ports) {
        config.push_str(&format!(
            "  - {{ name: {name}, base_url: 'http://127.0.0.1:{port}', api_key_env: KEY_{} }}\n",
            name.to_uppercase()
        ));
    }
    let file = site.write("config.yml", &config);
    let keys = ACCOUNTS.map(|(name, _)| format!("KEY_{}", name.to_uppercase()));
    let env: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "test-key")).collect();
    Program::start(
        &[
            &format!("--config.file={}", file.display()),
            &format!("--storage.path={}", site.path("data").display()),
            &format!("--web.listen-address={listen}"),
        ],
        &env,
    )
}

fn simulator(account: usize, port: u16) -> Program {
    let listen = format!("127.0.0.1:{port}");
    let mut arguments = vec!["simulate", "--listen", &listen];
    arguments.extend(ACCOUNTS[account].1);
    Program::start(&arguments, &[])
}

fn watched_by(program: &str) {
    eprintln!("{}", Server::version(program));
    let folder = tempfile::tempdir().unwrap();
    let site = Site::new();
    rules::hurried(folder.path());
    let ports = [free_port(), free_port(), free_port()];
    let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let alertmanager = Server::alertmanager(folder.path());
    let prometheus = Server::prometheus(program, folder.path(), &alertmanager, Some(listen));
    let _healthy = simulator(0, ports[0]);
    let _exporter = exporter(&site, ports, listen);
    prometheus.until("failures are counted from the beginning", || {
        let expression = "count by (account) (knowbe4_exporter_collector_failures_total)";
        prometheus
            .query(expression, "")
            .is_ok_and(|series| series.len() == ACCOUNTS.len())
    });
    let _others = [simulator(1, ports[1]), simulator(2, ports[2])];
    let expected = by_account(&[
        ("refused", &["KnowBe4KeyRefused"]),
        ("throttled", &["KnowBe4AccountDown", "KnowBe4Throttled"]),
    ]);
    prometheus.until("alerts", || alertmanager.alerts() == expected);
    // And nothing else, however long one waits.
    let enough = prometheus.evaluations() + rules::SETTLED;
    prometheus.until("rules have settled", || prometheus.evaluations() > enough);
    assert_eq!(alertmanager.alerts(), expected);
    assert_eq!(prometheus.complaints(), Vec::<String>::new());
}

const INSTALL: &str = "apt-get install prometheus prometheus-alertmanager";

#[test]
fn failures_raise_the_expected_alerts_and_a_healthy_account_none() {
    if has("prometheus", INSTALL) && has("prometheus-alertmanager", INSTALL) {
        watched_by("prometheus");
    }
}

/// It asks for other protocols than 2.x, and has its own mind about content types.
#[test]
fn a_newer_prometheus_sees_the_same() {
    let newer = "prometheus3";
    if optional(newer, "a Prometheus 3 under this name") && has("prometheus-alertmanager", INSTALL) {
        watched_by(newer);
    }
}
