//! Whole configurations: what is read, and what is told when something is wrong.
//!
//! `tests/config/*.bad.yaml` has one mistake each (and `many` many), with the exact message beside it in
//! `*.bad.txt`; `*.ok.yaml` has none, and its warnings, if any, are in `*.ok.txt`. `BLESS=1 cargo test --test config`
//! writes the texts anew, to be read before they are committed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use knowbe4_exporter::{
    Config, ConfigErrors, Env, KeySource, Loaded, ProcessEnv, SegmentAttribute,
    cli::{self, Options},
    model::{Collector, Region},
};

/// Stands in every key of the fixtures, and must never be shown.
const MARK: &str = "m4rked-s3cret";

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn options(words: &[&str]) -> Options {
    let words = std::iter::once("knowbe4-exporter").chain(words.iter().copied());
    cli::parse(words, &env(&[])).expect("flags").options
}

fn load_with(path: &Path, env: &dyn Env) -> Result<Loaded, ConfigErrors> {
    Config::load(&options(&["--config.file", &path.to_string_lossy()]), env)
}

fn load(path: &Path) -> Result<Loaded, ConfigErrors> {
    load_with(
        path,
        &env(&[
            ("ACME_KEY", "m4rked-s3cret-acme"),
            ("UMBRELLA_KEY", "m4rked-s3cret-umbrella"),
            ("ODD_KEY", "m4rked-s3cret in two words"),
        ]),
    )
}

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/config").join(format!("{name}.yaml"))
}

fn loaded(name: &str) -> Loaded {
    load(&fixture(name)).unwrap_or_else(|errors| panic!("{name}: {errors}"))
}

fn fixtures(ending: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir("tests/config")
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    assert!(paths.len() > 10, "{ending}: {}", paths.len());
    paths
}

/// Compares with the text beside the fixture; no file is an empty text.
fn differs(path: &Path, text: &str) -> Option<String> {
    let beside = path.with_extension("txt");
    if ProcessEnv.filled("BLESS").is_some() {
        if text.is_empty() {
            let _ = std::fs::remove_file(&beside);
        } else {
            std::fs::write(&beside, text).expect("written");
        }
    }
    let expected = std::fs::read_to_string(&beside).unwrap_or_default();
    (expected != text).then(|| format!("{}\nexpected:\n{expected}\nfound:\n{text}", path.display()))
}

