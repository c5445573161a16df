//! What each endpoint does, one file per resource.
//!
//! Enters: a call whose caller may. Leaves: an answer or a problem. Never: checks a permission (the table says who may), except to leave out heads.

pub(crate) mod account;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod billing;
pub(crate) mod budgets;
pub(crate) mod cache;
pub(crate) mod config;
pub(crate) mod custom_domains;
pub(crate) mod custom_providers;
pub(crate) mod datasets;
pub(crate) mod evaluations;
pub(crate) mod gateways;
pub(crate) mod logs;
pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod policies;
pub(crate) mod provider_configs;
pub(crate) mod public;
pub(crate) mod routes;
pub(crate) mod secrets;
pub(crate) mod sessions;
pub(crate) mod tokens;
