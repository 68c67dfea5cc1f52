//! From the file to a usable configuration, with all mistakes that can be found in one go.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};
use zeroize::Zeroizing;

use super::super::auth::Users;
use super::super::fingerprint::Fingerprint;
use super::super::tls::{self, Material};
use super::WebConfig;
use super::file::{File, TlsSection};
use super::http::{headers, rate_limit};
use super::word::Version;

/// Largest file that is parsed, in bytes. Certificates inline take some KiB each; the parser's time grows with the
/// square of the nesting.
const LARGEST: usize = 64 * 1024;

pub(super) fn read(path: &Path) -> Result<WebConfig, Vec<String>> {
    // Before the reading, so that a change meanwhile is seen next time.
    let own = Fingerprint::of([path]);
    let text = text(path).map_err(|mistake| vec![format!("{}: {mistake}", path.display())])?;
    let file = parse(&text).map_err(|mistakes| {
        let named = mistakes
            .into_iter()
            .map(|mistake| format!("{}:{mistake}", path.display()));
        named.collect::<Vec<_>>()
    })?;
    let mut mistakes = Mistakes {
        path,
        text: &text,
        found: Vec::new(),
    };
    let directory = path.parent().unwrap_or_else(|| Path::new(""));
    let section = file.tls_server_config.unwrap_or_default();
    let named = [&section.cert_file, &section.key_file, &section.client_ca_file];
    let files: Vec<PathBuf> = named
        .into_iter()
        .flatten()
        .map(|name| directory.join(name))
        .collect();
    let fingerprint = if files.is_empty() {
        own
    } else {
        Fingerprint::of([path].into_iter().chain(files.iter().map(PathBuf::as_path)))
    };
    let tls = server_config(section, directory, &mut mistakes);
    let headers = headers(file.http_server_config.unwrap_or_default(), &mut mistakes);
    let rate_limit = file
        .rate_limit
        .and_then(|section| rate_limit(&section, &mut mistakes));
    if !mistakes.found.is_empty() {
        return Err(mistakes.found);
    }
    Ok(WebConfig {
        path: path.to_owned(),
        fingerprint,
        tls: tls.map(Arc::new),
        headers,
        users: file
            .basic_auth_users
            .and_then(|section| Users::new(section.0))
            .map(Arc::new),
        rate_limit,
    })
}

fn text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| format!("can't be read: {error}"))?;
    if bytes.len() > LARGEST {
        return Err(format!(
            "is larger than {LARGEST} bytes: expected a web configuration"
        ));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    // Editors on Windows put a mark at the start.
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Each mistake as `LINE:COLUMN: what is wrong`.
///
/// The parser stops at the first. What it stops at is left out and the rest read again, as long as that is a line of
/// its own and the next mistake stands further down: what follows from the gap is no mistake of the writer's.
fn parse(text: &str) -> Result<File, Vec<String>> {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut mistakes = Vec::new();
    let mut last = 0;
    loop {
        // An empty file, or one of comments alone, switches everything off.
        let error = match yaml_serde::from_str::<Option<File>>(&lines.join("\n")) {
            Ok(file) if mistakes.is_empty() => return Ok(file.unwrap_or_default()),
            Ok(_) => return Err(mistakes),
            Err(error) => error,
        };
        let what = error.to_string();
        let Some(place) = error.location().filter(|place| place.line() > last) else {
            if mistakes.is_empty() {
                mistakes.push(format!(" {what}"));
            }
            return Err(mistakes);
        };
        let position = format!(" at line {} column {}", place.line(), place.column());
        let what = what.replacen(&position, "", 1);
        mistakes.push(format!("{}:{}: {what}", place.line(), place.column()));
        last = place.line();
        if !is_leaf(&lines, last) {
            return Err(mistakes);
        }
        lines[last - 1] = "";
    }
}

/// Whether nothing below line `number` (from 1) belongs to it.
fn is_leaf(lines: &[&str], number: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(line) = lines.get(number - 1) else {
        return false;
    };
    let next = lines[number..].iter().find(|line| !line.trim().is_empty());
    next.is_none_or(|next| indent(next) <= indent(line))
}

/// Collects mistakes with the place of the key that each is about.
pub(super) struct Mistakes<'a> {
    path: &'a Path,
    text: &'a str,
    found: Vec<String>,
}

impl Mistakes<'_> {
    /// Notes one: which section and key, and what was expected.
    pub(super) fn add(&mut self, section: &str, key: &str, what: &str) {
        let place = place(self.text, key)
            .or_else(|| place(self.text, section))
            .map_or_else(String::new, |(line, column)| format!("{line}:{column}:"));
        self.found
            .push(format!("{}:{place} {section}.{key}: {what}", self.path.display()));
    }
}

