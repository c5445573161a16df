//! The head of a request, with its path cut into the segments that choose a surface, a gateway and a provider.
//!
//! Enters: a request line and headers. Leaves: named parts of the path, as they were received. Never: decodes or normalises the rest of the path:
//! a provider hears its own escapes.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, Method};
use tollgate_model::Peer;
use tollgate_model::gateway::DEFAULT_ID;

use crate::surface::{Host, Surface, compat, native, rest, universal};

#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) parts: Parts,
    surface: &'static Surface,
    cut: Cut,
    peer: Option<IpAddr>,
    /// Known from the host name instead.
    place: Option<Box<Place>>,
}

/// Whose requests come under a host name of their own.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) account: Arc<str>,
    pub(crate) gateway: Arc<str>,
}

/// Where in the path and query each part stands.
#[derive(Clone)]
struct Cut {
    account: Range<usize>,
    gateway: Range<usize>,
    provider: Range<usize>,
    rest: Range<usize>,
}

const ROOT: &str = "/v1/";
/// Names a gateway on the REST API, where the path has no place for it.
const GATEWAY_ID: &str = "cf-aig-gateway-id";

/// Whether a path belongs to the data plane. Everything else is the control plane's.
pub(crate) fn is_ours(path: &str) -> bool {
    path.starts_with(ROOT) || cut_rest(path).is_some()
}

impl Head {
    /// Of a path that [`is_ours`].
    pub(crate) fn read(parts: Parts, peer: Option<Peer>) -> Self {
        let text = path_of(&parts);
        let (surface, cut) = match text.starts_with(ROOT) {
            true => cut(text),
            false => cut_rest(text).unwrap_or_else(|| cut(text)),
        };
        Self { surface, cut, parts, peer: peer.map(|peer| peer.0), place: None }
    }

    /// Of any path below a custom domain, which stands for `/v1/{account}/{gateway}`: providers' own APIs and `compat`, nothing else.
    pub(crate) fn read_below(parts: Parts, peer: Option<Peer>, place: Place) -> Self {
        let (surface, cut) = cut_below(path_of(&parts));
        Self { surface, cut, parts, peer: peer.map(|peer| peer.0), place: Some(Box::new(place)) }
    }

    /// Where the request comes from, if that can be told.
    pub(crate) fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    fn text(&self) -> &str {
        path_of(&self.parts)
    }

    pub(crate) fn surface(&self) -> &'static Surface {
        self.surface
    }

    pub(crate) fn account(&self) -> &str {
        self.place.as_ref().map_or_else(|| &self.text()[self.cut.account.clone()], |place| &place.account)
    }

    pub(crate) fn gateway(&self) -> &str {
        if let Some(place) = &self.place {
            return &place.gateway;
        }
        match self.surface.host {
            Host::Gateway => &self.text()[self.cut.gateway.clone()],
            Host::Rest => {
                let named = self.headers().get(GATEWAY_ID).and_then(|value| value.to_str().ok()).map(str::trim);
                named.filter(|id| !id.is_empty()).unwrap_or(DEFAULT_ID)
            }
        }
    }

    /// Empty for the universal endpoint, and on the REST API.
    pub(crate) fn provider(&self) -> &str {
        &self.text()[self.cut.provider.clone()]
    }

    /// What follows the provider segment: path without its leading slash, and query. On the REST API: the model in the path.
    pub(crate) fn rest(&self) -> &str {
        &self.text()[self.cut.rest.clone()]
    }

    /// All of it, as it was received.
    pub(crate) fn path_and_query(&self) -> &str {
        path_of(&self.parts)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(crate) fn method(&self) -> &Method {
        &self.parts.method
    }
}

fn cut(text: &str) -> (&'static Surface, Cut) {
    let path_end = text.find('?').unwrap_or(text.len());
    let start = ROOT.len().min(path_end);
    let account = segment(text, start, path_end);
    let gateway = segment(text, account.end + 1, path_end);
    let provider = segment(text, gateway.end + 1, path_end);
    let rest = after(provider.end, path_end)..text.len();
    let surface = match &text[provider.clone()] {
        "" => &universal::ROW,
        compat::SEGMENT => compat::row(&text[rest.start..path_end.max(rest.start)]),
        _ => &native::ROW,
    };
    (surface, Cut { account, gateway, provider, rest })
}

fn cut_below(text: &str) -> (&'static Surface, Cut) {
    let path_end = text.find('?').unwrap_or(text.len());
    let provider = segment(text, 1, path_end);
    let rest = after(provider.end, path_end)..text.len();
    let surface = match &text[provider.clone()] {
        "" => &compat::NOWHERE,
        compat::SEGMENT => compat::row(&text[rest.start..path_end.max(rest.start)]),
        _ => &native::ROW,
    };
    (surface, Cut { account: 0..0, gateway: 0..0, provider, rest })
}

