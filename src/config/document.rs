//! A YAML document as a tree, and where in the file each of its nodes stands.
//!
//! Serde stops at the first mistake; a tree doesn't, so that all mistakes can be told at once. The tree keeps the
//! keys that stand twice. It has no positions, since serde has none to give but in an error: [`Document::locate`]
//! reads the text a second time and makes an error of just the node that is asked for.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

/// Line and column of a node, both from 1.
pub(super) type Position = (usize, usize);

/// The most nodes that are read: a file of a thousand accounts has some 30,000. Aliases can make a small file huge.
const MOST_NODES: usize = 200_000;

/// The deepest nesting of `[` and `{` that is read. The configuration needs four; the parser's time grows with the
/// square of it.
const DEEPEST: usize = 64;

/// One value.
#[derive(Debug)]
pub(super) struct Node {
    /// Its number in reading order.
    pub(super) id: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// A text that is YAML.
#[derive(Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    pub(super) root: Node,
}

/// A text that isn't.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) position: Position,
    pub(super) message: String,
}

impl<'a> Document<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Malformed> {
        if let Some(position) = too_deep(text) {
            return Err(Malformed {
                position,
                message: format!("found brackets nested more than {DEEPEST} deep, expected a configuration"),
            });
        }
        let root = read(text, None).map_err(|error| malformed(text, &error))?;
        Ok(Self { text, root })
    }

    /// Where the node stands; that of an alias is what it stands for.
    pub(super) fn locate(&self, id: usize) -> Position {
        read(self.text, Some(id))
            .err()
            .and_then(|error| position(&error))
            .unwrap_or((1, 1))
    }
}

fn read(text: &str, target: Option<usize>) -> Result<Node, yaml_serde::Error> {
    let walk = Walk {
        next: &Cell::new(0),
        target,
    };
    walk.deserialize(yaml_serde::Deserializer::from_str(text))
}

fn position(error: &yaml_serde::Error) -> Option<Position> {
    error.location().map(|at| (at.line(), at.column()))
}

fn malformed(text: &str, error: &yaml_serde::Error) -> Malformed {
    let message = error.to_string();
    if message.contains("more than one document") {
        let line = text.lines().skip(1).position(|line| line.starts_with("---"));
        return Malformed {
            position: (line.map_or(1, |line| line + 2), 1),
            message: "found a second document, expected one".to_owned(),
        };
    }
    Malformed {
        position: position(error).unwrap_or((1, 1)),
        message: without_position(&message),
    }
}

/// The message without its own ` at line 1 column 2`, which stands before it already, and without serde's path. Where
/// the bracket was opened that isn't closed stays.
fn without_position(message: &str) -> String {
    let message = message
        .find("found ")
        .filter(|_| !message.starts_with("did not"))
        .map_or(message, |at| &message[at..]);
    let Some((head, tail)) = message.split_once(" at line ") else {
        return message.to_owned();
    };
    let tail = tail.trim_start_matches(|c: char| c.is_ascii_digit());
    let tail = tail.strip_prefix(" column ").unwrap_or(tail);
    format!("{head}{}", tail.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Where brackets are nested too deeply. Brackets in quotes count as well: it is a guard, not a parser.
fn too_deep(text: &str) -> Option<Position> {
    let mut depth = 0_usize;
    for (number, line) in text.lines().enumerate() {
        for (column, letter) in line.chars().enumerate() {
            match letter {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Some((number + 1, column + 1));
            }
        }
    }
    None
}

/// Numbers the nodes as it reads them, and fails at the one it is after.
#[derive(Clone, Copy)]
struct Walk<'c> {
    next: &'c Cell<usize>,
    target: Option<usize>,
}

impl Walk<'_> {
    fn enter<E: Error>(self) -> Result<usize, E> {
        let id = self.next.get();
        if self.target == Some(id) {
            return Err(E::custom("here"));
        }
        if id >= MOST_NODES {
            return Err(E::custom(format!(
                "found more than {MOST_NODES} values, expected a configuration"
            )));
        }
        self.next.set(id + 1);
        Ok(id)
    }

    fn leaf<E: Error>(self, value: Value) -> Result<Node, E> {
        Ok(Node {
            id: self.enter()?,
            value,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.leaf(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.leaf(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.leaf(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.leaf(Value::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.leaf(Value::Integer(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Node, E> {
        self.leaf(Value::Integer(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Node, E> {
        self.leaf(Value::Integer(value.try_into().unwrap_or(i128::MAX)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.leaf(Value::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.leaf(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let id = self.enter()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Node {
            id,
            value: Value::List(list),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let id = self.enter()?;
        let mut map = Vec::new();
        while let Some(key) = entries.next_key_seed(self)? {
            map.push((key, entries.next_value_seed(self)?));
        }
        Ok(Node {
            id,
            value: Value::Map(map),
        })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(A::Error::custom("found a YAML tag, expected plain values"))
    }
}

#[cfg(test)]
mod tests;
