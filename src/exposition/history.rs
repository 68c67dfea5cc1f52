//! Values of the past as OpenMetrics with timestamps, for `promtool tsdb create-blocks-from openmetrics`.
//!
//! Series carry the labels that they have at `/metrics`: the same writers put them into a sink of their own. A value holds from one time to
//! another and is repeated at each step between them: Prometheus takes a value for gone five minutes after its sample.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

use crate::catalogue::FAMILIES;
use crate::model::AccountName;
use crate::snapshot::AccountSnapshot;

use super::Format;
use super::encode::end_of_open_metrics;
use super::families::{DATA, Data};
use super::samples::{Labels, Samples, Sink};
use super::text::header;
use super::value::{Label, Value};

/// A value, and the unix seconds during which it holds.
type Span = (Range<i64>, Value);

/// Series by position of their family in the catalogue, and by what stands in front of the value.
#[derive(Debug, Default)]
pub struct History {
    extra: String,
    series: BTreeMap<(usize, String), Vec<Span>>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Series.
    pub series: u64,
    /// Samples.
    pub samples: u64,
}

impl History {
    /// An empty history whose series carry `labels` besides their own: those that Prometheus adds when it scrapes.
    pub fn new(labels: &[(String, String)]) -> Self {
        let extra = labels.iter().map(|(name, value)| label(name, value));
        Self {
            extra: extra.collect(),
            series: BTreeMap::new(),
        }
    }

    /// Adds what `snapshot` says of `families`, which holds during `when`. Spans of one series come oldest first.
    pub fn add(
        &mut self,
        account: &AccountName,
        snapshot: AccountSnapshot,
        families: &[&str],
        when: &Range<i64>,
    ) {
        let data = Data {
            account: account.clone(),
            snapshot,
        };
        for (index, family) in FAMILIES.iter().enumerate() {
            if !families.contains(&family.name) {
                continue;
            }
            let Some(writer) = DATA.iter().find(|writer| writer.family == family.name) else {
                continue;
            };
            let mut past = Past {
                history: self,
                family: (index, family.name),
                when,
            };
            Samples::write(family, &data, writer.write, &mut past);
        }
    }

    /// Writes a sample at each multiple of `step` seconds at which there is a value.
    ///
    /// # Errors
    /// When `out` takes no more.
    pub fn write(&self, step: i64, out: &mut impl Write) -> io::Result<Written> {
        let mut written = Written::default();
        let mut last = None;
        for ((index, series), spans) in &self.series {
            let times = |(when, _): &Span| (ceil(when.start, step)..when.end).step_by(step as usize);
            if spans.iter().all(|span| times(span).next().is_none()) {
                continue;
            }
            if last.replace(*index) != Some(*index) {
                out.write_all(header(*index, Format::OpenMetrics).as_bytes())?;
            }
            written.series += 1;
            for span in spans {
                for at in times(span) {
                    writeln!(out, "{series} {} {at}", span.1)?;
                    written.samples += 1;
                }
            }
        }
        out.write_all(end_of_open_metrics().as_bytes())?;
        Ok(written)
    }
}

/// The sink of the samples that hold during one span.
struct Past<'a> {
    history: &'a mut History,
    /// Its position in the catalogue, and its name.
    family: (usize, &'static str),
    when: &'a Range<i64>,
}

impl Sink for Past<'_> {
    fn sample(&mut self, labels: &Labels<'_>, value: Value) {
        let (index, name) = self.family;
        let own = labels.iter().map(|(name, value)| match value {
            Label::Text(text) => label(name, text),
            Label::Id(id) => label(name, &id.to_string()),
        });
        let all: String = std::iter::once(self.history.extra.clone()).chain(own).collect();
        let series = format!("{name}{{{}}}", all.trim_end_matches(','));
        let spans = self.history.series.entry((index, series)).or_default();
        spans.push((self.when.clone(), value));
    }

    /// Nothing that KnowBe4 says is a histogram.
    fn histogram(&mut self, _: &Labels<'_>, _: f64, _: &[(f64, u64)]) {}
}

/// One label and the comma after it, escaped.
fn label(name: &str, value: &str) -> String {
    let value = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{name}=\"{value}\",")
}

/// The first multiple of `step` that is not before `at`.
fn ceil(at: i64, step: i64) -> i64 {
    at.div_euclid(step) * step + if at.rem_euclid(step) == 0 { 0 } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Account;
    use crate::snapshot::Collection;

    fn risk(score: f64) -> AccountSnapshot {
        let mut snapshot = AccountSnapshot::default();
        let account = Account {
            risk_score: Some(score),
            ..Account::default()
        };
        snapshot.set(Collection::Account(account), 0.0);
        snapshot
    }

    #[test]
    fn a_value_is_repeated_until_the_next_one() {
        let labels = [("job".to_owned(), "a \"b\"\\\n".to_owned())];
        let mut history = History::new(&labels);
        let account = "acme".parse().expect("a name");
        let family = ["knowbe4_account_risk_score"];
        history.add(&account, risk(40.0), &family, &(0..130));
        history.add(&account, risk(41.5), &family, &(130..240));
        let mut out = Vec::new();
        let written = history.write(60, &mut out).expect("a Vec takes every write");
        assert_eq!((written.series, written.samples), (1, 4));
        let text = String::from_utf8(out).expect("text");
        let series = r#"knowbe4_account_risk_score{job="a \"b\"\\\n",account="acme"}"#;
        let samples: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let wanted = [("40", 0), ("40", 60), ("40", 120), ("41.5", 180)];
        assert_eq!(
            samples,
            wanted.map(|(value, at)| format!("{series} {value} {at}"))
        );
        assert!(text.starts_with("# HELP knowbe4_account_risk_score ") && text.ends_with("# EOF\n"));
    }

    #[test]
    fn what_has_no_sample_has_no_header() {
        let mut history = History::new(&[]);
        let account = "acme".parse().expect("a name");
        history.add(&account, risk(40.0), &["knowbe4_account_risk_score"], &(61..119));
        let mut out = Vec::new();
        assert_eq!(history.write(60, &mut out).expect("written"), Written::default());
        assert_eq!(out, b"# EOF\n");
    }
}
