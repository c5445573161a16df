//! One request as it was heard: what the scripts decide by, and what the recorder keeps.
//!
//! Enters: a parsed head and, later, the body. Leaves: look-ups by name and path.
//! Never: normalises: order, case and repetition of headers stay as sent, because tests ask for exactly that.

use bytes::Bytes;

#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// As on the request line, query and all.
    pub target: String,
    /// In the order sent, spelled as sent.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Without chunk framing.
    pub body: Bytes,
    /// The minor version: 0 or 1.
    pub minor: u8,
    /// Number of the connection it came on, from 1.
    pub connection: u64,
}

impl Request {
    /// The first value of a header, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_values(name).next().and_then(|value| std::str::from_utf8(value).ok())
    }

    pub fn header_values<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// True when a header's name begins like this.
    pub(crate) fn has_header_like(&self, start: &str) -> bool {
        self.headers
            .iter()
            .any(|(name, _)| name.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start)))
    }

    /// The path without the query, also of a target in absolute form.
    pub fn path(&self) -> &str {
        let target = self.target.split(['?', '#']).next().unwrap_or("");
        let Some((_, rest)) = target.split_once("://") else { return target };
        rest.find('/').map_or("/", |slash| &rest[slash..])
    }

    /// The raw value of a query parameter.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
    }

    /// True when the caller means this to be the last request on its connection.
    pub(crate) fn wants_close(&self) -> bool {
        let said = |word: &str| {
            self.header_values("connection").any(|value| {
                value.split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
            })
        };
        said("close") || (self.minor == 0 && !said("keep-alive"))
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn path_and_query_of_every_form_of_target() {
        for (target, path, alt) in [
            ("/v1/models", "/v1/models", None),
            (
                "/v1beta/models/m:streamGenerateContent?key=k&alt=sse",
                "/v1beta/models/m:streamGenerateContent",
                Some("sse"),
            ),
            ("http://host:80/v1/chat?alt=", "/v1/chat", Some("")),
            ("http://host", "/", None),
        ] {
            let request = Request { target: target.to_owned(), ..Request::default() };
            assert_eq!((request.path(), request.query("alt")), (path, alt), "{target}");
        }
    }
}
