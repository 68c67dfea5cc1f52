//! The commands and the flags that are theirs alone.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::init::InitArgs;
use crate::database_url::{DatabaseUrl, DatabaseUrlError};

/// A simulated day in ten seconds: what a bare `--accelerate` means.
const DAY_IN_TEN_SECONDS: &str = "8640";

/// What is to be done. A command that isn't built doesn't exist.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Poll KnowBe4 in the background and serve /metrics (the default)
    Serve,
    /// Serve a simulated organisation: needs no key, no network, no configuration
    Demo(DemoArgs),
    /// Serve only the simulated KnowBe4 API
    Simulate(SimulateArgs),
    /// Write a configuration, a unit or values, and what Prometheus needs, by asking; tries the key
    Init(InitArgs),
    /// Validate the configuration and print every mistake at once
    Check(CheckArgs),
    /// Forecast the requests without sending one; exit 3 when they don't fit the budget
    Plan(PlanArgs),
    /// Run every collector once and write the metrics; exit 1 when one failed
    Once(OnceArgs),
    /// Write the history that the API has, for `promtool tsdb create-blocks-from openmetrics`
    Backfill(BackfillArgs),
    /// Take accounts from one storage to another
    Storage(StorageArgs),
    /// Write the dashboards, alert rules, rule tests and runbooks that the binary carries
    Assets(AssetsArgs),
    /// List every metric: name, type, unit, labels, collector, help
    Metrics(MetricsArgs),
    /// Ask the running exporter whether it is healthy; exit 0 or 1
    Health,
    /// Read a password from standard input and print its bcrypt hash, for basic_auth_users of the web configuration
    HashPassword,
}

/// The organisation to simulate. What is [`None`] or empty is the simulator's to choose; it reads the words.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct OrganisationArgs {
    /// Same seed, same organisation
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Active users
    #[arg(long, value_name = "N")]
    pub users: Option<u64>,
    /// Training enrollments
    #[arg(long, value_name = "N")]
    pub enrollments: Option<u64>,
    /// Groups
    #[arg(long, value_name = "N")]
    pub groups: Option<u64>,
    /// How the API answers: brief, recorded or cursor
    #[arg(long, value_name = "DIALECT")]
    pub dialect: Option<String>,
    /// How the organisation evolves
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Simulated seconds a second; without a number a day in ten seconds
    #[arg(
        long,
        value_name = "FACTOR",
        num_args = 0..=1,
        default_value = "1",
        default_missing_value = DAY_IN_TEN_SECONDS,
        value_parser = factor
    )]
    pub accelerate: f64,
    /// What goes wrong; repeatable
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
}

/// Flags of `simulate`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SimulateArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:10525")]
    pub listen: exporter_web::ListenAddress,
    /// The organisation behind it.
    #[command(flatten)]
    pub organisation: OrganisationArgs,
}

/// What is to be done with storages.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct StorageArgs {
    /// Which of it.
    #[command(subcommand)]
    pub command: StorageCommand,
}

/// The commands below `storage`.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum StorageCommand {
    /// Copy the configured accounts with all that they have spent: from or to the configured storage, which nobody else may use meanwhile
    Copy(CopyArgs),
}

/// Flags of `storage copy`.
#[derive(Debug, Clone, PartialEq, Args)]
#[group(required = true, multiple = false)]
pub struct CopyArgs {
    /// Directory or PostgreSQL URL to copy from, into the configured storage
    #[arg(long, value_name = "PLACE", value_parser = StoragePlace::parse)]
    pub from: Option<StoragePlace>,
    /// Directory or PostgreSQL URL to copy to, out of the configured storage
    #[arg(long, value_name = "PLACE", value_parser = StoragePlace::parse)]
    pub to: Option<StoragePlace>,
}

/// Where accounts may be kept.
#[derive(Debug, Clone, PartialEq)]
pub enum StoragePlace {
    /// A directory.
    Path(PathBuf),
    /// A database.
    Url(DatabaseUrl),
}

