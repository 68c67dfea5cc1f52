//! The tests that have been read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ReadTest;

/// Tests that have been read whole, by id. A copy costs a pointer a test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Memory {
    tests: BTreeMap<i64, Arc<ReadTest>>,
}

impl Memory {
    /// Keeps a test in place of its earlier reading.
    pub fn keep(&mut self, id: i64, test: ReadTest) {
        self.tests.insert(id, Arc::new(test));
    }

    /// A test, if it has been read.
    pub fn get(&self, id: i64) -> Option<&Arc<ReadTest>> {
        self.tests.get(&id)
    }

    /// Forgets a test.
    pub fn forget(&mut self, id: i64) {
        self.tests.remove(&id);
    }

    /// Ids of the tests that have been read.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.tests.keys().copied()
    }

    /// The tests that have been read, by id.
    pub fn shared(&self) -> impl Iterator<Item = (i64, Arc<ReadTest>)> {
        self.tests.iter().map(|(id, test)| (*id, Arc::clone(test)))
    }
}
