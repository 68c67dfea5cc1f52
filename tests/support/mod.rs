//! Starts the real binary and the simulated API, and reads what they answer over real sockets.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::print_stderr,
    reason = "shared by tests that each use a part, panic when they fail, and wait in real time"
)]

pub mod certificates;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// Long enough for the slowest step on a busy machine; what waits for something asks again and again until then.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Collectors of an account that switches none off.
pub const COLLECTORS: usize = knowbe4_exporter::model::Collector::ALL.len();

pub const BINARY: &str = env!("CARGO_BIN_EXE_knowbe4-exporter");

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// Asks once, over a connection of its own.
pub fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> std::io::Result<Answer> {
    ask_with(address, method, path, headers, "")
}

/// The same with a body, if it isn't empty.
pub fn ask_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes())?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw)?;
    let split = raw
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&raw[..split]).into_owned();
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .ok_or(std::io::ErrorKind::InvalidData)?;
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut body = raw[split + 4..].to_vec();
    if headers
        .get("transfer-encoding")
        .is_some_and(|encoding| encoding == "chunked")
    {
        body = unchunk(&body);
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}

fn unchunk(mut raw: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = raw.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(String::from_utf8_lossy(&raw[..end]).trim(), 16).expect("a size");
        if size == 0 {
            break;
        }
        body.extend_from_slice(&raw[end + 2..end + 2 + size]);
        raw = &raw[end + 4 + size..];
    }
    body
}

/// Samples by series, as text 0.0.4 writes them.
#[derive(Debug, Clone, Default)]
pub struct Samples(pub BTreeMap<String, f64>);

impl Samples {
    pub fn parse(text: &str) -> Self {
        let samples = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(|line| {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                let value = match value {
                    "+Inf" => f64::INFINITY,
                    value => value.parse().expect("a number"),
                };
                (series.to_owned(), value)
            });
        Self(samples.collect())
    }

    /// The one series of `family` that has all of `labels` (as `name="value"`).
    pub fn get(&self, family: &str, labels: &[&str]) -> Option<f64> {
        let mut found = self.of(family, labels);
        let first = found.pop();
        assert!(found.is_empty(), "several series of {family} with {labels:?}");
        first
    }

    /// Values of the series of `family` that have all of `labels`.
    pub fn of(&self, family: &str, labels: &[&str]) -> Vec<f64> {
        let matches = self.0.iter().filter(|(series, _)| {
            let name = series.split('{').next().unwrap_or_default();
            name == family && labels.iter().all(|label| series.contains(label))
        });
        matches.map(|(_, value)| *value).collect()
    }

    pub fn sum(&self, family: &str, labels: &[&str]) -> f64 {
        self.of(family, labels).into_iter().sum()
    }

    /// Series about KnowBe4, without the exporter's own.
    pub fn data(&self) -> BTreeMap<String, f64> {
        let own = |series: &str| {
            series.starts_with("knowbe4_exporter_")
                || series.starts_with("process_")
                || series.starts_with("knowbe4_up")
        };
        self.0
            .iter()
            .filter(|(series, _)| !own(series))
            .map(|(series, value)| (series.clone(), *value))
            .collect()
    }
}

/// A program that is killed when the test ends, and what it says on standard error.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    log: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    /// Starts the binary and waits until it says where it listens.
    pub fn start(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut program = Self::spawn(arguments, env);
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "it never listened:\n{}", program.log());
            program.read_log();
            if let Some(address) = program.seen.iter().find_map(|line| listening(line)) {
                program.address = address;
                return program;
            }
            if let Ok(Some(status)) = program.child.try_wait() {
                sleep(Duration::from_millis(50));
                panic!("it ended with {status}:\n{}", program.log());
            }
            sleep(Duration::from_millis(10));
        }
    }

    fn spawn(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        let mut child = command(arguments, env)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("started");
        let (lines, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("stderr"));
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            log,
            seen: Vec::new(),
        }
    }

    fn read_log(&mut self) {
        self.seen.extend(self.log.try_iter());
    }

    pub fn log(&mut self) -> String {
        self.read_log();
        self.seen.join("\n")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        ask(self.address, "GET", path, &[]).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    pub fn scrape(&self) -> Samples {
        Samples::parse(&self.get("/metrics").text())
    }

    /// Scrapes until `ready`.
    pub fn until(&mut self, what: &str, ready: impl Fn(&Samples) -> bool) -> Samples {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let samples = self.scrape();
            if ready(&samples) {
                return samples;
            }
            if Instant::now() > deadline {
                panic!(
                    "never: {what}\nlog:\n{}\nown series:\n{}",
                    self.log(),
                    own(&samples)
                );
            }
            sleep(Duration::from_millis(50));
        }
    }

    /// Waits until every collector has succeeded once, and the recipients of all tests have been read.
    pub fn until_complete(&mut self) -> Samples {
        self.until_all_succeed();
        loop {
            let read = self.until("all recipients are read", |samples| {
                samples.sum("knowbe4_phishing_tests_unread", &[]) == 0.0
            });
            // The refresh that read the last of them may be followed by one of the tests that run.
            sleep(Duration::from_millis(500));
            let after = self.scrape();
            let last = |samples: &Samples| {
                samples.of(
                    "knowbe4_exporter_collector_last_success_timestamp_seconds",
                    &["collector=\"recipients\""],
                )
            };
            if last(&read) == last(&after) {
                return after;
            }
        }
    }

    /// Waits until every collector has succeeded once; more recipients may follow.
    pub fn until_all_succeed(&mut self) -> Samples {
        self.until("all collectors succeed", |samples| {
            let success = samples.of("knowbe4_exporter_collector_success", &[]);
            success.iter().filter(|value| **value == 1.0).count() >= COLLECTORS
        })
    }

    /// Waits for a line of the log.
    pub fn until_logged(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < deadline, "never logged: {words}\n{}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// As kill -9 does.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited");
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.pid().to_string()])
            .status()
            .expect("kill");
        assert!(status.success());
    }

    /// Ends it as a service manager does, and waits for its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("waited") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it never ended");
            sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn own(samples: &Samples) -> String {
    let lines = samples.0.iter().filter(|(series, value)| {
        series.starts_with("knowbe4_exporter_collector_success")
            || (series.contains("_failures_total") && **value > 0.0)
    });
    lines
        .map(|(series, value)| format!("{series} {value}\n"))
        .collect()
}

