//! The scripted provider: the built-in `sandbox` that newcomers try first, and the upstream that tests put behind the gateway.
//!
//! Enters: HTTP/1.1 requests over any byte stream. Leaves: answers that are a function of the request, whole or streamed, right or
//! wrong on purpose.
//! Never: needs a key, opens a connection, reads a clock other than tokio's (which tests pause), or uses another room of the house.
//!
//! The same code serves both uses on purpose: what a test proves about the sandbox holds for the one that people try.

mod ask;
pub mod dials;
mod digest;
pub mod faults;
mod http;
pub mod plan;
pub mod recorder;
pub mod sandbox;
mod schema;
mod script;
mod speech;
mod surface;

pub use dials::Dials;
pub use faults::Fault;
pub use http::request::Request;
pub use plan::{Ending, Frame, Framing, Plan};
pub use recorder::{Heard, Outcome, Recorder};
pub use sandbox::{Counts, Listening, Sandbox, serve_connection};
