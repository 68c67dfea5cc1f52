//! Finished bodies of one moment, and the place of the newest. Who renders them and when is `render`'s.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use crate::model::AccountName;

use super::Format;
use super::gzip::{Deflated, member};
use super::section::Section;
use super::source::Source;
use super::text::end;

/// One of the four ways to write a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) format: Format,
    pub(super) gzip: bool,
}

impl Form {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    /// All forms, in the order of their index.
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::new(Format::OpenMetrics, false),
        Self::new(Format::OpenMetrics, true),
        Self::new(Format::Text, false),
        Self::new(Format::Text, true),
    ];

    const fn new(format: Format, gzip: bool) -> Self {
        Self { format, gzip }
    }

    /// Position in [`Self::ALL`].
    pub(super) fn index(self) -> usize {
        self.format as usize * 2 + usize::from(self.gzip)
    }
}

/// The data of one publication: what of a page outlives its second.
#[derive(Debug, Clone)]
pub(super) struct Generation {
    pub(super) source: Source,
    pub(super) stale_after: f64,
    /// Unix seconds.
    pub(super) expires: f64,
    pub(super) section: Arc<Section>,
    /// Number of series by account.
    pub(super) series: Arc<BTreeMap<AccountName, u64>>,
}

/// One moment of the exposition.
#[derive(Debug)]
pub(super) struct Page {
    /// Unix seconds, whole.
    pub(super) second: f64,
    /// How many reports of other replicas it shows.
    pub(super) shown: u64,
    pub(super) data: Generation,
    live: Vec<Section>,
    bodies: [OnceLock<Bytes>; Form::COUNT],
}

static END: LazyLock<Deflated> = LazyLock::new(|| Deflated::of([end(Format::OpenMetrics)].into_iter()));

impl Page {
    /// A page of `second` (whole unix seconds): the data, and the sections that are written anew each second.
    pub(super) fn new(second: f64, shown: u64, data: Generation, live: Vec<Section>) -> Self {
        Self {
            second,
            shown,
            data,
            live,
            bodies: Default::default(),
        }
    }

    fn sections(&self) -> impl Iterator<Item = &Section> {
        std::iter::once(&*self.data.section).chain(&self.live)
    }

    /// All sections as text.
    pub(super) fn text(&self, format: Format) -> String {
        let chunks = || {
            self.sections()
                .flat_map(move |section| section.chunks(format))
                .chain([end(format)])
        };
        let mut text = String::with_capacity(chunks().map(str::len).sum());
        text.extend(chunks());
        text
    }

    /// The body in one form, made on first use.
    pub(super) fn body(&self, form: Form) -> Bytes {
        let render = || match form {
            Form { format, gzip: false } => self.text(format).into(),
            Form { format, gzip: true } => {
                let mut pieces: Vec<_> = self.sections().map(|section| section.deflated(format)).collect();
                if format == Format::OpenMetrics {
                    pieces.push(&END);
                }
                member(&pieces)
            }
        };
        self.bodies[form.index()].get_or_init(render).clone()
    }
}

/// The place of the newest page.
#[derive(Debug, Default)]
pub(super) struct Slot {
    page: Mutex<Option<Arc<Page>>>,
    /// Held by the one who renders the next page.
    pub(super) rendering: Mutex<()>,
}

impl Slot {
    /// The newest page, if there is one.
    pub(super) fn page(&self) -> Option<Arc<Page>> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets it.
    pub(super) fn clear(&self) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Puts a newer one in its place.
    pub(super) fn put(&self, page: &Arc<Page>) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_have_their_own_place() {
        for (index, form) in Form::ALL.into_iter().enumerate() {
            assert_eq!(form.index(), index);
        }
    }
}
