//! Speaks the languages of providers: cuts, reads and names what is on the wire.
//!
//! Enters: bytes and headers. Leaves: values of `model`, and facts about the bytes.
//! Never: touches a socket, a clock or a task.

pub mod chat;
pub mod dialect;
pub mod edit;
pub mod embed;
pub mod frame;
pub mod headers;
mod json;
pub mod peek;
pub mod provider;
pub mod translation;
pub mod watch;
