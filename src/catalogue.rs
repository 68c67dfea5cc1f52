//! The one table of all families: name, type, labels, source and help.
//!
//! Feeds HELP and TYPE of the exposition, the `metrics` command, the README's table, the golden files and the
//! checks of every dashboard and rule. A family that isn't here can't be exposed.

pub mod print;

use crate::family::Kind::{Counter, Gauge, Info};
use crate::family::{Family, OWN, family};
use crate::instrument;

/// What KnowBe4 says.
#[rustfmt::skip]
const DATA: &[Family] = &[
    family("knowbe4_account_info", Info, &["account", "name", "type", "subscription_level"], "account",
        "The organisation: name, type (paid, trial, free) and subscription level, as /v1/account writes them."),
    family("knowbe4_account_risk_score", Gauge, &["account"], "account",
        "Risk score of the organisation, 0 to 100, higher is riskier (current_risk_score of /v1/account)."),
    family("knowbe4_account_seats", Gauge, &["account"], "account",
        "Licensed seats (number_of_seats of /v1/account); absent on trial accounts."),
    family("knowbe4_account_admins", Gauge, &["account"], "account",
        "Number of console administrators (/v1/account)."),
    family("knowbe4_account_domains", Gauge, &["account"], "account",
        "Number of domains of the organisation (/v1/account)."),
    family("knowbe4_account_subscription_end_timestamp_seconds", Gauge, &["account"], "account",
        "Midnight UTC that begins the day on which the subscription ends (/v1/account)."),
    family("knowbe4_account_phish_prone_ratio", Gauge, &["account", "window"], "phishing_tests",
        "Failures / delivered over all phishing tests started within the window; several failures of one recipient count each, so it may exceed 1. Own sum: the API has no such value."),
    family("knowbe4_account_phishing_tests", Gauge, &["account", "window"], "phishing_tests",
        "Phishing tests started within the window, those beyond phishing.max_tests included."),
    family("knowbe4_account_phishing_delivered", Gauge, &["account", "window"], "phishing_tests",
        "Recipients whom the phishing tests started within the window reached."),
    family("knowbe4_account_phishing_failures", Gauge, &["account", "window"], "phishing_tests",
        "Failures in the phishing tests started within the window; over delivered they are the window's phish-prone ratio."),
    family("knowbe4_account_phishing_reported", Gauge, &["account", "window"], "phishing_tests",
        "Recipients who reported the phishing tests started within the window."),
    family("knowbe4_account_phishing_scheduled", Gauge, &["account", "window"], "phishing_tests",
        "Recipients to whom the phishing tests started within the window are to be sent, those beyond phishing.max_tests included."),
    family("knowbe4_account_phishing_bounced", Gauge, &["account", "window"], "phishing_tests",
        "Recipients whose mail server refused the message, in the phishing tests started within the window."),
    family("knowbe4_account_phishing_opened", Gauge, &["account", "window"], "phishing_tests",
        "Recipients who opened the message, in the phishing tests started within the window; that is no failure."),
    family("knowbe4_account_phishing_failures_by_kind", Gauge, &["account", "window", "failure"], "phishing_tests",
        "Failures by kind in the phishing tests started within the window, those beyond phishing.max_tests included."),
    family("knowbe4_account_phishing_last_test_timestamp_seconds", Gauge, &["account"], "phishing_tests",
        "When the newest phishing test that has begun did so, also with phishing.max_tests 0; absent where there was none."),
    family("knowbe4_account_phishing_month_tests", Gauge, &["account", "month"], "phishing_tests",
        "Phishing tests started in the month (UTC), for each of the last 24 months, those beyond phishing.max_tests included; 0 where there was none."),
    family("knowbe4_account_phishing_month_delivered", Gauge, &["account", "month"], "phishing_tests",
        "Recipients whom the phishing tests started in the month reached (UTC, the last 24 months)."),
    family("knowbe4_account_phishing_month_failures", Gauge, &["account", "month"], "phishing_tests",
        "Failures in the phishing tests started in the month (UTC, the last 24 months); over delivered they are the month's phish-prone ratio."),
    family("knowbe4_account_phishing_month_reported", Gauge, &["account", "month"], "phishing_tests",
        "Recipients who reported the phishing tests started in the month (UTC, the last 24 months)."),
    family("knowbe4_account_phishing_difficulty_tests", Gauge, &["account", "window", "difficulty"], "phishing_tests",
        "Phishing tests of the difficulty started within the window (30d and 365d, whatever phishing.windows says), those beyond phishing.max_tests included."),
    family("knowbe4_account_phishing_difficulty_delivered", Gauge, &["account", "window", "difficulty"], "phishing_tests",
        "Recipients whom the phishing tests of the difficulty reached, of tests started within the window."),
    family("knowbe4_account_phishing_difficulty_failures", Gauge, &["account", "window", "difficulty"], "phishing_tests",
        "Failures in the phishing tests of the difficulty started within the window; over delivered they are its phish-prone ratio."),
    family("knowbe4_account_phishing_difficulty_reported", Gauge, &["account", "window", "difficulty"], "phishing_tests",
        "Recipients who reported the phishing tests of the difficulty started within the window."),
    family("knowbe4_users", Gauge, &["account"], "users",
        "Active users (/v1/users); absent when the list is empty, as it is for anonymised accounts."),
    family("knowbe4_users_phish_prone_ratio", Gauge, &["account"], "users",
        "Mean of the active users' personal phish-prone percentage / 100 (/v1/users), those never tested as 0; KnowBe4's console leaves them out. May exceed 1."),
    family("knowbe4_users_by_risk_score", Gauge, &["account", "le"], "users",
        "Active users whose risk score is at most le; cumulative, so that histogram_quantile() applies."),
    family("knowbe4_users_by_phish_prone_ratio", Gauge, &["account", "le"], "users",
        "Active users whose personal phish-prone ratio is at most le; cumulative, so that histogram_quantile() applies. Users never tested count as 0, as the API says."),
    family("knowbe4_users_tested", Gauge, &["account", "window"], "recipients,users",
        "Active users to whom a phishing test of the window was delivered (recipients joined to /v1/users by id)."),
    family("knowbe4_users_reported", Gauge, &["account", "window"], "recipients,users",
        "Active users who reported a phishing test of the window (recipients joined to /v1/users by id)."),
    family("knowbe4_users_by_failed_tests", Gauge, &["account", "window", "tests"], "recipients,users",
        "Active users tested within the window by how many of its tests they failed: 0, 1, 2, 3, 4, 5+; not cumulative, the sum is knowbe4_users_tested."),
    family("knowbe4_group_info", Info, &["account", "group_id", "name", "type", "status"], "groups",
        "An active group: name, type and status, as /v1/groups writes them."),
    family("knowbe4_group_risk_score", Gauge, &["account", "group_id"], "groups",
        "Risk score of the group, 0 to 100 (/v1/groups); left out for groups below groups.min_size."),
    family("knowbe4_group_members", Gauge, &["account", "group_id"], "groups",
        "Members of the group (member_count of /v1/groups)."),
    family("knowbe4_group_phish_prone_ratio", Gauge, &["account", "group_id"], "users,groups",
        "Mean of the personal phish-prone ratios of the group's active members (/v1/users); left out for groups below groups.min_size."),
    family("knowbe4_group_phishing_recipients", Gauge, &["account", "group_id", "window", "outcome"], "recipients,users,groups",
        "Mails of the tests started within the window to active members of the group, by outcome; left out for groups below groups.min_size."),
    family("knowbe4_groups_hidden", Gauge, &["account"], "groups",
        "Groups with fewer members than groups.min_size, whose scores are left out."),
    family("knowbe4_segment_users", Gauge, &["account", "attribute", "segment"], "users",
        "Active users who share this value of the attribute (/v1/users); segments below segment_min_size are left out."),
    family("knowbe4_segment_risk_score", Gauge, &["account", "attribute", "segment"], "users",
        "Mean risk score of the segment's active users, 0 to 100 (/v1/users)."),
    family("knowbe4_segment_phish_prone_ratio", Gauge, &["account", "attribute", "segment"], "users",
        "Mean personal phish-prone ratio of the segment's active users (/v1/users)."),
    family("knowbe4_segment_enrollments", Gauge, &["account", "attribute", "segment", "status"], "enrollments,users",
        "Training enrollments of the segment's active users by status (/v1/training/enrollments joined to /v1/users by id)."),
    family("knowbe4_segment_phishing_recipients", Gauge, &["account", "attribute", "segment", "window", "outcome"], "recipients,users",
        "Mails of the tests started within the window to active users of the segment, by outcome; left out below segment_min_size."),
    family("knowbe4_phishing_campaign_info", Info, &["account", "campaign_id", "name", "status", "frequency"], "phishing_campaigns",
        "A phishing campaign: name, status and frequency, as /v1/phishing/campaigns writes them."),
    family("knowbe4_phishing_campaign_last_phish_prone_ratio", Gauge, &["account", "campaign_id"], "phishing_campaigns",
        "Phish-prone ratio of the campaign's last test (last_phish_prone_percentage of /v1/phishing/campaigns, a fraction); may exceed 1."),
    family("knowbe4_phishing_campaign_last_run_timestamp_seconds", Gauge, &["account", "campaign_id"], "phishing_campaigns",
        "When the campaign last ran (/v1/phishing/campaigns)."),
    family("knowbe4_phishing_campaign_tests", Gauge, &["account", "campaign_id"], "phishing_campaigns",
        "Number of tests that the campaign has had (psts_count of /v1/phishing/campaigns)."),
    family("knowbe4_phishing_test_info", Info, &["account", "test_id", "campaign_id", "name", "status", "template", "difficulty"], "phishing_tests",
        "A phishing security test: name, status, template and its difficulty (1 very easy to 5 very hard), as /v1/phishing/security_tests writes them."),
    family("knowbe4_phishing_test_phish_prone_ratio", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "Failures / delivered of the test (phish_prone_percentage of /v1/phishing/security_tests, a fraction); may exceed 1."),
    family("knowbe4_phishing_test_start_timestamp_seconds", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "When the test started (/v1/phishing/security_tests)."),
    family("knowbe4_phishing_test_recipients_scheduled", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "Recipients to whom the test is to be sent (/v1/phishing/security_tests)."),
    family("knowbe4_phishing_test_recipients_delivered", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "Recipients whom the test reached (/v1/phishing/security_tests)."),
    family("knowbe4_phishing_test_recipients_opened", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "Recipients who opened the message, which is no failure (/v1/phishing/security_tests)."),
    family("knowbe4_phishing_test_recipients_reported", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "Recipients who reported the message with the Phish Alert Button (/v1/phishing/security_tests)."),
    family("knowbe4_phishing_test_recipients_bounced", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "Recipients whose mail server refused the message (/v1/phishing/security_tests)."),
    family("knowbe4_phishing_test_failures", Gauge, &["account", "test_id", "campaign_id", "failure"], "phishing_tests",
        "Failures of the test by kind; one recipient may fail in several ways (/v1/phishing/security_tests). Their sum / delivered is the phish-prone ratio."),
    family("knowbe4_phishing_test_recipients_failed", Gauge, &["account", "test_id", "campaign_id"], "recipients",
        "People, each once, who failed the test in any way (/v1/phishing/security_tests/{id}/recipients)."),
    family("knowbe4_phishing_test_recipients_failed_and_reported", Gauge, &["account", "test_id", "campaign_id"], "recipients",
        "People who failed the test and reported it as well, before or after (/v1/phishing/security_tests/{id}/recipients)."),
    family("knowbe4_phishing_test_first_failure_seconds", Gauge, &["account", "test_id", "campaign_id"], "recipients",
        "Time from the first delivery of the test to its first failure; absent while there is none (/v1/phishing/security_tests/{id}/recipients)."),
    family("knowbe4_phishing_test_first_report_seconds", Gauge, &["account", "test_id", "campaign_id"], "recipients",
        "Time from the first delivery of the test to its first report; absent while there is none (/v1/phishing/security_tests/{id}/recipients)."),
    family("knowbe4_phishing_test_median_failure_seconds", Gauge, &["account", "test_id", "campaign_id"], "recipients",
        "Median time from delivery to the first failure, over the recipients who failed (/v1/phishing/security_tests/{id}/recipients)."),
    family("knowbe4_phishing_test_median_report_seconds", Gauge, &["account", "test_id", "campaign_id"], "recipients",
        "Median time from delivery to the report, over the recipients who reported (/v1/phishing/security_tests/{id}/recipients)."),
    family("knowbe4_phishing_recipients", Gauge, &["account", "window", "outcome"], "recipients",
        "Mails of the phishing tests started within the window by outcome: delivered, failed, reported, and ignored, which is neither; failed and reported count in both. There once all tests of the window have been read."),
    family("knowbe4_phishing_recipients_by_failure_delay", Gauge, &["account", "window", "le"], "recipients",
        "Mails of the tests started within the window that were failed at most le seconds after their delivery; cumulative, +Inf holds all that were."),
    family("knowbe4_phishing_recipients_by_report_delay", Gauge, &["account", "window", "le"], "recipients",
        "Mails of the tests started within the window that were reported at most le seconds after their delivery; cumulative, +Inf holds all that were."),
    family("knowbe4_phishing_recent_test_info", Info, &["account", "test_id", "campaign_id", "name", "difficulty"], "phishing_tests",
        "A phishing test that started within 30 days before it was read: name and difficulty of its template. Alert rules read these few tests instead of all."),
    family("knowbe4_phishing_recent_test_start_timestamp_seconds", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "When the phishing test started, of those of the last 30 days."),
    family("knowbe4_phishing_recent_test_phish_prone_ratio", Gauge, &["account", "test_id", "campaign_id"], "phishing_tests",
        "The test's phish-prone ratio as the API says it, of those of the last 30 days; may exceed 1."),
    family("knowbe4_phishing_recent_test_recipients", Gauge, &["account", "test_id", "campaign_id", "outcome"], "phishing_tests",
        "Recipients of the phishing tests of the last 30 days: delivered, opened, clicked, reported, bounced."),
    family("knowbe4_phishing_tests_omitted", Gauge, &["account"], "phishing_tests",
        "Phishing tests beyond the newest phishing.max_tests, which have no series of their own."),
    family("knowbe4_phishing_tests_unread", Gauge, &["account"], "recipients",
        "Phishing tests of the longest window whose recipients are still to be read."),
    family("knowbe4_training_campaign_info", Info, &["account", "campaign_id", "name", "status"], "training_campaigns",
        "A training campaign: name and status, as /v1/training/campaigns writes them."),
    family("knowbe4_training_campaign_completion_ratio", Gauge, &["account", "campaign_id"], "training_campaigns,enrollments",
        "Completed share of the campaign (completion_percentage of /v1/training/campaigns); where the API does not say, (completed + passed) / all enrollments."),
    family("knowbe4_training_campaign_start_timestamp_seconds", Gauge, &["account", "campaign_id"], "training_campaigns",
        "When the campaign starts (/v1/training/campaigns)."),
    family("knowbe4_training_campaign_end_timestamp_seconds", Gauge, &["account", "campaign_id"], "training_campaigns",
        "When the campaign ends (/v1/training/campaigns); absent for campaigns with a relative end or none."),
    family("knowbe4_training_campaign_enrollments", Gauge, &["account", "campaign_id", "status"], "enrollments",
        "Training enrollments of the campaign by status, one for each user and content item (/v1/training/enrollments). May shrink: people leave campaigns."),
    family("knowbe4_training_store_purchases", Gauge, &["account", "type", "retired"], "store_purchases",
        "Training content bought, by type and whether it is retired, as /v1/training/store_purchases writes them."),
    family("knowbe4_training_policies", Gauge, &["account"], "policies",
        "Uploaded policies (/v1/training/policies)."),
];

