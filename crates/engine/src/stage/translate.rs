//! The question in the provider's words.
//!
//! Enters: a question, a dialect, a model. Leaves: a body, and what it takes to turn the answer back. Never: loses a field in silence: what
//! cannot be said is in the ledger, or, when the caller is strict, refuses the request.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tollgate_model::Refusal;
use tollgate_model::record::Lost;
use tollgate_wire::chat::Losses;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::dialect::chat::Telling;
use tollgate_wire::embed::Embed;
use tollgate_wire::translation::Translation;

use crate::books::Books;
use crate::edge;
use crate::gate::{Gate, Held};
use crate::stage::plan::Step;
use crate::stage::plan::question::{Question, bad_field, in_words_of};
use crate::turned::{Turned, Unturned};

/// What an answer is turned back by.
pub(crate) struct Turn {
    pub(crate) tongue: Tongue,
    /// What the question lost.
    pub(crate) losses: Losses,
}

pub(crate) enum Tongue {
    Chat { translation: Translation, telling: Telling, streamed: bool },
    Embed { caller: &'static dyn Embed, provider: &'static dyn Embed, base64: bool },
}

/// Whether both can be put into each other's words.
pub(crate) fn is_possible(caller: Dialect, provider: Dialect) -> bool {
    let chat = caller.chat().is_some() && provider.chat().is_some();
    chat || (caller.embed().is_some() && provider.embed().is_some())
}

pub(crate) fn question(
    question: &mut Question,
    provider: Dialect,
    model: &str,
    strict: bool,
) -> Result<(Bytes, Turn), Refusal> {
    let caller = question.asked.dialect;
    let mut losses = Losses::default();
    let (body, tongue) = match (caller.chat(), provider.chat()) {
        (Some(caller), Some(provider)) => {
            let request = question.form()?;
            request.model.clear();
            request.model.push_str(model);
            let telling = Telling { stream_usage: request.settings.stream_usage == Some(true), ..Telling::default() };
            let translation = Translation { caller, provider };
            let body = translation.request(request, &mut losses);
            (body, Tongue::Chat { translation, telling, streamed: request.stream })
        }
        _ => embed(question, provider, model, &mut losses)?,
    };
    if strict && !losses.is_empty() {
        return Err(refused(caller, &losses));
    }
    Ok((body, Turn { tongue, losses }))
}

fn embed(question: &Question, provider: Dialect, model: &str, losses: &mut Losses) -> Result<(Bytes, Tongue), Refusal> {
    let dialect = question.asked.dialect;
    let (Some(caller), Some(provider)) = (dialect.embed(), provider.embed()) else {
        return Err(Refusal::internal().because("a translation was begun that is not possible"));
    };
    let mut request = caller.read_request(&question.body).map_err(|bad| bad_field(dialect, bad))?;
    model.clone_into(&mut request.model);
    let (inputs, most) = (request.inputs.len(), provider.inputs_max());
    if inputs > most {
        let said = format!("input: expected at most {most} at this provider, found {inputs}");
        return Err(in_words_of(dialect, said, Some("input".to_owned())));
    }
    let base64 = request.base64 == Some(true);
    let body = provider.write_request(&request, losses).into();
    Ok((body, Tongue::Embed { caller, provider, base64 }))
}

/// What turns the answer of this step, once its head is known; `None` when it passes as it is. Cached head and followers' head are told of what
/// the question lost; what the answer loses, only the one who asked first can hear.
pub(crate) fn turned(
    gate: &Gate,
    step: &mut Step,
    status: u16,
    headers: &HeaderMap,
    books: &Books,
) -> Result<Option<Turned>, Refusal> {
    let caller = step.told();
    let Some(mut turn) = step.foreign.as_mut().and_then(|foreign| foreign.turn.take()) else { return Ok(None) };
    if let Tongue::Chat { telling, .. } = &mut turn.tongue {
        telling.id = books.id().to_string();
        telling.created = books.started_ms() / 1_000;
    }
    let held = Held::new(gate.shared.clone());
    let turned = Turned::new(caller, turn, status, headers, gate.shared.limits.hold_bytes_max, held);
    turned.map(Some).map_err(|Unturned(cause)| Refusal::upstream_failed().because(cause))
}

/// Each field by its path and what would become of it.
fn refused(caller: Dialect, losses: &Losses) -> Refusal {
    let fields: Vec<String> =
        spelled(caller, losses).map(|(place, kind, note)| format!("{place}: {kind} ({note})")).collect();
    let first = spelled(caller, losses).next().map(|(place, ..)| place);
    let more = if losses.more() > 0 { format!("; and {} more", losses.more()) } else { String::new() };
    let said = format!("the target cannot say everything that was asked: {}{more}", fields.join("; "));
    in_words_of(caller, said, first)
}

