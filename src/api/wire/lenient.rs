//! Single values of any JSON type, and the count of surprises.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::recipients::Event;

/// How many surprises of each kind an answer held: the `kind` label of `knowbe4_exporter_schema_drift_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drift {
    /// A list element that is null.
    pub null_row: u64,
    /// A list element that is neither an object nor null.
    pub bad_row: u64,
    /// A row without an id.
    pub missing_id: u64,
    /// A field that the documentation promises is missing or null.
    pub missing_field: u64,
    /// A field of another type than documented; it counts as missing.
    pub wrong_type: u64,
    /// A number in quotes.
    pub number_as_text: u64,
    /// A word outside the documented set.
    pub unknown_value: u64,
    /// One object in an array, where the documentation shows it bare.
    pub array_of_one: u64,
    /// One object bare, where the documentation shows an array.
    pub lone_object: u64,
    /// An enrollment without campaign id whose campaign name belongs to several campaigns, or to none.
    pub ambiguous_name: u64,
    /// A row that an earlier page of the same listing held too.
    pub duplicate_row: u64,
}

impl Drift {
    /// Kinds with their counts.
    pub fn counts(&self) -> [(&'static str, u64); 11] {
        [
            ("null_row", self.null_row),
            ("bad_row", self.bad_row),
            ("missing_id", self.missing_id),
            ("missing_field", self.missing_field),
            ("wrong_type", self.wrong_type),
            ("number_as_text", self.number_as_text),
            ("unknown_value", self.unknown_value),
            ("array_of_one", self.array_of_one),
            ("lone_object", self.lone_object),
            ("ambiguous_name", self.ambiguous_name),
            ("duplicate_row", self.duplicate_row),
        ]
    }
}

/// A JSON value, without what is inside arrays and objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Any {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Compound,
}

impl Any {
    /// Reads the value of the field at hand.
    pub(super) fn next<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Self, A::Error> {
        map.next_value_seed(Seed(Shallow))
    }

    /// A finite number.
    pub(super) fn number(self, drift: &mut Drift) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Float(value) => Some(value),
            Self::Text(text) => quoted(&text, drift),
            other => other.nothing(drift),
        }
    }

    /// A whole number of either sign: an id.
    pub(super) fn integer(self, drift: &mut Drift) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            Self::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Some(value as i64),
            Self::Text(text) => match text.trim().parse() {
                Ok(value) => {
                    drift.number_as_text += 1;
                    Some(value)
                }
                Err(_) => Self::Float(quoted(&text, drift)?).integer(drift),
            },
            other => other.nothing(drift),
        }
    }

    /// A whole number from 0: a count.
    pub(super) fn count(self, drift: &mut Drift) -> Option<u64> {
        let value = self.integer(drift)?;
        let count = u64::try_from(value).ok();
        drift.wrong_type += u64::from(count.is_none());
        count
    }

    /// Text; numbers and booleans as they are written.
    pub(super) fn text(self, drift: &mut Drift) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            Self::Int(value) => Some(value.to_string()),
            Self::Float(value) => Some(value.to_string()),
            Self::Bool(value) => Some(value.to_string()),
            other => other.nothing(drift),
        }
    }

    /// True or false; also 0 and 1, and the words.
    pub(super) fn boolean(self, drift: &mut Drift) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            Self::Int(value @ (0 | 1)) => Some(value == 1),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            other => other.nothing(drift),
        }
    }

    /// An instant in unix seconds: `2019-04-02T15:02:38.000Z`, a date alone (its midnight UTC), or without a zone (UTC).
    pub(super) fn time(self, drift: &mut Drift) -> Option<f64> {
        let Self::Text(text) = self else {
            return self.nothing(drift);
        };
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let time = parse_time(text);
        drift.wrong_type += u64::from(time.is_none());
        time
    }

    fn nothing<T>(self, drift: &mut Drift) -> Option<T> {
        drift.wrong_type += u64::from(self != Self::Null);
        None
    }
}

