//! The nine collectors: each turns one resource of the API into one collection.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One resource of the API, refreshed whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collector {
    /// `/v1/account`
    Account,
    /// `/v1/groups`
    Groups,
    /// `/v1/users`
    Users,
    /// `/v1/phishing/campaigns`
    PhishingCampaigns,
    /// `/v1/phishing/security_tests`
    PhishingTests,
    /// `/v1/training/campaigns`
    TrainingCampaigns,
    /// `/v1/training/enrollments`
    Enrollments,
    /// `/v1/training/store_purchases`
    StorePurchases,
    /// `/v1/training/policies`
    Policies,
}

impl Collector {
    /// How many there are.
    pub const COUNT: usize = 9;

    /// All collectors, in the order in which they are shown.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Account,
        Self::Groups,
        Self::Users,
        Self::PhishingCampaigns,
        Self::PhishingTests,
        Self::TrainingCampaigns,
        Self::Enrollments,
        Self::StorePurchases,
        Self::Policies,
    ];

    /// The name in the `collector` label and in the configuration file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Groups => "groups",
            Self::Users => "users",
            Self::PhishingCampaigns => "phishing_campaigns",
            Self::PhishingTests => "phishing_tests",
            Self::TrainingCampaigns => "training_campaigns",
            Self::Enrollments => "enrollments",
            Self::StorePurchases => "store_purchases",
            Self::Policies => "policies",
        }
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Collector {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|collector| collector.as_str() == text)
            .ok_or(())
    }
}

/// One value for each collector.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct PerCollector<T>([T; Collector::COUNT]);

impl<T> PerCollector<T> {
    /// Makes each value from its collector.
    pub fn new(make: impl FnMut(Collector) -> T) -> Self {
        Self(Collector::ALL.map(make))
    }

    /// Collectors with their values, in the order of [`Collector::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Collector, &T)> {
        Collector::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Collector> for PerCollector<T> {
    type Output = T;

    fn index(&self, collector: Collector) -> &T {
        &self.0[collector as usize]
    }
}

impl<T> IndexMut<Collector> for PerCollector<T> {
    fn index_mut(&mut self, collector: Collector) -> &mut T {
        &mut self.0[collector as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_collector_is_found_by_its_name_and_index() {
        let names = PerCollector::new(Collector::as_str);
        for collector in Collector::ALL {
            assert_eq!(collector.as_str().parse(), Ok(collector));
            assert_eq!(names[collector], collector.as_str());
        }
    }
}
