//! `tls_server_config`.

use std::path::{Path, PathBuf};

use rustls::crypto::SupportedKxGroup;
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};
use strict_yaml::{Findings, Found, Item, Spot, Table};
use zeroize::Zeroizing;

use super::super::tls::{self, ClientAuth, Material};
use super::read::pem;

const VERSIONS: &str = "TLS12 or TLS13";
const SUITES: &str = "TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, \
    or TLS_ECDHE_RSA_WITH_ or TLS_ECDHE_ECDSA_WITH_ and one of AES_128_GCM_SHA256, AES_256_GCM_SHA384, \
    CHACHA20_POLY1305_SHA256";
const CURVES: &str = "X25519, CurveP256 or CurveP384";
const CLIENT_AUTH: &str = "NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or \
    RequireAndVerifyClientCert";

/// A piece of PEM: in the file itself, or in one of its own.
#[derive(Default)]
struct Pem {
    inline: Option<Found<Zeroizing<String>>>,
    file: Option<Found<String>>,
}

/// The section as it is written.
pub(super) struct Section {
    at: Spot,
    chain: Pem,
    key: Pem,
    client_ca: Pem,
    client_auth: Option<Found<ClientAuth>>,
    allowed_sans: Option<Found<Vec<String>>>,
    min: Option<Found<Version>>,
    max: Option<Found<Version>>,
    cipher_suites: Option<Found<Vec<SupportedCipherSuite>>>,
    groups: Option<Found<Vec<&'static dyn SupportedKxGroup>>>,
    prefer_server_order: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    Tls12,
    Tls13,
}

/// Takes the section apart.
pub(super) fn read(item: Item<'_>) -> Option<Section> {
    let mut table = item.table("cert_file: server.crt")?;
    let at = table.at.clone();
    let section = Section {
        chain: Pem::take(&mut table, "cert", "cert_file"),
        key: Pem::take(&mut table, "key", "key_file"),
        client_ca: Pem::take(&mut table, "client_ca", "client_ca_file"),
        client_auth: table
            .take("client_auth_type")
            .and_then(|item| item.text(CLIENT_AUTH, client_auth)),
        allowed_sans: table.take("client_allowed_sans").and_then(|item| {
            all(item, "names", |item| {
                item.text("a name", |name| Some(name.to_owned()))
            })
        }),
        min: table.take("min_version").and_then(version),
        max: table.take("max_version").and_then(version),
        cipher_suites: table
            .take("cipher_suites")
            .and_then(|item| all(item, "cipher suites", |item| item.text(SUITES, tls::cipher_suite))),
        groups: table
            .take("curve_preferences")
            .and_then(|item| all(item, "curves", |item| item.text(CURVES, tls::group))),
        prefer_server_order: table
            .take("prefer_server_cipher_suites")
            .and_then(Item::boolean)
            .is_none_or(|found| found.value),
        at,
    };
    table.finish();
    Some(section)
}

impl Pem {
    fn take(table: &mut Table<'_>, inline: &'static str, file: &'static str) -> Self {
        let text = |text: &str| Ok(Zeroizing::new(text.to_owned()));
        Self {
            inline: table
                .take(inline)
                .and_then(|item| item.private_text("PEM", text))
                .filter(|found| !found.value.is_empty()),
            file: table
                .take(file)
                .and_then(|item| item.text("the name of a file", |name| Some(name.to_owned())))
                .filter(|found| !found.value.is_empty()),
        }
    }

    fn is_there(&self) -> bool {
        self.inline.is_some() || self.file.is_some()
    }

    fn spot(&self) -> Option<&Spot> {
        let inline = self.inline.as_ref().map(|found| &found.at);
        inline.or_else(|| self.file.as_ref().map(|found| &found.at))
    }

    /// The bytes; [`None`] when there are none, an error when that was a mistake.
    fn bytes(&self, directory: &Path, findings: &Findings) -> Result<Option<Zeroizing<Vec<u8>>>, ()> {
        match (&self.inline, &self.file) {
            (Some(inline), Some(_)) => {
                findings.wrong(&inline.at, "expected this or a file, not both");
                Err(())
            }
            (Some(inline), None) => Ok(Some(Zeroizing::new(inline.value.as_bytes().to_vec()))),
            (None, Some(file)) => pem(&directory.join(&file.value), &file.at, findings).map(Some),
            (None, None) => Ok(None),
        }
    }
}

impl Section {
    /// The files that it names.
    pub(super) fn files(&self, directory: &Path) -> Vec<PathBuf> {
        [&self.chain, &self.key, &self.client_ca]
            .into_iter()
            .filter_map(|pem| pem.file.as_ref())
            .map(|file| directory.join(&file.value))
            .collect()
    }

    /// Where the key stands that rustls can't use the value of.
    pub(super) fn spot(&self, key: &str) -> Spot {
        let found = match key {
            "cert_file" => self.chain.spot(),
            "key_file" => self.key.spot(),
            "client_ca_file" => self.client_ca.spot(),
            "cipher_suites" => self.cipher_suites.as_ref().map(|found| &found.at),
            _ => None,
        };
        found.unwrap_or(&self.at).clone()
    }

