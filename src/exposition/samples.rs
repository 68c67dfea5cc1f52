//! Where writers put samples: a sink of numbers. Text is one sink (`encode`), history with its timestamps another.

use crate::family::{Family, Kind};

use super::value::{Label, Value};

/// Takes the samples of one family.
pub(super) trait Sink {
    /// One sample. Its value isn't absent.
    fn sample(&mut self, labels: &Labels<'_>, value: Value);

    /// One histogram: upper bounds with their own counts, the last bound infinite.
    fn histogram(&mut self, labels: &Labels<'_>, sum: f64, buckets: &[(f64, u64)]);
}

/// The labels of one sample: names from the catalogue, the account first.
pub(super) struct Labels<'a> {
    names: &'static [&'static str],
    account: Option<&'a str>,
    rest: &'a [Label<'a>],
}

impl<'a> Labels<'a> {
    /// Whether the family has none.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names with their values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, Label<'a>)> {
        let values = self.account.map(Label::Text).into_iter();
        self.names
            .iter()
            .copied()
            .zip(values.chain(self.rest.iter().copied()))
    }
}

/// Puts the samples of one family about one subject into a sink.
pub(super) struct Samples<'a> {
    family: &'static Family,
    account: Option<&'a str>,
    sink: &'a mut dyn Sink,
    written: u64,
}

impl<'a> Samples<'a> {
    /// Writes what `write` says of `subject`. Returns how many samples there are.
    pub(super) fn write<T: Subject>(
        family: &'static Family,
        subject: &'a T,
        write: WriteSamples<T>,
        sink: &'a mut dyn Sink,
    ) -> u64 {
        let mut samples = Self {
            family,
            account: subject.account(),
            sink,
            written: 0,
        };
        write(subject, &mut samples);
        samples.written
    }

    /// Writes one sample, unless its value is absent. `labels` are the values of the catalogue's labels but `account`.
    pub(super) fn put(&mut self, labels: &[Label<'_>], value: impl Into<Value>) {
        let value = value.into();
        if !matches!(value, Value::Absent) {
            let labels = self.labels(labels);
            self.sink.sample(&labels, value);
            self.written += 1;
        }
    }

    /// Writes the text of an info family.
    pub(super) fn info(&mut self, labels: &[Label<'_>]) {
        self.put(labels, true);
    }

    /// Writes a histogram: upper bounds with their own counts, the last bound infinite.
    pub(super) fn histogram(&mut self, labels: &[Label<'_>], sum: f64, buckets: &[(f64, u64)]) {
        debug_assert_eq!(self.family.kind, Kind::Histogram, "{}", self.family.name);
        let labels = self.labels(labels);
        self.sink.histogram(&labels, sum, buckets);
        self.written += 1;
    }

    fn labels<'l>(&self, rest: &'l [Label<'l>]) -> Labels<'l>
    where
        'a: 'l,
    {
        let labels = Labels {
            names: self.family.labels,
            account: self.account,
            rest,
        };
        debug_assert_eq!(
            labels.names.len(),
            labels.iter().count(),
            "labels of {}",
            self.family.name
        );
        labels
    }
}

/// What samples are about: a value that a collector can own.
pub(super) trait Subject: Send + Sync + 'static {
    /// The `account` label of its families, if they have one.
    fn account(&self) -> Option<&str>;
}

/// Writes the samples of one family about one subject.
pub(super) type WriteSamples<T> = fn(&T, &mut Samples<'_>);
