//! What an operator gets wrong: each ends the start with cause and cure, and without a password.

use std::process::Output;

use crate::postgres::Postgres;
use crate::support::{free_port, run, simulate};

fn start(site: &crate::support::Site, url: &str, env: &[(&str, &str)]) -> Output {
    let config = format!("--config.file={}", site.path("config.yml").display());
    let url = format!("--storage.url={url}");
    run(&[&config, &url, "--web.listen-address=127.0.0.1:0"], env)
}

#[test]
fn each_mistake_has_its_cause_and_its_cure() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&[]);
    let site = crate::site(&simulator, 1, "");
    postgres.ask("CREATE ROLE nothing LOGIN");
    let gone = format!("postgresql://kb4@127.0.0.1:{}/kb4", free_port());
    let other = format!("postgresql://kb4@127.0.0.1:{}/elsewhere", postgres.port);
    let verified = format!("{}?sslmode=verify-full", postgres.url());
    let odd = format!("{}?sslmode=sometimes", postgres.url());
    for (url, env, code, words) in [
        (
            gone,
            vec![],
            1,
            &["can't be used", "can be reached from here"][..],
        ),
        (
            other,
            vec![],
            1,
            &["\"elsewhere\" does not exist", "create the database"],
        ),
        (
            postgres.url_of("nobody"),
            vec![],
            1,
            &["\"nobody\" does not exist", "check user and password"],
        ),
        (
            postgres.url_of("nothing"),
            vec![],
            1,
            &["permission denied", "docs/replicas.md"],
        ),
        (verified, vec![], 1, &["can't be used", "sslmode"]),
        (odd, vec![], 64, &["sslmode=sometimes", "verify-full"]),
        (
            postgres.url(),
            vec![("PGSSLMODE", "verify-ca"), ("PGSSLROOTCERT", "/nowhere.pem")],
            64,
            &["/nowhere.pem"],
        ),
    ] {
        let output = start(&site, &url, &env);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{url}: {said}");
        for word in words {
            assert!(said.contains(word), "{url}: {word:?} is not in {said}");
        }
    }
}

#[test]
fn tables_of_a_newer_version_stay_untouched() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&[]);
    let site = crate::site(&simulator, 1, "");
    drop(crate::replica(&site, &postgres));
    postgres.ask("UPDATE knowbe4_exporter.meta SET version = 99, oldest = 99");
    let output = start(&site, &postgres.url(), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("version 99") && said.contains("run the newer exporter"),
        "{said}"
    );
}

#[test]
fn the_privileges_that_the_documentation_lists_are_enough() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    let site = crate::site(
        &simulator,
        1,
        "    collectors: { recipients: { enabled: false } }\n",
    );
    let once = |user: &str| {
        let config = format!("--config.file={}", site.path("config.yml").display());
        let url = format!("--storage.url={}", postgres.url_of(user));
        let output = run(&["once", &config, &url], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let served = String::from_utf8_lossy(&output.stdout).contains("knowbe4_account_seats{");
        (output.status.code(), served, said)
    };
    postgres.ask("CREATE ROLE maker LOGIN");
    postgres.ask("GRANT CREATE ON DATABASE kb4 TO maker");
    let (code, served, said) = once("maker");
    assert!(code == Some(0) && served, "{said}");
    postgres.ask("CREATE ROLE limited LOGIN");
    for grant in [
        "USAGE ON SCHEMA knowbe4_exporter",
        "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA knowbe4_exporter",
        "USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA knowbe4_exporter",
    ] {
        postgres.ask(&format!("GRANT {grant} TO limited"));
    }
    // What the first has spent is the second's as well, and its data.
    let (code, served, said) = once("limited");
    assert!(code == Some(0) && served, "{said}");
}
