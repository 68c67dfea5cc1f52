//! Snapshots and reports as the database keeps them: compressed, a snapshot as a file holds it.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::store::saved::{Saved, decode, encode};

pub(super) fn pack(saved: &Saved) -> Vec<u8> {
    squeeze(&encode(saved))
}

/// [`None`] for what isn't one, or is damaged.
pub(super) fn unpack(bytes: &[u8]) -> Option<Saved> {
    decode(&open(bytes)?)
}

pub(super) fn squeeze(plain: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory is always written.
    let _ = packed.write_all(plain);
    packed.finish().unwrap_or_default()
}

/// [`None`] for what [`squeeze`] has not made.
pub(super) fn open(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).ok()?;
    Some(plain)
}
