//! API keys: held in memory that is wiped when dropped, and shown to nobody.

mod digest;
pub mod seal;

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

pub use digest::digest;

/// A KnowBe4 API key. Neither `Debug` nor `Display` shows it; it leaves only as [`ApiKey::bearer`].
#[derive(Clone)]
pub struct ApiKey(SecretString);

/// A key that can't be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// Nothing but white space.
    #[error("the key is empty")]
    Empty,
    /// Characters that no HTTP header may carry, or more than one line.
    #[error(
        "the key has characters that no API key has: expected one line of printable ASCII without spaces"
    )]
    NotAKey,
    /// Quotes around it, `NAME=` before it, or a placeholder.
    #[error("the key stands in quotes or brackets, or behind a name and =: expected the bare key alone")]
    Dressed,
    /// UTF-16, as PowerShell's `>` writes it.
    #[error(
        "the text is UTF-16: expected the key in UTF-8 or ASCII (PowerShell: Set-Content -Encoding ascii)"
    )]
    Utf16,
}

impl ApiKey {
    /// Takes a key, without white space or a byte order mark around it and without a leading `Bearer `.
    ///
    /// # Errors
    /// When nothing is left, or it can't be a key.
    pub fn new(text: &str) -> Result<Self, ApiKeyError> {
        let key = text.trim_start_matches('\u{feff}').trim();
        let key = key.strip_prefix("Bearer ").unwrap_or(key).trim();
        if key.is_empty() {
            return Err(ApiKeyError::Empty);
        }
        if key.starts_with(['"', '\'', '`', '<', '[', '{', '$']) || is_assignment(key) {
            return Err(ApiKeyError::Dressed);
        }
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ApiKeyError::NotAKey);
        }
        Ok(Self(SecretString::from(key)))
    }

    /// Takes a key from the bytes of a file.
    ///
    /// # Errors
    /// As [`ApiKey::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ApiKeyError> {
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(ApiKeyError::Utf16);
        }
        std::str::from_utf8(bytes)
            .map_err(|_| ApiKeyError::NotAKey)
            .and_then(Self::new)
    }

    /// The value of the `Authorization` header. For `api` alone.
    pub fn bearer(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(format!("Bearer {}", self.0.expose_secret()))
    }
}

/// `KNOWBE4_API_KEY=...`, as in a file of variables. In a key `=` stands at the end, if at all.
fn is_assignment(text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else {
        return false;
    };
    let is_name = |b: u8| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit();
    name.contains('_') && name.bytes().all(is_name) && !value.trim_matches('=').is_empty()
}

impl PartialEq for ApiKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for ApiKey {}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_trimmed_and_never_shown() {
        let key = ApiKey::new(" Bearer s3cret-key\n").expect("a key");
        assert_eq!(key.bearer().as_str(), "Bearer s3cret-key");
        assert!(!format!("{key:?}").contains("s3cret"));
    }

    #[test]
    fn what_no_header_can_carry_is_no_key() {
        assert_eq!(ApiKey::new(" \n"), Err(ApiKeyError::Empty));
        for bad in ["two words", "two\nlines", "ümlaut", "nul\0"] {
            assert_eq!(ApiKey::new(bad), Err(ApiKeyError::NotAKey), "{bad:?}");
        }
    }

    #[test]
    fn what_editors_and_shells_leave_around_a_key_is_taken_off_or_named() {
        for good in [
            "s3cret=",
            "\u{feff}s3cret=\r\n",
            "\n\ts3cret= \n\n",
            "Bearer  s3cret=",
        ] {
            assert_eq!(
                ApiKey::from_bytes(good.as_bytes()).expect(good).bearer().as_str(),
                "Bearer s3cret="
            );
        }
        for bad in [
            "\"s3cret\"",
            "'s3cret'",
            "<your key>",
            "$KNOWBE4_API_KEY",
            "KNOWBE4_API_KEY=s3cret",
        ] {
            let error = ApiKey::new(bad).expect_err(bad);
            assert_eq!(error, ApiKeyError::Dressed, "{bad}");
            assert!(!error.to_string().contains("s3cret"));
        }
        let wide: Vec<u8> = "\u{feff}s3cret"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(ApiKey::from_bytes(&wide), Err(ApiKeyError::Utf16));
    }
}