/// The ledger in the caller's words.
pub(crate) fn spelled(caller: Dialect, losses: &Losses) -> impl Iterator<Item = (String, &'static str, &str)> {
    let place = move |loss: &tollgate_wire::chat::Loss| match (caller.chat(), &loss.place) {
        (Some(chat), place) => chat.place(place),
        (None, tollgate_wire::chat::Place::Extra(name)) => name.clone(),
        (None, place) => format!("{place:?}"),
    };
    losses.entries().iter().map(move |loss| (place(loss), loss.kind.word(), &*loss.note))
}

pub(crate) fn recorded(caller: Dialect, losses: &Losses) -> Vec<Lost> {
    let lost = |(field, kind, why): (String, &str, &str)| Lost { field, kind: kind.to_owned(), why: why.to_owned() };
    spelled(caller, losses).map(lost).collect()
}

/// A longer list is cut, and says how many entries it lacks.
const HEADER_BYTES_MAX: usize = 1024;

/// The short list, on the way to the caller.
pub(crate) fn tell_losses(caller: Dialect, losses: &Losses, headers: &mut HeaderMap) {
    if let Some(list) = header(caller, losses) {
        headers.insert(edge::LOSS, list);
    }
}

/// The short list for a header; `None` when nothing was lost.
fn header(caller: Dialect, losses: &Losses) -> Option<HeaderValue> {
    let all = losses.entries().len() + losses.more() as usize;
    let mut text = String::new();
    let mut told = 0;
    for (field, kind, _) in spelled(caller, losses) {
        if text.len() + field.len() + kind.len() > HEADER_BYTES_MAX - 32 {
            break;
        }
        let separator = if text.is_empty() { "" } else { ", " };
        text.push_str(&format!("{separator}{};{kind}", field.escape_default()));
        told += 1;
    }
    if told < all {
        text.push_str(&format!("{}and;{}", if told > 0 { ", " } else { "" }, all - told));
    }
    (all > 0).then(|| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("unspeakable")))
}

/// The body with another model's name in it, every other byte kept.
pub(crate) fn named(body: &Bytes, model: &str) -> Result<Bytes, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| Refusal::bad_request("request body: expected UTF-8"))?;
    let places = places(text).map_err(|cause| Refusal::bad_request(format!("request body: {cause}")))?;
    let fresh = serde_json::Value::from(model).to_string();
    if places.iter().all(|place| text[place.clone()] == fresh) {
        return Ok(body.clone());
    }
    let mut out = BytesMut::with_capacity(body.len() + fresh.len());
    let mut at = 0;
    for place in places {
        out.extend_from_slice(&body[at..place.start]);
        out.extend_from_slice(fresh.as_bytes());
        at = place.end;
    }
    out.extend_from_slice(&body[at..]);
    Ok(out.freeze())
}

/// Where the values of `model` stand at the top level. Of a member that is there twice readers take one or the other, so all of them count.
fn places(text: &str) -> serde_json::Result<Vec<Range<usize>>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let found = reader.deserialize_map(Models { begin: text.as_ptr().addr() })?;
    reader.end()?;
    Ok(found)
}

struct Models {
    begin: usize,
}

impl<'de> Visitor<'de> for Models {
    type Value = Vec<Range<usize>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut places = Vec::with_capacity(1);
        while let Some(name) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if name != "model" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &'de RawValue = map.next_value()?;
            let start = value.get().as_ptr().addr() - self.begin;
            places.push(start..start + value.get().len());
        }
        Ok(places)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_models_name_changes() {
        for (body, expected) in [
            (r#"{"model":"a/b","x":1.50}"#, r#"{"model":"m\"","x":1.50}"#),
            (
                r#" { "x" : {"model":"a"} , "model" :  "a" , "model":null} "#,
                r#" { "x" : {"model":"a"} , "model" :  "m\"" , "model":"m\""} "#,
            ),
            (r#"{"mod\u0065l":"a"}"#, r#"{"mod\u0065l":"m\""}"#),
        ] {
            assert_eq!(named(&Bytes::from_static(body.as_bytes()), "m\"").unwrap(), expected);
        }
        let same = Bytes::from_static(br#"{"model":"m"}"#);
        assert_eq!(named(&same, "m").unwrap().as_ptr(), same.as_ptr(), "nothing is copied when nothing changes");
        assert!(named(&Bytes::from_static(b"[]"), "m").is_err());
        assert!(named(&Bytes::from_static(br#"{"model":"a"} x"#), "m").is_err());
    }
}
