//! Prometheus and Alertmanager as processes of a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{Answer, Samples, ask, ask_with, free_port};

/// Long enough for whatever a test waits for on a busy machine; what waits asks again and again until then.
const PATIENCE: Duration = Duration::from_secs(180);

/// Names of alerts by account.
pub type Alerts = BTreeMap<String, BTreeSet<String>>;

/// The alerts that a test expects.
pub fn by_account(alerts: &[(&str, &[&str])]) -> Alerts {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    alerts
        .iter()
        .map(|(account, names)| ((*account).to_owned(), owned(names)))
        .collect()
}

/// A server that is killed when the test ends.
pub struct Server {
    child: Child,
    log: PathBuf,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server whose configuration is in `folder`, and waits until it is ready.
    fn start(program: &str, folder: &Path, arguments: &[&str]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let name = Path::new(program).file_name().unwrap().to_str().unwrap();
        let log = folder.join(format!("{name}.log"));
        let child = Command::new(program)
            .args(arguments)
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let server = Self { child, log, address };
        server.until("ready", || {
            ask(address, "GET", "/-/ready", &[]).is_ok_and(|answer| answer.status == 200)
        });
        server
    }

    /// Prometheus over what is in `folder/data` and what `target` serves.
    pub fn prometheus(program: &str, folder: &Path, alertmanager: &Self, target: Option<SocketAddr>) -> Self {
        let job =
            |target| format!("[{{ job_name: knowbe4, static_configs: [{{ targets: ['{target}'] }}] }}]");
        let jobs = target.map_or_else(|| "[]".to_owned(), job);
        Self::prometheus_of(program, folder, alertmanager, &jobs)
    }

