//! API keys: held in memory that is wiped when dropped, and shown to nobody.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

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
}

impl ApiKey {
    /// Takes a key, without white space around it and without a leading `Bearer `.
    ///
    /// # Errors
    /// When nothing is left, or it holds anything but printable ASCII.
    pub fn new(text: &str) -> Result<Self, ApiKeyError> {
        let key = text.trim();
        let key = key.strip_prefix("Bearer ").unwrap_or(key).trim();
        if key.is_empty() {
            return Err(ApiKeyError::Empty);
        }
        if !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ApiKeyError::NotAKey);
        }
        Ok(Self(SecretString::from(key)))
    }

    /// The value of the `Authorization` header. For `api` alone.
    pub fn bearer(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(format!("Bearer {}", self.0.expose_secret()))
    }
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
}