    /// What rustls needs; [`None`] for a section with nothing in it, which means plain HTTP, as in every exporter.
    /// All that is wrong goes to `findings`.
    pub(super) fn material(&self, directory: &Path, findings: &Findings) -> Result<Option<Material>, ()> {
        if !self.is_wanted() {
            return Ok(None);
        }
        let chain = self.chain.bytes(directory, findings);
        let key = self.key.bytes(directory, findings);
        let client_ca = self.client_ca.bytes(directory, findings);
        for (bytes, keys) in [(&chain, "cert_file or cert"), (&key, "key_file or key")] {
            if matches!(bytes, Ok(None)) {
                findings.wrong(&self.at, format!("{keys} is missing"));
            }
        }
        let client_auth = self.client_auth(findings);
        if client_auth.verifies() && matches!(client_ca, Ok(None)) {
            findings.wrong(&self.at, "client_ca_file or client_ca is missing");
        }
        let versions = self.versions(findings);
        if !findings.is_clean() {
            return Err(());
        }
        let (Some(chain), Some(key)) = (chain?, key?) else {
            return Err(());
        };
        Ok(Some(Material {
            chain: chain.to_vec(),
            key,
            client_auth,
            client_ca: client_ca?.map(|bytes| bytes.to_vec()),
            allowed_sans: value(&self.allowed_sans),
            versions,
            cipher_suites: value(&self.cipher_suites),
            prefer_server_order: self.prefer_server_order,
            groups: value(&self.groups),
        }))
    }

    fn is_wanted(&self) -> bool {
        let pem = [&self.chain, &self.key, &self.client_ca];
        pem.into_iter().any(Pem::is_there)
            || self.client_auth.is_some()
            || self.allowed_sans.is_some()
            || self.min.is_some()
            || self.max.is_some()
            || self.cipher_suites.is_some()
            || self.groups.is_some()
    }

    fn client_auth(&self, findings: &Findings) -> ClientAuth {
        let auth = self
            .client_auth
            .as_ref()
            .map(|found| found.value)
            .unwrap_or_default();
        if let Some(at) = self.client_ca.spot().filter(|_| !auth.verifies()) {
            findings.wrong(
                at,
                "is of no use without client_auth_type RequireAndVerifyClientCert or VerifyClientCertIfGiven",
            );
        }
        if let Some(names) = self.allowed_sans.as_ref().filter(|_| !auth.requires()) {
            findings.wrong(
                &names.at,
                "needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert",
            );
        }
        auth
    }

    fn versions(&self, findings: &Findings) -> Vec<&'static SupportedProtocolVersion> {
        let min = self.min.as_ref().map_or(Version::Tls12, |found| found.value);
        let max = self.max.as_ref().map_or(Version::Tls13, |found| found.value);
        if let Some(found) = self.min.as_ref().filter(|_| min > max) {
            findings.wrong(&found.at, "is above max_version");
        }
        [(Version::Tls13, &TLS13), (Version::Tls12, &TLS12)]
            .into_iter()
            .filter(|(version, _)| (min..=max).contains(version))
            .map(|(_, version)| version)
            .collect()
    }
}

fn value<T: Clone>(found: &Option<Found<Vec<T>>>) -> Vec<T> {
    found
        .as_ref()
        .map(|found| found.value.clone())
        .unwrap_or_default()
}

/// A list of which each element is understood, or a mistake.
fn all<'a, T>(
    item: Item<'a>,
    of: &str,
    understand: impl Fn(Item<'a>) -> Option<Found<T>>,
) -> Option<Found<Vec<T>>> {
    let list = item.list(of)?;
    let values = list.value.into_iter().map(understand);
    // All of them, so that each mistake is told.
    let values: Vec<_> = values.collect();
    let value = values
        .into_iter()
        .map(|found| Some(found?.value))
        .collect::<Option<_>>()?;
    Some(Found { value, at: list.at })
}

fn version(item: Item<'_>) -> Option<Found<Version>> {
    match item.as_str() {
        Some("TLS12") => item.found(Version::Tls12),
        Some("TLS13") => item.found(Version::Tls13),
        Some(old @ ("TLS10" | "TLS11")) => item.wrong(format!(
            "{old} is broken and not spoken here (RFC 8996), expected {VERSIONS}"
        )),
        _ => item.unexpected(VERSIONS),
    }
}

fn client_auth(word: &str) -> Option<ClientAuth> {
    Some(match word {
        "" | "NoClientCert" => ClientAuth::NoClientCert,
        "RequestClientCert" => ClientAuth::RequestClientCert,
        // The second one stands in old files.
        "RequireAnyClientCert" | "RequireClientCert" => ClientAuth::RequireAnyClientCert,
        "VerifyClientCertIfGiven" => ClientAuth::VerifyClientCertIfGiven,
        "RequireAndVerifyClientCert" => ClientAuth::RequireAndVerifyClientCert,
        _ => return None,
    })
}
