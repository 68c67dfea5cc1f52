//! Which groups are shown.

use regex::Regex;

use super::keys;

/// Which groups are exported. Patterns are anchored at both ends, as in Prometheus: `Sales` isn't `Sales EMEA`.
#[derive(Debug, Clone)]
pub struct GroupFilter {
    pub(super) include: Regex,
    pub(super) exclude: Option<Regex>,
    /// Groups with fewer members keep their name and their members; their risk score and phish-prone ratio are left
    /// out.
    pub min_size: u64,
}

impl GroupFilter {
    /// Whether a group of this name is exported.
    pub fn matches(&self, name: &str) -> bool {
        self.include.is_match(name)
            && !self
                .exclude
                .as_ref()
                .is_some_and(|exclude| exclude.is_match(name))
    }

    fn key(&self) -> (&str, Option<&str>, u64) {
        (
            self.include.as_str(),
            self.exclude.as_ref().map(Regex::as_str),
            self.min_size,
        )
    }
}

/// Everything.
impl Default for GroupFilter {
    fn default() -> Self {
        Self {
            include: anchored(keys::GROUPS_INCLUDE.default)
                .unwrap_or_else(|_| unreachable!("`.*` is a pattern")),
            exclude: None,
            min_size: keys::GROUPS_MIN_SIZE.default,
        }
    }
}

impl PartialEq for GroupFilter {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

/// The pattern as Prometheus would apply it: to the whole name, with `.` for any character.
pub(super) fn anchored(pattern: &str) -> Result<Regex, regex::Error> {
    // On its own first: `a)(b` is no pattern, though it would be one within the brackets.
    Regex::new(pattern)?;
    Regex::new(&format!("^(?s:{pattern})$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &str, exclude: Option<&str>) -> GroupFilter {
        let pattern = |text| anchored(text).expect("a pattern");
        GroupFilter {
            include: pattern(include),
            exclude: exclude.map(pattern),
            min_size: 3,
        }
    }

    #[test]
    fn patterns_hold_for_the_whole_name() {
        let sales = filter("Sales|IT", Some(".* EMEA"));
        assert!(sales.matches("Sales") && sales.matches("IT"));
        assert!(!sales.matches("Sales EMEA") && !sales.matches("xIT") && !sales.matches("Sales2"));
        let most = filter(".*", Some("(?i)test.*"));
        assert!(most.matches("Ops") && most.matches("two\nlines") && !most.matches("Test group"));
        assert!(anchored("a)(b").is_err() && anchored("(").is_err());
    }

    #[test]
    fn another_least_size_is_another_filter() {
        assert!(GroupFilter::default().matches(""));
        assert_ne!(filter(".*", None), GroupFilter::default());
    }
}
