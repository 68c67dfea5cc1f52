//! From the file to what it configures, with every mistake in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use rustls::ServerConfig;
use strict_yaml::file::{self, Limits};
use strict_yaml::{Findings, Hints, Item, Spot};

use super::super::auth::Users;
use super::super::fingerprint::Fingerprint;
use super::super::rate::RateLimit;
use super::super::tls;
use super::{http, section, users};

/// Certificates inline take some KiB each.
const CONFIGURATION: Limits = Limits {
    bytes: 64 * 1024,
    time: Duration::from_secs(5),
};

/// A bundle of all authorities of the world takes a quarter of it.
pub(super) const CERTIFICATES: Limits = Limits {
    bytes: 1024 * 1024,
    time: Duration::from_secs(5),
};

/// What a file configures.
#[derive(Default)]
pub(super) struct Settings {
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) users: Option<Arc<Users>>,
    pub(super) rate_limit: Option<RateLimit>,
    /// The certificates' files.
    files: Vec<PathBuf>,
}

/// Settings, the state of the files that they come from, and what is odd about those.
pub(super) type Read = (Settings, Fingerprint, Vec<String>);

/// Reads the file and those that it names.
pub(super) fn read(path: &Path) -> Result<Read, Vec<String>> {
    let name = path.display().to_string();
    // Before the reading, so that a change meanwhile is seen next time.
    let own = Fingerprint::of([path]);
    let (text, irregular) = file::text(path, CONFIGURATION)
        .map_err(|error| vec![format!("{name}: the file can't be read: {error}")])?;
    let directory = path.parent().unwrap_or_else(|| Path::new(""));
    let (settings, odd) = strict_yaml::read(&name, &text, &Hints::default(), |root| {
        if let Some(kind) = irregular {
            root.findings().odd(&Spot::FILE, watchless(kind));
        }
        settings(root, directory)
    })
    .map_err(|mistakes| {
        mistakes
            .mistakes()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    })?;
    let fingerprint = if settings.files.is_empty() {
        own
    } else {
        Fingerprint::of(
            [path]
                .into_iter()
                .chain(settings.files.iter().map(PathBuf::as_path)),
        )
    };
    Ok((
        settings,
        fingerprint,
        odd.iter().map(ToString::to_string).collect(),
    ))
}

/// What to say of a file that is none.
fn watchless(kind: &str) -> String {
    format!("is {kind} and no regular file: it is read once, and a change is not seen")
}

/// An empty file, or one of comments alone, switches everything off.
fn settings(root: Item<'_>, directory: &Path) -> Option<Settings> {
    if root.is_empty() {
        return Some(Settings::default());
    }
    let mut table = root.table("tls_server_config: { cert_file: server.crt, key_file: server.key }")?;
    let findings = table.findings();
    let mut files = Vec::new();
    let tls = table
        .take("tls_server_config")
        .and_then(section::read)
        .and_then(|section| {
            files = section.files(directory);
            let material = section.material(directory, findings).ok()??;
            tls::server_config(material)
                .map_err(|(key, what)| findings.wrong(&section.spot(key), what))
                .ok()
        });
    let headers = table.take("http_server_config").and_then(http::headers);
    let users = table.take("basic_auth_users").and_then(users::read);
    let rate_limit = table.take("rate_limit").and_then(http::rate_limit);
    table.finish();
    Some(Settings {
        tls: tls.map(Arc::new),
        headers: headers.unwrap_or_default(),
        users: users.and_then(Users::new).map(Arc::new),
        rate_limit,
        files,
    })
}

/// Reads a file with certificates or a key.
pub(super) fn pem(file: &Path, at: &Spot, findings: &Findings) -> Result<zeroize::Zeroizing<Vec<u8>>, ()> {
    match file::read(file, CERTIFICATES) {
        Ok(contents) => {
            if let Some(kind) = contents.irregular {
                findings.odd(at, format!("{} {}", file.display(), watchless(kind)));
            }
            Ok(contents.bytes)
        }
        Err(error) => {
            findings.wrong(at, format!("{} can't be read: {error}", file.display()));
            Err(())
        }
    }
}
