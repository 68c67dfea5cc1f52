//! `backfill`: the history that the API has, as OpenMetrics with timestamps for `promtool tsdb create-blocks-from
//! openmetrics`.
//!
//! Risk scores hold from their day until the next one. A phishing test's results are written once it has ended: what
//! they were before, nobody knows. Requests come out of the account's budget; what was read is kept until the file is
//! whole, so that a backfill that was stopped, or is too large for a day, goes on where it was.

mod reader;

use std::sync::Arc;

use reader::Reader;

use super::{Ending, Stop, holding, load, output, wire};
use crate::catalogue::FAMILIES;
use crate::cli::{BackfillArgs, Options};
use crate::config::{AccountConfig, Config, duration};
use crate::env::Env;
use crate::exposition::History;
use crate::supervise::Shared;

/// Prometheus' newest samples are not in blocks yet: blocks beside them would overlap.
const NEWEST: i64 = 3 * 3600;

/// promtool reads the whole file once for each block, and makes blocks of two hours unless it is told otherwise.
const BLOCK: &str = "1458h";

pub(super) async fn backfill(options: Options, arguments: BackfillArgs, env: impl Env + 'static) -> Ending {
    // Before anything is read.
    span("--since", &arguments.since)?;
    span("--step", &arguments.step)?;
    labels(&arguments.label)?;
    let config = load(&options, &env)?;
    chosen(&config, arguments.account.as_deref())?;
    let shared = wire(&config, Arc::new(env)).await?;
    write(&config, shared, &arguments).await
}

/// Reads the histories and writes the file.
pub(super) async fn write(config: &Config, shared: Shared, arguments: &BackfillArgs) -> Ending {
    let since = span("--since", &arguments.since)?;
    let step = span("--step", &arguments.step)?;
    let labels = labels(&arguments.label)?;
    let accounts = chosen(config, arguments.account.as_deref())?;
    let now = shared.clock.now() as i64;
    let window = now - since..now - NEWEST + 1;
    let mut history = History::new(&labels);
    let mut done = Vec::new();
    let mut stopped = Vec::new();
    let mut missing = 0;
    let read = async {
        for account in accounts {
            let account = Arc::new(account.clone());
            let tools = shared
                .open(&account)
                .await
                .map_err(|error| Stop::said(error.explain()))?;
            let mut reader = Reader::new(&account, tools, window.clone()).await?;
            // What stops one account stops no other.
            stopped.extend(reader.read(&mut history).await.err());
            missing += reader.missing;
            done.push(reader.progress);
        }
        Ok::<_, Stop>(())
    };
    holding(Arc::clone(&shared.storage), read).await?;
    if !stopped.is_empty() {
        let reasons: Vec<_> = stopped.iter().map(ToString::to_string).collect();
        return Err(Stop::said(reasons.join("\n")));
    }
    let mut written = Default::default();
    output::replace_with(&arguments.output, false, |out| {
        written = history.write(step, out)?;
        Ok(())
    })?;
    let file = arguments.output.display();
    let report = format!(
        "{} samples of {} series written to {file}; put them into Prometheus' data directory with\n  \
         promtool tsdb create-blocks-from openmetrics --max-block-duration={BLOCK} {file} DIRECTORY\n\
         (for Mimir and Grafana Cloud, which take blocks of a day at most: --max-block-duration=24h)\n",
        written.samples, written.series,
    );
    output::report(&arguments.output, &report)?;
    if missing > 0 {
        return Err(Stop::said(format!(
            "{missing} of the histories could not be read (see above); the same command asks for these alone"
        )));
    }
    for progress in done {
        progress
            .finish()
            .await
            .map_err(|error| Stop::said(error.explain()))?;
    }
    Ok(())
}

/// A span of time in whole seconds, at least one.
fn span(flag: &str, text: &str) -> Result<i64, Stop> {
    duration::parse(text)
        .ok()
        .map(|span| span.as_secs() as i64)
        .filter(|span| *span > 0)
        .ok_or_else(|| {
            Stop::usage(format!(
                "{flag} {text:?}: expected {} of a second or more",
                duration::EXPECTED
            ))
        })
}

/// `name=value`, where no series has a label of that name.
fn labels(texts: &[String]) -> Result<Vec<(String, String)>, Stop> {
    let label = |text: &String| {
        let (name, value) = text.split_once('=')?;
        let mut letters = name.bytes();
        let good = letters
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && letters.all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with("__")
            && !FAMILIES.iter().any(|family| family.labels.contains(&name));
        good.then(|| (name.to_owned(), value.to_owned()))
    };
    texts
        .iter()
        .map(|text| {
            label(text).ok_or_else(|| {
                Stop::usage(format!(
                    "--label {text:?}: expected NAME=VALUE with a label that the series don't have, such as job=knowbe4"
                ))
            })
        })
        .collect()
}

fn chosen<'a>(config: &'a Config, name: Option<&str>) -> Result<Vec<&'a AccountConfig>, Stop> {
    let accounts: Vec<_> = config
        .accounts
        .iter()
        .filter(|account| name.is_none_or(|name| account.name.as_str() == name))
        .collect();
    if accounts.is_empty() {
        let known: Vec<_> = config
            .accounts
            .iter()
            .map(|account| account.name.as_str())
            .collect();
        let name = name.unwrap_or_default();
        return Err(Stop::usage(format!(
            "--account {name:?} is not configured: expected one of {}",
            known.join(", ")
        )));
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_series_have_are_refused() {
        let read = |text: &str| labels(&[text.to_owned()]);
        assert_eq!(
            read("job=a=b").expect("a label"),
            [("job".to_owned(), "a=b".to_owned())]
        );
        for text in [
            "job",
            "=x",
            "1a=x",
            "a-b=x",
            "account=x",
            "test_id=x",
            "__name__=x",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
