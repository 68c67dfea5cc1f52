//! `plan`: the forecast, without one request.

use serde_json::{Value, json};

use super::{DOES_NOT_FIT, Ending, Stop, configured_storage, load_without_keys, output};
use crate::cli::{Options, PlanArgs, PlanFormat};
use crate::config::AccountConfig;
use crate::env::Env;
use crate::forecast::{self, Forecast, Learned, Sizes, Source, forecast};
use crate::model::{Collector, DAY, EnrollmentScope, PerCollector};
use crate::store::Saved;

pub(super) async fn plan(options: Options, arguments: PlanArgs, env: impl Env) -> Ending {
    let config = load_without_keys(&options, &env)?;
    let sizes = sizes(&arguments);
    let storage = configured_storage(&config, &env)?;
    let mut outlooks = Vec::new();
    for account in &config.accounts {
        let mut account = account.clone();
        let budget = &mut account.budget;
        budget.requests_per_day = arguments.requests_per_day.unwrap_or(budget.requests_per_day);
        budget.share = arguments.share.unwrap_or(budget.share);
        if budget.per_day_limit() == 0 {
            let (share, quota) = (budget.share, budget.requests_per_day);
            return Err(Stop::usage(format!(
                "account {}: a share of {share} of {quota} requests a day leaves none, expected at least one",
                account.name
            )));
        }
        // Nothing is locked or written: the exporter may be running.
        let saved = storage
            .peek(&account.name)
            .await
            .map_err(|error| Stop::said(error.explain()))?
            .unwrap_or_default();
        outlooks.push(Outlook::new(account, &saved, &sizes));
    }
    output::print(&match arguments.format {
        PlanFormat::Table => outlooks.iter().map(table).collect(),
        PlanFormat::Json => {
            let accounts: Vec<_> = outlooks.iter().map(json).collect();
            format!("{:#}\n", json!({ "accounts": accounts }))
        }
    })?;
    if outlooks.iter().all(|outlook| outlook.forecast.plan.fits) {
        Ok(())
    } else {
        Err(Stop::silent(DOES_NOT_FIT))
    }
}

/// Quotas that are held beside an account's own.
const OTHER_QUOTAS: [f64; 2] = [0.5, 2.0];

/// An account's forecast, and what it would be with another quota.
struct Outlook {
    account: AccountConfig,
    forecast: Forecast,
    /// Requests a day of the quota, and the forecast.
    others: Vec<(u64, Forecast)>,
}

impl Outlook {
    fn new(account: AccountConfig, saved: &Saved, sizes: &Sizes) -> Self {
        let others = OTHER_QUOTAS.map(|factor| {
            let mut other = account.clone();
            let budget = &mut other.budget;
            budget.requests_per_day = ((budget.requests_per_day as f64 * factor) as u64).max(1);
            (budget.requests_per_day, of(&other, saved, sizes))
        });
        Self {
            forecast: of(&account, saved, sizes),
            account,
            others: others.into(),
        }
    }
}

/// The forecast of an account: what the user says goes before what was learned.
pub(super) fn of(account: &AccountConfig, saved: &Saved, sizes: &Sizes) -> Forecast {
    let mut learned = Learned::from(saved);
    for collector in Collector::ALL {
        if sizes.0[collector].is_some() {
            learned.of[collector] = None;
        }
    }
    forecast(account, &forecast::costs(&learned, sizes, &saved.snapshot))
}

fn sizes(arguments: &PlanArgs) -> Sizes {
    Sizes(PerCollector::new(|collector| match collector {
        Collector::Account => None,
        Collector::Groups => arguments.groups,
        Collector::Users => arguments.users,
        Collector::PhishingCampaigns => arguments.phishing_campaigns,
        Collector::PhishingTests => arguments.phishing_tests,
        Collector::TrainingCampaigns => arguments.training_campaigns,
        Collector::Enrollments => arguments.enrollments,
        Collector::StorePurchases => arguments.store_purchases,
        Collector::Policies => arguments.policies,
        // Of a test as many as there are users.
        Collector::Recipients => None,
    }))
}

