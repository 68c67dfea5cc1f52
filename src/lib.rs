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
//! In a room, `pub` is what other rooms may use; the surface below is all that leaves the crate.
#![expect(
    rustdoc::private_intra_doc_links,
    reason = "the documentation is made with private items: the rooms are"
)]
// A room's public items have documentation, though they don't leave the crate.
#![warn(clippy::missing_docs_in_private_items)]
#![expect(
    unreachable_pub,
    reason = "a room's own surface is `pub`, and the room is private"
)]

// Floor 1: values. No I/O.
mod assets;
mod causes;
mod clock;
mod database_url;
mod env;
mod family;
mod join;
pub mod model;
mod secret;
mod telemetry;

// Floor 2: what was typed, what is planned, what is served and counted.
pub mod cli;
mod instrument;
mod recipients;
mod snapshot;

// Floor 3: what is true, what is kept, and what is shown.
mod catalogue;
mod config;
mod status;
mod store;

// Floor 4: what may be sent and what it costs, and what is exposed.
mod exposition;
mod forecast;

// Floor 5: the way to KnowBe4.
mod api;

// Floor 6: rows become collections.
mod collect;

// Floor 7: one task per account.
mod poll;

// Floor 8: which accounts run.
mod supervise;

// Floor 9: wiring.
mod commands;

// The surface: what the program, its tests, benches and examples reach of the rooms.
pub use api::{
    Client, Refresh,
    clients::{Clients, Timeouts},
    error::ApiError,
    headers::Headers,
    transport::{Answer, Call, Https, Sending, Transport},
    trust::CertificateProblem,
    wire::{GroupRow, Row, UserRow},
};
pub use catalogue::{FAMILIES, print::markdown as families_markdown};
pub use clock::Clock;
pub use commands::run;
pub use config::{AccountConfig, Config, ConfigErrors, KeySource, Loaded, SegmentAttribute, keys};
pub use env::{Env, ProcessEnv};
pub use exposition::{Exposition, Format};
pub use family::{Family, Kind};
pub use instrument::{AccountInstruments, AccountState, Instruments};
pub use poll::{Poller, Tools};
pub use recipients::{DirectoryBuilder, Event, Inputs, Mail, Memory, ReadTest, Reading, summarise};
pub use secret::{
    ApiKey,
    seal::{open, seal},
};
pub use snapshot::{AccountSnapshot, Collection, Published};
pub use status::{Meta, StatusView};
pub use store::{FileStorage, Storage};

/// Source revision that this was built from, 40 hex digits; empty when it was not known.
pub const REVISION: &str = env!("BUILD_REVISION");

/// Version of the compiler that built this, such as `1.95.0`; empty when it was not known.
pub const RUST_VERSION: &str = env!("BUILD_RUSTVERSION");
