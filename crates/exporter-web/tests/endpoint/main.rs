//! The endpoint over real sockets.

mod authority;
mod limits;
mod paths;
mod requests;
mod secure;
mod support;
mod web;
