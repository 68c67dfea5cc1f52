//! The HTTP endpoint of the Prometheus family: what exporter-toolkit is for Go.
//!
//! An exporter implements [`Site`], which hands out bodies, and calls [`serve()`]. This crate answers for the protocol:
//! which path, which method, which format and encoding; who may ask (`--web.config.file`: TLS, client certificates,
//! users, headers, rate limit); sockets of its own or of systemd; and that no client can hold it up: each connection
//! has limits in time and size, and their number is bounded. It knows nothing of where metrics come from.
//!
//! HTTP/1.1 only. Prometheus scrapes over it, and a scrape is one request at a time.
//!
//! ```no_run
#![doc = include_str!("../examples/one_metric.rs")]
//! ```

mod address;
mod answer;
mod auth;
mod connection;
mod crowd;
mod endpoint;
mod files;
mod fingerprint;
mod format;
mod go;
mod handle;
mod limits;
mod listen;
mod notify;
mod path;
mod place;
mod prefix;
mod rate;
mod request;
mod route;
mod san;
mod serve;
mod site;
mod stall;
mod tls;
mod web;
mod webconfig;

pub use address::{ListenAddress, ListenAddressError};
pub use answer::{Answer, Metrics};
pub use format::Format;
pub use hyper::StatusCode;
pub use limits::Limits;
pub use listen::{BindError, InheritError, Listener};
pub use notify::Notifier;
pub use path::{TelemetryPath, TelemetryPathError};
pub use prefix::{ExternalUrl, ExternalUrlError, RoutePrefix, RoutePrefixError};
pub use request::{ParameterError, Request};
pub use serve::{Options, serve};
pub use site::{BoxFuture, Site};
pub use tokio_util::sync::CancellationToken;
pub use webconfig::WebConfig;
