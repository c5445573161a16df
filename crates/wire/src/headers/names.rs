//! The names of headers that do not go on.
//!
//! Enters: a header's name, in lower case. Leaves: whether a table holds it. Never: allocates: this runs for each header of each message.

/// Names, and beginnings of names.
pub(super) struct Names {
    whole: &'static [&'static str],
    begun: &'static [&'static str],
    /// First bytes of all of them. Most headers are none of ours and are let go after one look.
    first: [bool; 256],
}

pub(super) static REQUEST: Names = Names::new(
    &[
        "connection",
        "content-length",
        "cookie",
        // Answered by the gateway, which reads the body itself.
        "expect",
        "forwarded",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "true-client-ip",
        "upgrade",
        "x-real-ip",
    ],
    &["cf-", "proxy-", "sec-websocket-", "tollgate-", "x-forwarded-"],
);

pub(super) static RESPONSE: Names = Names::new(
    &[
        // About the provider's origin; the caller would take it for the gateway's.
        "alt-svc",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-connection",
        "set-cookie",
        "set-cookie2",
        "strict-transport-security",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ],
    &["cf-aig-", "tollgate-"],
);

// === impl Names ===

impl Names {
    const fn new(whole: &'static [&'static str], begun: &'static [&'static str]) -> Self {
        Self { whole, begun, first: with_firsts(with_firsts([false; 256], whole), begun) }
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        let is_likely = name.bytes().next().is_some_and(|byte| self.first[byte as usize]);
        is_likely && (self.whole.contains(&name) || self.begun.iter().any(|begun| name.starts_with(begun)))
    }
}

const fn with_firsts(mut first: [bool; 256], names: &[&str]) -> [bool; 256] {
    let mut at = 0;
    while at < names.len() {
        first[names[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    first
}
