//! All that is wrong with a configuration, gathered.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use super::document::Document;

/// The most mistakes that are told at once; finding each one's place reads the file again.
const MOST: usize = 100;

/// One mistake: where, what was found, what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    place: String,
    message: String,
}

impl Mistake {
    /// `place` is a file, `file:line:column` or a variable's name.
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
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

/// The configuration is wrong. Shows every mistake on a line of its own, then a line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors {
    mistakes: Vec<Mistake>,
    omitted: usize,
    hint: String,
}

impl ConfigErrors {
    pub(super) fn new(mistakes: Vec<Mistake>, omitted: usize, hint: impl Into<String>) -> Self {
        Self {
            mistakes,
            omitted,
            hint: hint.into(),
        }
    }

    /// The mistakes, in the order of the file.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.mistakes {
            writeln!(f, "{mistake}")?;
        }
        if self.omitted > 0 {
            writeln!(f, "and {} more", self.omitted)?;
        }
        write!(f, "hint: {}", self.hint)
    }
}

/// What a mistake is about: a node of the document and its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) id: usize,
    pub(super) path: String,
}

/// Mistakes and warnings, in the order of the document and once each: what stands under `defaults` is found once for
/// every account.
#[derive(Debug, Default)]
pub(super) struct Findings {
    wrong: RefCell<BTreeSet<(Spot, String)>>,
    odd: RefCell<BTreeSet<(Spot, String)>>,
}

impl Findings {
    pub(super) fn wrong(&self, spot: &Spot, message: impl Into<String>) {
        self.wrong.borrow_mut().insert((spot.clone(), message.into()));
    }

    pub(super) fn odd(&self, spot: &Spot, message: impl Into<String>) {
        self.odd.borrow_mut().insert((spot.clone(), message.into()));
    }

    pub(super) fn is_clean(&self) -> bool {
        self.wrong.borrow().is_empty()
    }

    /// The mistakes with their places, and how many were left out.
    pub(super) fn mistakes(&self, file: &str, document: &Document<'_>) -> (Vec<Mistake>, usize) {
        place(&self.wrong.borrow(), file, document)
    }

    /// The warnings, one line each.
    pub(super) fn warnings(&self, file: &str, document: &Document<'_>) -> Vec<String> {
        let (warnings, _) = place(&self.odd.borrow(), file, document);
        warnings.iter().map(ToString::to_string).collect()
    }
}

fn place(found: &BTreeSet<(Spot, String)>, file: &str, document: &Document<'_>) -> (Vec<Mistake>, usize) {
    let mistakes = found.iter().take(MOST).map(|(spot, message)| {
        let (line, column) = document.locate(spot.id);
        let path = if spot.path.is_empty() {
            "the file"
        } else {
            &spot.path
        };
        Mistake::new(format!("{file}:{line}:{column}"), format!("{path}: {message}"))
    });
    let mistakes = mistakes.collect();
    (mistakes, found.len().saturating_sub(MOST))
}
