//! Files that don't answer, and file systems that can't do what others can.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::shim;
use super::support::{COLLECTORS, Site, asked, command, simulate};

#[test]
fn a_key_file_that_hangs_stops_nothing() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(
        &simulator.url(),
        "    collectors: { account: { interval: 1s } }\n",
    );
    let mut exporter = site.serve();
    exporter.until_complete();
    fs::remove_file(site.path("key")).unwrap();
    let made = Command::new("mkfifo").arg(site.path("key")).status().unwrap();
    assert!(made.success());
    exporter.until_logged("the key can't be read again, the one in use stays");
    let sent = asked(&simulator).len();
    exporter.until("it goes on polling", |_| asked(&simulator).len() >= sent + 3);
    assert_eq!(exporter.log().matches("the one in use stays").count(), 1);
    assert_eq!(exporter.get("/-/healthy").status, 200);
    let begun = Instant::now();
    assert_eq!(exporter.terminate(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// `once` on a machine with these oddities: exit code and what it says.
fn once(site: &Site, oddities: &[(&str, &str)]) -> (Option<i32>, String) {
    let library = shim(site.dir.path());
    let arguments = site.arguments();
    let mut all = vec!["once"];
    all.extend(arguments.iter().map(String::as_str));
    let env = [&[("LD_PRELOAD", library.to_str().unwrap())], oddities].concat();
    let output = command(&all, &env).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_file_system_without_locks_is_named_as_that() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    // ENOLCK, EOPNOTSUPP.
    for number in ["37", "95"] {
        let (code, said) = once(&site, &[("ODD_FLOCK", number)]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("has no locks") && said.contains("local disk"),
            "{said}"
        );
        assert!(!said.contains("may write"), "{said}");
    }
    assert!(asked(&simulator).is_empty());
}

#[test]
fn a_file_system_that_cannot_sync_folders_is_good_enough() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    // EINVAL, ENOTSUP.
    for number in ["22", "95"] {
        let (code, said) = once(&site, &[("ODD_FOLDER_SYNC", number)]);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said.matches("can't sync folders").count(), 1, "{said}");
    }
}

#[test]
fn check_beside_a_running_exporter_says_what_that_saw_and_asks_nothing() {
    let simulator = simulate(&["--fault=403:endpoint=training/policies"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    exporter.until("all but one succeed", |samples| {
        samples.sum("knowbe4_exporter_collector_success", &[]) >= (COLLECTORS - 1) as f64
            && samples.get("knowbe4_phishing_tests_unread", &[]) == Some(0.0)
    });
    let sent = asked(&simulator).len();
    let output = site.run(&["check", "--connect"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("nothing is asked besides")
            && said.contains("users: ok, ")
            && said.contains("policies: FAILED (forbidden)"),
        "{said}"
    );
    assert_eq!(asked(&simulator).len(), sent);
}

#[test]
fn a_folder_of_authorities_that_hangs_is_named_at_the_start() {
    let site = Site::new();
    site.configure("https://127.0.0.1:9", "");
    let hung = site.path("authorities").display().to_string();
    fs::create_dir(&hung).unwrap();
    let begun = Instant::now();
    let (code, said) = once(&site, &[("ODD_HUNG_FOLDER", &hung), ("SSL_CERT_DIR", &hung)]);
    assert_eq!(code, Some(64), "{said}");
    assert!(
        said.contains(&format!(
            "SSL_CERT_DIR: cannot read {hung}: didn't answer within 5 s"
        )),
        "{said}"
    );
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
