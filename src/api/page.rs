//! When a listing is complete: the paging of every server there is, as a pure state machine.
//!
//! Three dialects are known. By cursor (2026): `X-Next-Cursor` until it is absent. As the API's first
//! description says: `Total-Pages` and `Link`. As recorded live: no header at all, a short page is the last.
//! The first request speaks all three; its answer tells which one it was. A full page without any sign of
//! more is settled by asking differently, never by guessing, and a server that repeats itself fails the listing
//! instead of burning the day's quota.

use std::collections::HashSet;

use crate::model::KNOWN_CUTS;

/// Rows asked for in one page: the documented maximum, since the quota counts requests.
pub const FULL_PAGE: u32 = 500;

/// The cursor that begins a listing.
pub(super) const FIRST_CURSOR: &str = "true";

/// Page sizes after timeouts. Each divides the one before, so that a numbered page can be taken up at the same row.
const SMALLER_PAGES: [u32; 3] = [250, 125, 25];

/// Most pages of one listing: twice a million enrollments at 25 a page. A listing beyond it doesn't end.
const MOST_PAGES: u64 = 80_000;

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The `cursor` parameter; `true` begins.
    pub cursor: Option<String>,
    /// The `page` parameter, from 1.
    pub page: Option<u64>,
    /// The `per_page` parameter.
    pub per_page: u32,
}

/// What an answer said about paging.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Elements in the page.
    pub rows: usize,
    /// Whether every one of them was in an earlier page of this listing.
    pub repeats: bool,
    /// The next cursor, from `X-Next-Cursor`, `Next-Cursor`, `X-Cursor-Next` or `Link`.
    pub next_cursor: Option<String>,
    /// Whether a `Link` header said anything about other pages.
    pub linked: bool,
    /// The page number in `Link` with `rel=next`.
    pub next_page: Option<u64>,
    /// `Total-Pages`
    pub total_pages: Option<u64>,
    /// `Total`
    pub total: Option<u64>,
}

/// What follows from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The page's rows count, and this is to be asked next.
    Next(Ask),
    /// The page's rows don't count (they were asked for to settle a question), and this is to be asked next.
    Discard(Ask),
    /// The page's rows count, and it was the last.
    Last,
    /// The page's rows don't count, and the listing was complete without them.
    Complete,
    /// The end can't be established.
    Broken(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    /// The first request, in all dialects at once.
    First,
    /// By cursor.
    Cursor,
    /// By number.
    Numbered(u64),
    /// The first page was full and nothing said whether it was all: does this page exist, which follows it?
    SecondPage(u64),
    /// The server ignores or refuses `page`: does it know cursors? Then the absence of one was the end.
    Probe,
}

/// Reads one listing.
#[derive(Debug)]
pub struct Pager {
    mode: Mode,
    per_page: u32,
    /// How long a page is that may be followed by another.
    full: usize,
    rows: u64,
    pages: u64,
    cursors: HashSet<String>,
    ask: Ask,
}

impl Default for Pager {
    /// Begins a listing.
    fn default() -> Self {
        let ask = Ask {
            cursor: Some(FIRST_CURSOR.into()),
            page: None,
            per_page: FULL_PAGE,
        };
        Self {
            mode: Mode::First,
            per_page: FULL_PAGE,
            full: FULL_PAGE as usize,
            rows: 0,
            pages: 0,
            cursors: HashSet::new(),
            ask,
        }
    }
}

impl Pager {
    /// What to ask now.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Takes in an answer and says what to do with it.
    pub fn seen(&mut self, seen: &Seen) -> Step {
        let step = self.decide(seen);
        if matches!(step, Step::Next(_) | Step::Last) {
            self.rows += seen.rows as u64;
            self.pages += 1;
        }
        if let Step::Next(ask) | Step::Discard(ask) = &step {
            if self.pages >= MOST_PAGES {
                return Step::Broken("the listing has more pages than any account can have");
            }
            self.ask = ask.clone();
        }
        step
    }

    fn decide(&mut self, seen: &Seen) -> Step {
        match self.mode {
            Mode::First => {
                if seen.next_cursor.is_some() {
                    return self.follow(seen);
                }
                self.number(1, seen)
            }
            Mode::Cursor => self.follow(seen),
            Mode::Numbered(page) => {
                if seen.repeats && seen.rows >= self.full {
                    return Step::Broken("the server repeats pages: it ignores the page parameter");
                }
                self.number(page, seen)
            }
            Mode::SecondPage(page) => {
                if seen.repeats && seen.rows >= self.full {
                    return self.probe();
                }
                if seen.next_cursor.is_some() {
                    return self.follow(seen);
                }
                self.number(page, seen)
            }
            Mode::Probe => match seen.next_cursor {
                Some(_) => Step::Complete,
                None => Step::Broken(
                    "a full page without any sign of more, and the server knows neither page nor cursor",
                ),
            },
        }
    }

