//! `--web.config.file`: the Prometheus web configuration format, as exporter-toolkit documents it
//! (<https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>).
//!
//! Strict: unknown keys are mistakes, and so is what rustls can't do. Authentication holds for all paths, the health
//! checks included, as it does in every exporter with this file. `http2` is accepted and changes nothing: this server
//! speaks HTTP/1.1 alone.

mod file;
mod http;
mod read;
mod secret;
mod word;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::header::{HeaderName, HeaderValue};
use rustls::ServerConfig;

use super::auth::Users;
use super::fingerprint::Fingerprint;
use super::rate::RateLimit;

/// A web configuration that was read, checked and found usable, its certificates included. `Debug` shows no secret.
pub struct WebConfig {
    path: PathBuf,
    fingerprint: Fingerprint,
    tls: Option<Arc<ServerConfig>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    users: Option<Arc<Users>>,
    rate_limit: Option<RateLimit>,
}

impl WebConfig {
    /// Reads the file and all files that it names; relative paths are relative to it.
    ///
    /// # Errors
    /// With every mistake that can be found in one go, each with the file, line and column where there is one, and
    /// what was expected. None repeats a password, a hash or a key.
    pub fn load(path: &Path) -> Result<Self, Vec<String>> {
        read::read(path)
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether clients must speak TLS.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether clients must name a user and a password.
    pub fn has_users(&self) -> bool {
        self.users.is_some()
    }

    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.clone()
    }

    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    pub(super) fn users(&self) -> Option<&Users> {
        self.users.as_deref()
    }

    pub(super) fn rate_limit(&self) -> Option<RateLimit> {
        self.rate_limit
    }

    /// Whether a change to `other` would take TLS or authentication away.
    pub(super) fn protects_more_than(&self, other: &Self) -> bool {
        (self.has_tls() && !other.has_tls()) || (self.has_users() && !other.has_users())
    }
}

impl fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebConfig")
            .field("path", &self.path)
            .field("tls", &self.has_tls())
            .field("users", &self.users)
            .field("rate_limit", &self.rate_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
