//! Certificates for tests.

use std::fs;
use std::path::Path;

use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd};

/// What a certificate says.
#[derive(Default)]
pub struct Says<'a> {
    /// Its subject's common name.
    pub name: &'a str,
    /// Whom it is for: `DNS:...`, `IP:...`, `email:...` or `URI:...`.
    pub of: &'a [&'a str],
    /// Whether it may sign others.
    pub authority: bool,
    /// Whether it has run out.
    pub expired: bool,
}

impl Says<'_> {
    fn parameters(&self) -> CertificateParams {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, self.name);
        parameters.subject_alt_names = self.of.iter().map(|name| alternative(name)).collect();
        parameters.is_ca = if self.authority {
            IsCa::Ca(BasicConstraints::Unconstrained)
        } else {
            IsCa::ExplicitNoCa
        };
        if self.expired {
            parameters.not_after = date_time_ymd(2020, 1, 1);
        }
        parameters
    }
}

fn alternative(name: &str) -> SanType {
    let (kind, value) = name.split_once(':').unwrap();
    let text = || Ia5String::try_from(value).unwrap();
    match kind {
        "DNS" => SanType::DnsName(text()),
        "IP" => SanType::IpAddress(value.parse().unwrap()),
        "email" => SanType::Rfc822Name(text()),
        "URI" => SanType::URI(text()),
        _ => panic!("{name}"),
    }
}

/// Whoever signs.
pub struct Signer(Issuer<'static, KeyPair>);

impl Signer {
    /// Writes NAME.crt and NAME.key of a certificate that this one signed into `folder`.
    pub fn signs(&self, folder: &Path, says: &Says<'_>) {
        let key = KeyPair::generate().unwrap();
        let certificate = says.parameters().signed_by(&key, &self.0).unwrap();
        write(folder, says.name, &certificate.pem(), &key);
    }
}

/// The same of one that signed itself.
pub fn self_signed(folder: &Path, says: &Says<'_>) -> Signer {
    let (key, parameters) = (KeyPair::generate().unwrap(), says.parameters());
    let certificate = parameters.self_signed(&key).unwrap();
    write(folder, says.name, &certificate.pem(), &key);
    Signer(Issuer::new(parameters, key))
}

fn write(folder: &Path, name: &str, certificate: &str, key: &KeyPair) {
    fs::write(folder.join(format!("{name}.crt")), certificate).unwrap();
    fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}
