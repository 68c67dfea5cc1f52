//! The flags that all commands share, before or after the command's name.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use exporter_web::{ExternalUrl, ListenAddress, RoutePrefix, TelemetryPath, TelemetryPathError};

use super::Exit;
use crate::database_url::DatabaseUrl;
use crate::telemetry::{LogFormat, LogLevel};

/// Flags of the Prometheus family.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Global options")]
pub struct Options {
    /// Configuration file (YAML); not needed for one account
    #[arg(long = "config.file", global = true, value_name = "FILE")]
    pub config_file: Option<PathBuf>,

    /// Address to listen on, `:PORT` for all interfaces; repeatable
    #[arg(
        long = "web.listen-address",
        global = true,
        value_name = "ADDRESS",
        value_delimiter = ',',
        default_value = ":10524"
    )]
    pub listen: Vec<ListenAddress>,

    /// Listen on the sockets that systemd passes (socket activation) instead of --web.listen-address
    #[arg(long = "web.systemd-socket", global = true)]
    pub systemd_socket: bool,

    /// Path of the metrics
    #[arg(
        long = "web.telemetry-path",
        global = true,
        value_name = "PATH",
        default_value = "/metrics",
        value_parser = telemetry_path
    )]
    pub telemetry_path: TelemetryPath,

    /// URL under which a proxy makes the exporter reachable; its path goes before all paths [default: relative links]
    #[arg(long = "web.external-url", global = true, value_name = "URL")]
    pub external_url: Option<ExternalUrl>,

    /// Path below which all is served [default: the path of --web.external-url]
    #[arg(long = "web.route-prefix", global = true, value_name = "PATH")]
    pub route_prefix: Option<RoutePrefix>,

    /// Web configuration file of the Prometheus family: TLS, client certificates, basic auth, headers
    #[arg(long = "web.config.file", global = true, value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,

    /// Allow POST /-/reload
    #[arg(long = "web.enable-lifecycle", global = true)]
    pub enable_lifecycle: bool,

    /// Directory of the request ledger and the last snapshot [default: storage.path of the file, $STATE_DIRECTORY, ./data]
    #[arg(long = "storage.path", global = true, value_name = "DIR")]
    pub storage_path: Option<PathBuf>,

    /// PostgreSQL database that several replicas share: postgresql://user@host:5432/database, without its password; with --storage.path as well, it takes over at the start what is there
    #[arg(
        long = "storage.url",
        global = true,
        value_name = "URL",
        value_parser = DatabaseUrl::without_password
    )]
    pub storage_url: Option<DatabaseUrl>,

    /// Log lines from this level up
    #[arg(
        long = "log.level",
        global = true,
        value_name = "LEVEL",
        default_value = "info",
        value_parser = PossibleValuesParser::new(LogLevel::NAMES).try_map(|name| name.parse::<LogLevel>())
    )]
    pub log_level: LogLevel,

    /// Form of the log lines
    #[arg(
        long = "log.format",
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        value_parser = PossibleValuesParser::new(LogFormat::NAMES).try_map(|name| name.parse::<LogFormat>())
    )]
    pub log_format: LogFormat,

    /// This exporter's part of the accounts, from 0
    #[arg(long, global = true, value_name = "INDEX", default_value_t = 0)]
    pub shard: u32,

    /// Into how many exporters the accounts are parted
    #[arg(long, global = true, value_name = "N", default_value_t = 1)]
    pub total_shards: u32,
}

impl Options {
    /// What no single flag can know.
    pub(super) fn check(&self) -> Result<(), Exit> {
        if self.shard >= self.total_shards {
            return Err(Exit::usage(format!(
                "--shard is {} of --total-shards {}, expected a shard below the total (shards count from 0)",
                self.shard, self.total_shards
            )));
        }
        Ok(())
    }
}

/// A path for the metrics that hides no page of the exporter's own.
fn telemetry_path(text: &str) -> Result<TelemetryPath, String> {
    let path = text.parse().map_err(|error: TelemetryPathError| match error {
        TelemetryPathError::Taken => TAKEN.to_owned(),
        TelemetryPathError::NotAPath => error.to_string(),
    })?;
    if OWN_PAGES.contains(&TelemetryPath::as_str(&path).trim_end_matches('/')) || path.is_within("/api") {
        return Err(TAKEN.to_owned());
    }
    Ok(path)
}

/// Where pages of the exporter's own are, besides those below `/api` and `/-`.
const OWN_PAGES: [&str; 2] = ["/status", "/sd"];

const TAKEN: &str =
    "the exporter serves something else there: expected a path other than /status, /sd, /api/... and /-/...";
