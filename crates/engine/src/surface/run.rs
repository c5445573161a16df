//! `POST .../ai/run`: a model and its input, wrapped in an object, now or in the background.
//!
//! Enters: `{model, input, options}`, or a model in the path and its input. Leaves: a question in the dialect that the input is written in, and the
//! job if it is one. Never: guesses a shape: an input that no dialect begins like is refused.
//!
//! Workers AI's models have inputs of their own and answer in an envelope of their own: they are passed on (data-plane specification, section 1.5).

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tollgate_model::Refusal;
use tollgate_rules::naming::{Named, Naming, resolve};
use tollgate_rules::snapshot::Snapshot;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::edit::set;
use tollgate_wire::provider::{Origin, ProviderRow, Use};

use super::universal::{self, Listed};
use super::{Asked, CHAT, EMBEDDINGS, GENERATE, MESSAGES, RESPONSES};

/// What was ordered, and how it is delivered.
pub(crate) struct Order {
    pub(crate) what: Ordered,
    /// `None`: as the answer.
    pub(crate) job: Option<Job>,
}

pub(crate) enum Ordered {
    Question(Asked, Bytes),
    /// Passed on as it is.
    Native(Listed),
}

/// The caller does not wait.
pub(crate) struct Job {
    pub(crate) webhook: Option<Webhook>,
}

/// Where the result is told, once.
pub(crate) struct Webhook {
    pub(crate) origin: Origin,
    pub(crate) path_and_query: String,
    /// For a chat room: the result as text.
    pub(crate) as_text: bool,
}

#[derive(Deserialize)]
struct Raw<'a> {
    model: String,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(default)]
    options: Wishes,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wishes {
    background: bool,
    webhook_url: Option<String>,
    webhook_format: Option<String>,
}

/// `in_path`: the model that the path names; empty when the body does.
pub(crate) fn read(snapshot: &Snapshot, in_path: &str, body: &Bytes, headers: &HeaderMap) -> Result<Order, Refusal> {
    if !in_path.is_empty() {
        let model = percent_decode_str(in_path).decode_utf8_lossy();
        let what = ordered(snapshot, &model, body.clone(), headers)?;
        return Ok(Order { what, job: None });
    }
    let raw: Raw<'_> = serde_json::from_slice(body)
        .map_err(|cause| Refusal::bad_request(format!("request body: expected model and input, {cause}")))?;
    let input = Bytes::copy_from_slice(raw.input.get().as_bytes());
    let job = raw.options.job()?;
    Ok(Order { what: ordered(snapshot, &raw.model, input, headers)?, job })
}

fn ordered(snapshot: &Snapshot, model: &str, input: Bytes, headers: &HeaderMap) -> Result<Ordered, Refusal> {
    let named = resolve(&snapshot.providers, &snapshot.aliases, Naming::Rest, model);
    let row = match named.ok_or_else(|| Refusal::no_model(model))? {
        Named::Model { row, model } => match row.is_bare(&model) {
            true => return Ok(Ordered::Native(native(&row, &model, input, headers))),
            false => Some(row),
        },
        // As on the live service: routes are for the chat endpoints.
        Named::Route(_) => return Err(Refusal::no_route()),
        Named::Auto => None,
    };
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_slice(&input)
        .map_err(|cause| Refusal::bad_request(format!("input: expected an object, {cause}")))?;
    let asked = shape(row.as_deref(), model, &members)?;
    let body = set(&input, "model", model).map_err(|bad| Refusal::bad_request(bad.to_string()))?;
    Ok(Ordered::Question(asked, body.into_owned().into()))
}

fn native(row: &ProviderRow, model: &str, input: Bytes, headers: &HeaderMap) -> Listed {
    Listed {
        provider: row.segment().to_owned(),
        endpoint: format!("run/{model}"),
        headers: universal::without_credentials(headers),
        body: input,
    }
}

/// In which dialect the input is written: Anthropic's models take their own, everybody else's chat is OpenAI's.
fn shape(row: Option<&ProviderRow>, model: &str, members: &BTreeMap<String, IgnoredAny>) -> Result<Asked, Refusal> {
    let native = row.and_then(|row| row.reaches(Use::Chat, model).next()).map(|reach| reach.dialect);
    let embeds = row.is_some_and(|row| row.reaches(Use::Embeddings, model).next().is_some());
    let has = |name: &str| members.contains_key(name);
    match () {
        () if has("contents") => Ok(GENERATE),
        () if has("messages") && native == Some(Dialect::AnthropicMessages) => Ok(MESSAGES),
        () if has("messages") => Ok(CHAT),
        () if has("input") && embeds && model.contains("embed") => Ok(EMBEDDINGS),
        () if has("input") => Ok(RESPONSES),
        () => Err(Refusal::bad_request("input: expected `messages`, `input` or `contents`, found none of them")),
    }
}

// === impl Wishes ===

impl Wishes {
    fn job(self) -> Result<Option<Job>, Refusal> {
        let bad = |said: &str| Err(Refusal::bad_request(format!("options.{said}")));
        let as_text = match self.webhook_format.as_deref() {
            None | Some("raw") => false,
            Some("chat") => true,
            Some(_) => return bad("webhookFormat: expected raw or chat"),
        };
        match (self.background, self.webhook_url, self.webhook_format) {
            (false, Some(_), _) => bad("webhookUrl: only with background: true"),
            (_, None, Some(_)) => bad("webhookFormat: only with webhookUrl"),
            (false, None, None) => Ok(None),
            (true, None, None) => Ok(Some(Job { webhook: None })),
            (true, Some(url), _) => match Origin::of_https(&url) {
                Ok((origin, path_and_query)) => {
                    Ok(Some(Job { webhook: Some(Webhook { origin, path_and_query, as_text }) }))
                }
                Err(cause) => bad(&format!("webhookUrl: {cause}")),
            },
        }
    }
}

/// The answer of a model in the envelope of this surface.
pub(crate) fn enveloped(answer: &[u8]) -> Vec<u8> {
    const BEFORE: &[u8] = br#"{"success":true,"errors":[],"messages":[],"result":{"state":"Completed","result":"#;
    const AFTER: &[u8] = br#","gatewayMetadata":{"keySource":"BYOK"}}}"#;
    [BEFORE, answer, AFTER].concat()
}

/// What the caller of a background job hears at once.
pub(crate) fn receipt(id: &str) -> Bytes {
    format!(r#"{{"success":true,"errors":[],"messages":[],"result":{{"id":"{id}","state":"Queued"}}}}"#).into()
}
