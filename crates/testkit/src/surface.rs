//! The sandbox's APIs: one row each.
//!
//! Enters: a request. Leaves: the row that answers it, and the model when the path names it.
//! Never: reads a body; the rows' functions do.

mod anthropic;
mod chat;
mod cohere;
mod completions;
mod embeddings;
mod gemini;
mod media;
mod models;
mod ollama;
mod read;
mod responses;

use crate::http::request::Request;
use crate::script::manner::Manner::{self, Anthropic, Cohere, Gemini, Ollama, OpenAi, Responses};
use crate::script::{Order, Spoken, Wrong};

pub(crate) struct Surface {
    pub(crate) method: &'static str,
    /// Behind `/v1`, or with `{model}` behind the last `/models/`.
    path: &'static str,
    /// How the name of a header that must be there begins: three APIs share `/v1/models`.
    header: Option<&'static str>,
    pub(crate) manner: Manner,
    pub(crate) answer: fn(&Order) -> Result<Spoken, Wrong>,
}

const SURFACES: &[Surface] = &[
    post("/chat/completions", OpenAi, chat::answer),
    post("/completions", OpenAi, completions::answer),
    post("/responses", Responses, responses::answer),
    post("/embeddings", OpenAi, embeddings::answer),
    post("/images/generations", OpenAi, media::image),
    post("/audio/speech", OpenAi, media::speech),
    post("/messages", Anthropic, anthropic::answer),
    post("/messages/count_tokens", Anthropic, anthropic::count),
    post("{model}:generateContent", Gemini, gemini::whole),
    post("{model}:streamGenerateContent", Gemini, gemini::stream),
    post("{model}:countTokens", Gemini, gemini::count),
    post("{model}:embedContent", Gemini, gemini::embed),
    post("{model}:batchEmbedContents", Gemini, gemini::embed_batch),
    post("/v2/chat", Cohere, cohere::answer),
    post("/api/chat", Ollama, ollama::answer),
    get("/v1/models", Anthropic, models::anthropic).told_by("anthropic-version"),
    get("/v1/models/{model}", Anthropic, models::anthropic).told_by("anthropic-version"),
    get("/v1/models", Gemini, models::gemini).told_by("x-goog-api-"),
    get("/v1/models/{model}", Gemini, models::gemini).told_by("x-goog-api-"),
    get("/v1/models", OpenAi, models::openai),
    get("/v1/models/{model}", OpenAi, models::openai),
    get("/v1beta/models", Gemini, models::gemini),
    get("/v1beta/models/{model}", Gemini, models::gemini),
];

const fn post(path: &'static str, manner: Manner, answer: fn(&Order) -> Result<Spoken, Wrong>) -> Surface {
    Surface { method: "POST", path, header: None, manner, answer }
}

const fn get(path: &'static str, manner: Manner, answer: fn(&Order) -> Result<Spoken, Wrong>) -> Surface {
    Surface { method: "GET", path, header: None, manner, answer }
}

// === impl Surface ===

impl Surface {
    const fn told_by(self, header: &'static str) -> Self {
        Self { header: Some(header), ..self }
    }
}

/// The row for a request, and the model that its path names (empty when the body does).
pub(crate) fn find(request: &Request) -> Option<(&'static Surface, &str)> {
    // HEAD is GET without the body (RFC 9110, 9.3.2); the writer leaves the body out.
    let method = if request.method == "HEAD" { "GET" } else { &request.method };
    let open = |surface: &&Surface| {
        surface.method == method && surface.header.is_none_or(|name| request.has_header_like(name))
    };
    SURFACES.iter().filter(open).find_map(|surface| Some((surface, fits(surface.path, request.path())?)))
}

fn fits<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    match pattern.split_once("{model}") {
        None if ["/v1", "/v2", "/api"].iter().any(|root| pattern.starts_with(root)) => (path == pattern).then_some(""),
        None => (path.strip_prefix("/v1").unwrap_or(path) == pattern).then_some(""),
        // Any version before it, and Vertex's project and location as well.
        Some(("", verb)) => path.rsplit_once("/models/")?.1.strip_suffix(verb).filter(|model| !model.is_empty()),
        Some((before, _)) => path.strip_prefix(before).filter(|model| !model.is_empty() && !model.contains('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_path() {
        for (line, found) in [
            ("POST /v1/chat/completions", Some(("/chat/completions", ""))),
            ("POST /chat/completions?x=1", Some(("/chat/completions", ""))),
            ("GET /v1/chat/completions", None),
            ("POST /v1/messages/count_tokens", Some(("/messages/count_tokens", ""))),
            (
                "POST /v1beta/models/sandbox-1:cut=2:generateContent",
                Some(("{model}:generateContent", "sandbox-1:cut=2")),
            ),
            (
                "POST /v1/projects/p/locations/l/publishers/google/models/m:countTokens",
                Some(("{model}:countTokens", "m")),
            ),
            ("POST /v1beta/models/:generateContent", None),
            ("POST /v2/chat", Some(("/v2/chat", ""))),
            ("POST /api/chat", Some(("/api/chat", ""))),
            ("HEAD /v1/models", Some(("/v1/models", ""))),
            ("GET /v1/models/sandbox-1", Some(("/v1/models/{model}", "sandbox-1"))),
            ("GET /v1beta/models/m", Some(("/v1beta/models/{model}", "m"))),
            ("POST /", None),
        ] {
            let (method, target) = line.split_once(' ').expect("two words");
            let request = Request { method: method.to_owned(), target: target.to_owned(), ..Request::default() };
            assert_eq!(find(&request).map(|(surface, model)| (surface.path, model)), found, "{line}");
        }
    }
}
