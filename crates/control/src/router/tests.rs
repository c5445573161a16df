//! The whole API over embedded stores, without a socket.

#![allow(clippy::unwrap_used)]

mod access;
mod custom_domains;
mod custom_providers;
mod gateways;
mod logs;
mod outside;
mod routes;
mod shop;