/// About the process, as client libraries name it.
#[rustfmt::skip]
const PROCESS: &[Family] = &[
    family("process_start_time_seconds", Gauge, &[], OWN, "Start time of the process since unix epoch in seconds."),
    family("process_cpu_seconds_total", Counter, &[], OWN, "Total user and system CPU time spent in seconds."),
    family("process_resident_memory_bytes", Gauge, &[], OWN, "Resident memory size in bytes."),
    family("process_virtual_memory_bytes", Gauge, &[], OWN, "Virtual memory size in bytes."),
    family("process_open_fds", Gauge, &[], OWN, "Number of open file descriptors."),
    family("process_max_fds", Gauge, &[], OWN, "Maximum number of open file descriptors."),
];

/// All families, in the order of the exposition.
pub const FAMILIES: &[Family] = &{
    let parts = [DATA, instrument::FAMILIES, PROCESS];
    let mut all = [DATA[0]; DATA.len() + instrument::FAMILIES.len() + PROCESS.len()];
    let (mut part, mut from) = (0, 0);
    while part < parts.len() {
        let mut place = 0;
        while place < parts[part].len() {
            all[from + place] = parts[part][place];
            place += 1;
        }
        from += place;
        part += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_end_as_their_type_asks() {
        let mut names = BTreeSet::new();
        for family in FAMILIES {
            assert!(names.insert(family.name), "{} twice", family.name);
            assert_eq!(
                family.name.ends_with("_total"),
                family.kind == Counter,
                "{}",
                family.name
            );
            assert_eq!(
                family.name.ends_with("_info"),
                family.kind == Info,
                "{}",
                family.name
            );
            for reserved in ["_sum", "_count", "_bucket"] {
                assert!(!family.name.ends_with(reserved), "{}", family.name);
            }
        }
    }

    #[test]
    fn help_survives_an_encoder_that_does_not_escape_it() {
        for family in FAMILIES {
            assert!(
                family.help.ends_with('.') && !family.help.contains(['\\', '\n', '"']),
                "{}",
                family.name
            );
        }
    }

    #[test]
    fn no_label_is_a_person() {
        for family in FAMILIES {
            for label in family.labels {
                assert!(
                    !["user", "user_id", "email", "employee_number"].contains(label),
                    "{}",
                    family.name
                );
            }
        }
    }

    #[test]
    fn units_are_the_ends_of_names() {
        let unit = |name| FAMILIES.iter().find(|f| f.name == name).expect("family").unit();
        assert_eq!(unit("knowbe4_account_phish_prone_ratio"), Some("ratio"));
        assert_eq!(unit("process_cpu_seconds_total"), Some("seconds"));
        assert_eq!(unit("knowbe4_users"), None);
        assert_eq!(unit("knowbe4_users_by_phish_prone_ratio"), None);
    }
}
