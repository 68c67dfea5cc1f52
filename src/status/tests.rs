//! The view from instruments, its JSON and its page.

use std::collections::BTreeMap;

use super::*;
use quota::BudgetState;

use crate::instrument::{AccountState, ProcessState};
use crate::model::{AccountName, Collector, CollectorStatus, Failure, NextRunReason, Reason};

const NOW: f64 = 1_764_000_000.0;

fn meta() -> Meta {
    Meta {
        version: "1.2.3".to_owned(),
        started: NOW - 7_200.0,
        process: ProcessState {
            reload_successful: true,
            reload_success_timestamp: NOW - 7_200.0,
            database: None,
            replicas: None,
        },
    }
}

fn fine() -> CollectorStatus {
    CollectorStatus {
        success: Some(true),
        last_success: Some(NOW - 720.0),
        last_attempt: Some(NOW - 730.0),
        next_run: Some(NOW + 2_880.0),
        interval: Some(3_600.0),
        duration: Some(4.0),
        refresh_requests: Some(5),
        ..CollectorStatus::default()
    }
}

fn state() -> AccountState {
    let mut state = AccountState {
        up: Some(true),
        ledger_writable: true,
        budget: BudgetState {
            limit: [4, 45, 800],
            used: [0, 3, 200],
        },
        plan_requests_per_day: Some(640.0),
        ..AccountState::default()
    };
    for collector in Collector::ALL {
        state.collectors[collector] = fine();
    }
    state
}

fn failing() -> CollectorStatus {
    CollectorStatus {
        success: Some(false),
        last_failure: Some(Failure {
            reason: Reason::Forbidden,
            cause: "403 for /v1/users: <script>alert('x')</script>".to_owned(),
            cure: "allow \"users\" & co.".to_owned(),
            request_id: Some("req\u{202E}-1".to_owned()),
        }),
        next_run_reason: NextRunReason::Retry,
        ..fine()
    }
}

fn name(text: &str) -> AccountName {
    text.parse().expect("name")
}

fn view(accounts: BTreeMap<AccountName, AccountState>) -> StatusView {
    StatusView::build(&accounts, NOW, &meta())
}

#[test]
fn the_json_is_the_documented_one() {
    let mut one = state();
    one.collectors[Collector::Users] = failing();
    one.failures[Collector::Users][Reason::Forbidden as usize] = 2;
    one.collectors[Collector::Policies].disabled = true;
    let json = view(BTreeMap::from([(name("acme"), one)])).json();
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["version"], "1.2.3");
    assert_eq!(json["started"]["unix"], NOW - 7_200.0);
    assert_eq!(json["started"]["rfc3339"], "2025-11-24T14:00:00Z");
    let account = &json["accounts"][0];
    assert_eq!(account["account"], "acme");
    assert_eq!(account["condition"], "failing");
    assert_eq!(account["up"], true);
    assert_eq!(account["budget"][2]["window"], "24h");
    assert_eq!(account["budget"][2]["left"], 600);
    assert_eq!(account["plan_requests_per_day"], 640.0);
    let users = &account["collectors"][2];
    assert_eq!(users["collector"], "users");
    assert_eq!(users["success"], false);
    assert_eq!(users["age_seconds"], 720.0);
    assert_eq!(users["interval_seconds"], 3_600.0);
    assert_eq!(users["requests_per_day"], 120.0);
    assert_eq!(users["next_run"]["rfc3339"], "2025-11-24T16:48:00Z");
    assert_eq!(users["next_run_reason"], "retry");
    assert_eq!(users["last_failure"]["reason"], "forbidden");
    assert_eq!(users["last_failure"]["cure"], "allow \"users\" & co.");
    assert_eq!(users["failures"]["forbidden"], 2);
    assert_eq!(account["collectors"][8]["enabled"], false);
    assert_eq!(account["collectors"][0]["last_failure"], serde_json::Value::Null);
}

