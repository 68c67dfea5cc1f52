//! The server over real sockets, with short real times: tokio's paused clock and sockets don't mix.

mod limits;
mod paths;
mod requests;
mod secure;
mod support;
mod web;
