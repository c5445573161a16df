//! Cuts an absolute URL into scheme, host, port and path, strictly.
//!
//! Enters: text of a row, of the settings, or of a request's header. Leaves: its parts, or what is wrong.
//! Never: guesses. A form that two readers could understand differently (user names, backslashes, escapes in a host) is refused.

use std::net::Ipv6Addr;

use super::fault::{BadRow, quoted};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    pub(super) scheme: &'a str,
    /// May still hold `{holes}`. An IPv6 address keeps its brackets.
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    /// Without leading slashes, with its query.
    pub(super) rest: &'a str,
}

pub(super) const EXPECTED: &str = "write http(s)://host[:port][/path]";
/// Answered by the engine itself, without a connection.
const BUILTIN: &str = "builtin";

// === impl Url ===

impl<'a> Url<'a> {
    pub(super) fn cut(text: &'a str) -> Result<Self, BadRow> {
        let bad = |wrong: &str| BadRow::new("url", format!("{} {wrong}", quoted(text)), EXPECTED);
        let (scheme, left) = text.split_once("://").ok_or_else(|| bad("has no scheme"))?;
        if !matches!(scheme, "http" | "https" | BUILTIN) {
            return Err(bad("has a scheme that is not spoken here"));
        }
        if text.contains(|found: char| !found.is_ascii_graphic() || matches!(found, '\\' | '#')) {
            return Err(bad("holds a character that cannot stand in it"));
        }
        let (authority, rest) = left.split_at(left.find(['/', '?']).unwrap_or(left.len()));
        let (host, port) = cut_port(authority).ok_or_else(|| bad("has no valid port"))?;
        if !is_host(host) {
            return Err(bad("has no valid host"));
        }
        Ok(Self { scheme, host, port, rest: rest.trim_start_matches('/') })
    }

    pub(super) fn port_or_usual(&self) -> u16 {
        self.port.unwrap_or(match self.scheme {
            "https" => 443,
            BUILTIN => 0,
            _ => 80,
        })
    }
}

fn cut_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = authority.rfind(']').unwrap_or(0);
    let Some(colon) = authority[end..].find(':') else { return Some((authority, None)) };
    let (host, port) = authority.split_at(end + colon);
    let digits = port[1..].bytes().all(|byte| byte.is_ascii_digit());
    let port = port[1..].parse().ok().filter(|port| digits && *port != 0)?;
    Some((host, Some(port)))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'{' | b'}');
    !host.is_empty() && host.bytes().all(known) && !host.split('.').any(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Option<(&str, &str, u16, &str)> {
        Url::cut(text).ok().map(|url| (url.scheme, url.host, url.port_or_usual(), url.rest))
    }

    #[test]
    fn urls_are_cut() {
        assert_eq!(cut("https://api.openai.com/v1"), Some(("https", "api.openai.com", 443, "v1")));
        assert_eq!(cut("http://127.0.0.1:11434"), Some(("http", "127.0.0.1", 11434, "")));
        assert_eq!(cut("http://[::1]:8080/a/b?c"), Some(("http", "[::1]", 8080, "a/b?c")));
        assert_eq!(cut("http://my_service/"), Some(("http", "my_service", 80, "")));
        assert_eq!(cut("https://h?x"), Some(("https", "h", 443, "?x")));
        assert_eq!(cut("builtin://sandbox"), Some(("builtin", "sandbox", 0, "")));
    }

    #[test]
    fn doubtful_urls_are_refused() {
        for text in [
            "",
            "h",
            "//h",
            "ftp://h",
            "https:/h",
            "https://",
            "https:///x",
            "https://a@b",
            "https://a:b@c/",
            "https://h\\@e/",
            "https://h:0",
            "https://h:65536",
            "https://h:+80",
            "https://h:",
            "https://h:80:81",
            "https://a..b",
            "https://.a",
            "https://a.",
            "https://a b",
            "https://a%2eb",
            "https://é.example",
            "https://h/#f",
            "https://[::1",
            "https://[g]",
            "https://::1",
            "HTTPS://h",
            "https://h/\r\nx",
            "https://[::1]x:80",
        ] {
            assert_eq!(cut(text), None, "{text:?}");
        }
    }
}
