//! The sentences of the page: what happened last, what comes next and why then, what it costs.
//!
//! Plain text; `page` escapes it. Times are marked with [`Text::Time`], so that the page can show the absolute
//! time beside the relative one.

use super::condition::Condition;
use super::moment::{Moment, count, span};
use super::view::{AccountView, CollectorView};
use crate::instrument::AccountState;
use crate::model::{Holding, NextRunReason, Reason};

/// A piece of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Text {
    /// As it stands.
    Plain(String),
    /// A point in time, said relative to now.
    Time(Moment, String),
}

/// A sentence or several.
pub(super) type Sentence = Vec<Text>;

fn plain(text: impl Into<String>) -> Text {
    Text::Plain(text.into())
}

/// `12 minutes ago`, `in 3 hours`, `now`.
pub(super) fn relative(moment: &Moment, now: f64) -> Text {
    let distance = now - moment.unix;
    let words = if (0.0..1.0).contains(&distance) {
        "just now".to_owned()
    } else if distance > 0.0 {
        format!("{} ago", span(distance))
    } else {
        format!("in {}", span(distance))
    };
    Text::Time(moment.clone(), words)
}

/// What happened last.
pub(super) fn happened(view: &CollectorView, now: f64) -> Sentence {
    if !view.enabled {
        return vec![plain(
            "Switched off in the configuration: no requests, no series.",
        )];
    }
    let mut words = Vec::new();
    if view.success == Some(false) {
        match &view.last_attempt {
            Some(at) => {
                words.push(plain("The last attempt, begun "));
                words.push(relative(at, now));
                words.push(plain(", failed."));
            }
            None => words.push(plain("The last attempt failed.")),
        }
        match &view.last_success {
            Some(at) => {
                words.push(plain(" The series still show what was read completely "));
                words.push(relative(at, now));
                words.push(plain("."));
            }
            None => words.push(plain(
                " It has never been read completely, so that it has no series.",
            )),
        }
        return words;
    }
    let Some(at) = &view.last_success else {
        return vec![plain("Not read yet.")];
    };
    words.push(plain("Read completely "));
    words.push(relative(at, now));
    if let Some(duration) = view.duration_seconds {
        words.push(plain(format!(", in {}", span(duration))));
    }
    words.push(plain("."));
    if view.success.is_none() {
        words.push(plain(
            " That was in an earlier run of the exporter; nothing was lost by the restart.",
        ));
    }
    if let Some(attempt) = view.last_attempt.as_ref().filter(|a| a.unix > at.unix) {
        words.push(plain(" A refresh was begun "));
        words.push(relative(attempt, now));
        words.push(plain(" and is not finished yet."));
    }
    if view.condition == Condition::Late {
        words.push(plain(" That is more than three times the promised interval."));
    }
    words
}

/// What comes next and why then.
pub(super) fn next(view: &CollectorView, now: f64) -> Sentence {
    if !view.enabled {
        return vec![plain("Nothing.")];
    }
    let mut words = Vec::new();
    match &view.next_run {
        Some(at) if at.unix <= now => {
            words.push(plain("Due for "));
            words.push(Text::Time(at.clone(), span(now - at.unix)));
            words.push(plain(", and waiting for its turn. "));
        }
        Some(at) => {
            words.push(plain("Read again "));
            words.push(relative(at, now));
            words.push(plain(". "));
        }
        None => words.push(plain("No time is set for the next refresh. ")),
    }
    // How intervals come about stands once above the table.
    let planned = view.next_run_reason == NextRunReason::Interval;
    if !planned {
        words.push(plain(format!("{} ", view.next_run_explanation)));
    }
    words.push(plain(match view.interval_seconds {
        Some(interval) if planned => format!("As planned, every {}.", each(interval)),
        Some(interval) => format!("Planned interval: {}.", span(interval)),
        None => "The budget leaves it no interval that could be promised.".to_owned(),
    }));
    words
}

/// A span after "every": `hour` rather than `1 hour`.
fn each(interval: f64) -> String {
    let words = span(interval);
    match words.strip_prefix("1 ") {
        Some(unit) if !unit.contains(' ') => unit.to_owned(),
        _ => words,
    }
}

/// Why a refresh is due when it is.
pub(super) fn why_then(reason: NextRunReason) -> &'static str {
    match reason {
        NextRunReason::Interval => {
            "As planned: the interval follows from what a refresh costs, its weight and the budget."
        }
        NextRunReason::Retry => {
            "Sooner than planned, because the last attempt failed; the pause grows with each failure in a row."
        }
        NextRunReason::Unavailable => {
            "Once a day: this endpoint has never worked for this account, and is refused or missing."
        }
        NextRunReason::KeyRefused => {
            "A single probe, with growing pauses: the API refuses the key. A changed key is tried at once."
        }
        NextRunReason::Throttled => {
            "The API said that there were too many requests, so that the whole account pauses for as long as it asked."
        }
        NextRunReason::Budget => "As soon as the budget has room: it is used up for now.",
        NextRunReason::TooExpensive => {
            "One refresh costs more than the budget can ever give. Raise the budget, or switch the collector off."
        }
    }
}

