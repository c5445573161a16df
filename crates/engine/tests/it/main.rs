//! The engine as its callers meet it: a real listener, real stores in a temporary directory, a scripted provider behind.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod bad_fields;
mod bodies;
mod budgets;
mod cache;
mod cancel;
mod deadlines;
mod drain;
mod encoding;
mod flight;
mod framing;
mod http2;
mod native;
mod policies;
mod raw;
mod retry;
mod routes;
mod run;
mod scope;
mod tls;
mod town;
mod truncation;
mod turned;
mod unified;
mod universal;
