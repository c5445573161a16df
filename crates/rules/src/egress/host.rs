//! What the host of a URL is.
//!
//! Enters: its text. Leaves: an address, a name, or nothing where readers disagree. Never: decides whether it may be reached.

use std::net::{IpAddr, Ipv4Addr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    Address(IpAddr),
    /// To be resolved.
    Name,
    /// A name that means nothing outside one machine or network.
    PrivateName,
}

/// Ends of names that the public tree of names does not have, and never will.
const PRIVATE_ENDS: &[&str] =
    &["localhost", "local", "internal", "lan", "home", "home.arpa", "corp", "private", "intranet", "localdomain"];

// === impl Host ===

impl Host {
    /// `None` for what some read as an address and others as a name: `0x7f.1`, `2130706433`, `127.1` (the system's resolver is among those who read addresses).
    pub(crate) fn read(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            return inner.strip_suffix(']')?.parse().ok().map(Self::Address);
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.split('.').next_back().is_some_and(is_number) {
            return name.parse::<Ipv4Addr>().ok().map(|address| Self::Address(address.into()));
        }
        Some(if is_private(&name) { Self::PrivateName } else { Self::Name })
    }
}

fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn is_private(name: &str) -> bool {
    let ends = |end: &&'static str| name.strip_suffix(*end).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.contains('.') || PRIVATE_ENDS.iter().any(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        use Host::{Name, PrivateName};
        for (text, is) in [
            ("api.example.com", Some(Name)),
            ("api.example.com.", Some(Name)),
            ("7.example", Some(Name)),
            ("a.0xzz", Some(Name)),
            ("localhost", Some(PrivateName)),
            ("LOCALHOST.", Some(PrivateName)),
            ("a.LocalHost", Some(PrivateName)),
            ("vllm", Some(PrivateName)),
            ("vllm.default.svc.cluster.local", Some(PrivateName)),
            ("metadata.google.internal", Some(PrivateName)),
            ("router.home.arpa", Some(PrivateName)),
            ("notlocal.example", Some(Name)),
            ("mylocal", Some(PrivateName)),
            ("127.0.0.1", Some(Host::Address(Ipv4Addr::LOCALHOST.into()))),
            ("127.0.0.1.", Some(Host::Address(Ipv4Addr::LOCALHOST.into()))),
            ("[::1]", Some(Host::Address(std::net::Ipv6Addr::LOCALHOST.into()))),
            ("127.1", None),
            ("2130706433", None),
            ("0x7f000001", None),
            ("0X7F000001", None),
            ("0x7f.0.0.1", None),
            ("127.0.0.0x1", None),
            ("0177.0.0.1", None),
            ("127.0.0.01", None),
            ("1.2.3.4.5", None),
            ("256.1.1.1", None),
            ("0x", None),
            ("", None),
            (".", None),
            ("[::1", None),
            ("[127.0.0.1]", Some(Host::Address(Ipv4Addr::LOCALHOST.into()))),
        ] {
            assert_eq!(Host::read(text), is, "{text:?}");
        }
    }
}