/// A finite number in quotes; empty text is none, and no surprise.
fn quoted(text: &str, drift: &mut Drift) -> Option<f64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let value = text.parse().ok().filter(|value: &f64| value.is_finite());
    let kind = match value {
        Some(_) => &mut drift.number_as_text,
        None => &mut drift.wrong_type,
    };
    *kind += 1;
    value
}

/// When something happened to a mail. What can't be read as a time has happened nevertheless, unless it is nothing.
pub(super) fn moment(value: Any, drift: &mut Drift) -> Event {
    let time = match value {
        Any::Null | Any::Bool(false) | Any::Int(0) => return Event::Never,
        Any::Int(number) => Some(unix(number as f64)),
        Any::Float(number) => Some(unix(number)),
        Any::Text(text) => match text.trim() {
            "" => return Event::Never,
            // No time at all to some databases.
            text if text.starts_with("0000-") => return Event::Never,
            text => parse_time(text).or_else(|| text.parse().ok().map(unix)),
        },
        Any::Bool(true) | Any::Compound => None,
    };
    match time.filter(|time| time.is_finite()) {
        Some(time) => Event::At(time),
        None => {
            drift.wrong_type += 1;
            Event::Sometime
        }
    }
}

/// Unix seconds of a number that may be milliseconds: as seconds those would be millennia ahead.
fn unix(number: f64) -> f64 {
    const LATEST: f64 = 1e11;
    if number.abs() > LATEST {
        number / 1000.0
    } else {
        number
    }
}

fn parse_time(text: &str) -> Option<f64> {
    // As Ruby prints it.
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Some(timestamp.as_duration().as_secs_f64());
    }
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Some(zoned.timestamp().as_duration().as_secs_f64());
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok().or_else(|| {
        text.parse::<jiff::civil::Date>()
            .ok()
            .map(|date| date.at(0, 0, 0, 0))
    })?;
    Some(
        jiff::tz::TimeZone::UTC
            .to_timestamp(civil)
            .ok()?
            .as_duration()
            .as_secs_f64(),
    )
}

/// Something that can be read of any JSON value whatever: nothing makes it fail but broken JSON.
pub(super) trait Lenient<'de>: Sized {
    /// What it becomes.
    type Out;

    /// Of null, a boolean, a number or text; and of [`Any::Compound`] for what isn't looked into.
    fn scalar(self, value: Any) -> Self::Out;

    /// Of an array.
    fn seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Out, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.scalar(Any::Compound))
    }

    /// Of an object.
    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Out, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.scalar(Any::Compound))
    }
}

/// Lets serde read a [`Lenient`].
pub(super) struct Seed<L>(pub(super) L);

