//! A YAML document as a tree whose nodes know where they stand.
//!
//! Keys that stand twice are kept, so that both places can be told.

mod scalar;

use std::collections::HashMap;
use std::fmt;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

/// The most nodes that are read: a file of a thousand accounts has some 30,000. Aliases can make a small file huge.
const MOST_NODES: usize = 200_000;

/// The deepest nesting that is read. Configurations need half a dozen.
const DEEPEST: usize = 64;

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Position {
    /// Where a file begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl From<&Marker> for Position {
    fn from(marker: &Marker) -> Self {
        Self {
            line: marker.line().max(1),
            column: marker.col() + 1,
        }
    }
}

/// `line:column`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// One value.
#[derive(Clone)]
pub(crate) struct Node {
    /// Where it begins; for what an alias stands for, where that begins.
    pub(crate) at: Position,
    pub(crate) value: Value,
}

#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Shows no value: there may be a secret among them.
impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A text that is YAML.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
}

/// A text that isn't.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) position: Position,
    pub(crate) message: String,
}

impl Malformed {
    fn new(position: Position, message: impl Into<String>) -> Self {
        Self {
            position,
            message: message.into(),
        }
    }
}

impl Document {
    /// Reads the text; a file of nothing but comments is [`Value::Null`].
    pub(crate) fn parse(text: &str) -> Result<Self, Malformed> {
        // Editors on Windows put a mark at the start.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut builder = Builder::default();
        let mut documents = 0;
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| builder.malformed(&error, text))?;
            let at = Position::from(&span.start);
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    return Err(Malformed::new(at, "found a second document, expected one"));
                }
            }
            builder.take(event, at)?;
        }
        let root = builder.root.unwrap_or(Node {
            at: Position::START,
            value: Value::Null,
        });
        Ok(Self { root })
    }
}

/// A list or map that isn't closed yet.
struct Open {
    node: Node,
    anchor: usize,
    /// How many nodes had been read when it began, itself left out.
    before: usize,
    /// A map's key that waits for its value.
    key: Option<Node>,
}

/// Makes a tree of events.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    /// What aliases stand for, and how many nodes that is.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, at: Position) -> Result<(), Malformed> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let value = match tag.as_deref() {
                    Some(tag) if is_text(tag) => Value::Text(text.into_owned()),
                    None if plain => scalar::resolve(text.into_owned()),
                    None => Value::Text(text.into_owned()),
                    Some(_) => return Err(tagged(at)),
                };
                let node = Node { at, value };
                self.count(1, at)?;
                self.keep(anchor, &node, 1);
                self.close(node);
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Value::List(Vec::new()), anchor, tag.is_some(), at)?
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Value::Map(Vec::new()), anchor, tag.is_some(), at)?
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.keep(open.anchor, &open.node, self.nodes - open.before);
                    self.close(open.node);
                }
            }
            Event::Alias(anchor) => {
                let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Malformed::new(at, "found an alias inside of what it stands for"));
                };
                self.count(nodes, at)?;
                self.close(node);
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn begin(&mut self, value: Value, anchor: usize, is_tagged: bool, at: Position) -> Result<(), Malformed> {
        if is_tagged {
            return Err(tagged(at));
        }
        if self.open.len() >= DEEPEST {
            let message = format!("found values nested more than {DEEPEST} deep, expected a configuration");
            return Err(Malformed::new(at, message));
        }
        let before = self.nodes;
        self.count(1, at)?;
        self.open.push(Open {
            node: Node { at, value },
            anchor,
            before,
            key: None,
        });
        Ok(())
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), Malformed> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let message = format!("found more than {MOST_NODES} values, expected a configuration");
            return Err(Malformed::new(at, message));
        }
        Ok(())
    }

    /// What the scanner stumbled over, and the bracket that was open then: it is missed where it should have closed,
    /// and seen where it opened.
    fn malformed(&self, error: &ScanError, text: &str) -> Malformed {
        let at = error.marker().into();
        if error.info().contains("recursion limit") {
            return Malformed::new(at, "found values nested too deeply, expected a configuration");
        }
        let within = self.open.last().and_then(|open| {
            let Position { line, column } = open.node.at;
            let bracket = text.lines().nth(line - 1)?.chars().nth(column - 1)?;
            matches!(bracket, '[' | '{')
                .then(|| format!(", after a {bracket} at line {line} column {column} that isn't closed"))
        });
        Malformed::new(at, format!("{}{}", error.info(), within.unwrap_or_default()))
    }

    /// Remembers what an anchor names; 0 is no anchor.
    fn keep(&mut self, anchor: usize, node: &Node, nodes: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
    }

    /// The node is whole: it goes into what is open around it.
    fn close(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.node.value {
            Value::List(list) => list.push(node),
            Value::Map(map) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => map.push((key, node)),
            },
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {}
        }
    }
}

/// `!!str` says what quotes say.
fn is_text(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == "str"
}

fn tagged(at: Position) -> Malformed {
    Malformed::new(at, "found a YAML tag, expected plain values")
}

#[cfg(test)]
mod tests;
