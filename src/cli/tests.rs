//! What a shell, a compose file and a pod may say.

use std::collections::BTreeMap;

use super::*;
use crate::telemetry::{LogFormat, LogLevel};

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn typed(words: &str) -> Result<Cli, Exit> {
    with(words, &[])
}

fn with(words: &str, pairs: &[(&str, &str)]) -> Result<Cli, Exit> {
    parse(
        std::iter::once("knowbe4-exporter").chain(words.split_whitespace()),
        &env(pairs),
    )
}

fn refused(words: &str, pairs: &[(&str, &str)]) -> String {
    let exit = with(words, pairs).expect_err(words);
    assert_eq!(exit.code(), 64, "{words}");
    exit.to_string()
}

fn listen(cli: &Cli) -> Vec<String> {
    cli.options.listen.iter().map(ToString::to_string).collect()
}

#[test]
fn the_grammar_is_sound() {
    variables::document(Typed::command()).debug_assert();
}

#[test]
fn nothing_typed_is_serve_with_the_defaults() {
    let cli = typed("").expect("serve");
    assert_eq!(cli.command, Command::Serve);
    assert_eq!(listen(&cli), [":10524"]);
    let options = cli.options;
    assert_eq!(options.telemetry_path.as_str(), "/metrics");
    assert_eq!(options.config_file, None);
    assert_eq!(options.web_config_file, None);
    assert_eq!(options.storage_path, None);
    assert!(!options.enable_lifecycle);
    assert_eq!(
        (options.log_level, options.log_format),
        (LogLevel::Info, LogFormat::Text)
    );
    assert_eq!((options.shard, options.total_shards), (0, 1));
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    for words in [
        "--config.file x.yaml --log.level=debug check --connect",
        "check --connect --config.file=x.yaml --log.level debug",
        "--log.level debug check --config.file x.yaml --connect",
    ] {
        let cli = typed(words).expect(words);
        assert_eq!(cli.options.config_file, Some("x.yaml".into()), "{words}");
        assert_eq!(cli.options.log_level, LogLevel::Debug, "{words}");
        assert_eq!(
            cli.command,
            Command::Check(CheckArgs {
                connect: true,
                shapes: false
            }),
            "{words}"
        );
    }
}

#[test]
fn listen_addresses_repeat_and_a_variable_parts_them_with_commas() {
    let cli = typed("--web.listen-address :1 --web.listen-address=[::1]:2").expect("two");
    assert_eq!(listen(&cli), [":1", "[::1]:2"]);
    let said = [("KNOWBE4_EXPORTER_WEB_LISTEN_ADDRESS", ":3,127.0.0.1:4")];
    assert_eq!(
        listen(&with("health", &said).expect("env")),
        [":3", "127.0.0.1:4"]
    );
    assert_eq!(
        listen(&with("health --web.listen-address :5", &said).expect("flag")),
        [":5"]
    );
    assert_eq!(
        listen(&with("--web.listen-address :5 health", &said).expect("flag")),
        [":5"]
    );
}