/// `... address=127.0.0.1:1234 ...` of the line that says so, or the same in JSON.
fn listening(line: &str) -> Option<SocketAddr> {
    let said = line.contains("listening") || line.contains("simulating");
    let behind = line.split("address").nth(1).filter(|_| said)?;
    behind
        .trim_start_matches(['=', ':', '"'])
        .split([' ', ',', '"'])
        .next()?
        .parse()
        .ok()
}

pub fn command(arguments: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    for name in [
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "STATE_DIRECTORY",
        "CREDENTIALS_DIRECTORY",
    ] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command
        .args(arguments)
        .envs(env.iter().copied())
        .stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str], env: &[(&str, &str)]) -> Output {
    command(arguments, env).output().expect("ran")
}

/// The simulated API in a process of its own.
pub fn simulate(arguments: &[&str]) -> Program {
    let mut all = vec!["simulate", "--listen", "127.0.0.1:0"];
    all.extend(arguments);
    Program::start(&all, &[])
}

/// What the simulated API was asked so far: path with query, and status.
pub fn asked(simulator: &Program) -> Vec<(String, u64)> {
    let log = simulator.get("/_simulator/requests").json();
    let requests = log["requests"].as_array().expect("requests").clone();
    requests
        .iter()
        .map(|request| {
            let path = request["path"].as_str().unwrap_or_default();
            let query = request["query"].as_str().unwrap_or_default();
            (
                format!("{path}?{query}"),
                request["status"].as_u64().unwrap_or_default(),
            )
        })
        .collect()
}

/// An exporter's folder: configuration, key and storage.
pub struct Site {
    pub dir: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    /// One account `acme` at `base_url`; `more` is YAML below the account, four spaces deep.
    pub fn configure(&self, base_url: &str, more: &str) {
        self.write("key", "test-key-Zq");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(self.path("key"), private).expect("private");
        let file = format!(
            "accounts:\n  - name: acme\n    base_url: {base_url}\n    api_key_file: key\n    budget: {{ requests_per_day: 100000, share: 1, requests_per_minute: 6000, requests_per_second: 100 }}\n{more}"
        );
        self.write("config.yml", &file);
    }

    pub fn arguments(&self) -> Vec<String> {
        vec![
            format!("--config.file={}", self.path("config.yml").display()),
            format!("--storage.path={}", self.path("data").display()),
            "--web.listen-address=127.0.0.1:0".to_owned(),
        ]
    }

    pub fn serve(&self) -> Program {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, more: &[&str]) -> Program {
        let arguments = self.arguments();
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.extend(more);
        Program::start(&arguments, &[])
    }

    pub fn run(&self, more: &[&str]) -> Output {
        let arguments = self.arguments();
        let mut all: Vec<&str> = more.to_vec();
        all.extend(arguments.iter().map(String::as_str));
        run(&all, &[])
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .expect("bound")
        .local_addr()
        .expect("address")
        .port()
}

/// Whether a tool is there; in CI its absence is a failure, elsewhere a loud skip.
pub fn has(tool: &str, install: &str) -> bool {
    let found = optional(tool, install);
    assert!(
        found || std::env::var_os("REQUIRE_OUTSIDE_COMPONENTS").is_none(),
        "{tool} is missing; {install}"
    );
    found
}

/// Whether a tool is there that can't be had everywhere; its absence is a loud skip.
pub fn optional(tool: &str, install: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if !found {
        eprintln!("skipped: {tool} is missing; {install}");
    }
    found
}

pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            files.extend(files_below(&entry));
        } else {
            files.push(entry);
        }
    }
    files
}
