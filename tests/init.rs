//! `init` over the simulated API: the files that it writes are taken by the programs they are for.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::fs;

use support::{Site, asked, run, simulate};

#[test]
fn it_tries_the_key_and_writes_what_check_takes() {
    let simulator = simulate(&[]);
    let site = Site::new();
    let key = site.write("key", "secret-key\n");
    let out = site.path("out");
    let url = simulator.url();
    let arguments = [
        "init",
        "--output",
        out.to_str().unwrap(),
        "--account",
        "acme",
        "--base-url",
        &url,
        "--key-file",
        key.to_str().unwrap(),
        "--requests-per-day",
        "2500",
        "--others",
        "much",
        "--target",
        "other",
        "--prometheus",
        "here",
    ];
    let done = run(&arguments, &[]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}\n{errors}");
    assert!(
        said.contains("of 1250 used in 24 hours"),
        "the budget of the answers: {said}"
    );
    let spent = asked(&simulator).len();
    assert!((1..=20).contains(&spent), "{spent} requests");

    let config = out.join("knowbe4.yml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(!text.contains("secret-key") && text.contains("# "), "{text}");
    let storage = out.join("data");
    let checked = run(
        &[
            "check",
            "--config.file",
            config.to_str().unwrap(),
            "--storage.path",
            storage.to_str().unwrap(),
        ],
        &[],
    );
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let scrape = fs::read_to_string(out.join("prometheus-knowbe4.yml")).unwrap();
    assert!(
        scrape.contains("localhost:10524") && scrape.contains("honor_labels: true"),
        "{scrape}"
    );

    // A second time it would overwrite: nothing is asked, nothing written.
    let again = run(&arguments, &[]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("knowbe4.yml"));
    assert_eq!(asked(&simulator).len(), spent);
    assert_eq!(fs::read_to_string(&config).unwrap(), text);
}

#[test]
fn a_key_that_is_refused_is_said_and_the_files_are_there() {
    let simulator = simulate(&["--fault", "401"]);
    let site = Site::new();
    let key = site.write("key", "wrong\n");
    let out = site.path("out");
    let url = simulator.url();
    let done = run(
        &[
            "init",
            "--output",
            out.to_str().unwrap(),
            "--base-url",
            &url,
            "--key-file",
            key.to_str().unwrap(),
            "--target",
            "other",
        ],
        &[],
    );
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(
        done.status.code(),
        Some(1),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(said.contains("refused everywhere"), "{said}");
    assert!(out.join("knowbe4.yml").exists());
}

#[test]
fn a_unit_and_values_are_made_of_those_of_the_packages_and_the_chart() {
    let site = Site::new();
    let key = site.write("key", "secret-key\n");
    for (target, file, wanted) in [
        ("systemd", "knowbe4-exporter.service", "LoadCredential=acme:/"),
        (
            "kubernetes",
            "values.yaml",
            "existingSecret: { name: knowbe4, key: acme }",
        ),
    ] {
        let out = site.path(target);
        let done = run(
            &[
                "init",
                "--output",
                out.to_str().unwrap(),
                "--account",
                "acme",
                "--region",
                "eu",
                "--key-file",
                key.to_str().unwrap(),
                "--target",
                target,
                "--no-connect",
            ],
            &[],
        );
        assert_eq!(
            done.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert!(text.contains(wanted), "{text}");
        assert!(!text.contains("secret-key"));
    }
    let config = fs::read_to_string(site.path("systemd").join("knowbe4.yml")).unwrap();
    assert!(
        config.contains("api_key_credential: acme") && config.contains("region: EU"),
        "{config}"
    );
    let unit = fs::read_to_string(site.path("systemd").join("knowbe4-exporter.service")).unwrap();
    assert!(
        unit.contains("--config.file=/etc/knowbe4-exporter/knowbe4.yml --web.listen-address=127.0.0.1:10524"),
        "{unit}"
    );
}