#[test]
fn every_flag_has_its_variable_and_the_flag_goes_first() {
    let all = [
        ("KNOWBE4_EXPORTER_CONFIG_FILE", "/etc/x.yaml"),
        ("KNOWBE4_EXPORTER_WEB_TELEMETRY_PATH", "/m"),
        ("KNOWBE4_EXPORTER_WEB_CONFIG_FILE", "web.yaml"),
        ("KNOWBE4_EXPORTER_WEB_ENABLE_LIFECYCLE", "1"),
        ("KNOWBE4_EXPORTER_STORAGE_PATH", "/data"),
        ("KNOWBE4_EXPORTER_LOG_LEVEL", "warn"),
        ("KNOWBE4_EXPORTER_LOG_FORMAT", "json"),
        ("KNOWBE4_EXPORTER_SHARD", "2"),
        ("KNOWBE4_EXPORTER_TOTAL_SHARDS", "3"),
        ("KNOWBE4_EXPORTER_ACCELERATE", "10"),
        ("KNOWBE4_EXPORTER_FAULT", ""),
    ];
    let cli = with("demo --log.level error", &all).expect("all");
    assert!(cli.warnings.is_empty(), "{:?}", cli.warnings);
    let options = cli.options;
    assert_eq!(options.config_file, Some("/etc/x.yaml".into()));
    assert_eq!(options.telemetry_path.as_str(), "/m");
    assert_eq!(options.web_config_file, Some("web.yaml".into()));
    assert!(options.enable_lifecycle);
    assert_eq!(options.storage_path, Some("/data".into()));
    assert_eq!(options.log_level, LogLevel::Error);
    assert_eq!(options.log_format, LogFormat::Json);
    assert_eq!((options.shard, options.total_shards), (2, 3));
    let Command::Demo(DemoArgs { organisation, .. }) = cli.command else {
        panic!("not a demo");
    };
    assert_eq!(organisation.accelerate, 10.0);
    assert!(organisation.fault.is_empty());
}

#[test]
fn booleans_in_variables_are_true_false_1_and_0() {
    const NAME: &str = "KNOWBE4_EXPORTER_WEB_ENABLE_LIFECYCLE";
    for (value, on) in [
        ("true", true),
        ("1", true),
        ("True", true),
        ("false", false),
        ("0", false),
        ("", false),
    ] {
        let cli = with("", &[(NAME, value)]).expect(value);
        assert_eq!(cli.options.enable_lifecycle, on, "{value}");
    }
    let text = refused("", &[(NAME, "maybe")]);
    assert!(
        text.contains("KNOWBE4_EXPORTER_WEB_ENABLE_LIFECYCLE is \"maybe\", expected true, false, 1 or 0"),
        "{text}"
    );
}

#[test]
fn a_wrong_variable_is_named() {
    let text = refused(
        "",
        &[
            ("KNOWBE4_EXPORTER_LOG_LEVEL", "loud"),
            ("KNOWBE4_EXPORTER_SHARD", "0"),
        ],
    );
    assert!(
        text.contains("loud") && text.contains("(from the environment: KNOWBE4_EXPORTER_LOG_LEVEL)"),
        "{text}"
    );
}

#[test]
fn an_unknown_variable_is_a_warning() {
    let cli = with(
        "",
        &[
            ("KNOWBE4_EXPORTER_LOG_LEVLE", "debug"),
            ("KNOWBE4_EXPORTER_NONSENSE", "1"),
            ("KNOWBE4_EXPORTER_SERVICE_HOST", "10.0.0.1"),
            ("KNOWBE4_EXPORTER_SERVICE_PORT_METRICS", "10524"),
            ("KNOWBE4_EXPORTER_PORT_10524_TCP_ADDR", "10.0.0.1"),
            ("KNOWBE4_API_KEY", "secret"),
        ],
    )
    .expect("serve");
    assert_eq!(
        cli.warnings,
        [
            "the environment variable KNOWBE4_EXPORTER_LOG_LEVLE is no flag's: did you mean KNOWBE4_EXPORTER_LOG_LEVEL?",
            "the environment variable KNOWBE4_EXPORTER_NONSENSE is no flag's and was ignored",
        ]
    );
}

#[test]
fn accelerate_takes_a_factor_or_none() {
    for (words, factor) in [
        ("simulate", 1.0),
        ("simulate --accelerate", 8640.0),
        ("simulate --accelerate 60", 60.0),
        ("simulate --accelerate=0.5 --seed 7", 0.5),
        ("simulate --accelerate --seed 7", 8640.0),
    ] {
        let Command::Simulate(args) = typed(words).expect(words).command else {
            panic!("{words}");
        };
        assert_eq!(args.organisation.accelerate, factor, "{words}");
        assert_eq!(args.listen.to_string(), "127.0.0.1:10525");
    }
    for bad in ["0", "-1", "inf", "NaN", "fast"] {
        refused(&format!("simulate --accelerate={bad}"), &[]);
    }
}

