//! Sealed records: of no use without the account's API key.
//!
//! ```text
//! "kb4-sealed" | version, 1 byte | salt, 32 bytes | check, 8 bytes | ciphertext | tag, 16 bytes
//! ```
//!
//! HKDF-SHA256 makes, from the API key and the record's own random salt, a key for this one record, its nonce and the
//! check by which another API key is told from damage. No key seals twice, so that no nonce can repeat: not after a
//! crash, not with an old copy of the storage put back. ChaCha20-Poly1305 binds the record to everything before the
//! ciphertext and to what it is about, so that none can be put in the place of another.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::ApiKey;

/// What every record begins with: its name and the version of its format.
const MAGIC: &[u8; 11] = b"kb4-sealed\x01";

const SALT: usize = 32;
const CHECK: usize = 8;
const KEY: usize = 32;
const NONCE: usize = 12;
const HEAD: usize = MAGIC.len() + SALT + CHECK;

/// Why a record can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// It doesn't begin like one, or is of a later version.
    #[error("not a sealed record of a version that is known")]
    Unknown,
    /// It was sealed under another API key.
    #[error("sealed under another API key")]
    OtherKey,
    /// It is cut, changed, or about something else.
    #[error("damaged, or not about what it should be")]
    Damaged,
}

/// The operating system has no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes, and nothing is sealed without them")]
pub struct NoRandomness;

/// What is derived from the API key for one record.
struct Derived {
    key: LessSafeKey,
    nonce: [u8; NONCE],
    check: [u8; CHECK],
}

/// Bytes of output keying material.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(api_key: &ApiKey, salt: &[u8]) -> Option<Derived> {
    let mut bytes = Zeroizing::new([0; KEY + NONCE + CHECK]);
    Salt::new(HKDF_SHA256, salt)
        .extract(api_key.0.expose_secret().as_bytes())
        .expand(&[b"knowbe4-exporter sealed record"], Length(bytes.len()))
        .and_then(|material| material.fill(&mut *bytes))
        .ok()?;
    let (key, rest) = bytes.split_at(KEY);
    let (nonce, check) = rest.split_at(NONCE);
    Some(Derived {
        key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?),
        nonce: nonce.try_into().ok()?,
        check: check.try_into().ok()?,
    })
}

fn bound<'a>(head: &'a [u8], about: &'a [u8]) -> Aad<Vec<u8>> {
    Aad::from([head, about].concat())
}

/// Seals `plain` under `api_key`. It can be opened only as what it is `about`.
///
/// # Errors
/// When there is no randomness.
pub fn seal(api_key: &ApiKey, about: &str, plain: &[u8]) -> Result<Vec<u8>, NoRandomness> {
    let mut salt = [0; SALT];
    SystemRandom::new().fill(&mut salt).map_err(|_| NoRandomness)?;
    let derived = derive(api_key, &salt).ok_or(NoRandomness)?;
    let mut sealed = Vec::with_capacity(HEAD + plain.len() + CHACHA20_POLY1305.tag_len());
    sealed.extend(MAGIC);
    sealed.extend(salt);
    sealed.extend(derived.check);
    sealed.extend(plain);
    let (head, body) = sealed.split_at_mut(HEAD);
    let nonce = Nonce::assume_unique_for_key(derived.nonce);
    let tag = derived
        .key
        .seal_in_place_separate_tag(nonce, bound(head, about.as_bytes()), body)
        .map_err(|_| NoRandomness)?;
    sealed.extend(tag.as_ref());
    Ok(sealed)
}

/// Opens what [`seal`] made under the same key, and says what was sealed.
///
/// # Errors
/// When it can't be opened: see [`Unsealable`].
pub fn open(api_key: &ApiKey, about: &str, mut sealed: Vec<u8>) -> Result<Vec<u8>, Unsealable> {
    let (head, body) = sealed.split_at_mut_checked(HEAD).ok_or(Unsealable::Unknown)?;
    let (salt, check) = head
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.split_at_checked(SALT))
        .ok_or(Unsealable::Unknown)?;
    let derived = derive(api_key, salt).ok_or(Unsealable::Damaged)?;
    if derived.check != check {
        return Err(Unsealable::OtherKey);
    }
    let nonce = Nonce::assume_unique_for_key(derived.nonce);
    let opened = derived
        .key
        .open_in_place(nonce, bound(head, about.as_bytes()), body)
        .map_err(|_| Unsealable::Damaged)?;
    let length = opened.len();
    sealed.copy_within(HEAD..HEAD + length, 0);
    sealed.truncate(length);
    Ok(sealed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> ApiKey {
        ApiKey::new(text).expect("a key")
    }

    #[test]
    fn only_the_same_key_opens_it_and_only_as_what_it_is_about() {
        let sealed = seal(&key("one"), "acme/5", b"81394383 clicked").expect("sealed");
        assert_eq!(
            open(&key("one"), "acme/5", sealed.clone()).as_deref(),
            Ok(&b"81394383 clicked"[..])
        );
        assert_eq!(
            open(&key("two"), "acme/5", sealed.clone()),
            Err(Unsealable::OtherKey)
        );
        assert_eq!(
            open(&key("one"), "acme/6", sealed.clone()),
            Err(Unsealable::Damaged)
        );
        assert!(!sealed.windows(8).any(|bytes| bytes == b"81394383"));
        assert_eq!(
            open(&key("one"), "acme/5", b"{}".to_vec()),
            Err(Unsealable::Unknown)
        );
        let mut later = sealed;
        later[MAGIC.len() - 1] = 2;
        assert_eq!(open(&key("one"), "acme/5", later), Err(Unsealable::Unknown));
    }

    #[test]
    fn the_same_is_never_sealed_alike() {
        let sealed: Vec<_> = (0..100)
            .map(|_| seal(&key("one"), "acme/5", b"same").expect("sealed"))
            .collect();
        for (n, one) in sealed.iter().enumerate() {
            for other in &sealed[..n] {
                assert_ne!(one[MAGIC.len()..][..SALT], other[MAGIC.len()..][..SALT]);
                assert_ne!(one[HEAD..], other[HEAD..]);
            }
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_or_a_cut_is_noticed(plain in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let sealed = seal(&key("one"), "acme/5", &plain).expect("sealed");
            prop_assert_eq!(open(&key("one"), "acme/5", sealed.clone()), Ok(plain));
            let mut changed = sealed.clone();
            let at = at.index(changed.len());
            changed[at] ^= 1 << bit;
            prop_assert!(open(&key("one"), "acme/5", changed).is_err());
            prop_assert!(open(&key("one"), "acme/5", sealed[..at].to_vec()).is_err());
        }
    }
}
