//! Alerts: what is watched, what is worth telling, and how it is told.
//!
//! Enters: settings, budgets' crossings, the log. Leaves: signed messages to webhooks, each kept with what became of it. Never: has a part on a request's
//! path: everything here reads what was written down already.

mod book;
mod courier;
mod finding;
pub(crate) mod members;
mod sign;
mod watch;

pub use self::book::{Book, DELIVERY, Delivery, State};
pub use self::courier::Courier;
pub use self::finding::{Finding, of_crossings};
pub use self::watch::{Losses, Watcher};

pub(crate) use self::sign::{EXPECTED, key as signing_key, of_bytes};
