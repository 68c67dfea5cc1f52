//! The collectors: each turns one resource of the API into one collection.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};
use std::str::FromStr;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RESOURCES, Resource};

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
    /// `/v1/phishing/security_tests/{id}/recipients`
    Recipients,
}

impl Collector {
    /// How many there are.
    pub const COUNT: usize = RESOURCES.len();

    /// All collectors, in the order in which they are shown.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::Account; Self::COUNT];
        let mut place = 0;
        while place < all.len() {
            all[place] = RESOURCES[place].collector;
            place += 1;
        }
        all
    };

    /// What is particular about what it reads.
    pub const fn resource(self) -> &'static Resource {
        &RESOURCES[self as usize]
    }

    /// The name in the `collector` label and in the configuration file.
    pub const fn as_str(self) -> &'static str {
        self.resource().name
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

/// One value for each collector. Written by name, so that a version that knows more collectors, or fewer, reads it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerCollector<T>([T; Collector::COUNT]);

/// The collectors of a file of the first format, which wrote their values without names.
const UNNAMED: [Collector; 9] = [
    Collector::Account,
    Collector::Groups,
    Collector::Users,
    Collector::PhishingCampaigns,
    Collector::PhishingTests,
    Collector::TrainingCampaigns,
    Collector::Enrollments,
    Collector::StorePurchases,
    Collector::Policies,
];

impl<T: Default> Default for PerCollector<T> {
    fn default() -> Self {
        Self::new(|_| T::default())
    }
}

impl<T: Serialize> Serialize for PerCollector<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(collector, value)| (collector.as_str(), value)))
    }
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for PerCollector<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values(PhantomData))
    }
}

/// Values by the names of their collectors, or in the order of [`UNNAMED`]. What isn't there is the default, and
/// strangers of a later version are left out.
struct Values<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Values<T> {
    type Value = PerCollector<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value for each collector")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PerCollector<T>, A::Error> {
        let mut values = PerCollector::default();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match name.parse() {
                Ok(collector) => values[collector] = map.next_value()?,
                Err(()) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(values)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<PerCollector<T>, A::Error> {
        let mut values = PerCollector::default();
        for collector in UNNAMED {
            let Some(value) = list.next_element()? else { break };
            values[collector] = value;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(values)
    }
}

impl<T> PerCollector<T> {
    /// Makes each value from its collector.
    pub fn new(make: impl FnMut(Collector) -> T) -> Self {
        Self(Collector::ALL.map(make))
    }

    /// Collectors with their values, in the order of [`Collector::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Collector, &T)> {
        Collector::ALL.into_iter().zip(&self.0)
    }

    /// The same, to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Collector, &mut T)> {
        Collector::ALL.into_iter().zip(&mut self.0)
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

    #[test]
    fn values_are_written_by_name_and_read_from_other_versions() {
        let costs = PerCollector::new(|collector| collector as u64);
        let written = serde_json::to_value(costs).expect("JSON");
        assert_eq!(written["users"], 2);
        assert_eq!(
            serde_json::from_value::<PerCollector<u64>>(written).expect("the same"),
            costs
        );
        // The first version wrote nine values without names.
        let first: PerCollector<u64> = serde_json::from_str("[10,11,12,13,14,15,16,17,18]").expect("nine");
        assert_eq!(first[Collector::Policies], 18);
        // A later one knows collectors that are strangers here, an earlier one knows fewer.
        let other: PerCollector<Option<u64>> =
            serde_json::from_str(r#"{"moon_phases":{"full":true},"groups":7}"#).expect("a map");
        assert_eq!(
            (other[Collector::Groups], other[Collector::Users]),
            (Some(7), None)
        );
    }
}