/// Line and column of a key, from 1. Every key of this format has a name of its own, so that the first is the one.
fn place(text: &str, key: &str) -> Option<(usize, usize)> {
    text.lines().enumerate().find_map(|(number, line)| {
        let column = line.find(key)?;
        let before = line[..column].chars().next_back();
        let after = line[column + key.len()..].trim_start_matches(['"', '\'', ' ']);
        let whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '_') && after.starts_with(':');
        whole.then(|| (number + 1, line[..column].chars().count() + 1))
    })
}

fn server_config(section: TlsSection, directory: &Path, mistakes: &mut Mistakes<'_>) -> Option<ServerConfig> {
    const SECTION: &str = "tls_server_config";
    // A file with the section and nothing in it means plain HTTP, as in every exporter.
    let wanted = section.cert.is_some()
        || section.cert_file.is_some()
        || section.key.is_some()
        || section.key_file.is_some()
        || section.client_ca.is_some()
        || section.client_ca_file.is_some()
        || section.client_auth_type.is_some()
        || section.client_allowed_sans.is_some()
        || section.min_version.is_some()
        || section.max_version.is_some()
        || section.cipher_suites.is_some()
        || section.curve_preferences.is_some();
    if !wanted {
        return None;
    }
    let before = mistakes.found.len();
    let mut pem =
        |inline: Option<Vec<u8>>, file: Option<String>, keys: [&str; 2], needed: bool| match (inline, file) {
            (Some(_), Some(_)) => {
                mistakes.add(
                    SECTION,
                    keys[0],
                    &format!("expected this or {}, not both", keys[1]),
                );
                None
            }
            (Some(inline), None) => Some(inline),
            (None, Some(name)) => {
                let file = directory.join(&name);
                fs::read(&file)
                    .map_err(|error| {
                        mistakes.add(
                            SECTION,
                            keys[1],
                            &format!("{} can't be read: {error}", file.display()),
                        );
                    })
                    .ok()
            }
            (None, None) => {
                if needed {
                    mistakes.add(
                        SECTION,
                        keys[1],
                        &format!("is missing: expected it or {}", keys[0]),
                    );
                }
                None
            }
        };
    let chain = pem(
        section.cert.map(String::into_bytes),
        section.cert_file,
        ["cert", "cert_file"],
        true,
    );
    let key = pem(
        section.key.map(|key| key.0.as_bytes().to_vec()),
        section.key_file,
        ["key", "key_file"],
        true,
    );
    let client_auth = section.client_auth_type.unwrap_or_default();
    let has_ca = section.client_ca.is_some() || section.client_ca_file.is_some();
    let client_ca = pem(
        section.client_ca.map(String::into_bytes),
        section.client_ca_file,
        ["client_ca", "client_ca_file"],
        client_auth.verifies(),
    );
    if has_ca && !client_auth.verifies() {
        mistakes.add(
            SECTION,
            "client_auth_type",
            "has no use for the client CA: expected RequireAndVerifyClientCert or VerifyClientCertIfGiven",
        );
    }
    if section.client_allowed_sans.is_some() && !client_auth.requires() {
        mistakes.add(
            SECTION,
            "client_allowed_sans",
            "needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert",
        );
    }
    let min = section.min_version.unwrap_or(Version::Tls12);
    let max = section.max_version.unwrap_or(Version::Tls13);
    if min > max {
        mistakes.add(SECTION, "min_version", "is above max_version");
    }
    if mistakes.found.len() > before {
        return None;
    }
    let material = Material {
        chain: chain?,
        key: Zeroizing::new(key?),
        client_auth,
        client_ca,
        allowed_sans: section.client_allowed_sans.unwrap_or_default(),
        versions: [(Version::Tls13, &TLS13), (Version::Tls12, &TLS12)]
            .into_iter()
            .filter(|(version, _)| (min..=max).contains(version))
            .map(|(_, version)| version)
            .collect(),
        cipher_suites: section
            .cipher_suites
            .unwrap_or_default()
            .into_iter()
            .map(|suite| suite.0)
            .collect(),
        prefer_server_order: section.prefer_server_cipher_suites.unwrap_or(true),
        groups: section
            .curve_preferences
            .unwrap_or_default()
            .into_iter()
            .map(|curve| curve.0)
            .collect(),
    };
    tls::server_config(material)
        .map_err(|(key, what)| mistakes.add(SECTION, key, &what))
        .ok()
}
