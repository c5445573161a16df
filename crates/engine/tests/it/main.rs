//! The engine as its callers meet it: a real listener, real stores in a temporary directory, a scripted provider behind.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod bodies;
mod cache;
mod cancel;
mod deadlines;
mod flight;
mod framing;
mod native;
mod raw;
mod retry;
mod town;
mod truncation;
