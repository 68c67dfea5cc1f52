//! What the exporter did and plans to do for one account.

use quota::BudgetState;

use crate::exposition::value::Value;
use crate::instrument::{DURATION_BOUNDS, Durations};
use crate::model::{Collector, CollectorStatus, Endpoint, Reason};

use super::{Own, Samples, Writer, writer};

/// Writers of the exporter's own families that have an account.
pub(in crate::exposition) const OWN: &[Writer<Own>] = &[
    writer("knowbe4_up", |own, samples| samples.put(&[], own.state.up)),
    writer("knowbe4_exporter_collector_success", |own, samples| {
        each(own, samples, |collector| collector.success);
    }),
    writer(
        "knowbe4_exporter_collector_last_success_timestamp_seconds",
        |own, samples| each(own, samples, |collector| collector.last_success),
    ),
    writer(
        "knowbe4_exporter_collector_last_attempt_timestamp_seconds",
        |own, samples| each(own, samples, |collector| collector.last_attempt),
    ),
    writer(
        "knowbe4_exporter_collector_next_run_timestamp_seconds",
        |own, samples| each(own, samples, |collector| collector.next_run),
    ),
    writer("knowbe4_exporter_collector_interval_seconds", |own, samples| {
        each(own, samples, |collector| collector.interval);
    }),
    writer("knowbe4_exporter_collector_duration_seconds", |own, samples| {
        each(own, samples, |collector| collector.duration);
    }),
    writer("knowbe4_exporter_collector_refresh_requests", |own, samples| {
        each(own, samples, |collector| collector.refresh_requests);
    }),
    writer("knowbe4_exporter_collector_failures_total", |own, samples| {
        for (collector, _) in enabled(own).filter(|_| !own.state.uncounted) {
            for reason in Reason::ALL {
                let count = own.state.failures[collector][reason as usize];
                samples.put(&[collector.as_str().into(), reason.as_str().into()], count);
            }
        }
    }),
    writer("knowbe4_exporter_api_requests_total", |own, samples| {
        let counted = own.state.requests.iter();
        for ((endpoint, code), count) in
            counted.filter(|((endpoint, _), count)| shows(own, *endpoint, **count))
        {
            samples.put(&[endpoint.path().into(), code.into()], *count);
        }
    }),
    writer("knowbe4_exporter_api_retries_total", |own, samples| {
        for endpoint in Endpoint::polled().filter(|_| !own.state.uncounted) {
            let count = own.state.retries.get(&endpoint).copied().unwrap_or(0);
            samples.put(&[endpoint.path().into()], count);
        }
    }),
    writer("knowbe4_exporter_api_throttled_total", |own, samples| {
        samples.put(&[], Some(own.state.throttled).filter(|_| !own.state.uncounted));
    }),
    writer("knowbe4_exporter_api_request_duration_seconds", |own, samples| {
        for (endpoint, durations) in &own.state.durations {
            samples.histogram(&[endpoint.path().into()], durations.sum, &buckets(durations));
        }
    }),
    writer("knowbe4_exporter_budget_limit", |own, samples| {
        budget(own, samples, |budget| &budget.limit);
    }),
    writer("knowbe4_exporter_budget_used", |own, samples| {
        budget(own, samples, |budget| &budget.used);
    }),
    writer("knowbe4_exporter_plan_requests_per_day", |own, samples| {
        samples.put(&[], own.state.plan_requests_per_day);
    }),
    writer("knowbe4_exporter_ledger_writable", |own, samples| {
        samples.put(&[], own.state.ledger_writable);
    }),
    writer("knowbe4_exporter_schema_drift_total", |own, samples| {
        let counted = own.state.drift.iter();
        for ((endpoint, kind), count) in
            counted.filter(|((endpoint, _), count)| shows(own, *endpoint, **count))
        {
            samples.put(&[endpoint.path().into(), kind.into()], *count);
        }
    }),
    writer("knowbe4_exporter_snapshot_restored", |own, samples| {
        samples.put(&[], own.state.snapshot_restored);
    }),
    writer("knowbe4_exporter_series", |own, samples| {
        samples.put(&[], own.series)
    }),
    writer("knowbe4_exporter_account_held", |own, samples| {
        samples.put(&[], own.state.holding.as_ref().map(|holding| holding.here));
    }),
];

/// Whether a count is shown: one of what isn't polled and never was says nothing.
fn shows(own: &Own, endpoint: Endpoint, count: u64) -> bool {
    let is_polled = |collector| !own.state.collectors[collector].disabled;
    count > 0 || matches!(endpoint, Endpoint::Of(collector) if is_polled(collector))
}

fn enabled(own: &Own) -> impl Iterator<Item = (Collector, &CollectorStatus)> {
    own.state.collectors.iter().filter(|(_, status)| !status.disabled)
}

fn each<V: Into<Value>>(own: &Own, samples: &mut Samples<'_>, value: impl Fn(&CollectorStatus) -> V) {
    for (collector, status) in enabled(own) {
        samples.put(&[collector.as_str().into()], value(status));
    }
}

fn buckets(durations: &Durations) -> Vec<(f64, u64)> {
    let bounds = DURATION_BOUNDS.into_iter().chain([f64::INFINITY]);
    bounds.zip(durations.buckets).collect()
}

/// Before anybody said what the budget is, all its limits are 0: then it is not known.
fn budget(own: &Own, samples: &mut Samples<'_>, of: impl Fn(&BudgetState) -> &[u64; 3]) {
    if own.state.budget.limit != [0; 3] {
        for (window, value) in BudgetState::WINDOWS.into_iter().zip(of(&own.state.budget)) {
            samples.put(&[window.into()], *value);
        }
    }
}