#[test]
fn commands_take_their_flags() {
    let Command::Plan(plan) = typed("plan --users 10 --phishing-tests 4 --store-purchases 1 --format json")
        .expect("plan")
        .command
    else {
        panic!("not a plan");
    };
    assert_eq!(
        (plan.users, plan.phishing_tests, plan.store_purchases),
        (Some(10), Some(4), Some(1))
    );
    assert_eq!((plan.policies, plan.format), (None, PlanFormat::Json));
    assert_eq!(
        typed("metrics --format markdown").expect("metrics").command,
        Command::Metrics(MetricsArgs {
            format: MetricsFormat::Markdown
        })
    );
    assert_eq!(
        typed("once --output x.prom").expect("once").command,
        Command::Once(OnceArgs {
            output: Some("x.prom".into())
        })
    );
    let Command::Simulate(args) = typed("simulate --fault 429 --fault=slow --dialect cursor --scenario calm")
        .expect("simulate")
        .command
    else {
        panic!("not a simulation");
    };
    assert_eq!(args.organisation.fault, ["429", "slow"]);
    assert_eq!(args.organisation.dialect.as_deref(), Some("cursor"));
    assert!(
        CheckArgs {
            connect: false,
            shapes: true
        }
        .connects()
    );
}

#[test]
fn wrong_usage_is_64() {
    for words in [
        "--no-such-flag",
        "no-such-command",
        "--api-key x",
        "--log.level loud",
        "--web.listen-address 10524",
        "--shard 1",
        "--shard 3 --total-shards 3",
        "--total-shards 0",
        "--shard -1",
        "plan --users many",
        "serve --connect",
        "--storage.url mysql://u@db/kb4",
    ] {
        refused(words, &[]);
    }
    for path in [
        "metrics",
        "/status",
        "/status/",
        "/sd",
        "/-/healthy",
        "/api/v1/status",
        "/m?x",
        "//m",
    ] {
        refused(&format!("--web.telemetry-path={path}"), &[]);
    }
    assert!(typed("--web.telemetry-path=/statuses").is_ok());
}

#[test]
fn no_message_shows_a_password() {
    for (words, pairs) in [
        ("--storage.url postgresql://u:hunter2@db/kb4", vec![]),
        ("--storage.url=postgresql://u@db/kb4?password=hunter2", vec![]),
        (
            "",
            vec![("KNOWBE4_EXPORTER_STORAGE_URL", "postgresql://u:hunter2@db/kb4")],
        ),
    ] {
        let text = refused(words, &pairs);
        assert!(!text.contains("hunter2") && text.contains("PGPASSFILE"), "{text}");
    }
}

#[test]
fn help_and_version_are_fine_and_name_the_variables() {
    for words in [
        "--help",
        "--version",
        "plan --help",
        "-h",
        "help",
        "help plan",
        "help help",
    ] {
        let exit = typed(words).expect_err(words);
        assert_eq!(exit.code(), 0, "{words}");
    }
    let help = typed("--help")
        .expect_err("help")
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        help.contains("[env: KNOWBE4_EXPORTER_WEB_LISTEN_ADDRESS]"),
        "{help}"
    );
    assert!(help.contains("KNOWBE4_API_KEY_FILE"), "{help}");
    assert!(!help.contains("KNOWBE4_EXPORTER_HELP"), "{help}");
    let (long, short) = (
        typed("plan --help").expect_err("help"),
        typed("help plan").expect_err("help"),
    );
    assert_eq!(long.to_string(), short.to_string());
    assert!(refused("help plna", &[]).contains("plna"));
    let version = typed("--version").expect_err("version").to_string();
    assert_eq!(
        version,
        format!("knowbe4-exporter {}\n", env!("CARGO_PKG_VERSION"))
    );
}
