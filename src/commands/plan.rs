//! `plan`: the forecast, without one request.

use serde_json::{Value, json};

use super::{DOES_NOT_FIT, Ending, Stop, load, output};
use crate::cli::{Env, Options, PlanArgs, PlanFormat};
use crate::config::AccountConfig;
use crate::forecast::{self, Forecast, Learned, Sizes, Source, forecast};
use crate::model::{Collector, EnrollmentScope, PerCollector};
use crate::store::{Saved, Storage};

pub(super) fn plan(options: &Options, arguments: &PlanArgs, env: &dyn Env) -> Ending {
    let config = load(options, env)?;
    let sizes = sizes(arguments);
    let forecasts: Vec<_> = config
        .accounts
        .iter()
        .map(|account| {
            // Nothing is locked or written: the exporter may be running.
            let saved = Storage::peek(&config.storage_path, &account.name).unwrap_or_default();
            (account, of(account, &saved, &sizes))
        })
        .collect();
    output::print(&match arguments.format {
        PlanFormat::Table => forecasts
            .iter()
            .map(|(account, forecast)| table(account, forecast))
            .collect(),
        PlanFormat::Json => {
            let accounts: Vec<_> = forecasts
                .iter()
                .map(|(account, forecast)| json(account, forecast))
                .collect();
            format!("{:#}\n", json!({ "accounts": accounts }))
        }
    })?;
    if forecasts.iter().all(|(_, forecast)| forecast.plan.fits) {
        Ok(())
    } else {
        Err(Stop::silent(DOES_NOT_FIT))
    }
}

/// The forecast of an account: what the user says goes before what was learned.
pub(super) fn of(account: &AccountConfig, saved: &Saved, sizes: &Sizes) -> Forecast {
    let mut learned = Learned {
        of: saved.costs,
        running_enrollments: saved.running_enrollments_cost,
        filter_ignored: saved.filter_ignored,
        overhead: saved.overhead,
    };
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
    }))
}

fn json(account: &AccountConfig, forecast: &Forecast) -> Value {
    let collectors: Vec<_> = forecast
        .plan
        .planned
        .iter()
        .map(|planned| {
            json!({
                "collector": planned.collector.as_str(),
                "requests_per_refresh": planned.cost as u64,
                "interval_seconds": planned.interval,
                "requests_per_day": planned.requests_per_day,
                "configured_requests_per_day": planned.configured_per_day,
                "share_of_limit": planned.requests_per_day / forecast.limit as f64,
                "cost_is": source(forecast.costs[planned.collector].1),
            })
        })
        .collect();
    json!({
        "account": account.name.as_str(),
        "requests_per_day": forecast.plan.requests_per_day,
        "limit": forecast.limit,
        "fits": forecast.plan.fits,
        "enrollments": scope(forecast.enrollments),
        "collectors": collectors,
    })
}

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

fn table(account: &AccountConfig, forecast: &Forecast) -> String {
    let heading = [
        "collector",
        "requests a refresh",
        "every",
        "requests a day",
        "of the budget",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for planned in &forecast.plan.planned {
        let (_, from) = forecast.costs[planned.collector];
        rows.push(vec![
            planned.collector.to_string(),
            format!("{} ({})", planned.cost as u64, source(from)),
            planned
                .interval
                .map_or_else(|| "never: too expensive".to_owned(), duration),
            format!("{:.1}", planned.requests_per_day),
            format!(
                "{:.1} %",
                100.0 * planned.requests_per_day / forecast.limit as f64
            ),
        ]);
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
        "account {}: {:.0} of {} requests a day ({} x share {}), {verdict}\n{}{note}\n",
        account.name,
        plan.requests_per_day,
        forecast.limit,
        budget.requests_per_day,
        budget.share,
        output::table(&rows),
    )
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("{:.1} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.1} h", seconds / 3600.0),
        seconds => format!("{:.1} d", seconds / 86_400.0),
    }
}