/// What a refresh costs, and what share of the budget that is.
pub(super) fn cost(view: &CollectorView, account: &AccountView) -> String {
    if !view.enabled {
        return "Nothing.".to_owned();
    }
    let Some(requests) = view.refresh_requests else {
        return "Not known before the first complete refresh.".to_owned();
    };
    let mut words = format!("{} a refresh", count(requests as f64, "request"));
    if let Some(per_day) = view.requests_per_day {
        words.push_str(&format!(", {} a day", about(per_day)));
        if let Some(limit) = account.day().map(|day| day.limit).filter(|limit| *limit > 0) {
            words.push_str(&format!(": {} of the budget", percent(per_day / limit as f64)));
        }
    }
    words.push('.');
    words
}

/// What the budget says, over the last 24 hours.
pub(super) fn budget(account: &AccountView) -> String {
    let Some(day) = account.day().filter(|day| day.limit > 0) else {
        return "The budget is not known yet.".to_owned();
    };
    let mut words = format!(
        "{} of {} requests used in the last 24 hours, {} left.",
        day.used, day.limit, day.left
    );
    if let Some(plan) = account.plan_requests_per_day {
        words.push_str(&format!(" The plan needs {} a day.", about(plan)));
    }
    words
}

/// Which collectors are in trouble, and why, in a few words.
pub(super) fn trouble(account: &AccountView) -> String {
    let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
    for collector in &account.collectors {
        if matches!(collector.condition, Condition::Fine | Condition::Off) {
            continue;
        }
        let kind = match &collector.last_failure {
            Some(failure) => failure.reason.as_str().replace('_', " "),
            None => collector.condition.as_str().to_owned(),
        };
        let name = collector.collector.as_str();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) => names.push(name),
            None => kinds.push((kind, vec![name])),
        }
    }
    if kinds.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<String> = kinds
        .into_iter()
        .map(|(kind, names)| match names.len() {
            1..=3 => format!("{kind}: {}", names.join(", ")),
            many => format!("{kind}: {many} collectors"),
        })
        .collect();
    words.join("; ")
}

/// What is to be known about an account as a whole.
/// Who polls the account.
fn holder(holding: &Holding) -> String {
    let Some(replica) = &holding.replica else {
        return "No replica polls it now, as far as this one knows: what is known is served.".to_owned();
    };
    let since = holding.since.and_then(Moment::new);
    let since = since.map_or_else(String::new, |since| format!(" since {}", since.absolute()));
    let here = if holding.here { ", this one," } else { "" };
    format!("The replica {replica}{here} polls it{since}.")
}

pub(super) fn account_notes(state: &AccountState) -> Vec<String> {
    let mut notes: Vec<_> = state.holding.iter().map(holder).collect();
    let limit = state.budget.limit[2];
    if let Some(plan) = state.plan_requests_per_day
        && limit > 0
        && plan > limit as f64
    {
        notes.push(format!(
            "The configured intervals need {} requests a day, and the budget is {limit}: data gets older than \
             promised. Raise the intervals or the budget; `knowbe4-exporter plan` shows what fits.",
            about(plan)
        ));
    }
    // Before the first attempt nobody has tried to write the ledger.
    let tried = !state.requests.is_empty() || state.collectors.iter().any(|(_, c)| c.last_attempt.is_some());
    let refused = |(_, c): (_, &crate::model::CollectorStatus)| {
        c.last_failure
            .as_ref()
            .is_some_and(|failure| failure.reason == Reason::Budget)
    };
    if tried && !state.ledger_writable && state.collectors.iter().any(refused) {
        notes.push(
            "Requests can't be recorded in the storage path, and what can't be recorded is not sent: check that \
             it is writable and has room."
                .to_owned(),
        );
    }
    if limit > 0 && state.budget.used[2] >= limit {
        notes.push(
            "The budget of the last 24 hours is used up: requests go out again as the oldest ones pass out of it."
                .to_owned(),
        );
    }
    if state.snapshot_restored {
        notes.push("Started with the data of an earlier run; its times are the true ones.".to_owned());
    }
    notes
}

fn about(number: f64) -> String {
    if number >= 10.0 {
        format!("{number:.0}")
    } else {
        let text = format!("{number:.1}");
        text.strip_suffix(".0")
            .map_or_else(|| text.clone(), str::to_owned)
    }
}

fn percent(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.01 {
        "less than 1\u{a0}%".to_owned()
    } else {
        format!("{:.0}\u{a0}%", ratio * 100.0)
    }
}
