//! The wall around `prometheus-client`: everything that is asked of its encoder is asked here.
//!
//! It offers its encoder to a registered `Collector` only, so each family of each subject is a short-lived
//! registry of one collector. The descriptor that it writes in front is the family's header; it is kept apart from
//! the samples, because samples of several accounts share one header, and both encodings share the samples.

mod value;

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::catalogue::{Family, Kind};

pub(super) use value::{Label, Value};

/// Writing into a `String` does not fail, and the encoder has no error of its own.
const INFALLIBLE: &str = "a String takes every write";

/// The labels of one sample: names from the catalogue, the account first.
struct Labels<'a> {
    names: &'static [&'static str],
    account: Option<&'a str>,
    rest: &'a [Label<'a>],
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let account = self.account.map(Label::Text);
        let values = account.iter().chain(self.rest);
        for (name, value) in self.names.iter().zip(values) {
            match value {
                Label::Text(text) => (*name, *text).encode(encoder.encode_label())?,
                Label::Id(id) => (*name, *id).encode(encoder.encode_label())?,
            }
        }
        Ok(())
    }
}

/// Where a writer puts the samples of one family about one subject.
pub(super) struct Samples<'a> {
    family: &'static Family,
    account: Option<&'a str>,
    metric: MetricEncoder<'a>,
    written: u64,
    result: fmt::Result,
}

impl Samples<'_> {
    /// Writes one sample, unless its value is absent. `labels` are the values of the catalogue's labels but `account`.
    pub(super) fn put(&mut self, labels: &[Label<'_>], value: impl Into<Value>) {
        let value = value.into();
        if matches!(value, Value::Absent) {
            return;
        }
        let kind = self.family.kind;
        self.write(labels, |metric, labels| match kind {
            // An info's labels are its own, not its family's: given as both, they would stand there twice.
            Kind::Info => metric.encode_info(labels),
            Kind::Counter => with(metric, labels, |m| {
                m.encode_counter::<NoLabelSet, _, f64>(&value, None)
            }),
            Kind::Gauge => with(metric, labels, |m| m.encode_gauge(&value)),
            Kind::Histogram => Err(fmt::Error),
        });
    }

    /// Writes the text of an info family.
    pub(super) fn info(&mut self, labels: &[Label<'_>]) {
        self.put(labels, true);
    }

    /// Writes a histogram: upper bounds with their own counts, the last bound infinite.
    pub(super) fn histogram(&mut self, labels: &[Label<'_>], sum: f64, buckets: &[(f64, u64)]) {
        debug_assert_eq!(self.family.kind, Kind::Histogram, "{}", self.family.name);
        let count = buckets.iter().map(|(_, count)| count).sum();
        self.write(labels, |metric, labels| {
            with(metric, labels, |m| {
                m.encode_histogram::<NoLabelSet>(sum, count, buckets, None)
            })
        });
    }

    fn write(
        &mut self,
        labels: &[Label<'_>],
        encode: impl FnOnce(&mut MetricEncoder<'_>, &Labels<'_>) -> fmt::Result,
    ) {
        let labels = Labels {
            names: self.family.labels,
            account: self.account,
            rest: labels,
        };
        debug_assert_eq!(
            labels.names.len(),
            labels.rest.len() + usize::from(labels.account.is_some()),
            "labels of {}",
            self.family.name
        );
        self.written += 1;
        self.result = self.result.and_then(|()| encode(&mut self.metric, &labels));
    }
}

/// Samples with labels; those of a family without labels have no braces either.
fn with(
    metric: &mut MetricEncoder<'_>,
    labels: &Labels<'_>,
    encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.names.is_empty() {
        encode(metric)
    } else {
        encode(&mut metric.encode_family(labels)?)
    }
}

/// What samples are about: a value that a collector can own.
pub(super) trait Subject: Send + Sync + 'static {
    /// The `account` label of its families, if they have one.
    fn account(&self) -> Option<&str>;
}

/// Writes the samples of one family about one subject.
pub(super) type WriteSamples<T> = fn(&T, &mut Samples<'_>);

/// One family of one subject, as the encoder wants it.
struct Single<T> {
    family: &'static Family,
    subject: Arc<T>,
    write: WriteSamples<T>,
    written: AtomicU64,
}

impl<T> fmt::Debug for Single<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.family.name)
    }
}

impl<T: Subject> Collector for Single<T> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let unit = self.family.unit().map(|unit| Unit::Other(unit.to_owned()));
        let mut samples = Samples {
            family: self.family,
            account: self.subject.account(),
            metric: descriptor(&mut encoder, self.family, unit.as_ref())?,
            written: 0,
            result: Ok(()),
        };
        (self.write)(&self.subject, &mut samples);
        self.written.store(samples.written, Ordering::Relaxed);
        samples.result
    }
}

fn descriptor<'e>(
    encoder: &'e mut DescriptorEncoder<'_>,
    family: &'static Family,
    unit: Option<&'e Unit>,
) -> Result<MetricEncoder<'e>, fmt::Error> {
    let name = family.open_metrics_name();
    // The encoder appends the unit to the name itself.
    let stem = family
        .unit()
        .and_then(|unit| name.strip_suffix(unit)?.strip_suffix('_'))
        .unwrap_or(name);
    let kind = match family.kind {
        Kind::Gauge => MetricType::Gauge,
        Kind::Counter => MetricType::Counter,
        Kind::Info => MetricType::Info,
        Kind::Histogram => MetricType::Histogram,
    };
    encoder.encode_descriptor(stem, family.help, unit, kind)
}

/// Appends to `out` the samples of `family` about `subject`, without the header whose length is `header`.
/// Returns how many there are.
pub(super) fn samples<T: Subject>(
    family: &'static Family,
    header: usize,
    subject: &Arc<T>,
    write: WriteSamples<T>,
    out: &mut String,
) -> u64 {
    let single = Arc::new(Single {
        family,
        subject: Arc::clone(subject),
        write,
        written: AtomicU64::new(0),
    });
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Arc::clone(&single)));
    encode_registry(&mut Headless { header, out }, &registry).expect(INFALLIBLE);
    single.written.load(Ordering::Relaxed)
}

/// HELP, TYPE and UNIT of `family` in OpenMetrics.
pub(super) fn open_metrics_header(family: &'static Family) -> String {
    #[derive(Debug)]
    struct Header(&'static Family);

    impl Collector for Header {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            let unit = self.0.unit().map(|unit| Unit::Other(unit.to_owned()));
            descriptor(&mut encoder, self.0, unit.as_ref()).map(drop)
        }
    }

    let mut registry = Registry::default();
    registry.register_collector(Box::new(Header(family)));
    let mut header = String::new();
    encode_registry(&mut header, &registry).expect(INFALLIBLE);
    header
}

/// The line that ends an OpenMetrics body.
pub(super) fn end_of_open_metrics() -> String {
    let mut end = String::new();
    encode_eof(&mut end).expect(INFALLIBLE);
    end
}

/// Lets the first `header` bytes fall.
struct Headless<'a> {
    header: usize,
    out: &'a mut String,
}

impl Write for Headless<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.header == 0 {
            self.out.push_str(text);
        } else {
            // A write is either of the header or of a sample: the encoder ends the header with a write of its own.
            let skipped = self.header.min(text.len());
            self.header -= skipped;
            self.out.push_str(text.get(skipped..).ok_or(fmt::Error)?);
        }
        Ok(())
    }
}
