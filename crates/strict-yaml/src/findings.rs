//! All that is wrong with a file, gathered.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use crate::document::Position;

/// The most mistakes that are told at once: nobody reads on.
const MOST: usize = 100;

/// One mistake: where, what was found, what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    place: String,
    message: String,
}

impl Mistake {
    /// `place` is a file, `file:line:column`, or whatever else the value came from, such as a variable's name.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What is wrong with a file: every mistake on a line of its own, then a line that says what to do, if there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes {
    mistakes: Vec<Mistake>,
    omitted: usize,
    hint: Option<String>,
}

impl Mistakes {
    /// These mistakes, of which the first hundred are shown.
    pub fn new(mut mistakes: Vec<Mistake>) -> Self {
        let omitted = mistakes.len().saturating_sub(MOST);
        mistakes.truncate(MOST);
        Self {
            mistakes,
            omitted,
            hint: None,
        }
    }

    /// The same, with what to do about them.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The mistakes, in the order of the file.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self.mistakes.iter().map(ToString::to_string).collect();
        if self.omitted > 0 {
            lines.push(format!("and {} more", self.omitted));
        }
        lines.extend(self.hint.iter().map(|hint| format!("hint: {hint}")));
        f.write_str(&lines.join("\n"))
    }
}

/// What a mistake is about: a place in the file and the path of keys that leads there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// Where it stands.
    pub position: Position,
    /// Its keys, as in `accounts[0].budget.share`; empty for the whole file.
    pub path: String,
}

impl Spot {
    /// The whole file.
    pub const FILE: Self = Self {
        position: Position::START,
        path: String::new(),
    };
}

/// What the messages about keys that don't belong where they stand may say beyond YAML.
#[derive(Debug, Clone, Copy)]
pub struct Hints {
    /// Keys under which somebody might put a secret, in lower case. Such a key, where it isn't known, is answered with
    /// [`Hints::secret`], and its value is never shown.
    pub secret_keys: &'static [&'static str],
    /// What to do with a secret instead.
    pub secret: &'static str,
    /// Where a key belongs that is often put into the wrong place.
    pub home: fn(&str) -> Option<&'static str>,
    /// What to write in place of `<<`.
    pub merge: &'static str,
}

impl Default for Hints {
    fn default() -> Self {
        Self {
            secret_keys: &[],
            secret: "a secret can't stand in this file (its value is not shown)",
            home: |_| None,
            merge: "YAML merge keys are not understood, expected each key where it holds",
        }
    }
}

/// Mistakes and warnings, in the order of the file and once each: what several parts share may be looked at several
/// times.
#[derive(Debug)]
pub struct Findings {
    hints: Hints,
    wrong: RefCell<BTreeSet<(Spot, String)>>,
    odd: RefCell<BTreeSet<(Spot, String)>>,
}

impl Findings {
    pub(crate) fn new(hints: &Hints) -> Self {
        Self {
            hints: *hints,
            wrong: RefCell::default(),
            odd: RefCell::default(),
        }
    }

    /// Notes a mistake.
    pub fn wrong(&self, spot: &Spot, message: impl Into<String>) {
        self.wrong.borrow_mut().insert((spot.clone(), message.into()));
    }

    /// Notes what is odd but harmless.
    pub fn odd(&self, spot: &Spot, message: impl Into<String>) {
        self.odd.borrow_mut().insert((spot.clone(), message.into()));
    }

    /// Whether there is no mistake so far.
    pub fn is_clean(&self) -> bool {
        self.wrong.borrow().is_empty()
    }

    pub(crate) fn hints(&self) -> &Hints {
        &self.hints
    }

    pub(crate) fn mistakes(&self, file: &str) -> Mistakes {
        Mistakes::new(placed(&self.wrong.borrow(), file))
    }

    pub(crate) fn warnings(&self, file: &str) -> Vec<Mistake> {
        placed(&self.odd.borrow(), file)
    }
}

fn placed(found: &BTreeSet<(Spot, String)>, file: &str) -> Vec<Mistake> {
    let named = found.iter().map(|(spot, message)| {
        let path = if spot.path.is_empty() {
            "the file"
        } else {
            &spot.path
        };
        Mistake::new(format!("{file}:{}", spot.position), format!("{path}: {message}"))
    });
    named.collect()
}
