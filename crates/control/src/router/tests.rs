//! The whole API over embedded stores, without a socket.

#![allow(clippy::unwrap_used)]

mod access;
mod conventions;
mod declared;
mod gateways;
mod logs;
mod outside;
mod policies;
mod routes;
mod shop;
