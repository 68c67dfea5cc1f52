//! What writers hand to a sink: the values of labels and of samples.

use std::fmt;

/// A label's value; an absent one is empty, which is the same to Prometheus.
#[derive(Debug, Clone, Copy)]
pub(super) enum Label<'a> {
    Text(&'a str),
    Id(i64),
}

impl<'a> From<&'a str> for Label<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Label<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Label<'_> {
    fn from(id: i64) -> Self {
        Self::Id(id)
    }
}

impl From<Option<i64>> for Label<'_> {
    fn from(id: Option<i64>) -> Self {
        id.map_or(Self::Text(""), Self::Id)
    }
}

/// A sample's value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// Not known: no sample is written.
    Absent,
    /// A count.
    Whole(i64),
    /// Anything else, finite.
    Real(f64),
}

/// Above it not every whole number is an `f64`, which is what Prometheus makes of each value: 2^53.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

impl From<f64> for Value {
    /// NaN and infinity are nothing that the API or the exporter measures.
    fn from(value: f64) -> Self {
        if !value.is_finite() {
            Self::Absent
        } else if value.fract() == 0.0 && value.abs() <= LARGEST_EXACT {
            Self::Whole(value as i64)
        } else {
            Self::Real(value)
        }
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Real(value as f64), Self::Whole)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

/// As it stands in the text formats.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Whole(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: impl Into<Value>) -> String {
        match value.into() {
            Value::Absent => "-".to_owned(),
            Value::Whole(value) => value.to_string(),
            Value::Real(value) => format!("~{value}"),
        }
    }

    #[test]
    fn counts_are_whole_and_nonsense_is_absent() {
        let shown: [String; 10] = [
            shown(35.0),
            shown(-0.0),
            shown(0.5),
            shown(1e300),
            shown(f64::NAN),
            shown(f64::NEG_INFINITY),
            shown(None::<f64>),
            shown(Some(7_u64)),
            shown(u64::MAX),
            shown(true),
        ];
        let huge = format!("~{}", 1e300);
        let max = format!("~{}", u64::MAX as f64);
        assert_eq!(shown, ["35", "0", "~0.5", &huge, "-", "-", "-", "7", &max, "1"]);
    }
}
