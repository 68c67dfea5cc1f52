//! The endpoint table: every path of the Reporting API that is asked, and what is particular about it.
//!
//! Source of the paths and parameters: <https://developer.knowbe4.com/rest/reporting>.

use serde::{Deserialize, Serialize};

/// A path of the Reporting API; the `endpoint` label is its path, never a URL with ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Endpoint {
    /// The account: name, seats, risk score. Costs one request; the cheapest check of a key.
    Account,
    /// All groups.
    Groups,
    /// All users.
    Users,
    /// All phishing campaigns.
    PhishingCampaigns,
    /// All phishing security tests ever run.
    PhishingTests,
    /// All training campaigns.
    TrainingCampaigns,
    /// All training enrollments: one row per user and content item, the largest listing.
    Enrollments,
    /// Training content bought from the ModStore.
    StorePurchases,
    /// Uploaded policies.
    Policies,
    /// Risk scores of the account in the past.
    AccountHistory,
    /// Risk scores of one group in the past.
    GroupHistory,
}

impl Endpoint {
    /// How many are polled.
    pub const COUNT: usize = 9;

    /// All that are polled: `backfill` alone reads histories.
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

    /// Path below the base URL, and the value of the `endpoint` label; `{id}` stands for the object's id.
    pub fn path(self) -> &'static str {
        match self {
            Self::Account => "/v1/account",
            Self::Groups => "/v1/groups",
            Self::Users => "/v1/users",
            Self::PhishingCampaigns => "/v1/phishing/campaigns",
            Self::PhishingTests => "/v1/phishing/security_tests",
            Self::TrainingCampaigns => "/v1/training/campaigns",
            Self::Enrollments => "/v1/training/enrollments",
            Self::StorePurchases => "/v1/training/store_purchases",
            Self::Policies => "/v1/training/policies",
            Self::AccountHistory => "/v1/account/risk_score_history",
            Self::GroupHistory => "/v1/groups/{id}/risk_score_history",
        }
    }

    /// Parameters that every request to it carries, besides those of paging. A server that doesn't know them
    /// ignores them, so that what they ask for is checked in the rows once more.
    pub fn parameters(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // Without it archived users and groups are listed too.
            Self::Users | Self::Groups => &[("status", "active")],
            // Without them leavers are listed too, and rows don't say which campaign they belong to.
            Self::Enrollments => &[
                ("exclude_archived_users", "true"),
                ("include_campaign_id", "true"),
            ],
            // Without it they go back six months.
            Self::AccountHistory | Self::GroupHistory => &[("full", "true")],
            _ => &[],
        }
    }

    /// Whether the server calculates while it answers, which may take up to a minute.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::TrainingCampaigns | Self::Enrollments)
    }
}
