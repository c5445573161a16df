//! 500 URLs that lead inward: none of them is connected to.

use std::time::Duration;

use tollgate_dial::{Dialer, Resolver, Speaks, TlsRoots};
use tollgate_wire::provider::Origin;

use crate::script::{Ear, OK, Scripted, client, egress, get};

const URLS: &str = include_str!("../../../../tests/ssrf/urls.txt");

const NAMES: &[(&str, &[&[&str]])] = &[
    ("loopback6.test", &[&["::1"]]),
    ("private10.test", &[&["10.0.0.1"]]),
    ("private172.test", &[&["172.16.0.1"]]),
    ("private192.test", &[&["192.168.1.1"]]),
    ("linklocal.test", &[&["169.254.1.1"]]),
    ("metadata.test", &[&["169.254.169.254"]]),
    ("metadata6.test", &[&["fd00:ec2::254"]]),
    ("unspecified.test", &[&["0.0.0.0"]]),
    ("unspecified6.test", &[&["::"]]),
    ("mapped.test", &[&["::ffff:127.0.0.1"]]),
    ("nat64.test", &[&["64:ff9b::7f00:1"]]),
    ("sixtofour.test", &[&["2002:7f00:1::"]]),
    ("cgnat.test", &[&["100.64.0.1"]]),
    ("multicast.test", &[&["224.0.0.1"]]),
    ("ula.test", &[&["fd00::1"]]),
    ("broadcast.test", &[&["255.255.255.255"]]),
    ("mixed.test", &[&["8.8.8.8", "127.0.0.1"]]),
    ("mixed6.test", &[&["2606:4700::1111", "::1"]]),
    ("mixed-last.test", &[&["8.8.8.8", "1.1.1.1", "9.9.9.9", "10.0.0.1"]]),
    ("empty.test", &[&[]]),
];

fn urls(port: u16) -> impl Iterator<Item = String> {
    let lines = URLS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(move |line| line.replace("{port}", &port.to_string()))
}

/// On every address of this machine.
async fn ears() -> Vec<Ear> {
    let four = Ear::at("0.0.0.0:0", OK).await.unwrap();
    let six = Ear::at(&format!("[::1]:{}", four.address.port()), OK).await;
    [Some(four), six].into_iter().flatten().collect()
}

#[tokio::test]
async fn no_url_of_the_corpus_is_connected_to() {
    let ears = ears().await;
    let port = ears[0].address.port();
    let asked = Scripted::new(NAMES, &["127.0.0.1"]);
    let client = client(&egress(&[]), Resolver::Given(asked.clone()));
    let mut tried = 0;
    for url in urls(port) {
        if let Some(outcome) = get(&client, &url).await {
            assert!(outcome.is_err(), "{url:?} was answered");
        }
        tried += 1;
    }
    assert!(tried >= 400, "{tried}");
    assert!(asked.asked.lock().unwrap().len() > 20, "names were not even resolved");
    assert_eq!(ears.iter().map(Ear::connections).sum::<usize>(), 0);
}

/// The data plane dials origins that were made elsewhere, perhaps without the strict reading of URLs: every host of the corpus is tried bare.
#[tokio::test]
async fn no_host_of_the_corpus_is_dialed() {
    let ears = ears().await;
    let port = ears[0].address.port();
    for resolver in [Resolver::Given(Scripted::new(NAMES, &["127.0.0.1"])), Resolver::System] {
        let dialer =
            Dialer::new(egress(&[]), TlsRoots::System, resolver.clone(), Speaks::Both, Duration::from_secs(10));
        for url in urls(port) {
            let Some((_, rest)) = url.split_once("://") else { continue };
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let host = authority.strip_suffix(&format!(":{port}")).unwrap_or(authority);
            // The system's resolver is asked about numbers only: it answers them without a network.
            let is_numeric =
                !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_hexdigit() || b"xX.:[]".contains(&byte));
            if matches!(resolver, Resolver::System) && !is_numeric {
                continue;
            }
            let origin = Origin { scheme: "http".to_owned(), host: host.to_owned(), port };
            assert!(dialer.dial(&origin).await.is_err(), "{url:?}");
        }
    }
    assert_eq!(ears.iter().map(Ear::connections).sum::<usize>(), 0);
}

/// The test above proves nothing unless the same ears hear what is permitted.
#[tokio::test]
async fn what_is_opened_is_connected_to() {
    let ears = ears().await;
    let port = ears[0].address.port();
    let open = egress(&["127.0.0.0/8", "::1/128"]);
    let client = client(&open, Resolver::Given(Scripted::new(&[], &["127.0.0.1"])));
    let mut expected = 0;
    for url in [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://vllm:{port}/",
    ] {
        let url = url.replace("{port}", &port.to_string());
        assert_eq!(get(&client, &url).await.unwrap().unwrap().body().as_ref(), b"ok", "{url}");
        expected += 1;
    }
    // As far as the handshake, which fails: the ear does not speak TLS.
    assert!(get(&client, &format!("https://models.example:{port}/")).await.unwrap().is_err());
    assert_eq!(ears[0].connections(), expected + 1);
}
