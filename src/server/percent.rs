//! Percent-encoding, as in paths and queries (RFC 3986, 2.1).

/// The text without its percent-encoding. [`None`] for `%` without two hexadecimal digits, and for bytes that are
/// not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_what_is_malformed_refused() {
        for (text, wanted) in [
            ("", Some("")),
            ("/a+b", Some("/a+b")),
            ("/%6Detrics", Some("/metrics")),
            ("%2f%C3%BC%25", Some("/\u{fc}%")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%ff", None),
            ("%+1", None),
        ] {
            assert_eq!(decode(text).as_deref(), wanted, "{text}");
        }
    }
}
