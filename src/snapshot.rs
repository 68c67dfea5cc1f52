//! The immutable value that is served, and its one pointer.
//!
//! The atom is one whole refresh of one resource of one account. Publishing replaces the pointer; what
//! vanished from the API is simply not in the next value, so that nothing has to be removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::{
    Account, AccountName, Collector, Enrollments, Groups, PhishingCampaigns, PhishingTests, Policies,
    StorePurchases, TrainingCampaigns, Users,
};

/// One whole refresh, and when its reading was begun (unix seconds).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Collected<T> {
    /// When the refresh succeeded.
    pub at: f64,
    /// What it yielded.
    pub data: Arc<T>,
}

/// The last whole refresh of each resource of one account.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AccountSnapshot {
    /// From the collector `account`.
    pub account: Option<Collected<Account>>,
    /// From `groups`.
    pub groups: Option<Collected<Groups>>,
    /// From `users`.
    pub users: Option<Collected<Users>>,
    /// From `phishing_campaigns`.
    pub phishing_campaigns: Option<Collected<PhishingCampaigns>>,
    /// From `phishing_tests`.
    pub phishing_tests: Option<Collected<PhishingTests>>,
    /// From `training_campaigns`.
    pub training_campaigns: Option<Collected<TrainingCampaigns>>,
    /// From `enrollments`.
    pub enrollments: Option<Collected<Enrollments>>,
    /// From `store_purchases`.
    pub store_purchases: Option<Collected<StorePurchases>>,
    /// From `policies`.
    pub policies: Option<Collected<Policies>>,
}

/// One finished refresh, on its way into a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub enum Collection {
    /// Of the collector `account`.
    Account(Account),
    /// Of `groups`.
    Groups(Groups),
    /// Of `users`.
    Users(Users),
    /// Of `phishing_campaigns`.
    PhishingCampaigns(PhishingCampaigns),
    /// Of `phishing_tests`.
    PhishingTests(PhishingTests),
    /// Of `training_campaigns`.
    TrainingCampaigns(TrainingCampaigns),
    /// Of `enrollments`.
    Enrollments(Enrollments),
    /// Of `store_purchases`.
    StorePurchases(StorePurchases),
    /// Of `policies`.
    Policies(Policies),
}

impl AccountSnapshot {
    /// Puts a finished refresh in place of the last one.
    pub fn set(&mut self, collection: Collection, at: f64) {
        fn put<T>(slot: &mut Option<Collected<T>>, data: T, at: f64) {
            *slot = Some(Collected {
                at,
                data: Arc::new(data),
            });
        }
        match collection {
            Collection::Account(data) => put(&mut self.account, data, at),
            Collection::Groups(data) => put(&mut self.groups, data, at),
            Collection::Users(data) => put(&mut self.users, data, at),
            Collection::PhishingCampaigns(data) => put(&mut self.phishing_campaigns, data, at),
            Collection::PhishingTests(data) => put(&mut self.phishing_tests, data, at),
            Collection::TrainingCampaigns(data) => put(&mut self.training_campaigns, data, at),
            Collection::Enrollments(data) => put(&mut self.enrollments, data, at),
            Collection::StorePurchases(data) => put(&mut self.store_purchases, data, at),
            Collection::Policies(data) => put(&mut self.policies, data, at),
        }
    }

    /// Forgets a collector's refresh: it was switched off.
    pub fn clear(&mut self, collector: Collector) {
        match collector {
            Collector::Account => self.account = None,
            Collector::Groups => self.groups = None,
            Collector::Users => self.users = None,
            Collector::PhishingCampaigns => self.phishing_campaigns = None,
            Collector::PhishingTests => self.phishing_tests = None,
            Collector::TrainingCampaigns => self.training_campaigns = None,
            Collector::Enrollments => self.enrollments = None,
            Collector::StorePurchases => self.store_purchases = None,
            Collector::Policies => self.policies = None,
        }
    }

    /// When `collector` last succeeded, if what it yielded is still here.
    pub fn at(&self, collector: Collector) -> Option<f64> {
        match collector {
            Collector::Account => self.account.as_ref().map(|c| c.at),
            Collector::Groups => self.groups.as_ref().map(|c| c.at),
            Collector::Users => self.users.as_ref().map(|c| c.at),
            Collector::PhishingCampaigns => self.phishing_campaigns.as_ref().map(|c| c.at),
            Collector::PhishingTests => self.phishing_tests.as_ref().map(|c| c.at),
            Collector::TrainingCampaigns => self.training_campaigns.as_ref().map(|c| c.at),
            Collector::Enrollments => self.enrollments.as_ref().map(|c| c.at),
            Collector::StorePurchases => self.store_purchases.as_ref().map(|c| c.at),
            Collector::Policies => self.policies.as_ref().map(|c| c.at),
        }
    }

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
