//! The door to the environment, so that no test needs a real one.

use std::collections::BTreeMap;

/// Where environment variables come from.
pub trait Env: Send + Sync {
    /// The variable's value; [`None`] when it isn't set. Bytes that aren't UTF-8 come as U+FFFD.
    fn get(&self, name: &str) -> Option<String>;

    /// The names of all variables.
    fn names(&self) -> Vec<String>;

    /// The variable's value unless it is empty: `KEY=` in a compose file means that nothing was set.
    fn filled(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

/// The environment of this process. Holds no copy of it: there may be a key among the variables.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn names(&self) -> Vec<String> {
        std::env::vars_os()
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect()
    }
}

/// An environment made up for a test or a demonstration.
impl Env for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        let env = BTreeMap::from([("A".to_owned(), String::new()), ("B".to_owned(), "x".to_owned())]);
        assert_eq!(Env::get(&env, "A"), Some(String::new()));
        assert_eq!(env.filled("A"), None);
        assert_eq!(env.filled("B"), Some("x".to_owned()));
        assert_eq!(env.names(), ["A", "B"]);
    }
}
