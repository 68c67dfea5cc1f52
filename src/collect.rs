//! From the pages of one resource to one typed, aggregated collection: whole, or an error.
//!
//! Each collector folds rows as they stream, so that a refresh holds a page and its aggregates, not an account.
//! No metric names and no HTTP here: rows come from `api`, collections go to the snapshot.

mod account;
mod enrollments;
mod groups;
mod history;
mod phishing;
mod recipients;
mod restrict;
mod training;
mod users;

pub use history::risk_history;
pub use recipients::Archive;
pub use restrict::restrict;

use tokio::sync::Mutex;

use crate::api::error::ApiError;
use crate::api::{Client, Refresh};
use crate::config::AccountConfig;
use crate::forecast::RecipientsPlan;
use crate::model::{Collector, EnrollmentScope, PhishingRecipients, PhishingTests, TrainingCampaigns};
pub use crate::recipients::Directory;
use crate::secret::ApiKey;
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
    /// For recipients.
    pub recipients: Option<RecipientsInputs<'a>>,
}

/// What a refresh of recipients looks at.
#[derive(Clone, Copy)]
pub struct RecipientsInputs<'a> {
    /// Who did what in the tests that have been read.
    pub archive: &'a Mutex<Archive>,
    /// The phishing tests last read.
    pub tests: Option<&'a PhishingTests>,
    /// What was last yielded.
    pub last: Option<&'a PhishingRecipients>,
    /// The key in use, which seals what is kept.
    pub key: &'a ApiKey,
    /// How to pay for it.
    pub plan: RecipientsPlan,
    /// Most requests of one refresh, unless the first test alone takes more.
    pub batch: u64,
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
    /// Seconds after which there is more to read, where that doesn't wait for the interval.
    pub again: Option<f64>,
    /// Requests that it waits for: the day has no room for them, and never has if the others take all that gets free.
    pub wants: Option<u64>,
}

impl From<Collection> for Yield {
    fn from(collection: Collection) -> Self {
        Self {
            collection,
            directory: None,
            notes: Vec::new(),
            again: None,
            wants: None,
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
        Collector::Recipients => recipients::recipients(client, refresh, inputs).await,
    }
}
