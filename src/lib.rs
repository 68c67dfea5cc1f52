//! A Prometheus exporter for KnowBe4.
//!
//! One straight line, from a key to a scrape:
//!
//! ```text
//! configuration -> accounts -> plan (schedule) -> permit (budget) -> api (pages, retries, wire)
//!   -> collector (whole refresh, aggregated while it streams) -> snapshot (immutable)
//!   -> exposition -> server -> Prometheus
//! ```
//!
//! Rooms stand on floors, and arrows point down only; `tests/architecture.rs` holds them to it.

// Floor 1: values, no I/O.
pub mod catalogue;
pub mod clock;
pub mod model;
pub mod secret;

// Floor 2
pub mod instrument;
pub mod snapshot;

// Floor 3
pub mod status;

// Floor 4
pub mod server;
