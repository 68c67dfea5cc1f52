//! What names a text without showing it.

use ring::digest::SHA256;

/// SHA-256.
pub fn digest(bytes: &[u8]) -> Vec<u8> {
    ring::digest::digest(&SHA256, bytes).as_ref().to_vec()
}
