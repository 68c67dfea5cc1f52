//! A digest of what may be long.

use ring::digest::SHA256;

/// SHA-256.
pub fn digest(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&SHA256, bytes).as_ref().to_vec()
}
