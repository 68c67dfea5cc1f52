//! How wrong usage, `--help` and `--version` end.

use std::fmt;
use std::io::{self, Write};

use clap::error::{ContextKind, ContextValue};

/// Exit code of wrong usage and of a wrong configuration: `EX_USAGE` of sysexits.h, not clap's 2.
pub const USAGE: u8 = 64;

/// Nothing is to be done but to print this and go.
#[derive(Debug)]
pub struct Exit(Kind);

#[derive(Debug)]
enum Kind {
    Clap(clap::Error),
    Own(String),
}

impl Exit {
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self(Kind::Own(message.into()))
    }

    /// The flags alone were fine; `said` are the variables that were added to them, each with its flag.
    pub(super) fn variables(error: clap::Error, said: &[(String, String)]) -> Self {
        let text = hidden(error).to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let cause = text.split("\n\n").next().unwrap_or(text).trim_end();
        let guilty = |flag: &String| {
            [" ", "'"]
                .iter()
                .any(|end| cause.contains(&format!("'{flag}{end}")))
        };
        let named = said.iter().any(|(_, flag)| guilty(flag));
        let names: Vec<&str> = said
            .iter()
            .filter(|(_, flag)| !named || guilty(flag))
            .map(|(name, _)| name.as_str())
            .collect();
        Self::usage(format!("{cause}\n(from the environment: {})", names.join(", ")))
    }

    /// 0 for help and version, 64 for wrong usage.
    pub fn code(&self) -> u8 {
        match &self.0 {
            Kind::Clap(error) if !error.use_stderr() => 0,
            _ => USAGE,
        }
    }

    /// Prints help and version to standard output, a mistake to standard error.
    ///
    /// # Errors
    /// When that stream is closed.
    pub fn print(&self) -> io::Result<()> {
        match &self.0 {
            Kind::Clap(error) => error.print(),
            Kind::Own(_) => write!(io::stderr().lock(), "{self}"),
        }
    }
}

impl From<clap::Error> for Exit {
    fn from(error: clap::Error) -> Self {
        Self(Kind::Clap(hidden(error)))
    }
}

/// The error without the value it is about, where that may hold a password.
fn hidden(mut error: clap::Error) -> clap::Error {
    let about = |error: &clap::Error| error.get(ContextKind::InvalidArg).map(ToString::to_string);
    if about(&error).is_some_and(|flag| flag.starts_with("--storage.url")) {
        error.insert(
            ContextKind::InvalidValue,
            ContextValue::String("(not shown)".to_owned()),
        );
    }
    error
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Clap(error) => error.fmt(f),
            Kind::Own(message) => writeln!(f, "error: {message}\n\nFor more information, try '--help'."),
        }
    }
}
