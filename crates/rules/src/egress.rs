//! Where the gateway may connect to.
//!
//! Enters: a URL, a host, or one address that a name resolved to, and the operator's allow-list. Leaves: yes or no. Never: resolves.
//!
//! Everything that leaves passes here twice: with the host as it is written, and with the address it is about to connect to, so a name that answers
//! differently the second time gains nothing. Private ranges are open only where the operator named them: that is how a local model server is reached by
//! one setting.

use std::net::IpAddr;

use ipnet::IpNet;
use tollgate_wire::provider::Origin;

mod address;
mod host;

pub use host::Host;

#[derive(Clone, Debug, Default)]
pub struct Egress {
    pub allow_private: Vec<IpNet>,
}

/// What one entry of the allow-list opens: a range as CIDR, or a word for several.
pub fn read_ranges(text: &str) -> Option<Vec<IpNet>> {
    let words: &[&str] = match text {
        "loopback" => &["127.0.0.0/8", "::1/128"],
        "private" => &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
        range => &[range],
    };
    words.iter().map(|range| range.parse().ok()).collect()
}

/// Why something may not be connected to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("{0} is a private address; name its range in [egress] allow_private to reach it")]
    Private(String),
    #[error(
        "{0} is no host name, and no address that everybody reads alike; write an IPv4 address as four decimal numbers"
    )]
    Doubtful(String),
    #[error("{0} would be asked in the clear; write https://, plain http:// is for hosts in [egress] allow_private")]
    Plain(String),
    #[error("{0}")]
    Url(String),
}

// === impl Egress ===

impl Egress {
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.opens(address) || address::is_public(address)
    }

    /// What can be said of a host before it is resolved.
    pub fn judge(&self, text: &str) -> Result<Host, Forbidden> {
        let host = Host::read(text).ok_or_else(|| Forbidden::Doubtful(text.to_owned()))?;
        let is_open = match host {
            Host::Address(address) => self.permits(address),
            // Its resolver need not be asked.
            Host::PrivateName => !self.allow_private.is_empty(),
            Host::Name => true,
        };
        if is_open { Ok(host) } else { Err(Forbidden::Private(text.to_owned())) }
    }

    /// Where a URL leads that somebody wrote into a setting: its origin, and its path with query. Plain HTTP leads only to what the operator opened, or to
    /// names that can only be found there: beyond, anybody on the way would read the key.
    pub fn destination(&self, url: &str) -> Result<(Origin, String), Forbidden> {
        let (origin, path) = Origin::of_url(url).map_err(|fault| Forbidden::Url(fault.to_string()))?;
        let is_near = match self.judge(&origin.host)? {
            Host::Address(address) => self.opens(address.to_canonical()),
            host => host == Host::PrivateName,
        };
        if origin.scheme == "https" || is_near { Ok((origin, path)) } else { Err(Forbidden::Plain(url.to_owned())) }
    }

    /// Whether the operator named its range. A metadata service is opened only by its own address, alone.
    fn opens(&self, address: IpAddr) -> bool {
        let is_exact = |range: &IpNet| range.prefix_len() == range.max_prefix_len();
        let fits = |range: &IpNet| range.contains(&address) && (is_exact(range) || !address::is_metadata(address));
        self.allow_private.iter().any(fits)
    }
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
            "64:ff9b:1::808:808",
            "192.88.99.1",
            "168.63.129.16",
            "fd20:ce::254",
            "100.100.100.200",
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

    #[test]
    fn an_entry_of_the_allow_list_is_a_range_or_a_word() {
        assert_eq!(read_ranges("10.2.0.0/16").unwrap().len(), 1);
        assert!(read_ranges("127.0.0.0/99").is_none() && read_ranges("everything").is_none());
        let open = |word: &str| Egress { allow_private: read_ranges(word).unwrap() };
        for (word, address, is_open) in [
            ("loopback", "127.0.0.1", true),
            ("loopback", "::1", true),
            ("loopback", "10.0.0.1", false),
            ("private", "192.168.1.1", true),
            ("private", "fd12::1", true),
            ("private", "fd00:ec2::254", false),
            ("private", "127.0.0.1", false),
            ("private", "169.254.1.1", false),
        ] {
            assert_eq!(open(word).permits(address.parse().unwrap()), is_open, "{word} {address}");
        }
    }

    #[test]
    fn a_metadata_service_is_not_opened_by_a_range_around_it() {
        let wide = ["169.254.0.0/16", "fd00::/8", "0.0.0.0/0"].map(|range| range.parse().unwrap());
        let egress = Egress { allow_private: wide.to_vec() };
        for address in ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16"] {
            assert!(!egress.permits(address.parse().unwrap()), "{address}");
        }
        assert!(egress.permits("169.254.1.1".parse().unwrap()) && egress.permits("fd00::1".parse().unwrap()));
        let egress = Egress { allow_private: vec!["169.254.169.254/32".parse().unwrap()] };
        assert!(egress.permits("169.254.169.254".parse().unwrap()));
    }

    #[test]
    fn a_url_is_judged_before_anything_is_resolved() {
        let closed = Egress::default();
        let open = Egress { allow_private: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()] };
        for (url, by_default, opened) in [
            ("https://api.example.com/v1", true, true),
            ("https://api.example.com:8443/v1", true, true),
            ("https://8.8.8.8/", true, true),
            ("http://api.example.com/", false, false),
            ("http://8.8.8.8/", false, false),
            ("https://127.0.0.1/", false, true),
            ("http://127.0.0.1:11434", false, true),
            ("http://[::1]:8000/v1", false, true),
            ("http://[::ffff:127.0.0.1]:8000/v1", false, true),
            ("http://localhost:11434", false, true),
            ("http://ollama:11434", false, true),
            ("https://models.internal/v1", false, true),
            ("https://10.0.0.1/", false, false),
            ("https://2130706433/", false, false),
            ("https://0x7f.1/", false, false),
            ("https://0177.0.0.1/", false, false),
            ("https://127.1/", false, false),
            ("https://1.2.3.4.5/", false, false),
            ("https://me@api.example.com/", false, false),
            ("https://api.example.com./", false, false),
            ("https://b\u{fc}cher.example/", false, false),
            ("https://xn--bcher-kva.example/", true, true),
            ("https://api.example.com:0/", false, false),
            ("ftp://api.example.com/", false, false),
            ("builtin://sandbox", false, false),
        ] {
            assert_eq!(closed.destination(url).is_ok(), by_default, "{url}");
            assert_eq!(open.destination(url).is_ok(), opened, "{url} where loopback is open");
        }
    }
}
