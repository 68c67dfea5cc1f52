//! Takes typed values out of the document's tree; what doesn't fit becomes a finding, and reading goes on.

mod table;

use std::ops::RangeInclusive;
use std::time::Duration;

pub(super) use table::Table;

use super::document::{Node, Value};
use super::duration;
use super::mistakes::{Findings, Spot};
use super::secrecy::shown;

/// A value that was understood, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found<T> {
    pub(super) value: T,
    pub(super) at: Spot,
}

/// A value that is still to be understood.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    node: &'a Node,
    findings: &'a Findings,
    pub(super) at: Spot,
}

impl<'a> Item<'a> {
    pub(super) fn root(node: &'a Node, findings: &'a Findings) -> Self {
        let at = Spot {
            id: node.id,
            path: String::new(),
        };
        Self { node, findings, at }
    }

    /// The text, when it is one.
    pub(super) fn as_str(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Reports `message` and answers [`None`].
    pub(super) fn wrong<T>(&self, message: impl Into<String>) -> Option<T> {
        self.findings.wrong(&self.at, message);
        None
    }

    /// Reports what stands here instead of what was `expected`, and answers [`None`].
    pub(super) fn unexpected<T>(&self, expected: &str) -> Option<T> {
        let found = describe(&self.node.value);
        self.wrong(format!("found {found}, expected {expected}"))
    }

    pub(super) fn found<T>(self, value: T) -> Option<Found<T>> {
        Some(Found { value, at: self.at })
    }

    /// A text that `parse` understands; its error says what was expected.
    pub(super) fn text<T>(self, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Found<T>> {
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

    /// As [`Item::text`], but nothing of it is ever repeated: it may be a key in the wrong place. `parse` answers
    /// with the whole message.
    pub(super) fn private_text<T>(
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

    pub(super) fn boolean(self) -> Option<Found<bool>> {
        match self.node.value {
            Value::Bool(value) => self.found(value),
            _ => self.unexpected("true or false"),
        }
    }

    pub(super) fn whole(self, range: RangeInclusive<u64>) -> Option<Found<u64>> {
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
    pub(super) fn positive(self, most: f64) -> Option<Found<f64>> {
        let value = match self.node.value {
            Value::Integer(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        };
        match value.filter(|value| *value > 0.0 && *value <= most) {
            Some(value) => self.found(value),
            None => self.unexpected(&format!("a number above 0 and at most {most}")),
        }
    }

    /// A duration of at least `least`.
    pub(super) fn duration(self, least: Duration) -> Option<Found<Duration>> {
        match &self.node.value {
            Value::Text(text) => match duration::parse(text) {
                Ok(value) if value >= least => self.found(value),
                Ok(_) => self.unexpected(&format!("at least {}", duration::format(least))),
                Err(duration::DurationError::TooLong) => self.unexpected("at most 100y"),
                Err(duration::DurationError::Malformed) => self.unexpected(duration::EXPECTED),
            },
            _ => self.unexpected(duration::EXPECTED),
        }
    }

    pub(super) fn list(self, of: &str) -> Option<Found<Vec<Self>>> {
        let Value::List(list) = &self.node.value else {
            return self.unexpected(&format!("a list of {of}"));
        };
        let items = list.iter().enumerate().map(|(index, node)| Self {
            node,
            findings: self.findings,
            at: Spot {
                id: node.id,
                path: format!("{}[{index}]", self.at.path),
            },
        });
        let items = items.collect();
        self.found(items)
    }

    pub(super) fn table(self, example: &str) -> Option<Table<'a>> {
        let Value::Map(map) = &self.node.value else {
            return self.unexpected(&format!("keys and values such as {example}"));
        };
        Some(Table::new(map, self.findings, self.at))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "keys and values",
    }
}

fn describe(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => format!("the number {value}"),
        Value::Float(value) => format!("the number {value}"),
        Value::Text(text) => format!("the text {}", shown(text)),
        other => kind(other).to_owned(),
    }
}