fn json(outlook: &Outlook) -> Value {
    let forecast = &outlook.forecast;
    let collectors: Vec<_> = forecast
        .plan
        .planned
        .iter()
        .map(|planned| {
            json!({
                "collector": planned.what.as_str(),
                "requests_per_refresh": planned.cost as u64,
                "interval_seconds": planned.interval,
                "requests_per_day": planned.requests_per_day,
                "configured_requests_per_day": planned.configured_per_day,
                "requests_per_day_if_hourly": HOURS * planned.cost,
                "mean_age_seconds": planned.interval.map(|interval| interval / 2.0),
                "share_of_limit": planned.requests_per_day / forecast.limit as f64,
                "cost_is": source(forecast.costs[planned.what].1),
                "backlog": (planned.what == Collector::Recipients).then(|| backlog(forecast)),
            })
        })
        .collect();
    let others: Vec<_> = outlook
        .others
        .iter()
        .map(|(quota, other)| {
            let collectors: Vec<_> = other
                .plan
                .planned
                .iter()
                .map(|planned| {
                    json!({
                        "collector": planned.what.as_str(),
                        "interval_seconds": planned.interval,
                    })
                })
                .collect();
            json!({
                "quota": quota,
                "limit": other.limit,
                "requests_per_day": other.plan.requests_per_day,
                "fits": other.plan.fits,
                "collectors": collectors,
            })
        })
        .collect();
    json!({
        "account": outlook.account.name.as_str(),
        "requests_per_day": forecast.plan.requests_per_day,
        "limit": forecast.limit,
        "fits": forecast.plan.fits,
        "enrollments": scope(forecast.enrollments),
        "collectors": collectors,
        "what_if": others,
    })
}

/// What is still to be read of recipients, and how long that takes.
fn backlog(forecast: &Forecast) -> Value {
    let backlog = &forecast.backlog;
    json!({
        "tests": backlog.tests,
        "requests": backlog.requests,
        "requests_per_day": forecast.recipients.share_per_day.min(backlog.requests as f64),
        "days": forecast.backlog_days(),
        "estimated": backlog.estimated,
    })
}

/// The same in words; empty when everything has been read, and when recipients are off.
fn backlog_note(forecast: &Forecast) -> String {
    let backlog = &forecast.backlog;
    if backlog.tests == 0 || forecast.interval(Collector::Recipients).is_none() {
        return String::new();
    }
    let about = if backlog.estimated { "about " } else { "" };
    let pace = match forecast.backlog_days() {
        Some(days) => format!(
            "at {:.0} requests a day beside the plan that takes {days:.1} days",
            forecast.recipients.share_per_day.min(backlog.requests as f64)
        ),
        None => "the other collectors leave nothing for them".to_owned(),
    };
    format!(
        "recipients of {about}{} phishing tests are still to be read, {about}{} requests: {pace}\n",
        backlog.tests, backlog.requests
    )
}

/// Refreshes a day of what is refreshed every hour.
const HOURS: f64 = 24.0;

fn source(source: Source) -> &'static str {
    match source {
        Source::Learned => "learned",
        Source::Given => "given",
        Source::Estimated => "estimated",
    }
}

fn scope(scope: EnrollmentScope) -> &'static str {
    match scope {
        EnrollmentScope::All => "all",
        EnrollmentScope::RunningCampaigns => "running_campaigns",
    }
}

fn table(outlook: &Outlook) -> String {
    let (account, forecast) = (&outlook.account, &outlook.forecast);
    let mut heading = [
        "collector",
        "requests a refresh",
        "every",
        "requests a day",
        "of the budget",
        "every hour would be",
    ]
    .map(str::to_owned)
    .to_vec();
    let quotas = outlook.others.iter();
    heading.extend(quotas.map(|(quota, _)| format!("every, were the quota {quota}")));
    let mut rows = vec![heading];
    for planned in &forecast.plan.planned {
        let (_, from) = forecast.costs[planned.what];
        let of_the_budget = |requests: f64| format!("{:.1} %", 100.0 * requests / forecast.limit as f64);
        let mut row = vec![
            planned.what.to_string(),
            format!("{} ({})", planned.cost as u64, source(from)),
            every(planned.interval),
            format!("{:.1}", planned.requests_per_day),
            of_the_budget(planned.requests_per_day),
            of_the_budget(HOURS * planned.cost),
        ];
        let others = outlook.others.iter();
        row.extend(others.map(|(_, other)| every(other.interval(planned.what))));
        rows.push(row);
    }
    let plan = &forecast.plan;
    let verdict = if plan.fits {
        "fits".to_owned()
    } else {
        format!(
            "does not fit: the configured intervals need {:.0} requests a day, and what is below is what they get; raise requests_per_day, intervals or max_interval, or switch collectors off",
            plan.requests_per_day
        )
    };
    let note = match forecast.enrollments {
        EnrollmentScope::All => "",
        EnrollmentScope::RunningCampaigns => {
            "enrollments are read by running campaign: the whole listing costs more than the budget gives\n"
        }
    };
    let budget = &account.budget;
    format!(
        "account {}: {:.0} of {} requests a day ({} x share {}), {verdict}\n{}{note}{}data is at most as old as \"every\" says, half of it on average\n\n",
        account.name,
        plan.requests_per_day,
        forecast.limit,
        budget.requests_per_day,
        budget.share,
        output::table(&rows),
        backlog_note(forecast),
    )
}

fn every(interval: Option<f64>) -> String {
    interval.map_or_else(|| "never: too expensive".to_owned(), duration)
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("{:.1} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        seconds => format!("{:.1} d", seconds / DAY),
    }
}
