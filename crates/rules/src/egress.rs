//! Where the gateway may connect to.
//!
//! Enters: one address that a name resolved to, and the operator's allow-list. Leaves: yes or no. Never: resolves.
//!
//! Everything that leaves passes here with the address it is about to connect to, so a name that answers differently the second time gains
//! nothing. Private ranges are open only where the operator named them: that is how a local model server is reached by one setting.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

#[derive(Clone, Debug, Default)]
pub struct Egress {
    pub allow_private: Vec<IpNet>,
}

impl Egress {
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allow_private.iter().any(|range| range.contains(&address))
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// The blocks of the IANA special-purpose registry that are not globally reachable.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && (c == 0 || c == 2);
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
        || benchmark)
}

/// Global unicast is 2000::/3; inside it, forms that carry an IPv4 address are judged by that address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if segments[0] == 0x64 && segments[1] == 0xff9b {
        return is_public_v4(embedded(segments[6], segments[7])); // NAT64
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_private_is_reached_by_default() {
        let egress = Egress::default();
        for blocked in [
            "127.0.0.1",
            "127.255.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "3fff::1",
        ] {
            assert!(!egress.permits(blocked.parse().unwrap()), "{blocked}");
        }
        for open in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
        {
            assert!(egress.permits(open.parse().unwrap()), "{open}");
        }
    }

    #[test]
    fn an_operator_opens_a_range_by_name() {
        let egress = Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap()] };
        assert!(egress.permits("127.0.0.1".parse().unwrap()));
        assert!(egress.permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!egress.permits("10.0.0.1".parse().unwrap()));
    }
}