impl StoragePlace {
    fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        if text.contains("://") {
            DatabaseUrl::without_password(text).map(Self::Url)
        } else {
            Ok(Self::Path(text.into()))
        }
    }
}

/// Flags of `check`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct CheckArgs {
    /// Try each account's key on each collector's endpoint and explain every failure; costs requests of the budget
    #[arg(long)]
    pub connect: bool,
    /// Show the shape of the answers, without a value, for a bug report; implies --connect
    #[arg(long)]
    pub shapes: bool,
}

impl CheckArgs {
    /// Whether requests are to be sent.
    pub fn connects(&self) -> bool {
        self.connect || self.shapes
    }
}

/// Flags of `plan`: the sizes of an account that was never polled, and another budget.
#[derive(Debug, Clone, Copy, PartialEq, Args)]
pub struct PlanArgs {
    /// Active users
    #[arg(long, value_name = "N")]
    pub users: Option<u64>,
    /// Groups
    #[arg(long, value_name = "N")]
    pub groups: Option<u64>,
    /// Training enrollments
    #[arg(long, value_name = "N")]
    pub enrollments: Option<u64>,
    /// Phishing tests
    #[arg(long, value_name = "N")]
    pub phishing_tests: Option<u64>,
    /// Phishing campaigns
    #[arg(long, value_name = "N")]
    pub phishing_campaigns: Option<u64>,
    /// Training campaigns
    #[arg(long, value_name = "N")]
    pub training_campaigns: Option<u64>,
    /// Store purchases
    #[arg(long, value_name = "N")]
    pub store_purchases: Option<u64>,
    /// Policies
    #[arg(long, value_name = "N")]
    pub policies: Option<u64>,
    /// As if the quota were this many requests a day
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub requests_per_day: Option<u64>,
    /// As if this share of the quota were the exporter's, above 0 and at most 1
    #[arg(long, value_name = "FRACTION", value_parser = share)]
    pub share: Option<f64>,
    /// Form of the forecast
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
}

/// Flags of `once`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct OnceArgs {
    /// Write to FILE by atomic rename instead of standard output; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Flags of `demo`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct DemoArgs {
    /// The organisation to simulate.
    #[command(flatten)]
    pub organisation: OrganisationArgs,
    /// First write the organisation's last year into this file, as backfill does, for Prometheus to begin with
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
}

/// Flags of `backfill`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct BackfillArgs {
    /// File to write: OpenMetrics with timestamps; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Only this account
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// How far back
    #[arg(long, value_name = "DURATION", default_value = "2y")]
    pub since: String,
    /// Time between samples: Prometheus takes a value for gone 5 minutes after its sample
    #[arg(long, value_name = "DURATION", default_value = "4m")]
    pub step: String,
    /// Label that Prometheus adds when it scrapes, such as job=knowbe4; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    pub label: Vec<String>,
}

/// Flags of `assets`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct AssetsArgs {
    /// Directory to write into; made if it isn't there
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// Replace files that differ; knowbe4-overrides.rules.yml is never replaced
    #[arg(long)]
    pub force: bool,
    /// Where the runbooks are, for the alerts' runbook_url and the dashboards: `https://wiki.example.com/knowbe4/`
    #[arg(long = "runbook-url", value_name = "URL")]
    pub runbook_url: Option<String>,
    /// Where Grafana is, for the alerts' links to dashboards: `https://grafana.example.com`
    #[arg(long = "dashboard-url", value_name = "URL")]
    pub dashboard_url: Option<String>,
}

/// Flags of `metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct MetricsArgs {
    /// Form of the list
    #[arg(long, value_enum, default_value_t)]
    pub format: MetricsFormat,
}

/// How `plan` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// How `metrics` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MetricsFormat {
    /// For people.
    #[default]
    Table,
    /// For a README.
    Markdown,
    /// For programs.
    Json,
}

fn share(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|share: &f64| *share > 0.0 && *share <= 1.0)
        .ok_or("expected a number above 0 and at most 1")
}

fn factor(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|factor: &f64| factor.is_finite() && *factor > 0.0)
        .ok_or("expected a number above 0")
}
