//! A Prometheus exporter for KnowBe4.
//!
//! One straight line, from a key to a scrape:
//!
//! ```text
//! configuration -> accounts -> plan (schedule) -> permit (budget) -> api (pages, retries, wire)
//!   -> collector (whole refresh, aggregated while it streams) -> snapshot (immutable)
//!   -> exposition -> exporter-web -> Prometheus
//! ```
//!
//! Rooms stand on floors, and arrows point down only; `tests/architecture.rs` holds them to it.

// Floor 1: values. No I/O.
pub mod assets;
pub mod causes;
pub mod clock;
pub mod database_url;
pub mod env;
pub mod family;
pub mod join;
pub mod model;
pub mod secret;
pub mod telemetry;

// Floor 2: what was typed, what is planned, what is served and counted.
pub mod cli;
pub mod instrument;
pub mod recipients;
pub mod snapshot;

// Floor 3: what is true, what is kept, and what is shown.
pub mod catalogue;
pub mod config;
pub mod status;
pub mod store;

// Floor 4: what may be sent and what it costs, and what is exposed.
pub mod exposition;
pub mod forecast;

// Floor 5: the way to KnowBe4.
pub mod api;

// Floor 6: rows become collections.
pub mod collect;

// Floor 7: one task per account.
pub mod poll;

// Floor 8: which accounts run.
pub mod supervise;

// Floor 9: wiring.
pub mod commands;

/// Source revision that this was built from, 40 hex digits; empty when it was not known.
pub const REVISION: &str = env!("BUILD_REVISION");

/// Version of the compiler that built this, such as `1.95.0`; empty when it was not known.
pub const RUST_VERSION: &str = env!("BUILD_RUSTVERSION");
