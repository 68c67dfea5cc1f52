//! The endpoint as its users meet it: the real binary, asked by curl, openssl, promtool, systemd's protocol.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::print_stderr,
    reason = "a test panics when it fails, says so when it is skipped, and waits in real time"
)]

#[path = "../support/mod.rs"]
mod support;

mod authority;
mod client_certificates;
mod process;
mod rotation;
mod sockets;
mod users;
mod web_config;