    /// The same with these `scrape_configs`; with the rules in `folder/rules`, evaluated each second.
    pub fn prometheus_of(program: &str, folder: &Path, alertmanager: &Self, jobs: &str) -> Self {
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
             rule_files: ['{}/*.rules.yml']\n\
             # The blocks reach beyond now: what the rules record lies before their end.\n\
             storage: {{ tsdb: {{ out_of_order_time_window: 1h }} }}\n\
             alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{}'] }}] }}] }}\n\
             scrape_configs: {jobs}\n",
            folder.join("rules").display(),
            alertmanager.address,
        );
        let file = folder.join("prometheus.yml");
        fs::write(&file, config).unwrap();
        Self::start(
            program,
            folder,
            &[
                &format!("--config.file={}", file.display()),
                &format!("--storage.tsdb.path={}", folder.join("data").display()),
                "--storage.tsdb.retention.time=10y",
                // What fires before Alertmanager has been found is said again a minute later otherwise.
                "--rules.alert.resend-delay=5s",
            ],
        )
    }

    /// An Alertmanager that tells nobody, and inhibits as alerts/alertmanager.yml does.
    pub fn alertmanager(folder: &Path) -> Self {
        let example = example();
        let inhibit = example
            .find("inhibit_rules:\n")
            .map(|at| &example[at..])
            .expect("inhibit rules in the example");
        Self::alertmanager_of(
            folder,
            &format!("route: {{ receiver: nobody }}\nreceivers: [{{ name: nobody }}]\n{inhibit}"),
        )
    }

    /// An Alertmanager with alerts/alertmanager.yml, whose receivers send nothing.
    pub fn alertmanager_of_the_example(folder: &Path) -> Self {
        Self::alertmanager_of(folder, &example())
    }

    fn alertmanager_of(folder: &Path, config: &str) -> Self {
        let file = folder.join("alertmanager.yml");
        fs::write(&file, config).unwrap();
        Self::start(
            "prometheus-alertmanager",
            folder,
            &[
                &format!("--config.file={}", file.display()),
                &format!("--storage.path={}", folder.join("alertmanager").display()),
                "--cluster.listen-address=",
            ],
        )
    }

    /// Asks again and again until `ready`.
    pub fn until(&self, what: &str, mut ready: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !ready() {
            let log = || fs::read_to_string(&self.log).unwrap_or_default();
            assert!(Instant::now() < deadline, "never: {what}\n{}", log());
            sleep(Duration::from_millis(200));
        }
    }

    fn get(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[]).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Series of an instant query, or of a range if `parameters` have one.
    pub fn query(&self, expression: &str, parameters: &str) -> Result<Vec<Value>, String> {
        let path = if parameters.is_empty() {
            "query"
        } else {
            "query_range"
        };
        let answer = self.get(&format!(
            "/api/v1/{path}?query={}{parameters}",
            encoded(expression)
        ));
        let answer = answer.json();
        match answer["data"]["result"].as_array() {
            // A scalar is a time and a value.
            Some(result) => Ok(result.clone()),
            None => Err(answer["error"].to_string()),
        }
    }

    /// What is wrong with any rule or scrape; empty if nothing is.
    pub fn complaints(&self) -> Vec<String> {
        let rules = self.get("/api/v1/rules").json();
        let groups = rules["data"]["groups"].as_array().unwrap().clone();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        let sick = rules
            .filter(|rule| rule["health"] != "ok")
            .map(|rule| format!("rule {}: {} {}", rule["name"], rule["health"], rule["lastError"]));
        let targets = self.get("/api/v1/targets").json();
        let targets = targets["data"]["activeTargets"].as_array().unwrap().clone();
        let down = targets
            .iter()
            .filter(|target| target["health"] != "up")
            .map(|target| format!("target {}: {}", target["scrapeUrl"], target["lastError"]));
        let own = Samples::parse(&self.get("/metrics").text());
        let counted = own
            .0
            .iter()
            .filter(|(series, value)| {
                **value > 0.0
                    && [
                        "prometheus_rule_evaluation_failures_total",
                        "prometheus_target_scrapes_sample_",
                    ]
                    .iter()
                    .any(|prefix| series.starts_with(prefix))
            })
            .map(|(series, value)| format!("{series} {value}"));
        assert!(!groups.is_empty(), "no rules are loaded");
        sick.chain(down).chain(counted).collect()
    }

    /// How often each rule group has been evaluated at least.
    pub fn evaluations(&self) -> f64 {
        let own = Samples::parse(&self.get("/metrics").text());
        let counts = own.of("prometheus_rule_group_iterations_total", &[]);
        counts.into_iter().reduce(f64::min).unwrap_or(0.0)
    }

    /// Of an Alertmanager: what it would tell somebody of.
    pub fn alerts(&self) -> Alerts {
        let alerts = self.get("/api/v2/alerts?active=true&inhibited=false&silenced=false");
        let mut by_account = Alerts::new();
        for alert in alerts.json().as_array().unwrap() {
            let label = |name: &str| alert["labels"][name].as_str().unwrap_or_default().to_owned();
            by_account
                .entry(label("account"))
                .or_default()
                .insert(label("alertname"));
        }
        by_account
    }

    /// To an Alertmanager: alerts, as Prometheus sends them.
    pub fn raise(&self, alerts: &[Value]) {
        let body = Value::from(alerts.to_vec()).to_string();
        let headers = [("Content-Type", "application/json")];
        let answer = ask_with(self.address, "POST", "/api/v2/alerts", &headers, &body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Of an Alertmanager: its notifications, each as its receiver, how many alerts it is about, and their common labels.
    pub fn notifications(&self) -> BTreeSet<String> {
        let groups = self.get("/api/v2/alerts/groups?active=true&inhibited=false&silenced=false");
        let name = |group: &Value| {
            let labels = group["labels"].as_object().unwrap().values();
            let labels: Vec<_> = labels.map(|value| value.as_str().unwrap()).collect();
            let receiver = group["receiver"]["name"].as_str().unwrap();
            let alerts = group["alerts"].as_array().unwrap().len();
            format!("{receiver}: {alerts} {}", labels.join(" "))
        };
        groups.json().as_array().unwrap().iter().map(name).collect()
    }

    /// The program's name and version.
    pub fn version(program: &str) -> String {
        let output = Command::new(program).arg("--version").output().unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        text.lines().next().unwrap_or_default().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of alerts/alertmanager.yml.
fn example() -> String {
    fs::read_to_string(super::rules::folder().join("alertmanager.yml")).unwrap()
}

/// As a query string has it.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
