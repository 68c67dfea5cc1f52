//! One gzip member out of pieces that were compressed at different times.
//!
//! Deflate is a sequence of blocks: a piece that is compressed by itself and flushed ends on a byte and refers to
//! nothing before it, so pieces can be joined by copying, and CRCs can be combined. To every reader, also those that
//! take a single member only, the result is an ordinary gzip file.

use std::io::Write;

use bytes::{BufMut, Bytes, BytesMut};
use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Fast beats small: bodies cross a local network, and a publication pays for compressing all of it.
const LEVEL: Compression = Compression::fast();

/// No file name, no time, no extra fields; 0xff: no operating system that a reader should care about (RFC 1952).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// An empty last block with fixed codes (RFC 1951): what a compressor writes at the end of nothing.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// A piece of a gzip member.
#[derive(Debug, Clone)]
pub(super) struct Deflated {
    blocks: Vec<u8>,
    crc: Hasher,
    length: u64,
}

impl Deflated {
    /// Compresses the concatenation of `chunks`.
    pub(super) fn of<'a>(chunks: impl Iterator<Item = &'a str>) -> Self {
        const INFALLIBLE: &str = "a Vec takes every write";
        let mut encoder = DeflateEncoder::new(Vec::new(), LEVEL);
        let (mut crc, mut length) = (Hasher::new(), 0);
        for chunk in chunks {
            crc.update(chunk.as_bytes());
            length += chunk.len() as u64;
            encoder.write_all(chunk.as_bytes()).expect(INFALLIBLE);
        }
        encoder.flush().expect(INFALLIBLE);
        // Taken out before the encoder writes its last block, which belongs to the whole.
        let mut blocks = std::mem::take(encoder.get_mut());
        blocks.shrink_to_fit();
        Self { blocks, crc, length }
    }
}

/// Joins pieces to one gzip member.
pub(super) fn member(pieces: &[&Deflated]) -> Bytes {
    let blocks: usize = pieces.iter().map(|piece| piece.blocks.len()).sum();
    let mut out = BytesMut::with_capacity(HEADER.len() + blocks + LAST_BLOCK.len() + 8);
    out.put_slice(&HEADER);
    let (mut crc, mut length) = (Hasher::new(), 0_u64);
    for piece in pieces {
        out.put_slice(&piece.blocks);
        crc.combine(&piece.crc);
        length += piece.length;
    }
    out.put_slice(&LAST_BLOCK);
    out.put_u32_le(crc.finalize());
    // RFC 1952: the length modulo 2^32.
    out.put_u32_le(length as u32);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    fn unpacked(member: &[u8]) -> String {
        let mut decoder = GzDecoder::new(member);
        let mut text = String::new();
        decoder.read_to_string(&mut text).expect("one valid member");
        assert!(decoder.into_inner().is_empty(), "bytes behind the member");
        text
    }

    proptest! {
        #[test]
        fn pieces_join_to_one_member(pieces in prop::collection::vec(prop::collection::vec(".*", 0..4), 0..5)) {
            let deflated: Vec<_> = pieces.iter().map(|p| Deflated::of(p.iter().map(String::as_str))).collect();
            let member = member(&deflated.iter().collect::<Vec<_>>());
            prop_assert_eq!(unpacked(&member), pieces.concat().concat());
        }
    }

    #[test]
    fn a_piece_larger_than_the_window_survives() {
        let long = "knowbe4_users{account=\"a\"} 1\n".repeat(10_000);
        let piece = Deflated::of([long.as_str()].into_iter());
        assert!(piece.blocks.len() < long.len() / 20);
        assert_eq!(unpacked(&member(&[&piece, &piece])), long.repeat(2));
    }
}
