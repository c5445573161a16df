//! The desk: where settings change and logs are read, in the original's REST API.
//!
//! Enters: requests with a token, and the command line's wishes. Leaves: documents, a compiled snapshot, JSON envelopes.
//! Never: serves traffic, or meets the engine: both look at documents and at the snapshot made of them.
//!
//! [`resources::rows`] is the one table of endpoints: router, authorization, OpenAPI document and manual are made from it. [`gateway::MEMBERS`] is the one table
//! of a gateway's settings: what it does not list cannot be set.

pub mod alert;
pub mod audit;
pub mod config;
pub mod credits;
pub mod custom_provider;
pub mod dashboard;
pub mod dataset;
pub mod desk;
pub mod drawer;
pub mod evaluation;
pub mod gateway;
pub mod keep;
pub mod local;
pub mod log;
mod mcp;
pub mod openapi;
pub mod people;
pub mod purge;
pub mod resources;
pub mod route;
pub mod router;
pub mod row;
pub mod shape;
pub mod simulate;
pub mod time;
pub mod token;
pub mod vault;

mod answer;
mod authorize;
mod call;
mod filters;
mod page;
mod problem;
mod query;
mod resource;

pub use desk::{Desk, DeskError};
pub use router::{Parts, router};

#[cfg(test)]
mod sample;
