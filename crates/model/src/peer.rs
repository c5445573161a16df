//! Who is at the other end of a connection.
//!
//! Enters: the address of an accepted socket, or what a proxy of the operator's says instead (`rules::proxy`). Leaves: the same, beside a request.
//! Never: something that a header of anybody else says.

use std::net::IpAddr;

/// An extension of a request, put there by whoever accepted its connection. Not there: nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Beside it: whether the caller used TLS, up to here or up to the operator's proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Secure(pub bool);

impl Peer {
    /// An IPv4 address that came in an IPv6 one is shown as what it is, so that it meets the ranges that name it.
    pub fn of(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}
