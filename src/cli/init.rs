//! Flags of `init`: the answers to what it would ask.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of `init`. What is missing is asked for on a terminal, and takes its default elsewhere.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct InitArgs {
    /// Directory to write into; made if it isn't there
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub output: PathBuf,
    /// Name of the account: the label of its series
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// US, EU, CA, UK or DE, as the console's address says
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Address of the API, instead of the region
    #[arg(long, value_name = "URL", conflicts_with = "region")]
    pub base_url: Option<String>,
    /// File that holds the API key
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Requests a day that KnowBe4 allows the key
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub requests_per_day: Option<u64>,
    /// Who else uses the quota
    #[arg(long, value_enum, value_name = "WHO")]
    pub others: Option<Others>,
    /// Where the exporter is to run
    #[arg(long, value_enum, value_name = "PLACE")]
    pub target: Option<Target>,
    /// Where Prometheus runs
    #[arg(long, value_enum, value_name = "PLACE")]
    pub prometheus: Option<PrometheusPlace>,
    /// Don't try the key: sends nothing
    #[arg(long)]
    pub no_connect: bool,
}

/// Who else sends requests with the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Others {
    /// Nobody: the exporter may use nearly all of it.
    None,
    /// Some script now and then.
    Some,
    /// Another integration that runs all day.
    Much,
}

/// Where the exporter is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// As a service of this machine.
    Systemd,
    /// By the Helm chart.
    Kubernetes,
    /// Anywhere else: only the configuration is written.
    Other,
}

/// Where Prometheus runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrometheusPlace {
    /// On the same machine.
    Here,
    /// On another machine.
    Elsewhere,
    /// In the same Kubernetes cluster, by its operator.
    Operator,
}
