//! The flags that all commands share, before or after the command's name.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Exit, ListenAddress};
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
        default_value = "/metrics"
    )]
    pub telemetry_path: TelemetryPath,

    /// Web configuration file of the Prometheus family: TLS, client certificates, basic auth, headers
    #[arg(long = "web.config.file", global = true, value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,

    /// Allow POST /-/reload
    #[arg(long = "web.enable-lifecycle", global = true)]
    pub enable_lifecycle: bool,

    /// Directory of the request ledger and the last snapshot [default: storage.path of the file, $STATE_DIRECTORY, ./data]
    #[arg(long = "storage.path", global = true, value_name = "DIR")]
    pub storage_path: Option<PathBuf>,

    /// PostgreSQL database that several replicas share, instead of --storage.path: postgresql://user@host:5432/database, without its password
    #[arg(
        long = "storage.url",
        global = true,
        value_name = "URL",
        conflicts_with = "storage_path",
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

/// Where the metrics are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryPath(String);

/// The text is no path for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryPathError {
    /// Anything but an absolute path.
    #[error("expected a path that begins with / and has neither spaces nor ? nor #")]
    NotAPath,
    /// Another page lives there.
    #[error(
        "the exporter serves something else there: expected a path other than /status, /sd, /api/... and /-/..."
    )]
    Taken,
}

impl TelemetryPath {
    /// The path, with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TelemetryPath {
    type Err = TelemetryPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let printable = text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'%' | b'\\'));
        if !text.starts_with('/') || text.starts_with("//") || !printable {
            return Err(TelemetryPathError::NotAPath);
        }
        let trimmed = text.trim_end_matches('/');
        let within = |root: &str| {
            trimmed
                .strip_prefix(root)
                .is_some_and(|r| r.is_empty() || r.starts_with('/'))
        };
        if ["/status", "/sd"].contains(&trimmed) || within("/api") || within("/-") {
            return Err(TelemetryPathError::Taken);
        }
        Ok(Self(text.to_owned()))
    }
}
