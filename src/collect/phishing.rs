//! Phishing campaigns and their tests, and the account's phish-prone ratio, which the API doesn't have.

mod roster;
mod sums;

use std::collections::BTreeMap;

use super::{Inputs, Yield};
use crate::api::error::ApiError;
use crate::api::wire::{CampaignRow, Row as _, TestRow};
use crate::api::{Client, Refresh};
use crate::config::PhishingConfig;
use crate::model::{
    Collector, DAY, Endpoint, PhishingCampaign, PhishingCampaigns, PhishingTest, PhishingTests, Recipients,
};
use crate::snapshot::Collection;

pub(super) async fn campaigns(client: &Client, refresh: &mut Refresh) -> Result<Yield, ApiError> {
    let mut campaigns = Vec::new();
    let mut fold = |row: CampaignRow, _: &mut _| {
        campaigns.extend(row.id().map(|id| PhishingCampaign {
            id,
            name: row.name.unwrap_or_default(),
            status: row.status.unwrap_or_default(),
            frequency: row.frequency.unwrap_or_default(),
            last_phish_prone: row.last_phish_prone,
            last_run: row.last_run,
            tests: row.tests,
        }));
        Ok(())
    };
    client
        .list(
            refresh,
            Endpoint::Of(Collector::PhishingCampaigns),
            &[],
            &mut fold,
        )
        .await?;
    campaigns.sort_unstable_by_key(|campaign: &PhishingCampaign| campaign.id);
    Ok(Collection::PhishingCampaigns(PhishingCampaigns { campaigns }).into())
}

pub(super) async fn tests(
    client: &Client,
    refresh: &mut Refresh,
    inputs: Inputs<'_>,
) -> Result<Yield, ApiError> {
    let mut tests = BTreeMap::new();
    let mut fold = |row: TestRow, _: &mut _| {
        tests.extend(test(row).map(|test| (test.id, test)));
        Ok(())
    };
    client
        .list(refresh, Endpoint::Of(Collector::PhishingTests), &[], &mut fold)
        .await?;
    let mut callbacks = BTreeMap::new();
    if inputs.config.phishing.callback {
        let mut fold = |row: TestRow, _: &mut _| {
            callbacks.extend(test(row).map(|test| (test.id, test)));
            Ok(())
        };
        client
            .list(
                refresh,
                Endpoint::Of(Collector::PhishingTests),
                &callback(),
                &mut fold,
            )
            .await?;
        callbacks.retain(|id, _| !tests.contains_key(id));
    }
    let roster = roster::roster(&tests, &callbacks, &inputs.config.phishing, inputs.now);
    tests.extend(callbacks);
    let tests = summary(tests.into_values().collect(), &inputs.config.phishing, inputs.now);
    Ok(Collection::PhishingTests(PhishingTests { roster, ..tests }).into())
}

