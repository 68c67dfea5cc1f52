//! A snapshot as the database keeps it: what a file holds, compressed.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::store::saved::{Saved, decode, encode};

pub(super) fn pack(saved: &Saved) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory is always written.
    let _ = packed.write_all(&encode(saved));
    packed.finish().unwrap_or_default()
}

/// [`None`] for what isn't one, or is damaged.
pub(super) fn unpack(bytes: &[u8]) -> Option<Saved> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).ok()?;
    decode(&plain)
}