#[test]
fn a_clock_that_went_back_makes_nothing_younger_than_new() {
    let view = StatusView::build(&BTreeMap::from([(name("a"), state())]), NOW - 9_000.0, &meta());
    assert_eq!(view.accounts[0].collectors[0].age_seconds, Some(0.0));
}

#[test]
fn the_page_says_what_happened_what_comes_next_and_what_to_do() {
    let mut one = state();
    one.collectors[Collector::Users] = failing();
    let html = view(BTreeMap::from([(name("acme"), one)])).html(&Links::to("./metrics"), None);
    for words in [
        "One account, 10 collectors: 1 failing, 9 fine.",
        "<time datetime=\"2025-11-24T15:48:00Z\" title=\"2025-11-24 15:48:00 UTC\">12 minutes ago</time>, in 4 seconds.",
        "Read again <time datetime=\"2025-11-24T16:48:00Z\" title=\"2025-11-24 16:48:00 UTC\">in 48 minutes</time>",
        "As planned, every hour.",
        "Sooner than planned, because the last attempt failed; the pause grows with each failure in a row. Planned interval: 1 hour.",
        "5 requests a refresh, 120 a day: 15\u{a0}% of the budget.",
        "200 of 800 requests used in the last 24 hours, 600 left. The plan needs 640 a day.",
        "<strong>What to do:</strong> allow &quot;users&quot; &amp; co.",
    ] {
        assert!(html.contains(words), "missing: {words}\n{html}");
    }
    assert_eq!(html.matches("<details open>").count(), 1);
}

#[test]
fn hostile_text_stays_text() {
    let mut one = state();
    one.collectors[Collector::Users] = failing();
    one.collectors[Collector::Groups].notes = vec!["<img src=x onerror=alert(1)>".to_owned()];
    let html = view(BTreeMap::from([(name("acme"), one)])).html(&Links::to("/m\"><script>"), None);
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains("<img"), "{html}");
    assert!(!html.contains('\u{202E}'));
    assert!(html.contains("&lt;script&gt;alert('x')&lt;/script&gt;"));
    assert!(html.contains("href=\"/m&quot;&gt;&lt;script&gt;\""));
}

/// `good` accounts a000, a001, ... and `bad` ones z000, ...
fn fleet(good: usize, bad: usize) -> StatusView {
    let mut accounts: BTreeMap<_, _> = (0..good).map(|i| (name(&format!("a{i:03}")), state())).collect();
    for i in 0..bad {
        let mut failed = state();
        failed.collectors[Collector::Users] = failing();
        accounts.insert(name(&format!("z{i:03}")), failed);
    }
    view(accounts)
}

fn position(html: &str, text: &str) -> usize {
    html.find(text)
        .unwrap_or_else(|| panic!("missing {text}\n{html}"))
}

#[test]
fn several_accounts_are_led_by_an_index_with_the_worst_first() {
    let html = fleet(10, 1).html(&Links::to("./metrics"), None);
    assert!(html.contains("11 accounts: 1 failing, 10 fine."));
    assert!(position(&html, "href=\"#z000\"") < position(&html, "href=\"#a000\""));
    assert!(position(&html, "id=\"z000\"") < position(&html, "id=\"a000\""));
    assert!(html.contains("data-label=\"Trouble\">forbidden: users</td>"));
    assert_eq!(
        html.matches("<details open>").count(),
        1,
        "only the failing one is unfolded"
    );
}

#[test]
fn with_very_many_accounts_the_page_stays_readable_and_every_account_has_its_place() {
    for (good, bad, detailed) in [(199, 1, 1), (100, 100, 20), (1000, 0, 0)] {
        let view = fleet(good, bad);
        let html = view.html(&Links::to("./metrics"), None);
        assert_eq!(html.matches("<details>").count(), detailed, "{good} and {bad}");
        assert!(html.len() < 700 * (good + bad) + 250_000, "{}", html.len());
        for account in &view.accounts {
            assert_eq!(html.matches(&format!(" id=\"{}\"", account.account)).count(), 1);
        }
    }
    let html = fleet(199, 1).html(&Links::to("./metrics"), None);
    assert!(
        html.contains("<a href=\"?account=a007\">a007</a>"),
        "a page of its own"
    );
    assert!(html.contains("<option value=\"a007\">"), "the field offers it");
}

