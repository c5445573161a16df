//! What cannot be read in one way only is refused, and the provider never hears a request that nobody made.
//!
//! Each case is written byte by byte. `@` stands for the case's own path, `!` for that of a request that might be smuggled in with it.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;
use tollgate_testkit::plan::Plan as Answer;

use crate::raw::Raw;
use crate::town::{Plan, Town, town};

/// How many requests of a case are served. The others are refused, or the connection is closed.
type Case = (&'static str, &'static str, usize);

const SMUGGLED: &str = "POST ! HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";

const CASES: &[Case] = &[
    // Good ones, so that the rest proves something.
    ("length", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 1),
    ("chunks", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 1),
    (
        "chunks in upper case",
        "POST @ HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: Chunked\r\n\r\nA\r\n{       }\n\r\n0\r\n\r\n",
        1,
    ),
    ("an extension", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0;x\r\n\r\n", 1),
    ("a trailer", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: y\r\n\r\n", 1),
    ("no body", "GET @ HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("length zero", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1),
    ("blank lines before", "\r\n\r\nGET @ HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    ("absolute form", "GET http://a@ HTTP/1.1\r\nHost: a\r\n\r\n", 1),
    (
        "one after the other",
        "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}POST ! HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
        2,
    ),
    ("HTTP/1.0", "POST @ HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", 1),
    ("space around a value", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: \t2 \t\r\n\r\n{}", 1),
    ("an address as host", "GET @ HTTP/1.1\r\nHost: [::1]:8787\r\n\r\n", 1),
    // Length and chunks.
    (
        "both, length first",
        "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        0,
    ),
    (
        "both, chunks first",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        0,
    ),
    (
        "both, in odd case",
        "POST @ HTTP/1.1\r\nHost: a\r\ncOnTeNt-LeNgTh: 4\r\ntRaNsFeR-eNcOdInG: cHuNkEd\r\n\r\n0\r\n\r\n",
        0,
    ),
    (
        "both, length zero",
        "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n~",
        0,
    ),
    (
        "both, far apart",
        "POST @ HTTP/1.1\r\nContent-Length: 3\r\nHost: a\r\nX: y\r\nZ: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n~",
        0,
    ),
    (
        "both and a request behind",
        "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n~",
        0,
    ),
    (
        "both in GET",
        "GET @ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n~",
        0,
    ),
    (
        "both, underscore in one",
        "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer_Encoding: chunked\r\n\r\n{}",
        0,
    ),
    (
        "both, underscore in the other",
        "POST @ HTTP/1.1\r\nHost: a\r\nContent_Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        0,
    ),
    // Lengths.
    ("twice the same", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("twice and different", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}~", 0),
    ("zero and more", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n~", 0),
    ("a list of the same", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n{}", 0),
    ("a list", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2,40\r\n\r\n{}~", 0),
    ("with plus", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}", 0),
    ("with minus", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\n{}", 0),
    ("minus zero", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\n~", 0),
    ("hexadecimal", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\n{}", 0),
    ("letters", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2a\r\n\r\n{}", 0),
    ("with a space inside", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2 2\r\n\r\n{}", 0),
    ("empty", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n{}", 0),
    ("exponent", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2e0\r\n\r\n{}", 0),
    ("decimal", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2.0\r\n\r\n{}", 0),
    ("beyond 64 bits", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551618\r\n\r\n{}", 0),
    ("in quotes", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: \"2\"\r\n\r\n{}", 0),
    ("digits of another script", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: \u{0662}\r\n\r\n{}", 0),
    ("underscore", "POST @ HTTP/1.1\r\nHost: a\r\nContent_Length: 2\r\n\r\n{}", 0),
    // Transfer codings.
    ("unknown coding", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0),
    ("identity", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n~", 0),
    ("chunked is not last", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 0),
    ("gzip behind", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 0),
    ("gzip before", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 0),
    ("chunked twice", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 0),
    (
        "two lines",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        0,
    ),
    (
        "two lines, one identity",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        0,
    ),
    (
        "two lines, one nonsense",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n",
        0,
    ),
    ("empty coding", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", 0),
    ("a parameter", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 0),
    ("in quotes", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 0),
    ("a vertical tab", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 0),
    ("a leading comma", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 0),
    ("a NUL behind", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n", 0),
    ("space before the colon", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 0),
    ("space before the name", "POST @ HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0),
    ("chunks in HTTP/1.0", "POST @ HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0),
    ("a name with a line feed", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer\n-Encoding: chunked\r\n\r\n0\r\n\r\n", 0),
    // Lines.
    ("a folded line", "POST @ HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("a folded coding", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 0),
    ("a folded length", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\t2\r\n\r\n{}", 0),
    ("line feeds only", "POST @ HTTP/1.1\nHost: a\nContent-Length: 2\n\n{}", 0),
    ("line feeds only, no body", "GET @ HTTP/1.1\nHost: a\n\n", 0),
    ("one line feed", "POST @ HTTP/1.1\r\nHost: a\nContent-Length: 2\r\n\r\n{}", 0),
    ("a line feed at the end", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\n{}", 0),
    ("a line feed in the request line", "POST @ HTTP/1.1\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 0),
    (
        "hidden behind a line feed",
        "POST @ HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        0,
    ),
    ("a bare carriage return", "POST @ HTTP/1.1\r\nHost: a\r\nX: a\rb\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("carriage returns only", "POST @ HTTP/1.1\rHost: a\rContent-Length: 2\r\r{}", 0),
    ("two carriage returns", "POST @ HTTP/1.1\r\nHost: a\r\r\nContent-Length: 2\r\n\r\n{}", 0),
    (
        "hidden behind a carriage return",
        "POST @ HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 40\r\nContent-Length: 2\r\n\r\n{}",
        0,
    ),
    ("no colon", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length 2\r\n\r\n{}", 0),
    ("no name", "POST @ HTTP/1.1\r\nHost: a\r\n: 2\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("a tab before the colon", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length\t: 2\r\n\r\n{}", 0),
    ("a NUL in a value", "POST @ HTTP/1.1\r\nHost: a\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("a NUL in a name", "POST @ HTTP/1.1\r\nHost: a\r\nX\0: b\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("a bell", "POST @ HTTP/1.1\r\nHost: a\r\nX: \x07\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("a delete", "POST @ HTTP/1.1\r\nHost: a\r\nX: \x7f\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("brackets in a name", "POST @ HTTP/1.1\r\nHost: a\r\nX(y): z\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("a letter beyond ASCII in a name", "POST @ HTTP/1.1\r\nHost: a\r\nContent-L\u{0117}ngth: 2\r\nX: y\r\n\r\n{}", 0),
    // Request lines.
    ("HTTP/0.9", "GET @\r\n\r\n", 0),
    ("HTTP/0.9 with a body", "POST @\r\nContent-Length: 2\r\n\r\n{}", 0),
    ("HTTP/1.2", "GET @ HTTP/1.2\r\nHost: a\r\n\r\n", 0),
    ("HTTP/2.0 in words", "GET @ HTTP/2.0\r\nHost: a\r\n\r\n", 0),
    ("HTTP/9.9", "GET @ HTTP/9.9\r\nHost: a\r\n\r\n", 0),
    ("version in lower case", "GET @ http/1.1\r\nHost: a\r\n\r\n", 0),
    ("version with a zero", "GET @ HTTP/01.1\r\nHost: a\r\n\r\n", 0),
    ("no version digits", "GET @ HTTP/\r\nHost: a\r\n\r\n", 0),
    ("two spaces", "GET  @ HTTP/1.1\r\nHost: a\r\n\r\n", 0),
    ("a tab for a space", "GET\t@\tHTTP/1.1\r\nHost: a\r\n\r\n", 0),
    ("a space in the path", "GET @ x HTTP/1.1\r\nHost: a\r\n\r\n", 0),
    ("something behind the version", "GET @ HTTP/1.1 x\r\nHost: a\r\n\r\n", 0),
    ("no slash", "GET v1/acc/g/openai HTTP/1.1\r\nHost: a\r\n\r\n", 0),
    ("no method", " @ HTTP/1.1\r\nHost: a\r\n\r\n", 0),
    ("a colon in the method", "GET: @ HTTP/1.1\r\nHost: a\r\n\r\n", 0),
    ("a NUL in the path", "GET @\0 HTTP/1.1\r\nHost: a\r\n\r\n", 0),
    ("asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0),
    // Not for us, and so refused; then the connection still speaks HTTP.
    ("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n~", 1),
    ("a request line and no more", "GET\r\n\r\n", 0),
    ("not HTTP", "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03", 0),
    ("an answer", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0),
    // Hosts.
    ("no host", "GET @ HTTP/1.1\r\n\r\n", 0),
    ("two hosts", "GET @ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 0),
    ("twice the same host", "GET @ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 0),
    ("a path in the host", "GET @ HTTP/1.1\r\nHost: a/b\r\n\r\n", 0),
    ("a query in the host", "GET @ HTTP/1.1\r\nHost: a?b\r\n\r\n", 0),
    ("a fragment in the host", "GET @ HTTP/1.1\r\nHost: a#b\r\n\r\n", 0),
    ("a user in the host", "GET @ HTTP/1.1\r\nHost: u@a\r\n\r\n", 0),
    ("a space in the host", "GET @ HTTP/1.1\r\nHost: a b\r\n\r\n", 0),
    ("a comma in the host", "GET @ HTTP/1.1\r\nHost: a, b\r\n\r\n", 0),
    ("a backslash in the host", "GET @ HTTP/1.1\r\nHost: a\\b\r\n\r\n", 0),
    ("space before the colon of the host", "GET @ HTTP/1.1\r\nHost : a\r\n\r\n", 0),
    // Chunks.
    ("a size of letters", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 0),
    ("a size with plus", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n", 0),
    ("a size with minus", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", 0),
    ("a size with 0x", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", 0),
    (
        "a size with underscore",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0_2\r\n{}\r\n0\r\n\r\n",
        0,
    ),
    ("no size", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n", 0),
    (
        "a size beyond 64 bits",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
        0,
    ),
    ("line feeds in chunks", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n", 0),
    (
        "a line feed after a size",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
        0,
    ),
    (
        "a line feed in an extension",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n",
        0,
    ),
    (
        "a chunk longer than its size",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{} \r\n0\r\n\r\n",
        0,
    ),
    (
        "no line end behind a chunk",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n",
        0,
    ),
    (
        "a carriage return behind a chunk",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r0\r\n\r\n",
        0,
    ),
    ("a chunk that breaks off", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}", 0),
    ("no last chunk", "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 0),
    (
        "a trailer that is no header",
        "POST @ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nno colon\r\n\r\n",
        0,
    ),
    // Behind a good request.
    ("garbage behind", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}\x01\x02garbage\r\n\r\n", 1),
    ("a surplus behind", "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}{}\r\n\r\n", 1),
    (
        "a broken one behind",
        "POST @ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}POST ! HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        1,
    ),
    ("one without host behind", "GET @ HTTP/1.1\r\nHost: a\r\n\r\nGET ! HTTP/1.1\r\n\r\n", 1),
    (
        "one behind Connection: close",
        "POST @ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}~",
        1,
    ),
    ("one behind HTTP/1.0", "POST @ HTTP/1.0\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}~", 1),
];

fn paths(number: usize) -> (String, String) {
    (format!("/v1/acc/g/openai/v1/case-{number}"), format!("/v1/acc/g/openai/v1/smuggled-{number}"))
}

/// All that comes until the gateway closes or falls silent.
async fn answers(town: &Town, request: Vec<u8>) -> String {
    let mut raw = Raw::to(town).await;
    raw.say(request).await;
    let mut heard = Vec::new();
    // Longer than the gateway waits for a body.
    while let Ok(Ok(1..)) = tokio::time::timeout(Duration::from_millis(2_500), raw.0.read_buf(&mut heard)).await {}
    String::from_utf8_lossy(&heard).into_owned()
}

fn strict() -> Plan {
    Plan::default().limited(|limits| limits.body_idle = Duration::from_millis(300)).served(|serving| {
        serving.head_timeout = Duration::from_millis(700);
    })
}

/// What was answered to each case, and how often the provider heard of it.
async fn all(town: &std::sync::Arc<Town>, cases: Vec<Vec<u8>>) -> Vec<(String, usize)> {
    town.provider.on("*", "*", |_| Answer::json(200, "{}"));
    let mut talking = JoinSet::new();
    for (number, case) in cases.into_iter().enumerate() {
        let town = town.clone();
        talking.spawn(async move { (number, answers(&town, case).await) });
    }
    let mut answers = talking.join_all().await;
    answers.sort_unstable();
    town.at_rest().await;
    let heard = town.provider.recorder().all();
    let mentions = |number: usize| {
        let ends = [format!("/v1/case-{number}"), format!("/v1/smuggled-{number}")];
        heard.iter().filter(|heard| ends.contains(&heard.request.target)).count()
    };
    assert_eq!((0..answers.len()).map(mentions).sum::<usize>(), heard.len(), "the provider heard what nobody asked");
    answers.into_iter().map(|(number, answer)| (answer, mentions(number))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_hears_exactly_the_requests_that_were_accepted() {
    let town = std::sync::Arc::new(town(strict()).await);
    let render = |(number, case): (usize, &Case)| {
        let (own, smuggled) = paths(number);
        let text = case.1.replace('~', SMUGGLED).replace('!', &smuggled);
        // Only the first is the path: the others are part of what is tested.
        text.replacen('@', &own, 1).into_bytes()
    };
    let answered = all(&town, CASES.iter().enumerate().map(render).collect()).await;
    assert!(CASES.len() >= 100, "{}", CASES.len());
    let mut wrong = Vec::new();
    for ((name, request, served), (answer, heard)) in CASES.iter().zip(&answered) {
        let accepted = answer.matches("HTTP/1.1 200 OK").count() + answer.matches("HTTP/1.0 200 OK").count();
        let statuses: Vec<_> =
            answer.match_indices("HTTP/1.").map(|(at, _)| answer[at + 9..at + 12].to_owned()).collect();
        let clean = statuses.iter().all(|status| status == "200" || status.starts_with('4'));
        if (accepted, *heard) != (*served, *served) || !clean {
            wrong.push(format!("{name}: {request:?}: answered {statuses:?}, heard {heard}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_have_bounds() {
    let town = std::sync::Arc::new(town(strict()).await);
    let head = |extra: &str| format!("GET /v1/acc/g/openai/v1/case-0 HTTP/1.1\r\nHost: a\r\n{extra}\r\n").into_bytes();
    let many = |count| (0..count).map(|number| format!("X-{number}: y\r\n")).collect::<String>();
    let answered = all(&town, vec![head(&many(99)), head(&format!("X: {}\r\n", "y".repeat(30_000)))]).await;
    assert!(answered.iter().all(|(answer, _)| answer.starts_with("HTTP/1.1 200 ")), "{answered:?}");
    town.provider.recorder().clear();
    let long = format!("GET /v1/acc/g/openai/v1/{} HTTP/1.1\r\nHost: a\r\n\r\n", "y".repeat(100_000)).into_bytes();
    let extension = format!(
        "POST /v1/acc/g/openai/v1/case-0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;{}\r\n{{}}\r\n0\r\n\r\n",
        "y".repeat(100_000)
    );
    let trailers = format!(
        "POST /v1/acc/g/openai/v1/case-0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n{}\r\n",
        many(10_000)
    );
    let bad = vec![
        head(&many(200)),
        head(&many(10_000)),
        head(&format!("X: {}\r\n", "y".repeat(100_000))),
        head(&format!("X: {}\r\n", "y".repeat(1_000_000))),
        long,
        extension.into_bytes(),
        trailers.into_bytes(),
    ];
    for (number, (answer, heard)) in all(&town, bad).await.into_iter().enumerate() {
        assert_eq!(heard, 0, "{number}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{number}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_in_pieces_is_judged_as_a_whole() {
    let town = std::sync::Arc::new(town(strict()).await);
    town.provider.on("*", "*", |_| Answer::json(200, "{}"));
    let both = "POST /v1/acc/g/openai/v1/case-0 HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX";
    for cut in [1, 20, 60, both.len() - 12] {
        let mut raw = Raw::to(&town).await;
        raw.say(&both[..cut]).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        raw.say(&both[cut..]).await;
        assert!(raw.rest().await.starts_with("HTTP/1.1 400 "), "cut at {cut}");
    }
    // The first part comes with an earlier request, the rest after its answer.
    let first = "GET /v1/acc/g/openai/v1/case-0 HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in [1, 20, 60, 80, both.len() - 12] {
        town.provider.recorder().clear();
        let mut raw = Raw::to(&town).await;
        raw.say(format!("{first}{}", &both[..cut])).await;
        raw.until("{}").await;
        raw.say(&both[cut..]).await;
        let heard = raw.rest().await;
        assert!(heard.starts_with("HTTP/1.1 400 ") && town.asked() == 1, "cut at {cut}: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_no_leaves_no_bytes_for_the_next_request() {
    let town = std::sync::Arc::new(town(strict()).await);
    town.provider.on("*", "*", |_| Answer::json(200, "{}"));
    let smuggled = "POST /v1/acc/g/openai/v1/smuggled-0 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    let refused = format!(
        "POST /v1/acc/nowhere/openai/v1/case-0 HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        smuggled.len()
    );
    for pause in [0, 30] {
        let mut raw = Raw::to(&town).await;
        raw.say(&refused).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        raw.say(smuggled).await;
        let heard = raw.until("2001").await;
        assert!(heard.starts_with("HTTP/1.1 400 "), "{heard}");
        raw.rest().await;
    }
    assert_eq!(town.asked(), 0, "a body was taken for a request");
}
