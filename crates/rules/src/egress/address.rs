//! Which addresses are everybody's: the IANA special-purpose registries as code.
//!
//! Enters: one address. Leaves: whether it is globally reachable. Never: knows what an operator opened.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Where clouds tell a machine its own credentials. They lie inside ranges that people open for other reasons (all of `169.254.0.0/16`, of `fd00::/8`), or
/// outside all private ones.
pub(super) fn is_metadata(address: IpAddr) -> bool {
    match address {
        // AWS and most others; AWS containers; Alibaba; Oracle; Azure's platform address, which looks public.
        IpAddr::V4(v4) => matches!(
            v4.octets(),
            [169, 254, 169, 254 | 253]
                | [169, 254, 170, 2 | 23]
                | [100, 100, 100, 200]
                | [192, 0, 0, 192]
                | [168, 63, 129, 16]
        ),
        // AWS; Google.
        IpAddr::V6(v6) => matches!(v6.segments(), [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..]),
    }
}

/// The blocks of the IANA special-purpose registry that are not globally reachable.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && (c == 0 || c == 2);
    let relay = (a, b, c) == (192, 88, 99); // the old 6to4 anycast
    let benchmark = a == 198 && (18..20).contains(&b);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || shared
        || protocol
        || relay
        || benchmark
        || is_metadata(address.into()))
}

/// Global unicast is 2000::/3; inside it, forms that carry an IPv4 address are judged by that address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // NAT64. Only the well-known prefix says where the address is; `64:ff9b:1::/48` is each network's own affair.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = segments {
        return is_public_v4(embedded(high, low));
    }
    if segments[0] & 0xe000 != 0x2000 {
        return false;
    }
    match segments[0] {
        0x2002 => is_public_v4(embedded(segments[1], segments[2])), // 6to4
        0x2001 => segments[1] >= 0x200 && segments[1] != 0xdb8,     // Teredo, ORCHID, documentation
        0x3fff => segments[1] >= 0x1000,                            // documentation
        _ => true,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}
