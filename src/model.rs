//! The nouns of the exporter: accounts, collectors, endpoints, reasons, and what a refresh yields.
//!
//! Plain values without I/O, clock or network. Everything above speaks in these types; nothing here
//! knows where a value came from (`api`, `collect`) or how it is shown (`exposition`, `server`).

mod account;
mod collections;
mod collector;
mod endpoint;
mod enrollment;
mod failure;
mod holding;
pub mod privacy;
mod recipients;
mod resource;
mod status;

pub use account::{AccountName, AccountNameError, Region, RegionError};
pub use collections::{
    Account, Enrollments, Group, Groups, Mean, PhishingCampaign, PhishingCampaigns, PhishingDifficulty,
    PhishingMonth, PhishingSums, PhishingTest, PhishingTests, PhishingWindow, Policies, Recipients,
    RiskPoint, Segment, SegmentEnrollments, StorePurchases, TrainingCampaign, TrainingCampaigns, Users,
};
pub use collector::{Collector, PerCollector};
pub use endpoint::Endpoint;
pub use enrollment::{EnrollmentStatus, StatusCounts};
pub use failure::{Failure, Reason};
pub use holding::{DatabaseUse, Holding, Replicas};
pub use recipients::{
    FAILED_TESTS, MailCounts, MailsOfMany, PhishingRecipients, RECIPIENT_DELAY_BOUNDS,
    RECIPIENT_DELAY_SECONDS, RecipientsPeople, RecipientsRead, RecipientsWindow, SegmentMails,
    TestRecipients, TestSpan,
};
pub use resource::{KNOWN_CUTS, RESOURCES, Resource};
pub use status::{CollectorStatus, EnrollmentScope, NextRunReason};

/// Seconds of a day.
pub const DAY: f64 = 86_400.0;

/// Upper bounds of [`Users::by_risk_score`], as they stand in the `le` label. Scores run from 0 to 100.
pub const RISK_SCORE_BOUNDS: [&str; 11] = [
    "10", "20", "30", "40", "50", "60", "70", "80", "90", "100", "+Inf",
];

/// Upper bounds of [`Users::by_phish_prone_ratio`], as they stand in the `le` label.
pub const PHISH_PRONE_BOUNDS: [&str; 8] = ["0", "0.05", "0.1", "0.2", "0.3", "0.5", "1", "+Inf"];
