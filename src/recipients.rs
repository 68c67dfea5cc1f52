//! What people did with the mails of phishing tests: kept in a few bits a mail, shown as numbers about many.
//!
//! One [`ReadTest`] is one listing of recipients, read whole: numbers about all of its mails, and who did what, packed.
//! [`Memory`] holds those of the longest window, [`turns`] says which is to be read next, and [`summarise`] joins them to
//! the people who are active now. Pure: no I/O, no clock. Ids of people are here and nowhere behind: they leave this room
//! only inside a [`sealed`](crate::secret::seal) record.

mod directory;
mod due;
mod memory;
mod packed;
mod reading;
mod share;
mod summary;

pub use directory::{Directory, DirectoryBuilder};
pub use due::{Purse, Trouble, Turn, turns};
pub use memory::Memory;
pub use packed::Packed;
pub use reading::{Event, Mail, Outcome, ReadTest, Reading};
pub use share::Share;
pub use summary::{Inputs, summarise};
