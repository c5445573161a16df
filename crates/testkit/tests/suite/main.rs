//! The sandbox from outside: over a connection, as a gateway meets it.
//!
//! Time is paused in all of these tests: an answer that takes ten minutes takes none.
#![allow(clippy::unwrap_used)]

mod caller;
mod connections;
mod dials;
mod faults;
mod surfaces;
