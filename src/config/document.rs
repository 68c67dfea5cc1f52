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
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
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
    match walk.deserialize(yaml_serde::Deserializer::from_str(text)) {
        // Nothing but comments.
        Err(_)
            if text
                .lines()
                .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) =>
        {
            Ok(Node {
                id: 0,
                value: Value::Null,
            })
        }
        result => result,
    }
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
        message: without_position(&message).to_owned(),
    }
}

/// The message without ` at line 1 column 2`, which stands before it already, and without the parser's own path.
fn without_position(message: &str) -> &str {
    let message = message.split(" at line ").next().unwrap_or(message);
    message.rsplit(": ").next().unwrap_or(message)
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every scalar and key of the tree with its position, in reading order.
    fn positions(text: &str) -> Vec<(String, Position)> {
        fn visit(node: &Node, document: &Document<'_>, out: &mut Vec<(String, Position)>) {
            let at = document.locate(node.id);
            match &node.value {
                Value::List(list) => {
                    out.push(("[".to_owned(), at));
                    list.iter().for_each(|node| visit(node, document, out));
                }
                Value::Map(map) => {
                    out.push(("{".to_owned(), at));
                    for (key, value) in map {
                        visit(key, document, out);
                        visit(value, document, out);
                    }
                }
                Value::Text(text) => out.push((text.clone(), at)),
                other => out.push((format!("{other:?}"), at)),
            }
        }
        let document = Document::parse(text).expect(text);
        let mut out = Vec::new();
        visit(&document.root, &document, &mut out);
        out
    }

    #[test]
    fn every_node_is_found_again() {
        let text = "\u{feff}# who\na:\n  - x\n  - {b: 1, 'c': true}\na: ~\n\"ü\": y\n";
        let expected = [
            ("{", (2, 1)),
            ("a", (2, 1)),
            ("[", (3, 3)),
            ("x", (3, 5)),
            ("{", (4, 5)),
            ("b", (4, 6)),
            ("Integer(1)", (4, 9)),
            ("c", (4, 12)),
            ("Bool(true)", (4, 17)),
            ("a", (5, 1)),
            ("Null", (5, 4)),
            ("ü", (6, 1)),
            ("y", (6, 6)),
        ];
        let expected: Vec<(String, Position)> = expected.map(|(name, at)| (name.to_owned(), at)).into();
        assert_eq!(positions(text), expected);
    }

    #[test]
    fn nothing_is_a_document_too() {
        for empty in ["", "\n", "# comment\n", "---\n", "---\n...\n"] {
            assert!(
                matches!(Document::parse(empty).expect(empty).root.value, Value::Null),
                "{empty:?}"
            );
        }
    }

    #[test]
    fn what_is_no_document_is_told_with_its_place() {
        for (text, position, message) in [
            ("a: [1, 2\nb: 3\n", (2, 2), "did not find expected ',' or ']'"),
            (
                "a: 1\n---\nb: 2\n",
                (2, 1),
                "found a second document, expected one",
            ),
            (
                "a: 1\nb: !secret x\n",
                (2, 4),
                "found a YAML tag, expected plain values",
            ),
            ("a: *nobody\n", (1, 4), "unknown anchor"),
            (
                "a: 1\n\tb: 2\n",
                (2, 1),
                "found character that cannot start any token",
            ),
        ] {
            let error = Document::parse(text).expect_err(text);
            assert_eq!(
                (error.position, error.message.as_str()),
                (position, message),
                "{text:?}"
            );
        }
    }

    #[test]
    fn neither_depth_nor_aliases_take_long() {
        let deep = "[".repeat(500_000);
        assert_eq!(Document::parse(&deep).expect_err("deep").position, (1, 65));
        assert!(Document::parse(&"- ".repeat(1000)).is_err());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..8 {
            let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb.push_str(&format!("a{i}: &a{i} [{aliases}]\n"));
        }
        assert!(Document::parse(&bomb).is_err());
        assert!(Document::parse("&a [*a]").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}") {
            let _ = Document::parse(&text);
        }

        #[test]
        fn nor_does_what_looks_like_yaml(text in "([-:,?&*!|>'\"%@`#{}\\[\\]<~ \n\tab0.]|: |- |\n  ){0,60}") {
            if let Ok(document) = Document::parse(&text) {
                let _ = document.locate(0);
            }
        }
    }
}
