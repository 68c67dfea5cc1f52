//! A YAML configuration file read whole: every mistake at once, by line and column.
//!
//! [`read`] parses a text once into a tree that knows where each value stands, hands its root to a closure that takes
//! typed values out of it ([`Item`], [`Table`]), and answers with what the closure made of it and the warnings, or
//! with every mistake ([`Mistakes`]). Reading goes on after a mistake. A key that nobody takes is a mistake too, and
//! gets the known name that is nearest to it.
//!
//! Strict: no tags, no merge keys, no second document, no key twice. Aliases are followed, within a bound.
//! Nothing that may be a secret is repeated in a message ([`shown`]).
//!
//! [`mod@file`] reads the file itself, within a size and a time.
//!
//! ```
//! use strict_yaml::{Hints, Item, Table};
//!
//! struct Server { port: u64, name: String }
//!
//! fn server(item: Item<'_>) -> Option<Server> {
//!     let mut table: Table<'_> = item.table("{ port: 80 }")?;
//!     let port = table.take("port").and_then(|item| item.whole(1..=65535));
//!     let name = table.take("name").and_then(|item| item.text("a name", |text| Some(text.to_owned())));
//!     table.finish();
//!     Some(Server { port: port?.value, name: name?.value })
//! }
//!
//! let mistakes = strict_yaml::read("a.yaml", "port: 0\nnme: x\n", &Hints::default(), server).map(drop).unwrap_err();
//! assert_eq!(
//!     mistakes.to_string(),
//!     "a.yaml:1:7: port: found the number 0, expected a whole number from 1 to 65535\n\
//!      a.yaml:2:1: nme: unknown key, did you mean \"name\"?"
//! );
//! ```

mod document;
pub mod file;
mod findings;
mod nearest;
mod reader;
mod secrecy;

use document::Document;
pub use document::Position;
pub use findings::{Findings, Hints, Mistake, Mistakes, Spot};
pub use nearest::nearest;
pub use reader::{Found, Item, Table};
pub use secrecy::{may_be_a_secret, shown};

/// Reads `text`, which stands in the file `name`: `understand` takes everything out of the root, and answers [`None`]
/// only after it has reported a mistake.
///
/// # Errors
/// With the place where it stops being YAML, or with every mistake that `understand` reported.
pub fn read<T>(
    name: &str,
    text: &str,
    hints: &Hints,
    understand: impl FnOnce(Item<'_>) -> Option<T>,
) -> Result<(T, Vec<Mistake>), Mistakes> {
    let document = Document::parse(text).map_err(|malformed| {
        let place = format!("{name}:{}", malformed.position);
        Mistakes::new(vec![Mistake::new(place, malformed.message)])
    })?;
    let findings = Findings::new(hints);
    let understood = understand(Item::root(&document.root, &findings));
    match understood {
        Some(value) if findings.is_clean() => Ok((value, findings.warnings(name))),
        _ => Err(findings.mistakes(name)),
    }
}

/// The README's example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