#[test]
fn every_mistake_is_told_as_written_beside_it() {
    let wrong: Vec<String> = fixtures(".bad.yaml")
        .iter()
        .filter_map(|path| match load(path) {
            Ok(_) => Some(format!("{} was taken", path.display())),
            Err(errors) => {
                let shown = format!("{errors}\n{errors:?}");
                assert!(!shown.contains(MARK) && !shown.contains("eyJ"), "{shown}");
                let lines: Vec<String> = errors.mistakes().iter().map(ToString::to_string).collect();
                assert!(!lines.is_empty());
                assert!(errors.to_string().contains("\nhint: "), "{errors}");
                differs(path, &(lines.join("\n") + "\n"))
            }
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_right_is_taken_with_the_warnings_beside_it() {
    let wrong: Vec<String> = fixtures(".ok.yaml")
        .iter()
        .filter_map(|path| {
            let loaded = load(path).unwrap_or_else(|errors| panic!("{errors}"));
            assert!(!format!("{loaded:?}").contains(MARK), "{loaded:?}");
            // Whether everybody may read a fixture is git's choice, not ours.
            let warnings = loaded.warnings.iter().filter(|line| !line.contains("chmod"));
            differs(
                path,
                &warnings.map(|line| format!("{line}\n")).collect::<String>(),
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_contracts_example_means_what_it_says() {
    let config = loaded("contract.ok").config;
    assert_eq!(config.storage_path, Path::new("/var/lib/knowbe4-exporter"));
    assert_eq!(config.stale_after, Duration::from_secs(3 * 86_400));
    let account = &config.accounts[0];
    assert_eq!(account.name.as_str(), "acme");
    assert_eq!(account.base_url.as_str(), "https://eu.api.knowbe4.com");
    assert_eq!(account.region, Some(Region::Eu));
    assert_eq!(account.key, KeySource::File("tests/config/keys/acme".into()));
    assert_eq!(account.budget.per_day_limit(), 800);
    assert_eq!(account.budget.requests_per_minute, 45);
    assert_eq!(account.budget.requests_per_second, 4);
    let enrollments = account.collectors[Collector::Enrollments];
    assert!(enrollments.enabled);
    assert_eq!(enrollments.min_interval, Duration::from_secs(6 * 3600));
    assert_eq!(enrollments.max_interval, Duration::from_secs(86_400));
    assert_eq!(
        account.collectors[Collector::Users].min_interval,
        Duration::from_secs(300)
    );
    let windows: Vec<&str> = account
        .phishing
        .windows
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    assert_eq!(windows, ["30d", "90d", "365d"]);
    assert_eq!(account.phishing.max_tests, 500);
    assert!(!account.phishing.callback);
    assert_eq!(account.phishing.recipients_share, 0.1);
    assert!(account.groups.matches("All") && account.groups.min_size == 1);
    assert_eq!(
        account.segments,
        [SegmentAttribute::Department, SegmentAttribute::Location]
    );
    assert_eq!(account.segment_min_size, 5);

    // Every value of the example but the interval and the segments is the default as well.
    let minimal = loaded("minimal.ok").config;
    let mut same = account.clone();
    same.region = Some(Region::Us);
    same.base_url = Region::Us.into();
    same.key = KeySource::Env("ACME_KEY".to_owned());
    same.segments = Vec::new();
    same.collectors[Collector::Enrollments].min_interval = Duration::from_secs(300);
    assert_eq!(minimal.accounts, [same]);
    assert_eq!(minimal.storage_path, Path::new("./data"));
}

#[test]
fn accounts_lie_over_defaults_field_by_field() {
    let config = loaded("layers.ok").config;
    assert_eq!(config.storage_path, Path::new("tests/config/state"));
    assert_eq!(config.stale_after, Duration::from_secs(30 * 86_400));
    let [acme, umbrella] = &config.accounts[..] else {
        panic!("{config:?}");
    };
    assert_eq!(
        (acme.region, acme.base_url.as_str()),
        (None, "https://proxy.example/kb4")
    );
    assert_eq!(
        (umbrella.region, umbrella.base_url.as_str()),
        (Some(Region::Uk), "https://uk.api.knowbe4.com")
    );
    assert_eq!((acme.budget.requests_per_day, acme.budget.share), (3000, 0.5));
    assert_eq!(
        (umbrella.budget.requests_per_day, umbrella.budget.share),
        (3000, 1.0)
    );
    let six = Duration::from_secs(6 * 3600);
    for (account, weight) in [(acme, 1.0), (umbrella, 3.5)] {
        let enrollments = account.collectors[Collector::Enrollments];
        assert_eq!((enrollments.weight, enrollments.min_interval), (weight, six));
    }
    assert!(!acme.collectors[Collector::Policies].enabled);
    let policies = umbrella.collectors[Collector::Policies];
    assert!(policies.enabled);
    assert_eq!(policies.interval, Some(Duration::from_secs(7 * 86_400)));
    for account in [acme, umbrella] {
        assert_eq!(
            account.phishing.windows,
            [("7d".to_owned(), Duration::from_secs(7 * 86_400))]
        );
        assert_eq!(account.groups.min_size, 5);
    }
    assert!(!acme.phishing.callback && umbrella.phishing.callback);
    assert!(!acme.groups.matches("Test 1") && umbrella.groups.matches("Test 1"));
    assert_eq!(acme.segments, [SegmentAttribute::Department]);
    assert!(umbrella.segments.is_empty());
}

#[test]
fn a_bound_that_nobody_wrote_gives_way() {
    let account = &loaded("bounds_nobody_wrote.ok").config.accounts[0];
    let users = account.collectors[Collector::Users];
    assert_eq!(
        (users.min_interval, users.max_interval),
        (Duration::from_secs(2 * 86_400), Duration::from_secs(2 * 86_400))
    );
    let groups = account.collectors[Collector::Groups];
    assert_eq!(
        (groups.min_interval, groups.max_interval),
        (Duration::from_secs(60), Duration::from_secs(60))
    );
}

#[test]
fn one_account_needs_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("knowbe4_api_key");
    std::fs::write(&key, "m4rked-s3cret\n").expect("written");
    let (key, folder) = (
        key.to_string_lossy().into_owned(),
        folder.path().to_string_lossy().into_owned(),
    );
    let variable = KeySource::Env("KNOWBE4_API_KEY".to_owned());
    let us = "https://us.api.knowbe4.com";
    for (pairs, name, url, source) in [
        (vec![("KNOWBE4_API_KEY", MARK)], "default", us, variable.clone()),
        (
            vec![("KNOWBE4_API_KEY_FILE", &*key)],
            "default",
            us,
            KeySource::File(key.clone().into()),
        ),
        (
            vec![("CREDENTIALS_DIRECTORY", &*folder)],
            "default",
            us,
            KeySource::Credential("knowbe4_api_key".to_owned()),
        ),
        (
            vec![
                ("KNOWBE4_API_KEY", MARK),
                ("KNOWBE4_REGION", "de"),
                ("KNOWBE4_ACCOUNT", "acme"),
                ("KNOWBE4_API_KEY_FILE", ""),
            ],
            "acme",
            "https://de.api.knowbe4.com",
            variable.clone(),
        ),
        (
            vec![
                ("KNOWBE4_API_KEY", MARK),
                ("KNOWBE4_REGION", "EU"),
                ("KNOWBE4_BASE_URL", "http://localhost:1/x/"),
            ],
            "default",
            "http://localhost:1/x",
            variable,
        ),
    ] {
        let loaded =
            Config::load(&options(&[]), &env(&pairs)).unwrap_or_else(|errors| panic!("{pairs:?}: {errors}"));
        let [account] = &loaded.config.accounts[..] else {
            panic!("{loaded:?}");
        };
        assert_eq!((account.name.as_str(), account.base_url.as_str()), (name, url));
        assert_eq!(account.key, source);
        assert!(account.key.read(&env(&pairs)).is_ok());
        assert!(!format!("{loaded:?}").contains(MARK));
    }
}

#[test]
fn without_a_file_every_wrong_variable_is_told() {
    for (pairs, expected) in [
        (
            vec![],
            vec![
                "KNOWBE4_API_KEY: not set, and neither is KNOWBE4_API_KEY_FILE, expected one of them to hold or to \
                  name the key of the KnowBe4 Reporting API (console: Account Settings > Account Integrations > API), or --config.file",
            ],
        ),
        (
            vec![
                ("KNOWBE4_API_KEY", "m4rked-s3cret"),
                ("KNOWBE4_API_KEY_FILE", "/x"),
            ],
            vec!["KNOWBE4_API_KEY: KNOWBE4_API_KEY_FILE is set as well, expected one of the two"],
        ),
        (
            vec![("KNOWBE4_API_KEY", "m4rked-s3cret and more")],
            vec![
                "KNOWBE4_API_KEY: no key in the environment variable \"KNOWBE4_API_KEY\": the key has characters that \
                  no API key has: expected one line of printable ASCII without spaces",
            ],
        ),
        (
            vec![
                ("KNOWBE4_API_KEY_FILE", "/no/such/file"),
                ("KNOWBE4_REGION", "FR"),
                ("KNOWBE4_BASE_URL", "https://u:m4rked-s3cret@x"),
                ("KNOWBE4_ACCOUNT", "Acme Inc"),
            ],
            vec![
                "KNOWBE4_API_KEY_FILE: cannot read the key from the file \"/no/such/file\": No such file or directory (os error 2)",
                "KNOWBE4_REGION: found \"FR\", expected US, EU, CA, UK or DE, which the console's address tells: training.knowbe4.com \
                 is US, eu.knowbe4.com is EU, and so on",
                "KNOWBE4_BASE_URL: expected a URL without user name and password (not shown): KnowBe4 takes a key, which \
                 api_key_file or api_key_env names",
                "KNOWBE4_ACCOUNT: found \"Acme Inc\", expected 1 to 64 characters of a-z, 0-9, _ and -",
            ],
        ),
        (
            vec![
                ("KNOWBE4_API_KEY", "\"m4rked-s3cret\""),
                ("KNOWBE4_BASE_URL", "https://eu.api.knowbe4.com/v1"),
            ],
            vec![
                "KNOWBE4_API_KEY: no key in the environment variable \"KNOWBE4_API_KEY\": the key stands in quotes or \
                 brackets, or behind a name and =: expected the bare key alone",
                "KNOWBE4_BASE_URL: expected the URL without /v1 at its end, which every request appends",
            ],
        ),
        (
            vec![
                ("KNOWBE4_APIKEY", MARK),
                ("KNOWBE4_API_TOKEN", MARK),
                ("KNOWBE4_EXPORTER_X", "1"),
            ],
            vec![
                "KNOWBE4_API_KEY: not set, and neither is KNOWBE4_API_KEY_FILE, expected one of them to hold or to \
                 name the key of the KnowBe4 Reporting API (console: Account Settings > Account Integrations > API), or --config.file",
                "KNOWBE4_APIKEY: no such variable, did you mean KNOWBE4_API_KEY?",
                "KNOWBE4_API_TOKEN: no such variable, did you mean KNOWBE4_API_KEY?",
            ],
        ),
        (
            vec![("KNOWBE4_API_KEY_FILE", "eyJhbGciOiJIUzUxMiJ9.m4rked-s3cret")],
            vec![
                "KNOWBE4_API_KEY_FILE: cannot read the key from the file (not shown, as it may be a key): No such file or directory (os error 2)",
            ],
        ),
    ] {
        let errors = Config::load(&options(&[]), &env(&pairs)).expect_err("a mistake");
        let lines: Vec<String> = errors.mistakes().iter().map(ToString::to_string).collect();
        assert_eq!(lines, expected);
        assert!(!format!("{errors} {errors:?}").contains(MARK));
        assert!(errors.to_string().contains("\nhint: "), "{errors}");
    }
}

#[test]
fn what_sends_nothing_needs_no_key() {
    let loaded = Config::load_without_keys(&options(&[]), &env(&[("KNOWBE4_REGION", "EU")])).expect("loaded");
    assert_eq!(loaded.config.accounts[0].region, Some(Region::Eu));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.yaml");
    let words = ["--config.file", &path.to_string_lossy()];
    for key in [
        "api_key_file: /no/such/file",
        "api_key_env: NOBODYS_KEY",
        "region: US",
    ] {
        std::fs::write(&path, format!("accounts: [{{ name: acme, {key} }}]")).expect("written");
        let loaded = Config::load_without_keys(&options(&words), &env(&[])).expect("loaded");
        assert_eq!(loaded.config.accounts.len(), 1);
        assert!(load(&path).is_err(), "{key}");
    }
    // What is wrong besides is told all the same.
    for wrong in ["api_key: m4rked-s3cret", "api_key_file: [x]", "region: FR"] {
        std::fs::write(&path, format!("accounts: [{{ name: acme, {wrong} }}]")).expect("written");
        let errors = Config::load_without_keys(&options(&words), &env(&[])).expect_err(wrong);
        assert!(!errors.to_string().contains(MARK));
    }
}

#[test]
fn the_file_goes_before_the_variables_of_one_account() {
    let path = fixture("minimal.ok");
    let said = env(&[
        ("ACME_KEY", "x"),
        ("KNOWBE4_API_KEY", MARK),
        ("KNOWBE4_REGION", "EU"),
    ]);
    let loaded = load_with(&path, &said).expect("loaded");
    assert_eq!(loaded.config.accounts[0].region, Some(Region::Us));
    assert_eq!(
        loaded.warnings,
        [
            "KNOWBE4_API_KEY, KNOWBE4_REGION in the environment: not used, since the accounts come from tests/config/minimal.ok.yaml"
        ]
    );
    let said = env(&[("ACME_KEY", "x")]);
    assert!(load_with(&path, &said).expect("loaded").warnings.is_empty());
}

#[test]
fn the_storage_path_is_the_flags_then_the_files_then_systemds() {
    let file = fixture("contract.ok");
    let file = file.to_string_lossy();
    let minimal = fixture("minimal.ok");
    let minimal = minimal.to_string_lossy();
    let systemd = "/var/lib/first:/var/lib/second";
    for (words, state, expected) in [
        (
            vec!["--config.file", &*file, "--storage.path", "/flag"],
            systemd,
            "/flag",
        ),
        (
            vec!["--config.file", &*file],
            systemd,
            "/var/lib/knowbe4-exporter",
        ),
        (vec!["--config.file", &*minimal], systemd, "/var/lib/first"),
        (vec!["--config.file", &*minimal], "", "./data"),
        (vec![], systemd, "/var/lib/first"),
    ] {
        let said = env(&[
            ("KNOWBE4_API_KEY", "x"),
            ("ACME_KEY", "x"),
            ("STATE_DIRECTORY", state),
        ]);
        let loaded = Config::load(&options(&words), &said).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(loaded.config.storage_path, Path::new(expected), "{words:?}");
    }
}

#[test]
fn a_database_comes_from_the_flag_a_file_or_a_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("url"),
        "postgresql://u:m4rked-s3cret@file/kb4\n",
    )
    .expect("written");
    let path = folder.path().join("x.yaml");
    let flag = "postgresql://u@flag/kb4";
    for (storage, words, expected) in [
        ("{ url_file: url }", vec![], Some("postgresql://u@file/kb4")),
        ("{ url_env: DATABASE }", vec![], Some("postgresql://variable/kb4")),
        ("{ url_env: DATABASE }", vec!["--storage.url", flag], Some(flag)),
        ("{ path: x }", vec!["--storage.url", flag], Some(flag)),
        ("{ url_file: url }", vec!["--storage.path", "y"], None),
        ("{ path: x }", vec![], None),
    ] {
        let text = format!("accounts: [{{ name: acme, api_key_env: ACME_KEY }}]\nstorage: {storage}\n");
        std::fs::write(&path, text).expect("written");
        let file = path.to_string_lossy();
        let words: Vec<&str> = ["--config.file", &file].into_iter().chain(words).collect();
        let said = env(&[
            ("ACME_KEY", "x"),
            ("DATABASE", "postgres://variable/kb4?password=m4rked-s3cret"),
        ]);
        let config = Config::load(&options(&words), &said)
            .unwrap_or_else(|errors| panic!("{errors}"))
            .config;
        assert!(!format!("{config:?}").contains(MARK), "{config:?}");
        assert_eq!(
            config.storage_url.map(|url| url.to_string()).as_deref(),
            expected,
            "{storage} {words:?}"
        );
    }
}

#[test]
fn a_file_that_hangs_is_a_mistake_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .expect("mkfifo");
    assert!(made.success());
    for (config, expected) in [
        (
            path.clone(),
            "pipe: cannot read the configuration: didn't answer within 5 s",
        ),
        (folder.path().join("x.yaml"), "cannot read the key from the file"),
    ] {
        std::fs::write(
            folder.path().join("x.yaml"),
            "accounts: [{ name: acme, api_key_file: pipe }]",
        )
        .expect("written");
        let errors = load(&config).expect_err("a mistake").to_string();
        assert!(
            errors.contains(expected) && errors.contains("didn't answer within 5 s"),
            "{errors}"
        );
    }
    // Another reading of a file that still hangs joins the first.
    let text = std::thread::spawn({
        let path = path.clone();
        move || std::fs::write(path, "accounts: [{ name: acme, api_key_env: ACME_KEY }]")
    });
    let loaded = load(&path).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(text.join().expect("joined").is_ok());
    assert!(
        loaded.warnings[0].ends_with("is a pipe and no regular file: a reload may find nothing in it"),
        "{:?}",
        loaded.warnings
    );
}

#[test]
fn files_that_are_none_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.yaml");
    let told = |expected: &str| {
        let errors = load(&path).expect_err("a mistake");
        let text = errors.mistakes()[0].to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.starts_with(&*path.to_string_lossy()), "{text}");
    };
    told("x.yaml: cannot read the configuration: No such file");
    std::fs::write(&path, b"accounts:\n  - \xff\n").expect("written");
    told("x.yaml:2: found bytes that are not UTF-8");
    std::fs::write(&path, " ".repeat((1 << 20) + 1)).expect("written");
    told("x.yaml: found more than 1048576 bytes");
    std::fs::write(&path, "[".repeat(1 << 20)).expect("written");
    told("x.yaml:1:256: found values nested too deeply");
    std::fs::create_dir(folder.path().join("y")).expect("a folder");
    assert!(load(&folder.path().join("y")).is_err());
}

#[test]
fn a_thousand_accounts_are_read_at_once_and_a_thousand_mistakes_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.yaml");
    let many = |key: &dyn Fn(usize) -> String| {
        let accounts = (0..1000).map(|i| format!("  - {{ name: customer-{i}, {}, region: EU }}\n", key(i)));
        format!("accounts:\n{}", accounts.collect::<String>())
    };
    let own_key = |i| {
        let key = folder.path().join(format!("key-{i}"));
        std::fs::write(&key, format!("key-of-customer-{i}")).expect("written");
        format!("api_key_file: key-{i}")
    };
    std::fs::write(&path, many(&own_key)).expect("written");
    let config = load(&path).expect("loaded").config;
    assert_eq!(config.accounts.len(), 1000);
    let parts: Vec<usize> = (0..4)
        .map(|i| config.clone().shard(i, 4).accounts.len())
        .collect();
    assert_eq!(parts.iter().sum::<usize>(), 1000);
    assert!(parts.iter().all(|part| (200..=300).contains(part)), "{parts:?}");

    std::fs::write(&path, many(&|_| "api_key_env: NOBODYS_KEY".to_owned())).expect("written");
    let errors = load(&path).expect_err("mistakes");
    assert_eq!(errors.mistakes().len(), 100);
    assert!(errors.to_string().contains("\nand 900 more\n"), "{errors}");
}

#[test]
fn a_key_that_everybody_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, "m4rked-s3cret").expect("written");
    let path = folder.path().join("x.yaml");
    std::fs::write(&path, "accounts:\n  - name: acme\n    api_key_file: key\n").expect("written");
    for (mode, warnings) in [(0o644, 1), (0o600, 0)] {
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).expect("set");
        let loaded = load(&path).expect("loaded");
        assert_eq!(loaded.warnings.len(), warnings, "{:?}", loaded.warnings);
        assert!(
            warnings == 0
                || loaded.warnings[0].contains("x.yaml:3:19: accounts[0].api_key_file: everybody may read")
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_panic(
        lines in proptest::collection::vec(
            "( {0,4}(- )?(name|region|api_key_env|budget|share|collectors|users|windows|phishing|segments|groups|include|defaults|accounts): ?(acme|EU|ACME_KEY|5|1\\.5|\\[30d\\]|\\{\\}|\\(|&a|\\*a|~)?)|[ -~]{0,12}",
            0..12,
        )
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.yaml");
        std::fs::write(&path, lines.join("\n")).expect("written");
        if let Err(errors) = load(&path) {
            assert!(!errors.mistakes().is_empty());
        }
    }
}
