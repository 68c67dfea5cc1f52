//! Which certificate authorities are trusted, and why a server's certificate isn't.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the system's store, as they do for OpenSSL. The files are looked
//! at before each handshake, so that a bundle that was exchanged holds from the next connection on; one that can't be
//! used leaves the former in place.

mod look;
mod problem;
mod store;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use tracing::{info, warn};

pub use problem::CertificateProblem;
pub use store::{Store, TrustError};

use look::Looks;
use store::Seen;

/// Checks servers' certificates against what a [`Store`] holds now.
pub struct Trust {
    store: Store,
    provider: Arc<CryptoProvider>,
    now: RwLock<Loaded>,
    looks: Looks<Seen>,
}

#[derive(Clone)]
struct Loaded {
    verifier: Arc<WebPkiServerVerifier>,
    seen: Seen,
    /// A change that could not be used, so that it is told once.
    refused: Option<Seen>,
}

impl Trust {
    /// Reads the store.
    ///
    /// # Errors
    /// When a file of it can't be read, or there is no certificate in it.
    pub fn load(store: Store) -> Result<Arc<Self>, TrustError> {
        // ring: no C compiler beyond cc, and every algorithm that public authorities use. What it lacks (P-521, ECDSA
        // with SHA-512) is named in the error; aws-lc has it, at the price of cmake and 4 MiB.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let loaded = load(&store, &provider)?;
        Ok(Arc::new(Self {
            store,
            provider,
            now: RwLock::new(loaded),
            looks: Looks::default(),
        }))
    }

    /// What a client needs to speak TLS under this trust.
    ///
    /// # Errors
    /// When the provider lacks a protocol version, which ring doesn't.
    pub(super) fn client_config(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(self) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        Ok(config)
    }

    /// The verifier of what the files hold now.
    fn current(&self) -> Arc<WebPkiServerVerifier> {
        let loaded = self.now.read().unwrap_or_else(PoisonError::into_inner).clone();
        let store = self.store.clone();
        // What doesn't answer has not changed, as far as anybody knows.
        let Some(seen) = self.looks.look(move || store.look()) else {
            return loaded.verifier;
        };
        if seen == loaded.seen || loaded.refused.as_ref() == Some(&seen) {
            return loaded.verifier;
        }
        let next = match load(&self.store, &self.provider) {
            Ok(next) => {
                info!(store = %self.store, "the certificate authorities were read again");
                next
            }
            Err(error) => {
                warn!(%error, "the certificate authorities have changed and can't be used; the former stay in use");
                Loaded {
                    refused: Some(seen),
                    ..loaded
                }
            }
        };
        let verifier = Arc::clone(&next.verifier);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = next;
        verifier
    }

    fn explained(&self, error: Error, end_entity: &CertificateDer<'_>) -> Error {
        match CertificateProblem::of(&error, end_entity, &self.store.to_string()) {
            Some(problem) => CertificateError::Other(OtherError(Arc::new(problem))).into(),
            None => error,
        }
    }
}

fn load(store: &Store, provider: &Arc<CryptoProvider>) -> Result<Loaded, TrustError> {
    // Before the reading, so that a change meanwhile is seen next time.
    let seen = store.first_look()?;
    let roots = Arc::new(store.read()?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider))
        .build()
        .map_err(|error| TrustError::Unusable(error.to_string()))?;
    Ok(Loaded {
        verifier,
        seen,
        refused: None,
    })
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trust({})", self.store)
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.current()
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            .map_err(|error| self.explained(error, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signed, algorithms)
            .map_err(|error| self.explained(error, cert))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, algorithms)
            .map_err(|error| self.explained(error, cert))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
