//! The one door out: every connection to somewhere beyond this process is opened here.
//!
//! Enters: an origin, or a whole request. Leaves: a connection to an address that was vetted, or a whole answer within its bounds.
//! Never: connects to an address that egress does not permit, resolves a name twice, follows a redirect, or asks the environment for a proxy.
//!
//! The data plane takes connections and keeps pools of its own ([`Dialer`]). Whoever only needs an answer now and then (discovery documents, token
//! exchanges, webhooks, exports) sends a request ([`Client`]).

mod client;
mod dialer;
mod resolve;

pub use client::{Client, Failed, Limits, authority};
pub use dialer::{Dialer, Speaks, Stream, TlsRoots, Unconnected};
pub use resolve::{Resolve, Resolver};

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
