//! The process: what its log says, what it tells of itself, how it ends.

use std::fs;

use crate::support::{Site, simulate};

#[test]
fn the_log_is_one_object_a_line_from_the_start_to_the_end() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve_with(&["--log.format=json"]);
    exporter.until_complete();
    let id = exporter.pid().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    exporter.until_logged("\"stopped\"");
    let log = exporter.log();
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect();
    let message = |line: &serde_json::Value| line["message"].as_str().unwrap().to_owned();
    assert_eq!(message(&lines[0]), "starting");
    assert_eq!(lines[0]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(message(lines.last().unwrap()), "stopped");
    for collector in ["account", "users", "enrollments"] {
        let refreshed = lines
            .iter()
            .filter(|line| line["collector"] == collector && message(line) == "refreshed");
        assert_eq!(refreshed.count(), 1, "{collector}: {log}");
    }
}

#[test]
fn a_failed_refresh_is_one_line_with_its_request_id() {
    let simulator = simulate(&["--fault", "500:endpoint=users"]);
    let site = Site::new();
    site.configure(
        &simulator.url(),
        "    collectors: { users: { min_interval: 1s } }\n",
    );
    let mut exporter = site.serve();
    let failures = "knowbe4_exporter_collector_failures_total";
    exporter.until("it failed twice", |samples| {
        samples.sum(failures, &["collector=\"users\"", "reason=\"server_error\""]) >= 1.0
    });
    exporter.until_logged("refresh failed");
    let log = exporter.log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("refresh failed"))
        .collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("request_id=\""), "{}", lines[0]);
    assert!(!log.contains("test-key-Zq"));
}

/// `NAME ... VALUE` of a file below `/proc/PID`.
fn number(text: &str, name: &str, field: usize) -> f64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line[name.len()..]
        .split_whitespace()
        .nth(field)
        .unwrap()
        .parse()
        .unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn it_says_of_itself_what_the_kernel_says() {
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let before = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let exporter = site.serve();
    let proc = format!("/proc/{}", exporter.pid());
    let samples = exporter.scrape();
    let value = |family| samples.get(family, &[]).unwrap_or_else(|| panic!("{family}"));
    let status = fs::read_to_string(format!("{proc}/status")).unwrap();
    for (family, name) in [
        ("process_resident_memory_bytes", "VmRSS:"),
        ("process_virtual_memory_bytes", "VmSize:"),
    ] {
        let kernel = number(&status, name, 0) * 1024.0;
        let ratio = value(family) / kernel;
        assert!((0.5..2.0).contains(&ratio), "{family} is {ratio} of {kernel}");
    }
    let fds = fs::read_dir(format!("{proc}/fd")).unwrap().count() as f64;
    let open = value("process_open_fds");
    assert!((open - fds).abs() <= 4.0, "{open} of {fds}");
    let limits = fs::read_to_string(format!("{proc}/limits")).unwrap();
    assert_eq!(value("process_max_fds"), number(&limits, "Max open files", 0));
    let started = value("process_start_time_seconds");
    assert!((started - before).abs() < 10.0, "{started} and {before}");
    let cpu = value("process_cpu_seconds_total");
    assert!((0.0..60.0).contains(&cpu), "{cpu}");
}
