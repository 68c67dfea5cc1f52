//! A part of a body that changes at its own pace: the data, the exporter's own families, the process.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::Format;
use super::block::Block;
use super::gzip::Deflated;
use super::text::header;

/// Consecutive families with the samples of all subjects, each family under one header.
#[derive(Debug)]
pub(super) struct Section {
    part: Range<usize>,
    blocks: Vec<Arc<Block>>,
    /// Compressed on first use, by format: whoever comes meanwhile waits for the one who does it.
    deflated: [OnceLock<Deflated>; 2],
}

impl Section {
    /// The families of `part` with the samples of `blocks`, in that order.
    pub(super) fn new(part: Range<usize>, blocks: Vec<Arc<Block>>) -> Self {
        Self {
            part,
            blocks,
            deflated: Default::default(),
        }
    }

    /// The text in pieces. A family without samples has no header either.
    pub(super) fn chunks(&self, format: Format) -> impl Iterator<Item = &str> {
        self.part.clone().flat_map(move |index| {
            let samples = move || self.blocks.iter().map(move |block| block.samples(index));
            let header = samples().any(|s| !s.is_empty()).then(|| header(index, format));
            header.into_iter().chain(samples())
        })
    }

    /// The text compressed.
    pub(super) fn deflated(&self, format: Format) -> &Deflated {
        self.deflated[format as usize].get_or_init(|| Deflated::of(self.chunks(format)))
    }
}
