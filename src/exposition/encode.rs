//! The wall around `prometheus-client`: everything that is asked of its encoder is asked here.
//!
//! It offers its encoder to a registered `Collector` only, so each family of each subject is a short-lived
//! registry of one collector. The descriptor that it writes in front is the family's header; it is kept apart from
//! the samples, because samples of several accounts share one header, and both encodings share the samples.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::encoding::{
    CounterValueEncoder, DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabel,
    EncodeLabelSet, GaugeValueEncoder, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::family::{Family, Kind};

use super::samples::{Labels, Samples, Sink, Subject, WriteSamples};
use super::value::{Label, Value};

/// Writing into a `String` does not fail, and the encoder has no error of its own.
const INFALLIBLE: &str = "a String takes every write";

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            match value {
                Label::Text(text) => (name, text).encode(encoder.encode_label())?,
                Label::Id(id) => (name, id).encode(encoder.encode_label())?,
            }
        }
        Ok(())
    }
}

impl EncodeGaugeValue for Value {
    fn encode(&self, encoder: &mut GaugeValueEncoder<'_>) -> fmt::Result {
        match *self {
            Self::Absent => Err(fmt::Error),
            Self::Whole(value) => EncodeGaugeValue::encode(&value, encoder),
            Self::Real(value) => EncodeGaugeValue::encode(&value, encoder),
        }
    }
}

impl EncodeCounterValue for Value {
    fn encode(&self, encoder: &mut CounterValueEncoder<'_>) -> fmt::Result {
        match *self {
            Self::Absent => Err(fmt::Error),
            Self::Whole(value) => EncodeCounterValue::encode(&value.unsigned_abs(), encoder),
            Self::Real(value) => EncodeCounterValue::encode(&value, encoder),
        }
    }
}

/// The sink that writes text.
struct Text<'a> {
    kind: Kind,
    metric: MetricEncoder<'a>,
    result: fmt::Result,
}

impl Sink for Text<'_> {
    fn sample(&mut self, labels: &Labels<'_>, value: Value) {
        let kind = self.kind;
        self.write(|metric| match kind {
            // An info's labels are its own, not its family's: given as both, they would stand there twice.
            Kind::Info => metric.encode_info(labels),
            Kind::Counter => with(metric, labels, |m| {
                m.encode_counter::<NoLabelSet, _, f64>(&value, None)
            }),
            Kind::Gauge => with(metric, labels, |m| m.encode_gauge(&value)),
            Kind::Histogram => Err(fmt::Error),
        });
    }

    fn histogram(&mut self, labels: &Labels<'_>, sum: f64, buckets: &[(f64, u64)]) {
        let count = buckets.iter().map(|(_, count)| count).sum();
        self.write(|metric| {
            with(metric, labels, |m| {
                m.encode_histogram::<NoLabelSet>(sum, count, buckets, None)
            })
        });
    }
}

impl Text<'_> {
    fn write(&mut self, encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result) {
        self.result = self.result.and_then(|()| encode(&mut self.metric));
    }
}

/// Samples with labels; those of a family without labels have no braces either.
fn with(
    metric: &mut MetricEncoder<'_>,
    labels: &Labels<'_>,
    encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.is_empty() {
        encode(metric)
    } else {
        encode(&mut metric.encode_family(labels)?)
    }
}

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
        let mut text = Text {
            kind: self.family.kind,
            metric: descriptor(&mut encoder, self.family, unit.as_ref())?,
            result: Ok(()),
        };
        let written = Samples::write(self.family, &*self.subject, self.write, &mut text);
        self.written.store(written, Ordering::Relaxed);
        text.result
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

/// Appends to `out` the samples of `family` about `subject`, without `header`, which the encoder writes in front.
/// Returns how many there are.
pub(super) fn samples<T: Subject>(
    family: &'static Family,
    header: &str,
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
    let start = out.len();
    encode_registry(out, &registry).expect(INFALLIBLE);
    assert!(
        out[start..].starts_with(header),
        "a family's header is the same for all subjects"
    );
    out.drain(start..start + header.len());
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
