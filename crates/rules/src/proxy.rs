//! Who calls, where a proxy stands between.
//!
//! Enters: the address of a connection, the request's headers, and the ranges that the operator's proxies are in. Leaves: the address of whoever asked the
//! first of those proxies, and whether that was done over TLS. Never: believes a header of anybody else, and never takes a guess: an address that cannot be
//! told is none, so no list of addresses lets it in.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use tollgate_model::peer::{Peer, Secure};

use crate::egress::read_ranges;
use crate::scope::read_range;

/// The proxies whose word is taken. None by default.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Vec<IpNet>);

/// As much as can be told of a request's way here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub peer: Option<Peer>,
    pub secure: Secure,
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Nobody has more proxies in a row. What comes behind them is not looked at.
const HOPS_MAX: usize = 32;

/// One entry of `trusted_proxies`: an address, a range, or a word for several.
pub fn read_proxies(text: &str) -> Option<Vec<IpNet>> {
    read_ranges(text).or_else(|| read_range(text).map(|range| vec![range]))
}

// === impl Proxies ===

impl Proxies {
    pub fn new(ranges: Vec<IpNet>) -> Self {
        Self(ranges)
    }

    /// `secure`: the connection itself is TLS.
    pub fn arrival(&self, peer: Peer, secure: Secure, headers: &HeaderMap) -> Arrival {
        if self.0.is_empty() || !self.trust(peer.0) {
            return Arrival { peer: Some(peer), secure };
        }
        let (listed, forwarded) = (self.listed(headers), self.forwarded(headers));
        let asker = match (listed, forwarded) {
            (Named::Nobody, Named::Nobody) => Some(peer),
            (one, Named::Nobody) | (Named::Nobody, one) => one.peer(),
            // A proxy writes one of them and passes the other on as the caller sent it. Which one, is not known here.
            (one, other) if one == other => one.peer(),
            _ => None,
        };
        Arrival { peer: asker, secure: scheme(headers).unwrap_or(secure) }
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(&address))
    }

    fn listed(&self, headers: &HeaderMap) -> Named {
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        self.asker(lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(read_address))
    }

    fn forwarded(&self, headers: &HeaderMap) -> Named {
        let lines = headers.get_all(FORWARDED).iter().rev();
        let elements = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        self.asker(elements.map(|element| parameter(element, "for").and_then(read_address)))
    }

    /// From the nearest on: the first that is no proxy of ours. Where all are, the farthest.
    fn asker(&self, addresses: impl Iterator<Item = Option<IpAddr>>) -> Named {
        let mut farthest = Named::Nobody;
        for (hops, address) in addresses.enumerate() {
            match address.map(Peer::of) {
                Some(peer) if hops < HOPS_MAX && self.trust(peer.0) => farthest = Named::Somebody(peer),
                Some(peer) if hops < HOPS_MAX => return Named::Somebody(peer),
                _ => return Named::Unreadable,
            }
        }
        farthest
    }
}

/// What a header says of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Nobody,
    Somebody(Peer),
    /// `unknown`, a name that means something elsewhere, or nonsense.
    Unreadable,
}

impl Named {
    fn peer(self) -> Option<Peer> {
        match self {
            Self::Somebody(peer) => Some(peer),
            Self::Nobody | Self::Unreadable => None,
        }
    }
}

/// With or without a port, in brackets or not.
fn read_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

/// A parameter of one element of `Forwarded` (RFC 7239, section 4), without its quotes.
fn parameter<'a>(element: &'a [u8], name: &str) -> Option<&'a [u8]> {
    element.split(|byte| *byte == b';').find_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        let (said, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
        let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
        said.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    })
}

/// As the nearest proxy was asked.
fn scheme(headers: &HeaderMap) -> Option<Secure> {
    let last = |name: &HeaderName| headers.get_all(name).iter().next_back();
    let end = |value: &'_ http::HeaderValue| value.as_bytes().rsplit(|byte| *byte == b',').next().map(<[u8]>::to_vec);
    let listed = last(&FORWARDED_PROTO).and_then(end);
    let forwarded = || parameter(&last(&FORWARDED).and_then(end)?, "proto").map(<[u8]>::to_vec);
    let said = listed.or_else(forwarded)?;
    match said.trim_ascii() {
        said if said.eq_ignore_ascii_case(b"https") => Some(Secure(true)),
        said if said.eq_ignore_ascii_case(b"http") => Some(Secure(false)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
