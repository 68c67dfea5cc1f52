//! A budget of requests that survives kills, for programs that poll an API with a quota.
//!
//! [`Budget`] gives [`Permit`]s: leave to send one request. A permit is recorded in a [`Ledger`] before it exists, and
//! no window of a second, a minute or a day ever holds more than the [`Limits`], however often the process is killed.
//! [`plan()`] says how often to refresh what, so that data is as fresh as the limits allow.
//!
//! Knows nothing of any API: who is asked, and how, is the caller's business. [`FileLedger`] keeps the record in one
//! file; a shared one can stand in its place.

mod budget;
pub mod durable;
mod ledger;
mod plan;
mod windows;

pub use budget::{Budget, Claim, Hold, Permit, Refused, WallClock};
pub use ledger::{Entry, FileLedger, Ledger, LedgerError, Living, Loaded, Mark, Pending, Stamp};
pub use plan::{Demand, Plan, Planned, plan};
pub use windows::{BudgetState, Limits, NEVER};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
