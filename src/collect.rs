//! From the pages of one resource to one typed, aggregated collection: whole, or an error.
//!
//! Each collector folds rows as they stream, so that a refresh holds a page and its aggregates, not an account.
//! No metric names and no HTTP here: rows come from `api`, collections go to the snapshot.

mod account;
mod enrollments;
mod groups;
mod history;
mod phishing;
mod restrict;
mod training;
mod users;

pub use history::risk_history;
pub use restrict::restrict;

use crate::api::error::ApiError;
use crate::api::{Client, Refresh};
use crate::config::AccountConfig;
use crate::model::{Collector, EnrollmentScope, TrainingCampaigns};
pub use crate::recipients::Directory;
use crate::snapshot::Collection;

/// What a refresh may look at besides the API.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// What is to be collected of the account.
    pub config: &'a AccountConfig,
    /// Unix seconds: phishing windows end here.
    pub now: f64,
    /// Who is active, in which groups and segments; [`None`] when users haven't been read by this process.
    pub directory: Option<&'a Directory>,
    /// The training campaigns last read: names to join by, and which are running.
    pub campaigns: Option<&'a TrainingCampaigns>,
    /// How to read enrollments.
    pub enrollments: EnrollmentScope,
}

/// What a refresh yields.
#[derive(Debug)]
pub struct Yield {
    /// For the snapshot.
    pub collection: Collection,
    /// Kept in memory only, by users: it holds ids of people.
    pub directory: Option<Directory>,
    /// Things to know that are no failure.
    pub notes: Vec<String>,
}

impl From<Collection> for Yield {
    fn from(collection: Collection) -> Self {
        Self {
            collection,
            directory: None,
            notes: Vec::new(),
        }
    }
}

/// Refreshes one collector.
///
/// # Errors
/// When any part of it can't be had: then there is nothing to publish.
pub async fn collect(
    client: &Client,
    refresh: &mut Refresh,
    collector: Collector,
    inputs: Inputs<'_>,
) -> Result<Yield, ApiError> {
    match collector {
        Collector::Account => account::account(client, refresh).await,
        Collector::Groups => groups::groups(client, refresh, inputs).await,
        Collector::Users => users::users(client, refresh, inputs).await,
        Collector::PhishingCampaigns => phishing::campaigns(client, refresh).await,
        Collector::PhishingTests => phishing::tests(client, refresh, inputs).await,
        Collector::TrainingCampaigns => training::campaigns(client, refresh).await,
        Collector::Enrollments => enrollments::enrollments(client, refresh, inputs).await,
        Collector::StorePurchases => training::store_purchases(client, refresh).await,
        Collector::Policies => training::policies(client, refresh).await,
    }
}
