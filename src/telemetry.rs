//! Logging: what is written to standard error, and how.
//!
//! The only user of tracing-subscriber. Knows no metric and no file; `cli` chooses, `main` calls [`init`].

use std::io;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

/// Prefixes of the targets of the exporter's own events: this crate, and those of `crates/`.
const OWN_TARGETS: [&str; 4] = ["knowbe4_exporter", "exporter_web", "quota", "knowbe4_simulator"];

/// How much of the exporter's own work is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// What an operator must mend.
    Error,
    /// What may need mending soon.
    Warn,
    /// What happened and is new, a few lines an hour: what goes on as before is not.
    #[default]
    Info,
    /// Each refresh and each retry.
    Debug,
    /// Each request.
    Trace,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The text names no level or no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {0}")]
pub struct LogOptionError(&'static str);

impl LogLevel {
    /// As they are written on the command line.
    pub const NAMES: [&'static str; 5] = ["error", "warn", "info", "debug", "trace"];

    fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

impl FromStr for LogLevel {
    type Err = LogOptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            _ => Err(LogOptionError("error, warn, info, debug and trace")),
        }
    }
}

impl LogFormat {
    /// As they are written on the command line.
    pub const NAMES: [&'static str; 2] = ["text", "json"];
}

impl FromStr for LogFormat {
    type Err = LogOptionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogOptionError("text and json")),
        }
    }
}

/// Logs to standard error from now on: this crate from `level` up, its dependencies from `warn` up (they log
/// headers and URLs below that). Times are UTC; there are no colours, on a terminal or off it.
///
/// # Errors
/// When the process logs already.
pub fn init(level: LogLevel, format: LogFormat) -> Result<(), SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(subscriber(level, format, io::stderr))
}

fn subscriber<W>(level: LogLevel, format: LogFormat, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let targets = Targets::new()
        .with_default(level.filter().min(LevelFilter::WARN))
        .with_targets(OWN_TARGETS.map(|target| (target, level.filter())));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(targets))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LogLevel, format: LogFormat) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(level, format, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(target: "knowbe4_exporter::poll", "own debug");
            tracing::info!(target: "knowbe4_exporter::poll", account = "acme", "own info");
            tracing::info!(target: "exporter_web::web", "the endpoint's info");
            tracing::info!(target: "hyper::client", "foreign info");
            tracing::warn!(target: "hyper::client", "foreign warn");
        });
        let bytes = lines.0.lock().expect("not poisoned").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn own_events_follow_the_level_and_foreign_ones_stay_at_warn() {
        let info = logged(LogLevel::Info, LogFormat::Text);
        assert!(info.contains("own info account=\"acme\""), "{info}");
        assert!(info.contains("the endpoint's info"), "{info}");
        assert!(info.contains("foreign warn"), "{info}");
        assert!(
            !info.contains("own debug") && !info.contains("foreign info"),
            "{info}"
        );
        assert!(!info.contains('\u{1b}'), "{info}");

        let trace = logged(LogLevel::Trace, LogFormat::Text);
        assert!(
            trace.contains("own debug") && !trace.contains("foreign info"),
            "{trace}"
        );

        assert_eq!(logged(LogLevel::Error, LogFormat::Text), "");
    }

    #[test]
    fn json_is_one_object_a_line_in_utc() {
        let text = logged(LogLevel::Info, LogFormat::Json);
        assert_eq!(text.lines().count(), 3);
        let line: serde_json::Value =
            serde_json::from_str(text.lines().next().expect("a line")).expect("json");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["message"], "own info");
        assert_eq!(line["account"], "acme");
        assert!(line["timestamp"].as_str().expect("a time").ends_with('Z'));
    }

    #[test]
    fn every_name_is_understood() {
        for name in LogLevel::NAMES {
            assert!(name.parse::<LogLevel>().is_ok(), "{name}");
        }
        for name in LogFormat::NAMES {
            assert!(name.parse::<LogFormat>().is_ok(), "{name}");
        }
        assert!("loud".parse::<LogLevel>().is_err());
        assert!("xml".parse::<LogFormat>().is_err());
    }
}
