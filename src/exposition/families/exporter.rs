//! The exporter as a whole: how it was built, and its configuration.

use crate::exposition::samples::Subject;
use crate::instrument::ProcessState;

use super::{Writer, writer};

/// What holds for all accounts.
pub(in crate::exposition) struct Exporter {
    state: ProcessState,
    /// How many accounts this replica polls, where several may.
    held: Option<u64>,
}

impl Exporter {
    pub(in crate::exposition) fn new(state: ProcessState, held: Option<u64>) -> Self {
        Self { state, held }
    }
}

impl Subject for Exporter {
    fn account(&self) -> Option<&str> {
        None
    }
}

/// Writers of the exporter's own families that have no account.
pub(in crate::exposition) const EXPORTER: &[Writer<Exporter>] = &[
    writer("knowbe4_exporter_build_info", |_, samples| {
        samples.info(&[
            env!("CARGO_PKG_VERSION").into(),
            crate::REVISION.into(),
            crate::RUST_VERSION.into(),
        ]);
    }),
    writer("knowbe4_exporter_replica_accounts", |exporter, samples| {
        samples.put(&[], exporter.held);
    }),
    writer("knowbe4_exporter_replicas", |exporter, samples| {
        samples.put(&[], exporter.state.replicas.map(|replicas| replicas.living));
    }),
    writer("knowbe4_exporter_replica_versions", |exporter, samples| {
        samples.put(&[], exporter.state.replicas.map(|replicas| replicas.versions));
    }),
    writer("knowbe4_exporter_replica_configurations", |exporter, samples| {
        samples.put(
            &[],
            exporter.state.replicas.map(|replicas| replicas.configurations),
        );
    }),
    writer("knowbe4_exporter_accounts_unheld", |exporter, samples| {
        samples.put(
            &[],
            exporter.state.replicas.map(|replicas| replicas.accounts_unheld),
        );
    }),
    writer(
        "knowbe4_exporter_database_round_trips_total",
        |exporter, samples| {
            let database = exporter.state.database;
            samples.put(&[], database.map(|database| database.round_trips));
        },
    ),
    writer("knowbe4_exporter_database_failures_total", |exporter, samples| {
        let database = exporter.state.database;
        samples.put(&[], database.map(|database| database.failures));
    }),
    writer(
        "knowbe4_exporter_database_last_success_timestamp_seconds",
        |exporter, samples| {
            let database = exporter.state.database;
            samples.put(&[], database.and_then(|database| database.last_success));
        },
    ),
    writer(
        "knowbe4_exporter_config_last_reload_successful",
        |exporter, samples| {
            samples.put(&[], exporter.state.reload_successful);
        },
    ),
    writer(
        "knowbe4_exporter_config_last_reload_success_timestamp_seconds",
        |exporter, samples| samples.put(&[], exporter.state.reload_success_timestamp),
    ),
];