impl<'de, L: Lenient<'de>> DeserializeSeed<'de> for Seed<L> {
    type Value = L::Out;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<L::Out, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, L: Lenient<'de>> Visitor<'de> for Seed<L> {
    type Value = L::Out;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<L::Out, E> {
        Ok(self.0.scalar(Any::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<L::Out, E> {
        Ok(self.0.scalar(Any::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<L::Out, E> {
        Ok(self.0.scalar(Any::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<L::Out, E> {
        Ok(self
            .0
            .scalar(i64::try_from(value).map_or(Any::Float(value as f64), Any::Int)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<L::Out, E> {
        Ok(self.0.scalar(Any::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<L::Out, E> {
        Ok(self.0.scalar(Any::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<L::Out, A::Error> {
        self.0.seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<L::Out, A::Error> {
        self.0.map(map)
    }
}

/// A value that isn't looked into.
struct Shallow;

impl Lenient<'_> for Shallow {
    type Out = Any;

    fn scalar(self, value: Any) -> Any {
        value
    }
}

/// The next key of an object, without a copy unless it holds an escape.
pub(super) fn next_key<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    struct Key;

    impl<'de> DeserializeSeed<'de> for Key {
        type Value = Cow<'de, str>;

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
            deserializer.deserialize_str(self)
        }
    }

    impl<'de> Visitor<'de> for Key {
        type Value = Cow<'de, str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a key")
        }

        fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
            Ok(Cow::Borrowed(key))
        }

        fn visit_str<E>(self, key: &str) -> Result<Cow<'de, str>, E> {
            Ok(Cow::Owned(key.to_owned()))
        }
    }

    map.next_key_seed(Key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(json: &str) -> Any {
        Seed(Shallow)
            .deserialize(&mut serde_json::Deserializer::from_str(json))
            .expect("JSON")
    }

    #[test]
    fn numbers_are_read_bare_and_quoted() {
        let mut drift = Drift::default();
        assert_eq!(any("7978339432").integer(&mut drift), Some(7_978_339_432));
        assert_eq!(any("12.0").integer(&mut drift), Some(12));
        assert_eq!(any("0.277").number(&mut drift), Some(0.277));
        assert_eq!(any("null").number(&mut drift), None);
        assert_eq!(any("\"\"").number(&mut drift), None);
        assert_eq!(drift, Drift::default());
        assert_eq!(any("\" 12.5 \"").number(&mut drift), Some(12.5));
        assert_eq!(drift.number_as_text, 1);
        assert_eq!(any("\"NaN\"").number(&mut drift), None);
        assert_eq!(any("[1]").number(&mut drift), None);
        assert_eq!(any("-1").count(&mut drift), None);
        assert_eq!((drift.number_as_text, drift.wrong_type), (1, 3));
        assert_eq!(any("\"625.0\"").count(&mut drift), Some(625));
        assert_eq!(any("\"7978339432\"").integer(&mut drift), Some(7_978_339_432));
        assert_eq!((drift.number_as_text, drift.wrong_type), (3, 3));
        assert_eq!(any("\"0.5\"").integer(&mut drift), None);
        assert_eq!(drift.wrong_type, 4);
    }

    #[test]
    fn moments_are_read_in_more_forms_than_that() {
        let mut drift = Drift::default();
        let at = Event::At(1_678_122_904.0);
        for json in [
            r#""2023-03-06T17:15:04.000Z""#,
            r#""2023-03-06T18:15:04+01:00""#,
            r#""2023-03-06T18:15:04+0100""#,
            r#""2023-03-06 17:15:04 UTC""#,
            r#""2023-03-06 17:15:04""#,
            r#""Mon, 06 Mar 2023 17:15:04 GMT""#,
            "1678122904",
            "1678122904000",
            "1678122904.0",
            r#""1678122904""#,
        ] {
            assert_eq!(moment(any(json), &mut drift), at, "{json}");
        }
        for json in ["null", "false", "0", "\"\"", "\" \"", "\"0000-00-00 00:00:00\""] {
            assert_eq!(moment(any(json), &mut drift), Event::Never, "{json}");
        }
        assert_eq!(drift, Drift::default());
        for json in ["true", "\"yesterday\"", "{}", "\"2023-02-31\"", "\"NaN\""] {
            assert_eq!(moment(any(json), &mut drift), Event::Sometime, "{json}");
        }
        assert_eq!(drift.wrong_type, 5);
    }

    #[test]
    fn times_are_read_in_every_form_seen() {
        let mut drift = Drift::default();
        assert_eq!(
            any("\"2023-03-06T17:13:27.000Z\"").time(&mut drift),
            Some(1_678_122_807.0)
        );
        assert_eq!(any("\"2021-03-06\"").time(&mut drift), Some(1_614_988_800.0));
        assert_eq!(
            any("\"2021-03-06T00:00:00\"").time(&mut drift),
            Some(1_614_988_800.0)
        );
        assert_eq!(any("null").time(&mut drift), None);
        assert_eq!(drift, Drift::default());
        assert_eq!(any("\"soon\"").time(&mut drift), None);
        assert_eq!(any("5").time(&mut drift), None);
        assert_eq!(drift.wrong_type, 2);
    }
}
