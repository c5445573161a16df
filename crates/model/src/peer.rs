//! Who is at the other end of a connection.
//!
//! Enters: the address of an accepted socket. Leaves: the same, beside a request. Never: something that a header says.

use std::net::IpAddr;

/// An extension of a request, put there by whoever accepted its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// An IPv4 address that came in an IPv6 one is shown as what it is, so that it meets the ranges that name it.
    pub fn of(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}
