//! One account: its budget, and what each of its collectors did, does next and costs.

use maud::{Markup, html};

use super::super::links::Links;
use super::super::view::{AccountView, CollectorView};
use super::super::words;
use super::{sentence, tag};

/// Columns of the collectors' table: title and class.
const COLUMNS: [(&str, Option<&str>); 4] = [
    ("Collector", None),
    ("What happened last", Some("what")),
    ("What comes next, and why then", Some("next")),
    ("What it costs", None),
];

/// One account: its name and condition, and below them all the rest, which can be folded away. `alone`: it is the only
/// one on the page.
pub(super) fn section(account: &AccountView, links: &Links, now: f64, open: bool, alone: bool) -> Markup {
    let name = account.account.as_str();
    let up = match account.up {
        Some(true) => "the last request was answered with success",
        Some(false) => "the last request failed",
        None => "no request yet in this run",
    };
    html! {
        section class="card" aria-labelledby={ (name) ":name" } {
            details open[open] {
                summary {
                    h2 id={ (name) ":name" } { (name) }
                    (tag(account.condition)) span class="soft" { (up) }
                }
                // The place that links lead to is inside: a browser that is sent there unfolds the details around it.
                // Other ids have a capital letter or a colon, which no account's name has.
                div class="anchor" id=(name) {
                    p class="links" {
                        @if !alone { a href={ "?account=" (name) } { "Page of this account" } " " }
                        a href={ (links.metrics) "?account=" (name) } { "Its metrics" } " "
                        a href={ (links.root) "api/v1/status?account=" (name) } { "Its status as JSON" }
                    }
                    @if !account.notes.is_empty() {
                        ul class="notes" { @for note in &account.notes { li { (note) } } }
                    }
                    p { (words::budget(account)) }
                    @if account.day().is_some_and(|day| day.limit > 0) { (budget(account)) }
                    (collectors(account, now))
                }
            }
        }
    }
}

fn budget(account: &AccountView) -> Markup {
    let words = |window| match window {
        "24h" => "24 hours",
        "1m" => "1 minute",
        "1s" => "1 second",
        other => other,
    };
    html! {
        table class="budget num" {
            caption { "Request budget of " (account.account) }
            thead { tr { @for column in ["Window", "Used", "Left", "Limit"] { th scope="col" { (column) } } } }
            tbody {
                @for window in account.budget.iter().rev() {
                    tr {
                        th scope="row" { (words(window.window)) }
                        td { meter min="0" max=(window.limit) value=(window.used) aria-hidden="true" {} (window.used) }
                        td { (window.left) }
                        td { (window.limit) }
                    }
                }
            }
        }
    }
}

fn collectors(account: &AccountView, now: f64) -> Markup {
    html! {
        table class="wide" role="table" {
            caption {
                "Collectors of " (account.account)
                ". Intervals follow from what a refresh costs, its weight and the budget."
            }
            thead role="rowgroup" {
                tr role="row" {
                    @for (title, class) in COLUMNS { th scope="col" role="columnheader" class=[class] { (title) } }
                }
            }
            tbody role="rowgroup" {
                @for collector in &account.collectors { (row(collector, account, now)) }
            }
        }
    }
}

fn row(collector: &CollectorView, account: &AccountView, now: f64) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { (collector.collector) br; " " (tag(collector.condition)) }
            td role="cell" data-label=(COLUMNS[1].0) {
                p { (sentence(&words::happened(collector, now))) }
                (failure(collector))
                @for note in &collector.notes { p class="soft" { (note) } }
            }
            td role="cell" data-label=(COLUMNS[2].0) { p { (sentence(&words::next(collector, now))) } }
            td role="cell" data-label=(COLUMNS[3].0) { p { (words::cost(collector, account)) } }
        }
    }
}

fn failure(collector: &CollectorView) -> Markup {
    html! {
        @if let Some(failure) = &collector.last_failure {
            div class={ "cure " (collector.condition.as_str()) } {
                p {
                    strong { "Cause:" } " " (failure.cause) " "
                    span class="soft" { "(" (failure.reason.as_str()) ")" }
                }
                p { strong { "What to do:" } " " (failure.cure) }
                @if let Some(id) = &failure.request_id {
                    p class="soft" { "Request id for KnowBe4's support: " code { (id) } }
                }
            }
        }
    }
}