    /// By cursor: until there is none, or nothing more comes.
    fn follow(&mut self, seen: &Seen) -> Step {
        let Some(cursor) = seen.next_cursor.as_ref().filter(|_| seen.rows > 0) else {
            return Step::Last;
        };
        if seen.repeats || !self.cursors.insert(cursor.clone()) {
            return Step::Broken("the server repeats a cursor or a page");
        }
        self.mode = Mode::Cursor;
        Step::Next(Ask {
            cursor: Some(cursor.clone()),
            page: None,
            per_page: self.per_page,
        })
    }

    /// By number: as announced, or while pages are full.
    fn number(&mut self, page: u64, seen: &Seen) -> Step {
        let announced = seen.linked || seen.total_pages.is_some() || seen.total.is_some();
        let promised =
            seen.next_page.is_some_and(|next| next > page) || seen.total_pages.is_some_and(|all| page < all);
        // Pages may be cut shorter than they were announced for.
        let beyond = seen
            .total
            .is_some_and(|total| total > self.rows + seen.rows as u64);
        if page == 1 && (promised || beyond || self.may_be_cut(seen.rows)) {
            self.full = seen.rows;
        }
        let full = seen.rows > 0 && seen.rows >= self.full;
        if promised {
            if seen.rows == 0 {
                return Step::Broken("an empty page before the announced last one");
            }
            return self.numbered(seen.next_page.filter(|next| *next > page).unwrap_or(page + 1));
        }
        if announced {
            return if full && beyond {
                self.numbered(page + 1)
            } else {
                Step::Last
            };
        }
        if !full {
            return Step::Last;
        }
        if page == 1 {
            self.mode = Mode::SecondPage(2);
            return Step::Next(Ask {
                cursor: None,
                page: Some(2),
                per_page: self.per_page,
            });
        }
        self.numbered(page + 1)
    }

    fn numbered(&mut self, page: u64) -> Step {
        self.mode = Mode::Numbered(page);
        Step::Next(Ask {
            cursor: None,
            page: Some(page),
            per_page: self.per_page,
        })
    }

    fn may_be_cut(&self, rows: usize) -> bool {
        rows >= self.per_page as usize || KNOWN_CUTS.contains(&(rows as u64))
    }

    fn probe(&mut self) -> Step {
        let Some(fewer) = u32::try_from(self.full)
            .ok()
            .and_then(|full| full.checked_sub(1))
            .filter(|n| *n > 0)
        else {
            return Step::Broken("the server repeats pages: it ignores the page parameter");
        };
        self.mode = Mode::Probe;
        Step::Discard(Ask {
            cursor: Some(FIRST_CURSOR.into()),
            page: None,
            per_page: fewer,
        })
    }

    /// The server refused the question. What to ask instead, if the question was only whether a second page exists.
    pub fn refused(&mut self) -> Option<Step> {
        if !matches!(self.mode, Mode::SecondPage(_)) {
            return None;
        }
        let step = self.probe();
        if let Step::Discard(ask) = &step {
            self.ask = ask.clone();
        }
        Some(step)
    }

    /// The page took too long: asks for fewer rows from the same row on. False when that isn't possible.
    pub fn smaller(&mut self) -> bool {
        let Some(fewer) = SMALLER_PAGES.into_iter().find(|size| *size < self.per_page) else {
            return false;
        };
        let factor = u64::from(self.per_page / fewer);
        let page = match self.mode {
            Mode::First | Mode::Cursor => None,
            // Pages cut by the server aren't where this arithmetic would look for them.
            Mode::Numbered(_) | Mode::SecondPage(_) if self.full != self.per_page as usize => return false,
            Mode::Numbered(page) => {
                let page = (page - 1) * factor + 1;
                self.mode = Mode::Numbered(page);
                Some(page)
            }
            Mode::SecondPage(page) => {
                let page = (page - 1) * factor + 1;
                self.mode = Mode::SecondPage(page);
                Some(page)
            }
            Mode::Probe => return false,
        };
        self.per_page = fewer;
        self.full = fewer as usize;
        self.ask.per_page = fewer;
        self.ask.page = page;
        true
    }
}

#[cfg(test)]
mod tests;
