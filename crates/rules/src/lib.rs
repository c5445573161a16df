//! The judgments: may this pass, where does it go, what does it cost, is it worth another try.
//!
//! Enters: settings documents, one request's head, `now`. Leaves: verdicts and plain values.
//! Never: a clock, a socket, a task or a lock.

pub mod cache_key;
pub mod cacheable;
pub mod catalog;
pub mod cost;
pub mod egress;
pub mod limit;
pub mod metadata;
pub mod naming;
pub mod options;
pub mod retry;
pub mod snapshot;
pub mod token;
