//! The head of a request, with its path cut into the segments that choose a gateway and a provider.
//!
//! Enters: a request line and headers. Leaves: named parts of the path, as they were received. Never: decodes or normalises the rest of the path:
//! a provider hears its own escapes.

use std::ops::Range;

use http::request::Parts;
use http::{HeaderMap, Method};

pub(crate) struct Head {
    pub(crate) parts: Parts,
    account: Range<usize>,
    gateway: Range<usize>,
    provider: Range<usize>,
    rest: Range<usize>,
}

const ROOT: &str = "/v1/";

/// Whether a path belongs to the data plane. Everything else is the control plane's.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with(ROOT)
}

impl Head {
    pub(crate) fn read(parts: Parts) -> Self {
        let text = path_of(&parts);
        let path_end = text.find('?').unwrap_or(text.len());
        let start = ROOT.len().min(path_end);
        let account = segment(text, start, path_end);
        let gateway = segment(text, account.end + 1, path_end);
        let provider = segment(text, gateway.end + 1, path_end);
        let rest = after(provider.end, path_end)..text.len();
        Self { account, gateway, provider, rest, parts }
    }

    fn text(&self) -> &str {
        path_of(&self.parts)
    }

    pub(crate) fn account(&self) -> &str {
        &self.text()[self.account.clone()]
    }

    pub(crate) fn gateway(&self) -> &str {
        &self.text()[self.gateway.clone()]
    }

    /// Empty for the universal endpoint.
    pub(crate) fn provider(&self) -> &str {
        &self.text()[self.provider.clone()]
    }

    /// What follows the provider segment: path without its leading slash, and query.
    pub(crate) fn rest(&self) -> &str {
        &self.text()[self.rest.clone()]
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(crate) fn method(&self) -> &Method {
        &self.parts.method
    }
}

fn path_of(parts: &Parts) -> &str {
    parts.uri.path_and_query().map_or("/", |path| path.as_str())
}

fn segment(text: &str, start: usize, end: usize) -> Range<usize> {
    let start = start.min(end);
    let length = text[start..end].find('/').unwrap_or(end - start);
    start..start + length
}

/// Past the slash, when there is one.
fn after(position: usize, end: usize) -> usize {
    if position < end { position + 1 } else { position }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn head(path: &str) -> Head {
        Head::read(http::Request::post(path).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_path_names_account_gateway_provider_and_the_rest() {
        for (path, expected) in [
            ("/v1/a/g/openai/v1/chat/completions?x=1", ["a", "g", "openai", "v1/chat/completions?x=1"]),
            ("/v1/a/g/openai/", ["a", "g", "openai", ""]),
            ("/v1/a/g/openai", ["a", "g", "openai", ""]),
            ("/v1/a/g/openai?key=1", ["a", "g", "openai", "?key=1"]),
            (
                "/v1/a/g/aws-bedrock/bedrock-runtime/r//model/x%3A0/invoke",
                ["a", "g", "aws-bedrock", "bedrock-runtime/r//model/x%3A0/invoke"],
            ),
            ("/v1/a/g", ["a", "g", "", ""]),
            ("/v1/a/g/", ["a", "g", "", ""]),
            ("/v1/a", ["a", "", "", ""]),
            ("/v1/", ["", "", "", ""]),
            ("/v1/?q=/a/b", ["", "", "", "?q=/a/b"]),
        ] {
            let head = head(path);
            assert_eq!([head.account(), head.gateway(), head.provider(), head.rest()], expected, "{path}");
        }
    }
}
