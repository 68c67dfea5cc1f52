//! The answer to "why is this number old?": per account and collector what happened last, what comes next and
//! why then, what it costs and what to do about an error.
//!
//! [`StatusView`] is a pure function of the instruments and the time that is passed in. It is served twice: as JSON
//! for programs ([`StatusView::json`]) and as a page for people ([`StatusView::html`]). This room reads
//! `instrument` and `model` and does no I/O; `commands` hands out what it returns. No key can be on the page: the
//! instruments hold none.

mod condition;
mod document;
mod landing;
mod links;
mod moment;
mod page;
mod view;
mod words;

pub use landing::landing;
pub use links::Links;
pub use view::{Meta, StatusView};

#[cfg(test)]
mod tests;
