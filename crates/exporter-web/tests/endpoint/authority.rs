//! Certificates for tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, string::Ia5String};

/// Signs certificates, and remembers who may sign others.
pub(super) struct Authority(BTreeMap<&'static str, Issuer<'static, KeyPair>>);

/// What a certificate is for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Authority,
    Server,
    Client,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Writes NAME.crt and NAME.key into `directory`, signed by the authority of the name `by`, or by itself.
    pub(super) fn issue(&mut self, directory: &Path, name: &'static str, what: Use, by: Option<&str>) {
        let text = |text: &str| Ia5String::try_from(text).expect("ASCII");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        match what {
            Use::Authority => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            Use::Server => params.subject_alt_names = vec![SanType::DnsName(text("localhost"))],
            Use::Client => {
                params.subject_alt_names = vec![
                    SanType::DnsName(text("prometheus.test")),
                    SanType::Rfc822Name(text("a@b.test")),
                    SanType::URI(text("spiffe://a/b")),
                    SanType::IpAddress("10.1.2.3".parse().expect("address")),
                    SanType::IpAddress("fd00::1".parse().expect("address")),
                ];
            }
        }
        let key = KeyPair::generate().expect("key");
        let certificate = match by {
            Some(by) => params.signed_by(&key, &self.0[by]),
            None => params.self_signed(&key),
        };
        let certificate = certificate.expect("certificate");
        fs::write(directory.join(format!("{name}.crt")), certificate.pem()).expect("written");
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).expect("written");
        self.0.insert(name, Issuer::new(params, key));
    }
}
