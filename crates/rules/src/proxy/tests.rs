//! Attacks on the headers that a proxy writes: whatever a caller adds, it does not become somebody else.

use super::*;

fn arrival(peer: &str, lines: &[(&str, &str)]) -> (Option<String>, bool) {
    let proxies =
        Proxies::new(["10.0.0.0/8", "2001:db8:1::/48"].iter().flat_map(|text| read_proxies(text).unwrap()).collect());
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let arrival = proxies.arrival(Peer::of(peer.parse().unwrap()), Secure(false), &headers);
    (arrival.peer.map(|peer| peer.0.to_string()), arrival.secure.0)
}

const FOR: &str = "x-forwarded-for";

#[test]
fn headers_of_strangers_say_nothing() {
    for lines in [
        &[(FOR, "10.0.0.1")][..],
        &[(FOR, "192.0.2.1"), ("x-forwarded-proto", "https")],
        &[("forwarded", "for=10.0.0.1;proto=https")],
        &[("x-real-ip", "10.0.0.1"), ("cf-connecting-ip", "10.0.0.1"), ("true-client-ip", "10.0.0.1")],
    ] {
        assert_eq!(arrival("203.0.113.9", lines), (Some("203.0.113.9".into()), false), "{lines:?}");
        assert_eq!(arrival("2001:db8:2::1", lines), (Some("2001:db8:2::1".into()), false), "{lines:?}");
    }
}

#[test]
fn the_asker_is_the_nearest_that_is_no_proxy_of_ours() {
    for (lines, expected) in [
        (&[][..], Some("10.0.0.1")),
        (&[(FOR, "203.0.113.9")], Some("203.0.113.9")),
        // What the caller itself wrote stands before what our proxy added.
        (&[(FOR, "10.9.9.9, 203.0.113.9")], Some("203.0.113.9")),
        (&[(FOR, "10.9.9.9"), (FOR, "203.0.113.9")], Some("203.0.113.9")),
        (&[(FOR, "127.0.0.1,198.51.100.1,203.0.113.9 , 10.0.0.7,10.0.0.8")], Some("203.0.113.9")),
        (&[(FOR, "10.0.0.6, 10.0.0.7")], Some("10.0.0.6")),
        (&[(FOR, "203.0.113.9:4711")], Some("203.0.113.9")),
        (&[(FOR, "2001:db8:9::1")], Some("2001:db8:9::1")),
        (&[(FOR, "[2001:db8:9::1]:443")], Some("2001:db8:9::1")),
        (&[(FOR, "[2001:db8:9::1]")], Some("2001:db8:9::1")),
        // IPv4 in IPv6 is what it is: a proxy of ours, or a caller.
        (&[(FOR, "203.0.113.9, ::ffff:10.0.0.7")], Some("203.0.113.9")),
        (&[(FOR, "::ffff:203.0.113.9")], Some("203.0.113.9")),
        (&[("forwarded", "for=203.0.113.9;proto=http;by=10.0.0.1")], Some("203.0.113.9")),
        (&[("forwarded", "For=\"[2001:db8:9::1]:4711\", for=10.0.0.7")], Some("2001:db8:9::1")),
        (&[("forwarded", "for=10.9.9.9"), ("forwarded", "by=x;FOR=\"203.0.113.9:80\"")], Some("203.0.113.9")),
        (&[("forwarded", "for=203.0.113.9"), (FOR, "203.0.113.9")], Some("203.0.113.9")),
    ] {
        assert_eq!(arrival("10.0.0.1", lines).0.as_deref(), expected, "{lines:?}");
    }
    // The proxy's own address may come in either form.
    assert_eq!(arrival("::ffff:10.0.0.1", &[(FOR, "203.0.113.9")]).0.as_deref(), Some("203.0.113.9"));
}

/// A token that is for 10.0.0.0/8 must not become usable because nobody knows who asks.
#[test]
fn what_cannot_be_told_is_nobody_rather_than_the_proxy() {
    let thousands = "10.0.0.2,".repeat(10_000) + "10.0.0.3";
    let led = "203.0.113.1,".repeat(5_000) + &"10.0.0.2,".repeat(40) + "10.0.0.3";
    for lines in [
        &[(FOR, "unknown")][..],
        &[(FOR, "")],
        &[(FOR, "10.0.0.7,")],
        &[(FOR, "10.0.0.7, _hidden")],
        &[(FOR, "203.0.113.9, 10.0.0.300")],
        &[(FOR, "0x0a000001")],
        &[(FOR, "10.1")],
        &[(FOR, "203.0.113.9 10.0.0.1")],
        &[(FOR, "[10.0.0.1")],
        &[(FOR, &thousands)],
        &[(FOR, &led)],
        &[("forwarded", "for=unknown")],
        &[("forwarded", "proto=https")],
        &[("forwarded", "for=\"10.0.0.1")],
        &[("forwarded", ";;;=")],
        // Two headers that differ: one of them is the caller's own.
        &[("forwarded", "for=10.0.0.7"), (FOR, "203.0.113.9")],
        &[("forwarded", "for=203.0.113.9"), (FOR, "10.0.0.7")],
    ] {
        assert_eq!(arrival("10.0.0.1", lines).0, None, "{:?}", lines[0].1.get(..40));
    }
    let many = "10.9.9.9,".repeat(10_000) + "203.0.113.9";
    assert_eq!(arrival("10.0.0.1", &[(FOR, &many)]).0.as_deref(), Some("203.0.113.9"));
}

#[test]
fn the_scheme_is_that_of_the_nearest_proxy() {
    for (lines, expected) in [
        (&[("x-forwarded-proto", "https")][..], true),
        (&[("x-forwarded-proto", "HTTPS")], true),
        (&[("x-forwarded-proto", "http, https")], true),
        (&[("x-forwarded-proto", "https, http")], false),
        (&[("x-forwarded-proto", "https,")], false),
        (&[("x-forwarded-proto", "javascript")], false),
        (&[("forwarded", "for=203.0.113.9;proto=https")], true),
        (&[("forwarded", "for=203.0.113.9;proto=http")], false),
    ] {
        assert_eq!(arrival("10.0.0.1", lines).1, expected, "{lines:?}");
    }
}

#[test]
fn without_a_setting_nobody_is_believed() {
    let mut headers = HeaderMap::new();
    headers.insert(FORWARDED_FOR, "203.0.113.9".parse().unwrap());
    let peer = Peer::of("127.0.0.1".parse().unwrap());
    let expected = Arrival { peer: Some(peer), secure: Secure(true) };
    assert_eq!(Proxies::default().arrival(peer, Secure(true), &headers), expected);
    assert_eq!(read_proxies("loopback").unwrap().len(), 2);
    assert_eq!(read_proxies("10.0.0.1").unwrap()[0].prefix_len(), 32);
    assert!(read_proxies("10.0.0.0/33").is_none() && read_proxies("proxy").is_none());
}
