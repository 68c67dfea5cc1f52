//! What a family is: name, type, labels, source and help. Rooms that count declare theirs in these terms.

use Kind::{Counter, Gauge, Histogram, Info};

/// OpenMetrics type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only goes up while the process lives; its name ends in `_total`.
    Counter,
    /// Text in labels, value 1; its name ends in `_info`.
    Info,
    /// Counts by bucket.
    Histogram,
}

impl Kind {
    /// As OpenMetrics writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Gauge => "gauge",
            Counter => "counter",
            Info => "info",
            Histogram => "histogram",
        }
    }
}

/// One family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Name of its samples (a histogram's without `_bucket` and the like).
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Labels in the order in which they are written.
    pub labels: &'static [&'static str],
    /// The collectors that fill it, joined by a comma; `exporter` for the exporter's own.
    pub collector: &'static str,
    /// One line without backslash or quote: HELP is not escaped by the encoder.
    pub help: &'static str,
}

impl Family {
    /// The unit, which is the end of the name: `seconds`, `bytes`, `ratio`, or none.
    pub fn unit(&self) -> Option<&'static str> {
        // Counts by bucket: the name ends in the unit of the bounds, the values have none.
        if self.labels.contains(&"le") {
            return None;
        }
        let stem = self.name.strip_suffix("_total").unwrap_or(self.name);
        ["seconds", "bytes", "ratio"]
            .into_iter()
            .find(|unit| stem.strip_suffix(unit).is_some_and(|s| s.ends_with('_')))
    }

    /// Name in HELP and TYPE of OpenMetrics: without `_total` and `_info`.
    pub fn open_metrics_name(&self) -> &'static str {
        let suffix = match self.kind {
            Counter => "_total",
            Info => "_info",
            Gauge | Histogram => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }

    /// Whether it is about the exporter rather than about KnowBe4.
    pub fn is_own(&self) -> bool {
        self.collector == OWN
    }
}

/// The source of what the exporter says about itself.
pub const OWN: &str = "exporter";

/// A family, as tables write it.
pub const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    collector: &'static str,
    help: &'static str,
) -> Family {
    Family {
        name,
        kind,
        labels,
        collector,
        help,
    }
}