fn cut_rest(text: &str) -> Option<(&'static Surface, Cut)> {
    let path = text.strip_prefix(rest::ROOT)?.split('?').next().unwrap_or_default();
    let (account, below) = path.split_once('/')?;
    let (surface, model) = rest::row(below)?;
    let start = rest::ROOT.len();
    let account = start..start + account.len();
    let nothing = account.end..account.end;
    let model = match below.find(model) {
        Some(at) if !model.is_empty() => account.end + 1 + at..account.end + 1 + at + model.len(),
        _ => nothing.clone(),
    };
    Some((surface, Cut { account, gateway: nothing.clone(), provider: nothing, rest: model }))
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
    use crate::surface::{CHAT, COUNT_TOKENS, Call, MESSAGES, RESPONSES};

    fn head(path: &str) -> Head {
        Head::read(http::Request::post(path).body(()).unwrap().into_parts().0, None)
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
            ("/client/v4/accounts/a/ai/v1/messages?beta=true", ["a", "default", "", ""]),
            ("/client/v4/accounts/a/ai/run/@cf/meta/llama?x=/run/", ["a", "default", "", "@cf/meta/llama"]),
            ("/client/v4/accounts/a/ai/run", ["a", "default", "", ""]),
        ] {
            let head = head(path);
            assert_eq!([head.account(), head.gateway(), head.provider(), head.rest()], expected, "{path}");
        }
    }

    #[test]
    fn below_a_custom_domain_a_path_begins_with_the_provider() {
        for (path, call, expected) in [
            ("/openai/v1/chat/completions?x=1", Call::Native, ["openai", "v1/chat/completions?x=1"]),
            ("/compat/chat/completions", Call::Unified(CHAT), ["compat", "chat/completions"]),
            ("/compat/files", Call::Nowhere, ["compat", "files"]),
            ("/", Call::Nowhere, ["", ""]),
            ("/?x=/openai/", Call::Nowhere, ["", "?x=/openai/"]),
            ("//openai/v1", Call::Nowhere, ["", "openai/v1"]),
            // Neither another gateway nor the REST API is reached from here: these are names of providers that do not exist.
            ("/v1/a/other/openai/v1/models", Call::Native, ["v1", "a/other/openai/v1/models"]),
            ("/client/v4/accounts/a/ai/run", Call::Native, ["client", "v4/accounts/a/ai/run"]),
        ] {
            let place = Place { account: "mine".into(), gateway: "own".into() };
            let head = Head::read_below(http::Request::post(path).body(()).unwrap().into_parts().0, None, place);
            assert_eq!((head.account(), head.gateway()), ("mine", "own"), "{path}");
            assert_eq!([head.provider(), head.rest()], expected, "{path}");
            assert_eq!(head.surface().call, call, "{path}");
        }
    }

    #[test]
    fn a_path_belongs_to_one_surface() {
        for (path, call) in [
            ("/v1/a/g/openai/v1/chat/completions", Call::Native),
            ("/v1/a/g/compat/chat/completions?x", Call::Unified(CHAT)),
            ("/v1/a/g/compat//v1/chat/completions/", Call::Unified(CHAT)),
            ("/v1/a/g/compat/responses", Call::Unified(RESPONSES)),
            ("/v1/a/g/compat/v1/models", Call::Models),
            ("/v1/a/g/compat/files", Call::Nowhere),
            ("/v1/a/g/compat", Call::Nowhere),
            ("/v1/a/g", Call::Universal),
            ("/v1/a/g/?x", Call::Universal),
            ("/client/v4/accounts/a/ai/v1/chat/completions", Call::Unified(CHAT)),
            ("/client/v4/accounts/a/ai/v1/v1/messages", Call::Unified(MESSAGES)),
            ("/client/v4/accounts/a/ai/v1/messages/count_tokens", Call::Unified(COUNT_TOKENS)),
            ("/client/v4/accounts/a/ai/run/openai/gpt-5", Call::Run),
            ("/client/v4/accounts/a/ai/run/", Call::Run),
        ] {
            assert_eq!(head(path).surface().call, call, "{path}");
        }
    }

    #[test]
    fn the_rest_of_the_rest_api_is_the_control_planes() {
        for path in [
            "/client/v4/accounts/a/ai-gateway/gateways",
            "/client/v4/accounts/a/ai/",
            "/client/v4/accounts/a/ai/models/search",
            "/client/v4/accounts/ai/v1/messages",
            "/client/v4/accounts/a/x/ai/v1/messages",
            "/client/v4/user/tokens/verify",
            "/",
        ] {
            assert!(!is_ours(path), "{path}");
        }
    }
}
