//! The TLS half of the web configuration, in rustls' terms.
//!
//! The crypto provider is passed explicitly: nothing here depends on what a process has installed.

mod client;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};

/// `client_auth_type`, as Go's crypto/tls names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ClientAuth {
    /// Clients are not asked.
    #[default]
    NoClientCert,
    /// Asked, not required, not verified against a CA.
    RequestClientCert,
    /// Required, not verified against a CA.
    RequireAnyClientCert,
    /// Asked; what is given must be signed by the CA.
    VerifyClientCertIfGiven,
    /// Required, and signed by the CA.
    RequireAndVerifyClientCert,
}

impl ClientAuth {
    /// Whether the CA decides.
    pub(super) fn verifies(self) -> bool {
        matches!(
            self,
            Self::VerifyClientCertIfGiven | Self::RequireAndVerifyClientCert
        )
    }

    /// Whether no client gets in without a certificate.
    pub(super) fn requires(self) -> bool {
        matches!(
            self,
            Self::RequireAnyClientCert | Self::RequireAndVerifyClientCert
        )
    }
}

/// What a TLS server needs, read and checked for form.
pub(super) struct Material {
    pub(super) chain: Vec<u8>,
    pub(super) key: zeroize::Zeroizing<Vec<u8>>,
    pub(super) client_auth: ClientAuth,
    /// PEM of the client CAs; there when `client_auth` verifies.
    pub(super) client_ca: Option<Vec<u8>>,
    pub(super) allowed_sans: Vec<String>,
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    /// TLS 1.2 and 1.3 suites in order of preference; empty: rustls' own.
    pub(super) cipher_suites: Vec<SupportedCipherSuite>,
    pub(super) prefer_server_order: bool,
    /// Empty: rustls' own.
    pub(super) groups: Vec<&'static dyn SupportedKxGroup>,
}

/// What is wrong with the material: which key of the configuration, and what was expected there.
pub(super) type Mistake = (&'static str, String);

/// The provider of all cryptography of the server.
pub(super) fn provider() -> CryptoProvider {
    ring::default_provider()
}

/// A cipher suite by the name that Go and IANA give it.
pub(super) fn cipher_suite(name: &str) -> Option<SupportedCipherSuite> {
    // The two that Go named before the RFC did, and rustls' own prefix for the suites of TLS 1.3.
    let name = match name {
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" | "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305" => {
            &format!("{name}_SHA256")
        }
        name => name,
    };
    ring::ALL_CIPHER_SUITES.iter().copied().find(|suite| {
        let own = format!("{:?}", suite.suite());
        own == name || own.replacen("TLS13_", "TLS_", 1) == name
    })
}

/// A group by the name that Go gives it.
pub(super) fn group(name: &str) -> Option<&'static dyn SupportedKxGroup> {
    match name {
        "CurveP256" => Some(ring::kx_group::SECP256R1),
        "CurveP384" => Some(ring::kx_group::SECP384R1),
        "X25519" => Some(ring::kx_group::X25519),
        _ => None,
    }
}

/// Puts the pieces together.
///
/// # Errors
/// With the key of the configuration whose value rustls can't use.
pub(super) fn server_config(material: Material) -> Result<ServerConfig, Mistake> {
    let mut provider = provider();
    if !material.cipher_suites.is_empty() {
        let named = material.cipher_suites;
        // As in Go, the list is about TLS 1.2; the suites of 1.3 are all good, and stay unless some are named.
        let mut suites = named.clone();
        if !named.iter().any(|suite| suite.tls13().is_some()) {
            suites.extend(
                provider
                    .cipher_suites
                    .iter()
                    .filter(|suite| suite.tls13().is_some()),
            );
        }
        provider.cipher_suites = suites;
    }
    if !material.groups.is_empty() {
        provider.kx_groups = material.groups;
    }
    let provider = Arc::new(provider);
    let chain = certificates(&material.chain).map_err(|what| ("cert_file", what))?;
    let key = PrivateKeyDer::from_pem_slice(&material.key).map_err(|_| {
        (
            "key_file",
            "expected a private key in PEM, not encrypted".to_owned(),
        )
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&material.versions)
        .map_err(|_| {
            (
                "cipher_suites",
                "expected at least one suite for each version from min_version to max_version".to_owned(),
            )
        })?;
    let builder = match material.client_auth {
        ClientAuth::NoClientCert => builder.with_no_client_auth(),
        auth => builder.with_client_cert_verifier(client::verifier(
            auth,
            material.client_ca.as_deref(),
            material.allowed_sans,
            &provider,
        )?),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| {
        (
            "key_file",
            format!("expected the key of the certificate: {error}"),
        )
    })?;
    config.ignore_client_order = material.prefer_server_order;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = || "expected one or more certificates in PEM".to_owned();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| wrong())?;
    if chain.is_empty() {
        return Err(wrong());
    }
    Ok(chain)
}
