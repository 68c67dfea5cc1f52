//! `--web.config.file`: the Prometheus web configuration format, as exporter-toolkit documents it
//! (<https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>).
//!
//! Strict: unknown keys are mistakes, and so is what rustls can't do. Authentication holds for all paths, the health
//! checks included, as it does in every exporter with this file. `http2` is accepted and changes nothing: this server
//! speaks HTTP/1.1 alone.

mod http;
mod read;
mod section;
mod users;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use rustls::ServerConfig;

use super::auth::Users;
use super::fingerprint::Fingerprint;
use super::rate::RateLimit;
use read::Settings;

/// A web configuration that was read, checked and found usable, its certificates included. `Debug` shows no secret.
pub struct WebConfig {
    path: PathBuf,
    fingerprint: Fingerprint,
    settings: Settings,
    warnings: Vec<String>,
}

/// How long all files may take together. Each has five seconds of its own; what hangs without them is to look at one.
const PATIENCE: Duration = Duration::from_secs(30);

impl WebConfig {
    /// Reads the file and all files that it names; relative paths are relative to it. What doesn't answer is given up
    /// after seconds: call it where that holds nothing up.
    ///
    /// # Errors
    /// With every mistake that can be found in one go, each with the file, line and column where there is one, and
    /// what was expected. None repeats a password, a hash or a key.
    pub fn load(path: &Path) -> Result<Self, Vec<String>> {
        let (tell, told) = mpsc::channel();
        let file = path.to_owned();
        // On a thread of its own: on a mount that hangs even the question what a file is gets no answer.
        let reading = thread::Builder::new()
            .name("web-config".to_owned())
            .spawn(move || {
                // Nobody may be waiting any more.
                let _ = tell.send(read::read(&file));
            });
        let outcome = match reading {
            Ok(_) => told.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                let patience = PATIENCE.as_secs();
                Err(vec![format!(
                    "{}: the file, or one that it names, didn't answer within {patience} s",
                    path.display()
                )])
            }),
            Err(error) => Err(vec![format!(
                "{}: the file can't be read: {error}",
                path.display()
            )]),
        };
        let (settings, fingerprint, warnings) = outcome?;
        Ok(Self {
            path: path.to_owned(),
            fingerprint,
            settings,
            warnings,
        })
    }

    /// What is odd but harmless, one line each: a certificate in a pipe, say.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether clients must speak TLS.
    pub fn has_tls(&self) -> bool {
        self.settings.tls.is_some()
    }

    /// Whether clients must name a user and a password.
    pub fn has_users(&self) -> bool {
        self.settings.users.is_some()
    }

    pub(super) fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.settings.tls.clone()
    }

    pub(super) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.settings.headers
    }

    pub(super) fn users(&self) -> Option<&Users> {
        self.settings.users.as_deref()
    }

    pub(super) fn rate_limit(&self) -> Option<RateLimit> {
        self.settings.rate_limit
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
            .field("users", &self.settings.users)
            .field("rate_limit", &self.settings.rate_limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
