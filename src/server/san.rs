//! Subject alternative names of a client's certificate, for `client_allowed_sans`.
//!
//! Just enough DER to find one extension of a certificate that rustls has already parsed. What it can't read has no
//! names, so that nothing is allowed by mistake.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// OID 2.5.29.17, subjectAltName (RFC 5280, 4.2.1.6).
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[3] EXPLICIT` in TBSCertificate: the extensions.
const EXTENSIONS: u8 = 0xa3;
/// GeneralName's choices: rfc822Name, dNSName, uniformResourceIdentifier, iPAddress.
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// One element: tag and content.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

/// The elements in a row; ends at the first that is malformed.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            // Long form: no certificate needs more than four bytes of length.
            let bytes = usize::from(first & 0x7f);
            if bytes == 0 || bytes > 4 {
                return None;
            }
            let (length, rest) = rest.split_at_checked(bytes)?;
            (length.iter().fold(0, |sum, b| sum << 8 | usize::from(*b)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Element { tag, content })
    }
}

fn first(der: &[u8], tag: u8) -> Option<&[u8]> {
    Elements(der)
        .next()
        .filter(|element| element.tag == tag)
        .map(|element| element.content)
}

fn alternative_names(certificate: &[u8]) -> Option<&[u8]> {
    let to_be_signed = first(first(certificate, SEQUENCE)?, SEQUENCE)?;
    let extensions = Elements(to_be_signed).find(|element| element.tag == EXTENSIONS)?;
    let found = Elements(first(extensions.content, SEQUENCE)?).find_map(|extension| {
        let mut parts = Elements(extension.content);
        let id = parts.next()?;
        if id.tag != OBJECT_IDENTIFIER || id.content != SUBJECT_ALT_NAME {
            return None;
        }
        // A flag `critical` may stand between.
        parts
            .find(|part| part.tag == OCTET_STRING)
            .map(|part| part.content)
    })?;
    first(found, SEQUENCE)
}

/// Whether the certificate (DER) has one of these DNS names, e-mail addresses, URIs or IP addresses.
pub(super) fn has_one_of(certificate: &[u8], allowed: &[String]) -> bool {
    let Some(names) = alternative_names(certificate) else {
        return false;
    };
    Elements(names).any(|name| match name.tag {
        EMAIL | DNS | URI => allowed.iter().any(|text| text.as_bytes() == name.content),
        IP => address(name.content)
            .is_some_and(|address| allowed.iter().any(|text| text.parse() == Ok(address))),
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
