//! A writer for each family of the catalogue: which of the values becomes which sample.
//!
//! One file a subject. A writer neither knows encodings nor other accounts; it reads one view and puts samples.
//! The tables are in the catalogue's order, and together they are the catalogue: a test holds them to it.

mod account;
mod exporter;
mod groups;
mod own;
mod phishing;
mod process;
mod recipients;
mod training;
mod users;

use std::ops::Range;
use std::sync::LazyLock;

use crate::catalogue::FAMILIES;
use crate::instrument::AccountState;
use crate::model::AccountName;
use crate::snapshot::AccountSnapshot;

use super::samples::{Samples, Subject, WriteSamples};

pub(super) use exporter::{EXPORTER, Exporter};
pub(super) use own::OWN;
pub(super) use process::PROCESS;

/// How one family is written.
pub(super) struct Writer<T> {
    /// Its name in the catalogue.
    pub(super) family: &'static str,
    /// Puts its samples.
    pub(super) write: WriteSamples<T>,
}

const fn writer<T>(family: &'static str, write: WriteSamples<T>) -> Writer<T> {
    Writer { family, write }
}

/// What KnowBe4 says about one account.
pub(super) struct Data {
    pub(super) account: AccountName,
    /// Without what is stale or switched off.
    pub(super) snapshot: AccountSnapshot,
}

impl Subject for Data {
    fn account(&self) -> Option<&str> {
        Some(self.account.as_str())
    }
}

/// What the exporter did for one account.
pub(super) struct Own {
    pub(super) account: AccountName,
    pub(super) state: AccountState,
    /// Number of the account's data series.
    pub(super) series: u64,
}

impl Subject for Own {
    fn account(&self) -> Option<&str> {
        Some(self.account.as_str())
    }
}

/// Writers of the families about KnowBe4.
pub(super) static DATA: LazyLock<Vec<Writer<Data>>> = LazyLock::new(|| {
    let subjects: [&[Writer<Data>]; 6] = [
        account::WRITERS,
        users::WRITERS,
        groups::WRITERS,
        phishing::WRITERS,
        recipients::WRITERS,
        training::WRITERS,
    ];
    let mut writers: Vec<_> = subjects
        .into_iter()
        .flatten()
        .map(|w| writer(w.family, w.write))
        .collect();
    // The catalogue's order is for readers, the files' for writers: the account's phish-prone ratio, for one, comes
    // from the tests.
    writers.sort_by_key(|w| FAMILIES.iter().position(|family| family.name == w.family));
    writers
});

/// Where the exporter's own families begin, and where those of the process do.
static BOUNDS: LazyLock<(usize, usize)> = LazyLock::new(|| {
    let own = FAMILIES.partition_point(|family| !family.is_own());
    let process = FAMILIES.partition_point(|family| !family.name.starts_with("process_"));
    (own, process)
});

/// Positions in the catalogue of the families about KnowBe4.
pub(super) fn data() -> Range<usize> {
    0..BOUNDS.0
}

/// Of those about the exporter.
pub(super) fn own() -> Range<usize> {
    BOUNDS.0..BOUNDS.1
}

/// Of those about its process.
pub(super) fn process() -> Range<usize> {
    BOUNDS.1..FAMILIES.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<T>(writers: &[Writer<T>]) -> Vec<&'static str> {
        writers.iter().map(|w| w.family).collect()
    }

    fn catalogue(part: Range<usize>) -> Vec<&'static str> {
        FAMILIES[part].iter().map(|family| family.name).collect()
    }

    #[test]
    fn writers_and_catalogue_name_the_same_families_in_the_same_order() {
        assert_eq!(names(&DATA), catalogue(data()));
        assert_eq!(names(PROCESS), catalogue(process()));
        let own = |about_an_account: bool| -> Vec<_> {
            let families = FAMILIES[own()].iter();
            families
                .filter(|family| family.labels.contains(&"account") == about_an_account)
                .map(|family| family.name)
                .collect()
        };
        assert_eq!(names(OWN), own(true));
        assert_eq!(names(EXPORTER), own(false));
    }

    #[test]
    fn the_account_is_the_first_label_of_all_that_is_about_one() {
        for family in &FAMILIES[data()] {
            assert_eq!(family.labels.first(), Some(&"account"), "{}", family.name);
        }
        for family in FAMILIES {
            assert!(
                !family.labels.iter().skip(1).any(|l| *l == "account"),
                "{}",
                family.name
            );
        }
    }
}