#[test]
fn one_account_can_be_picked_or_found_by_a_part_of_its_name() {
    let view = fleet(30, 2);
    let one = view.html(&Links::to("./metrics"), Some("a007"));
    assert!(one.contains("Account a007, 10 collectors: 10 fine."), "{one}");
    assert_eq!(one.matches("<details open>").count(), 1);
    assert!(!one.contains("id=\"z000\""), "another account is on the page");
    assert!(one.contains("<a href=\"./status\">All accounts</a>"));
    let found = view.html(&Links::to("./metrics"), Some("z00"));
    assert!(
        found.contains("No account is called \u{201c}z00\u{201d}; 2 of 32 have it in their name."),
        "{found}"
    );
    assert!(found.contains("href=\"?account=z001\"") && !found.contains("href=\"?account=a007\""));
    let hostile = view.html(&Links::to("./metrics"), Some("\"><script>"));
    assert!(!hostile.contains("<script"), "{hostile}");
    let json = view.of_account("z001").expect("there").json();
    let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(json["accounts"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["accounts"][0]["account"], "z001");
    assert!(fleet(1, 1).of_account("nobody").is_none());
}

#[test]
fn states_before_and_without_data_are_told_apart() {
    let mut one = state();
    one.collectors[Collector::Account] = CollectorStatus::default();
    one.collectors[Collector::Groups] = CollectorStatus {
        success: None,
        ..fine()
    };
    one.collectors[Collector::Users] = CollectorStatus {
        last_attempt: Some(NOW - 10.0),
        ..fine()
    };
    one.collectors[Collector::Policies] = CollectorStatus {
        success: Some(false),
        last_success: None,
        next_run_reason: NextRunReason::Unavailable,
        ..fine()
    };
    one.collectors[Collector::Enrollments].interval = None;
    one.collectors[Collector::Enrollments].next_run = Some(NOW - 61.0);
    let html = view(BTreeMap::from([(name("acme"), one)])).html(&Links::to("./metrics"), None);
    for words in [
        "Not read yet.",
        "That was in an earlier run of the exporter",
        "10 seconds ago</time> and is not finished yet.",
        "It has never been read completely, so that it has no series.",
        "Once a day: this endpoint has never worked",
        "The budget leaves it no interval that could be promised.",
        "Due for <time datetime=\"2025-11-24T15:58:59Z\" title=\"2025-11-24 15:58:59 UTC\">1 minute 1 second</time>, and waiting",
    ] {
        assert!(html.contains(words), "missing: {words}\n{html}");
    }
}

#[test]
fn accounts_say_when_plan_budget_or_ledger_are_the_trouble() {
    let mut one = state();
    one.plan_requests_per_day = Some(900.4);
    one.budget.used[2] = 800;
    one.ledger_writable = false;
    one.collectors[Collector::Users] = CollectorStatus {
        last_failure: Some(Failure {
            reason: Reason::Budget,
            cause: String::new(),
            cure: String::new(),
            request_id: None,
        }),
        ..failing()
    };
    let notes = view(BTreeMap::from([(name("acme"), one)])).accounts[0]
        .notes
        .join("\n");
    assert!(
        notes.contains("need 900 requests a day, and the budget is 800"),
        "{notes}"
    );
    assert!(notes.contains("storage path"), "{notes}");
    assert!(notes.contains("is used up"), "{notes}");
    assert!(
        view(BTreeMap::from([(name("acme"), state())])).accounts[0]
            .notes
            .is_empty()
    );
}

#[test]
fn tags_are_balanced() {
    let accounts: BTreeMap<_, _> = (0..5).map(|i| (name(&format!("a{i}")), state())).collect();
    let html = view(accounts).html(&Links::to("./metrics"), None);
    for tag in [
        "form", "table", "tr", "td", "th", "section", "details", "div", "p", "ul", "time", "span",
    ] {
        let opened = html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count();
        assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}
