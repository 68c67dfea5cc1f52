//! A small parser of its own, so that the encoder isn't judged by itself. Strict about what both encodings share.

use std::collections::BTreeMap;

/// Labels of a series in the order in which they are written.
pub(crate) type Labels = Vec<(String, String)>;

/// What a body says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parsed {
    /// Values by name and labels.
    pub(crate) samples: BTreeMap<(String, Labels), f64>,
    /// Names of families, as TYPE has them, with their types.
    pub(crate) families: Vec<(String, String)>,
}

impl Parsed {
    /// Values of all series of one name.
    pub(crate) fn of(&self, name: &str) -> Vec<(&Labels, f64)> {
        let samples = self.samples.iter().filter(|((n, _), _)| n == name);
        samples.map(|((_, labels), value)| (labels, *value)).collect()
    }

    /// The only value of `name` whose labels contain `labels`.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let contains = |all: &Labels| {
            labels
                .iter()
                .all(|(k, v)| all.iter().any(|(a, b)| a == k && b == v))
        };
        let mut found = self
            .of(name)
            .into_iter()
            .filter(|(all, _)| contains(all))
            .map(|(_, value)| value);
        let value = found.next();
        assert_eq!(found.next(), None, "several {name} with {labels:?}");
        value
    }
}

/// Reads a body.
///
/// # Panics
///
/// When a line is no comment and no sample, a series or family is there twice, or a sample isn't below its family.
pub(crate) fn parse(body: &str) -> Parsed {
    let mut parsed = Parsed::default();
    assert!(
        body.is_empty() || body.ends_with('\n'),
        "the last line isn't ended"
    );
    for line in body.split_terminator('\n') {
        if let Some(meta) = line.strip_prefix("# TYPE ") {
            let (name, kind) = meta.split_once(' ').expect("TYPE");
            assert!(!parsed.families.iter().any(|(n, _)| n == name), "{name} twice");
            parsed.families.push((name.to_owned(), kind.to_owned()));
        } else if !line.starts_with("# ") {
            let (name, labels, value) = sample(line);
            let (family, _) = parsed.families.last().expect("a family before the first sample");
            let suffix = name
                .strip_prefix(family.as_str())
                .unwrap_or_else(|| panic!("{name} below {family}"));
            assert!(
                ["", "_total", "_info", "_bucket", "_sum", "_count"].contains(&suffix),
                "{name} below {family}"
            );
            let twice = parsed.samples.insert((name, labels), value);
            assert_eq!(twice, None, "twice: {line}");
        }
    }
    parsed
}

fn sample(line: &str) -> (String, Labels, f64) {
    let end = line.find(['{', ' ']).expect("a name");
    let (name, mut rest) = line.split_at(end);
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    assert!(name.chars().all(legal) && !name.is_empty(), "name of {line}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (key, behind) = rest.split_once("=\"").expect("a label");
            assert!(key.chars().all(legal) && !key.is_empty(), "label of {line}");
            let (value, behind) = quoted(behind);
            labels.push((key.to_owned(), value));
            rest = match behind.strip_prefix(',') {
                Some(next) => next,
                None => break rest = behind.strip_prefix('}').expect("the end of the labels"),
            };
        }
    }
    let value = rest.strip_prefix(' ').expect("one space before the value");
    assert!(!value.contains(' '), "a timestamp: {line}");
    let value: f64 = value.parse().expect("a number");
    assert!(value.is_finite(), "{line}");
    (name.to_owned(), labels, value)
}

/// Text up to the closing quote, without escapes, and what is behind it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return (value, &text[index + 1..]),
            '\\' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, c @ ('"' | '\\'))) => c,
                other => panic!("an escape that doesn't exist: {other:?}"),
            }),
            c => value.push(c),
        }
    }
    panic!("a value without end: {text}")
}
