//! Takes typed values out of the document's tree; what doesn't fit becomes a finding, and reading goes on.

mod table;
mod values;

pub use table::Table;

use crate::document::{Node, Value};
use crate::findings::{Findings, Spot};
use crate::secrecy::shown;

/// A value that was understood, and where it stands.
#[derive(Debug, Clone)]
pub struct Found<T> {
    /// What it means.
    pub value: T,
    /// Where it stands.
    pub at: Spot,
}

/// A value that is still to be understood.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    node: &'a Node,
    findings: &'a Findings,
    /// Where it stands.
    pub at: Spot,
}

impl<'a> Item<'a> {
    pub(crate) fn root(node: &'a Node, findings: &'a Findings) -> Self {
        let at = Spot {
            position: node.at,
            path: String::new(),
        };
        Self { node, findings, at }
    }

    /// Where mistakes about more than one value go.
    pub fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// The text, when it is one.
    pub fn as_str(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, when it is one.
    pub fn as_integer(&self) -> Option<i128> {
        match self.node.value {
            Value::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// Whether nothing stands here: an empty file, say.
    pub fn is_empty(&self) -> bool {
        matches!(self.node.value, Value::Null)
    }

    /// Reports `message` and answers [`None`].
    pub fn wrong<T>(&self, message: impl Into<String>) -> Option<T> {
        self.findings.wrong(&self.at, message);
        None
    }

    /// Reports what stands here instead of what was `expected`, and answers [`None`].
    pub fn unexpected<T>(&self, expected: &str) -> Option<T> {
        let found = describe(&self.node.value);
        self.wrong(format!("found {found}, expected {expected}"))
    }

    /// It means `value`.
    pub fn found<T>(self, value: T) -> Option<Found<T>> {
        Some(Found { value, at: self.at })
    }

    /// A list `of` something.
    pub fn list(self, of: &str) -> Option<Found<Vec<Self>>> {
        let Value::List(list) = &self.node.value else {
            return self.unexpected(&format!("a list of {of}"));
        };
        let items = list.iter().enumerate().map(|(index, node)| Self {
            node,
            findings: self.findings,
            at: Spot {
                position: node.at,
                path: format!("{}[{index}]", self.at.path),
            },
        });
        let items = items.collect();
        self.found(items)
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
