//! Workers AI's own API, `run/{model}`: translators. Its tables are in `other.rs`.
//!
//! Enters: nothing. Leaves: what the files beside have. Never: code.

pub(crate) mod embed;
mod fault;
