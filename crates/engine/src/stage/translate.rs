//! The question in the provider's words.
//!
//! Enters: a question, a dialect, a model. Leaves: a body, and what it takes to turn the answer back. Never: loses a field in silence: what
//! cannot be said is in the ledger, or, when the caller is strict, refuses the request.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
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
use crate::turned::{self, Turned, Unturned};

/// What an answer is turned back by.
pub(crate) enum Tongue {
    Chat {
        translation: Translation,
        telling: Telling,
        streamed: bool,
    },
    Embed {
        caller: &'static dyn Embed,
        provider: &'static dyn Embed,
        base64: bool,
    },
    /// Both speak the same: only an envelope is put around it.
    Same,
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
    losses: &mut Losses,
) -> Result<(Bytes, Tongue), Refusal> {
    let (Some(caller), Some(provider)) = (question.asked.dialect.chat(), provider.chat()) else {
        return embed(question, provider, model, losses);
    };
    let request = question.form()?;
    request.model.clear();
    request.model.push_str(model);
    let telling = Telling::of(request);
    let translation = Translation { caller, provider };
    let body = translation.request(request, losses);
    Ok((body, Tongue::Chat { translation, telling, streamed: request.stream }))
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
    let Some(foreign) = &mut step.foreign else { return Ok(None) };
    // What is told piece by piece, or is an error, has no envelope.
    let enveloped = foreign.enveloped && (200..300).contains(&status) && !turned::is_stream(headers);
    let same = || enveloped.then_some(Tongue::Same);
    let Some(mut tongue) = foreign.tongue.take().or_else(same) else { return Ok(None) };
    let losses = std::mem::take(&mut foreign.losses);
    if let Tongue::Chat { telling, .. } = &mut tongue {
        telling.id = books.id().to_string();
        telling.created = books.started_ms() / 1_000;
    }
    let held = Held::new(gate.shared.clone());
    let turned =
        Turned::new((caller, tongue, losses), enveloped, status, headers, gate.shared.limits.hold_bytes_max, held);
    turned.map(Some).map_err(|Unturned(cause)| Refusal::upstream_failed().because(cause))
}

/// Each field by its path and what would become of it.
pub(crate) fn refused(caller: Dialect, losses: &Losses) -> Refusal {
    let fields: Vec<String> =
        spelled(caller, losses).map(|(place, kind, note)| format!("{place}: {kind} ({note})")).collect();
    let grave = losses.refusal().map(|loss| loss.kind.word());
    let first =
        spelled(caller, losses).find(|(_, kind, _)| grave.is_none_or(|grave| grave == *kind)).map(|(place, ..)| place);
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
