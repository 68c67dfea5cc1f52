//! The immutable value that is served, and its one pointer.
//!
//! The atom is one whole refresh of one resource of one account. Publishing replaces the pointer; what
//! vanished from the API is simply not in the next value, so that nothing has to be removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::{
    Account, AccountName, Collector, Enrollments, Groups, PhishingCampaigns,
    PhishingRecipients as Recipients, PhishingTests, Policies, StorePurchases, TrainingCampaigns, Users,
};

/// One whole refresh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Collected<T> {
    /// When the refresh succeeded, in unix seconds.
    pub at: f64,
    /// What it yielded.
    pub data: Arc<T>,
}

/// Names each collection once: its field in the snapshot and on disk, and its type, which is called as its collector.
/// Fields keep the types apart, so that whoever reads one needs no match; the list is what a map would have had.
macro_rules! collections {
    ($($field:ident: $collection:ident,)*) => {
        /// The last whole refresh of each resource of one account. Written by name: what a file doesn't have isn't
        /// known, and what it has beyond these is left out.
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct AccountSnapshot {
            $(
                #[doc = concat!("From the collector `", stringify!($field), "`.")]
                pub $field: Option<Collected<$collection>>,
            )*
        }

        /// One finished refresh, on its way into a snapshot.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Collection {
            $(
                #[doc = concat!("Of the collector `", stringify!($field), "`.")]
                $collection($collection),
            )*
        }

        impl AccountSnapshot {
            /// Puts a finished refresh in place of the last one.
            pub fn set(&mut self, collection: Collection, at: f64) {
                match collection {
                    $(Collection::$collection(data) => {
                        self.$field = Some(Collected { at, data: Arc::new(data) });
                    })*
                }
            }

            /// Forgets a collector's refresh: it was switched off.
            pub fn clear(&mut self, collector: Collector) {
                match collector {
                    $(Collector::$collection => self.$field = None,)*
                }
            }

            /// Moves the time of a collector's refresh by `seconds`: the clock that it was read from was set.
            pub fn shift(&mut self, collector: Collector, seconds: f64) {
                match collector {
                    $(Collector::$collection => {
                        if let Some(collected) = &mut self.$field {
                            collected.at += seconds;
                        }
                    })*
                }
            }

            /// When `collector` last succeeded, if what it yielded is still here.
            pub fn at(&self, collector: Collector) -> Option<f64> {
                match collector {
                    $(Collector::$collection => self.$field.as_ref().map(|collected| collected.at),)*
                }
            }
        }
    };
}

collections! {
    account: Account,
    groups: Groups,
    users: Users,
    phishing_campaigns: PhishingCampaigns,
    phishing_tests: PhishingTests,
    training_campaigns: TrainingCampaigns,
    enrollments: Enrollments,
    store_purchases: StorePurchases,
    policies: Policies,
    recipients: Recipients,
}

impl AccountSnapshot {
    /// The part of it that is younger than `max_age` seconds at `now`.
    pub fn fresh(&self, now: f64, max_age: f64) -> Self {
        let mut fresh = self.clone();
        for collector in Collector::ALL {
            if self.at(collector).is_some_and(|at| now - at >= max_age) {
                fresh.clear(collector);
            }
        }
        fresh
    }
}

/// All accounts' snapshots.
pub type Snapshot = BTreeMap<AccountName, Arc<AccountSnapshot>>;

/// The one pointer to what is served.
#[derive(Debug)]
pub struct Published(watch::Sender<Arc<Snapshot>>);

impl Default for Published {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::default()))
    }
}

impl Published {
    /// Replaces one account's snapshot.
    pub fn publish(&self, account: &AccountName, snapshot: Arc<AccountSnapshot>) {
        self.0.send_modify(|all| {
            Arc::make_mut(all).insert(account.clone(), snapshot);
        });
    }

    /// Takes an account out, with all that was known of it.
    pub fn remove(&self, account: &AccountName) {
        self.0.send_modify(|all| {
            Arc::make_mut(all).remove(account);
        });
    }

    /// What is served now.
    pub fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.borrow())
    }

    /// To be told of each change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Policies;

    #[test]
    fn stale_collections_leave_and_fresh_ones_stay() {
        let mut snapshot = AccountSnapshot::default();
        snapshot.set(Collection::Account(Account::default()), 100.0);
        snapshot.set(Collection::Policies(Policies { policies: 3 }), 50.0);
        let fresh = snapshot.fresh(150.0, 100.0);
        assert_eq!(fresh.at(Collector::Account), Some(100.0));
        assert_eq!(fresh.at(Collector::Policies), None);
    }

    #[test]
    fn readers_keep_the_value_they_have() {
        let published = Published::default();
        let account: AccountName = "acme".parse().expect("name");
        published.publish(&account, Arc::default());
        let before = published.current();
        published.remove(&account);
        assert!(before.contains_key(&account));
        assert!(published.current().is_empty());
    }
}
