//! The judgments: may this pass, where does it go, what does it cost, is it worth another try.
//!
//! Enters: settings documents, one request's head, `now`. Leaves: verdicts and plain values.
//! Never: a clock, a socket, a task or a lock.

pub mod auto;
pub mod budget;
pub mod cache_key;
pub mod cacheable;
pub mod catalog;
pub mod cost;
pub mod credit;
pub mod custom;
pub mod egress;
pub mod facts;
pub mod idempotency;
pub mod key;
pub mod limit;
pub mod memory;
pub mod metadata;
pub mod meter;
pub mod naming;
pub mod options;
pub mod policy;
pub mod proxy;
pub mod retry;
pub mod route;
pub mod scope;
pub mod simulate;
pub mod snapshot;
pub mod token;
pub mod walk;