/// Asks for callback tests, which are a listing of their own.
pub(super) fn callback() -> [(&'static str, String); 1] {
    [("campaign_type", "callback".to_owned())]
}

/// The `failure` label of an API key without `_count`; [`None`] for what is no failure.
fn failure(key: &str) -> Option<&str> {
    match key {
        "scheduled" | "delivered" | "opened" | "reported" | "bounced" => None,
        "attachment_open" => Some("attachment_opened"),
        other => Some(other),
    }
}

fn test(row: TestRow) -> Option<PhishingTest> {
    let id = row.id()?;
    let count = |key: &str| row.counts.get(key).copied();
    let recipients = Recipients {
        scheduled: count("scheduled"),
        delivered: count("delivered"),
        opened: count("opened"),
        reported: count("reported"),
        bounced: count("bounced"),
    };
    let failures: BTreeMap<_, _> = row
        .counts
        .iter()
        .filter_map(|(key, count)| Some((failure(key)?.to_owned(), *count)))
        .collect();
    let mut test = PhishingTest {
        id,
        campaign_id: row.campaign_id,
        name: row.name.unwrap_or_default(),
        status: row.status.unwrap_or_default(),
        template: row.template.name.unwrap_or_default(),
        difficulty: row.template.difficulty.unwrap_or_default(),
        phish_prone: row.phish_prone,
        started_at: row.started_at,
        ends_at: row
            .started_at
            .zip(row.days)
            .map(|(start, days)| start + days * DAY),
        recipients,
        failures,
    };
    test.phish_prone = test.phish_prone.or_else(|| sums::phish_prone(&sums::of([&test])));
    Some(test)
}

/// Windows, difficulties, months and the last start are over all tests; the tests themselves only as many as asked for, the
/// newest by start.
fn summary(mut tests: Vec<PhishingTest>, config: &PhishingConfig, now: f64) -> PhishingTests {
    let windows = sums::windows(&tests, config, now);
    let months = sums::months(&tests, now);
    let difficulties = sums::difficulties(&tests, now);
    let last_start = sums::last_start(&tests, now);
    // Tests that never started are older than any that did.
    tests.sort_by(|a, b| {
        b.started_at
            .unwrap_or(f64::MIN)
            .total_cmp(&a.started_at.unwrap_or(f64::MIN))
            .then(b.id.cmp(&a.id))
    });
    let omitted = tests.len().saturating_sub(config.max_tests) as u64;
    tests.truncate(config.max_tests);
    tests.sort_unstable_by_key(|test| test.id);
    PhishingTests {
        recent: sums::recent(&tests, now),
        tests,
        omitted,
        last_start,
        windows,
        months,
        difficulties,
        roster: Vec::new(),
    }
}

#[cfg(test)]
mod tests_of_phishing {
    use std::time::Duration;

    use super::*;
    use crate::api::wire;

    fn read(json: &str) -> Vec<PhishingTest> {
        let rows = wire::list::<TestRow>(json.as_bytes()).expect("tests");
        rows.rows.into_iter().filter_map(test).collect()
    }

    fn config(max_tests: usize) -> PhishingConfig {
        let day = Duration::from_secs(86_400);
        PhishingConfig {
            windows: vec![("30d".to_owned(), day * 30)],
            max_tests,
            ..PhishingConfig::default()
        }
    }

    #[test]
    fn the_ratio_is_the_apis_own_where_it_gives_one() {
        let tests = read(
            r#"[{"pst_id":1,"phish_prone_percentage":0.277,"delivered_count":625,"clicked_count":171,"replied_count":2},
                {"pst_id":2,"phish_prone_percentage":null,"delivered_count":4,"clicked_count":3,"attachment_open_count":2,"called_count":1},
                {"pst_id":3,"delivered_count":0,"clicked_count":0},
                {"pst_id":4,"delivered_count":9,"clicked_count":null}]"#,
        );
        let ratios: Vec<_> = tests.iter().map(|test| test.phish_prone).collect();
        assert_eq!(ratios, [Some(0.277), Some(1.5), None, None]);
        let kinds: Vec<_> = tests[1].failures.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["attachment_opened", "called", "clicked"]);
    }

    #[test]
    fn windows_count_all_tests_and_series_the_newest() {
        let tests = read(
            r#"[{"pst_id":1,"started_at":"1970-01-01T00:00:00Z","delivered_count":100,"clicked_count":50},
                {"pst_id":2,"started_at":"1970-02-20T00:00:00Z","delivered_count":10,"clicked_count":1},
                {"pst_id":3,"started_at":null,"delivered_count":0},
                {"pst_id":4,"started_at":"1970-02-10T00:00:00Z","delivered_count":10,"clicked_count":0}]"#,
        );
        let now = 60.0 * 86_400.0;
        let summary = summary(tests, &config(2), now);
        assert_eq!(
            summary.tests.iter().map(|test| test.id).collect::<Vec<_>>(),
            [2, 4]
        );
        assert_eq!(summary.omitted, 2);
        assert_eq!(summary.windows[0].phish_prone, Some(0.05));
        assert_eq!(
            (summary.windows[1].window.as_str(), summary.windows[1].phish_prone),
            ("all", Some(51.0 / 120.0))
        );
        let sums = summary.windows[1].sums.expect("sums");
        assert_eq!(
            (sums.tests, sums.delivered, sums.failures),
            (4, Some(120), Some(51))
        );
        let february = summary.months.iter().rev().nth(1).expect("two months");
        assert_eq!((february.month.as_str(), february.sums.tests), ("1970-02", 2));
    }
}
