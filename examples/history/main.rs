//! Months of simulated organisations as Prometheus would have scraped them: OpenMetrics with timestamps.
//!
//! The real poller, budget, ledger and exposition run on a virtual clock against the simulator's plain door, one thread
//! an account. What the exposition says at each sample time is written with that time, so that
//! `promtool tsdb create-blocks-from openmetrics` makes the blocks of a Prometheus that has been there all along:
//!
//! ```text
//! cargo run --release --example history -- --days 400 OUTDIR
//! for file in OUTDIR/*.om; do promtool tsdb create-blocks-from --max-block-duration=1458h openmetrics "$file" DATA; done
//! prometheus --storage.tsdb.path=DATA --storage.tsdb.retention.time=10y --query.lookback-delta=65m ...
//! ```
//!
//! Samples are an hour apart, those of the exporter itself ten minutes, and all a minute apart at the end (`--dense`): with a
//! minute all along the data would be sixty times as much and show the same, as KnowBe4's numbers change a few times a day.
//! Hence the lookback. `--families` names the only ones to write; `replay`, beside this file, names those that
//! the rules read.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a tool for development, which panics when it fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use knowbe4_exporter::Clock;

#[path = "play/mod.rs"]
mod play;

use play::{DAY, HOUR, MINUTE, Span, organisations};

fn main() {
    let usage = "usage: history [--days N] [--dense HOURS] [--end UNIX_SECONDS] [--accounts A,B] [--families A,B] OUTDIR";
    let mut options = BTreeMap::new();
    let mut out = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(name) => drop(options.insert(name.to_owned(), words.next().expect(usage))),
            None => out = Some(PathBuf::from(word)),
        }
    }
    let number = |name: &str, default: u64| {
        options
            .get(name)
            .map_or(default, |text| text.parse().expect(usage))
    };
    let names = |option: &str| {
        options
            .get(option)
            .map(|names| names.split(',').map(str::to_owned).collect::<BTreeSet<_>>())
    };
    let out = out.expect(usage);
    let end = number("end", Clock::system().now() as u64) / MINUTE * MINUTE;
    let span = Span {
        begin: end - number("days", 400) * DAY,
        dense: end - number("dense", 48) * HOUR,
        end,
        own: 10 * MINUTE,
        families: names("families"),
        out,
    };
    let accounts = names("accounts");
    let organisations = organisations(&span).into_iter().filter(|organisation| {
        accounts
            .as_ref()
            .is_none_or(|accounts| accounts.contains(organisation.name))
    });
    play::play(organisations.collect(), &span);
}
