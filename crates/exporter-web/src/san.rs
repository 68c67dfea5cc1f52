//! Subject alternative names of a client's certificate, for `client_allowed_sans`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// Whether the certificate (DER) has one of these DNS names, e-mail addresses, URIs or IP addresses. A certificate that
/// can't be parsed has none, so that nothing is allowed by mistake.
pub(super) fn has_one_of(certificate: &[u8], allowed: &[String]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return false;
    };
    names.value.general_names.iter().any(|name| match name {
        GeneralName::RFC822Name(text) | GeneralName::DNSName(text) | GeneralName::URI(text) => {
            allowed.iter().any(|allowed| allowed == text)
        }
        GeneralName::IPAddress(octets) => address(octets)
            .is_some_and(|address| allowed.iter().any(|allowed| allowed.parse() == Ok(address))),
        _ => false,
    })
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).into());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|octets| Ipv6Addr::from(octets).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_has_no_names_and_never_panics() {
        let allowed = ["a".to_owned()];
        for rubbish in [
            &[][..],
            &[0x30],
            &[0x30, 0x80],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0x02, 0x30, 0x00],
            &[0x30, 0x04, 0x30, 0x02, 0xa3, 0x00],
        ] {
            assert!(!has_one_of(rubbish, &allowed), "{rubbish:?}");
        }
    }
}
