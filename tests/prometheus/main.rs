//! End to end against real components: simulated organisations, the exporter, Prometheus with the rules of `alerts/`,
//! Alertmanager.
//!
//! What is about KnowBe4's data needs weeks of history: they are played through the exporter's own poller and
//! exposition (`examples/history`) and made blocks by promtool. What is about operation is scraped from the real binary.
//! Skipped, loudly, where a component is missing; CI has them all.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::print_stderr,
    reason = "a test panics when it fails, and waits in real time"
)]

mod components;
mod cost;
mod dashboards;
mod data;
mod notifications;
mod operation;
mod replicas;
mod rules;

#[path = "../../examples/history/play/mod.rs"]
#[allow(unreachable_pub, dead_code, reason = "shared with the example")]
mod play;
#[path = "../replicas/postgres.rs"]
mod postgres;
#[path = "../replicas/replica.rs"]
#[allow(dead_code, reason = "shared by tests that each use a part")]
mod replica;
#[path = "../support/mod.rs"]
mod support;
