//! What an account is called and which of KnowBe4's five regions it lives in.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The configured name of an account: the `account` label of every series, and a folder in the storage path.
///
/// One to 64 characters of `[a-z0-9_-]`, so that it is safe in a label, a path and a URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(Arc<str>);

/// The text is not an account name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an account name: expected 1 to 64 characters of a-z, 0-9, _ and -")]
pub struct AccountNameError(String);

impl AccountName {
    /// The name as it stands in the `account` label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(AccountNameError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for AccountName {
    type Error = AccountNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where KnowBe4 keeps an account; fixed when the account is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Region {
    /// United States, console at training.knowbe4.com.
    #[default]
    Us,
    /// European Union (Frankfurt).
    Eu,
    /// Canada.
    Ca,
    /// United Kingdom.
    Uk,
    /// Germany.
    De,
}

/// The text names no region.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a region: expected US, EU, CA, UK or DE")]
pub struct RegionError(String);

impl Region {
    /// All regions, the default first.
    pub const ALL: [Self; 5] = [Self::Us, Self::Eu, Self::Ca, Self::Uk, Self::De];

    /// The two letters, upper case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Us => "US",
            Self::Eu => "EU",
            Self::Ca => "CA",
            Self::Uk => "UK",
            Self::De => "DE",
        }
    }

    /// Base URL of the Reporting API in this region (<https://developer.knowbe4.com/>), without a trailing slash.
    pub fn base_url(self) -> &'static str {
        match self {
            Self::Us => "https://us.api.knowbe4.com",
            Self::Eu => "https://eu.api.knowbe4.com",
            Self::Ca => "https://ca.api.knowbe4.com",
            Self::Uk => "https://uk.api.knowbe4.com",
            Self::De => "https://de.api.knowbe4.com",
        }
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|region| region.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| RegionError(text.to_owned()))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names_are_safe_in_labels_and_paths() {
        for good in ["acme", "a", "acme-eu_2", &"x".repeat(64)] {
            assert_eq!(good.parse::<AccountName>().expect("good").as_str(), good);
        }
        for bad in ["", "Acme", "a b", "../x", "ü", "a.b", &"x".repeat(65)] {
            assert!(bad.parse::<AccountName>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn regions_are_read_in_any_case() {
        assert_eq!("eu".parse(), Ok(Region::Eu));
        assert_eq!(" Uk ".parse(), Ok(Region::Uk));
        assert!("FR".parse::<Region>().is_err());
        assert_eq!(Region::default().base_url(), "https://us.api.knowbe4.com");
    }
}
