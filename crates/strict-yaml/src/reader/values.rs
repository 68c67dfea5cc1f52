//! Scalars: texts, numbers, truth.

use std::ops::RangeInclusive;

use super::{Found, Item, kind};
use crate::document::Value;

impl Item<'_> {
    /// A text that `parse` understands; its error says what was expected.
    pub fn text<T>(self, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Found<T>> {
        match &self.node.value {
            Value::Text(text) => match parse(text) {
                Some(value) => self.found(value),
                None => self.unexpected(expected),
            },
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) => {
                self.unexpected(&format!("{expected}, as text: put it in quotes"))
            }
            _ => self.unexpected(expected),
        }
    }

    /// As [`Item::text`], but nothing of it is ever repeated: it may be a secret, or one in the wrong place.
    /// `parse` answers with the whole message.
    pub fn private_text<T>(
        self,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Found<T>> {
        let message = match &self.node.value {
            Value::Text(text) => match parse(text) {
                Ok(value) => return self.found(value),
                Err(message) => message,
            },
            other => format!("found {}, expected {expected}", kind(other)),
        };
        self.findings.wrong(&self.at, message);
        None
    }

    /// `true` or `false`.
    pub fn boolean(self) -> Option<Found<bool>> {
        match self.node.value {
            Value::Bool(value) => self.found(value),
            _ => self.unexpected("true or false"),
        }
    }

    /// A whole number within `range`.
    pub fn whole(self, range: RangeInclusive<u64>) -> Option<Found<u64>> {
        match self.node.value {
            Value::Integer(value) => match u64::try_from(value).ok().filter(|value| range.contains(value)) {
                Some(value) => self.found(value),
                None => self.whole_expected(&range),
            },
            _ => self.whole_expected(&range),
        }
    }

    fn whole_expected<T>(&self, range: &RangeInclusive<u64>) -> Option<T> {
        let bare = match &self.node.value {
            Value::Text(text) if text.parse::<u64>().is_ok() => ", without quotes",
            _ => "",
        };
        self.unexpected(&format!(
            "a whole number from {} to {}{bare}",
            range.start(),
            range.end()
        ))
    }

    /// A number above 0 and at most `most`.
    pub fn positive(self, most: f64) -> Option<Found<f64>> {
        match self.as_float().filter(|value| *value > 0.0 && *value <= most) {
            Some(value) => self.found(value),
            None => self.unexpected(&format!("a number above 0 and at most {most}")),
        }
    }

    /// A number from the one end of `range` to the other.
    pub fn number(self, range: RangeInclusive<f64>) -> Option<Found<f64>> {
        match self.as_float().filter(|value| range.contains(value)) {
            Some(value) => self.found(value),
            None => self.unexpected(&format!("a number from {} to {}", range.start(), range.end())),
        }
    }

    fn as_float(&self) -> Option<f64> {
        match self.node.value {
            Value::Integer(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }
}
