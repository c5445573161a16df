//! The whole API over embedded stores, without a socket.

#![allow(clippy::unwrap_used)]

mod access;
mod alerts;
mod audit;
mod audited;
mod billing;
mod config;
mod conventions;
mod custom_domains;
mod custom_providers;
mod datasets;
mod declared;
mod gateways;
mod inward;
mod issuer;
mod logs;
mod matrix;
mod mcp;
mod outside;
mod people;
mod policies;
mod provider_configs;
mod rights;
mod routes;
mod secrets;
mod shop;
mod tokens;
