//! Why a server's certificate isn't accepted, where rustls has no words of its own for people.

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, Error};

/// Algorithms that certificates are made with and ring doesn't verify: the DER of their object identifiers.
const ALGORITHMS: [(&[u8], &str); 8] = [
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23], "the curve P-521"),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a], "the curve secp256k1"),
    (
        &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
        "ECDSA with SHA-512",
    ),
    (
        &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01],
        "ECDSA with SHA-224",
    ),
    (
        &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01],
        "ECDSA with SHA-1",
    ),
    (
        &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05],
        "RSA with SHA-1",
    ),
    (
        &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04],
        "RSA with MD5",
    ),
    (&[0x06, 0x03, 0x2b, 0x65, 0x71], "Ed448"),
];

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// Signed by itself, and not among the trusted.
    #[error("the server's certificate is self-signed, and not among the trusted ones of {store}")]
    SelfSigned {
        /// What is trusted.
        store: String,
    },
    /// Signed by an authority that isn't trusted.
    #[error(
        "the server's certificate is signed by an authority that is not among the trusted ones of {store}"
    )]
    UnknownIssuer {
        /// What is trusted.
        store: String,
    },
    /// A certificate that says of itself that it is an authority's, as `openssl req -x509` makes it.
    #[error(
        "the server's certificate, usually a self-signed one, says that it is an authority's (CA:TRUE), which no server's may be"
    )]
    Authority,
    /// An algorithm that can't be verified.
    #[error("the certificate chain uses {0}, which can't be verified here")]
    Algorithm(&'static str),
}

impl CertificateProblem {
    /// [`None`] where rustls says it better.
    pub(super) fn of(error: &Error, end_entity: &CertificateDer<'_>, store: &str) -> Option<Self> {
        let Error::InvalidCertificate(error) = error else {
            return None;
        };
        match error {
            // A bad signature: an authority of the same name, made anew with another key.
            CertificateError::UnknownIssuer | CertificateError::BadSignature
                if is_self_signed(end_entity) =>
            {
                Some(Self::SelfSigned {
                    store: store.to_owned(),
                })
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Some(Self::UnknownIssuer {
                store: store.to_owned(),
            }),
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id,
                ..
            } => Some(Self::Algorithm(algorithm(&[signature_algorithm_id]))),
            CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id,
                public_key_algorithm_id,
            } => Some(Self::Algorithm(algorithm(&[
                public_key_algorithm_id,
                signature_algorithm_id,
            ]))),
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => Some(Self::Authority),
            _ => None,
        }
    }

    /// What to do about it; `host` is the server.
    pub fn cure(&self, host: &str) -> String {
        match self {
            Self::SelfSigned { .. } => format!(
                "is it {host}'s own? Then name the certificate by SSL_CERT_FILE, which replaces the system's store; behind an inspecting proxy name the proxy's CA"
            ),
            Self::UnknownIssuer { .. } => "behind an inspecting proxy, or for a server of your own, add the CA to the system's store, or name a bundle that holds it by SSL_CERT_FILE, which replaces the system's store".to_owned(),
            Self::Authority => format!(
                "make the certificate of {host} anew with basicConstraints=critical,CA:FALSE (openssl req -x509 -addext), and name it, or the authority that signs it, by SSL_CERT_FILE, which replaces the system's store"
            ),
            Self::Algorithm(_) => "what can be verified is RSA with SHA-256, -384 or -512, ECDSA on P-256 or P-384 with SHA-256 or -384, and Ed25519: have the chain made with these".to_owned(),
        }
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    webpki::EndEntityCert::try_from(certificate)
        .is_ok_and(|certificate| certificate.issuer() == certificate.subject())
}

fn algorithm(ids: &[&Vec<u8>]) -> &'static str {
    let known = ALGORITHMS.iter().find(|(wanted, _)| {
        ids.iter()
            .any(|id| id.windows(wanted.len()).any(|window| window == *wanted))
    });
    known.map_or("a signature algorithm that isn't known", |(_, name)| name)
}
