//! Gemini's stream, in its two framings.
//!
//! Enters: `:streamGenerateContent`. Leaves: `data:` events when `alt=sse` is asked, else one JSON array in pieces.
//! Never: ends by a marker: the end of the body is the end, and the last piece has a `finishReason`.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{ask, candidate, parts, response, usage};
use crate::script::{Event, Order, Spoken, Wrong};
use crate::speech::{Finish, Speech, Tally, pieces, tokens};
use crate::surface::read;

pub(in crate::surface) fn stream(order: &Order) -> Result<Spoken, Wrong> {
    let ask = ask::read(order.body)?;
    let (speeches, tally) = read::speeches(order, &ask)?;
    let template = response(order, Vec::new(), tally);
    let chunks = order.dials.chunks;
    let steps = (0_u64..).zip(speeches).flat_map(move |(index, speech)| {
        steps(speech, chunks).map(move |(parts, tokens, finish)| (candidate(index, parts, finish.as_ref()), tokens))
    });
    let mut said = tally.reasoning;
    let values = steps.map(move |(candidate, tokens)| {
        let mut value = template.clone();
        said += tokens;
        // Each piece repeats the usage so far: only the last one's is true.
        if let Some(so_far) = value.get_mut("usageMetadata").filter(|_| candidate["finishReason"].is_null()) {
            *so_far = usage(Tally { output: said, ..tally });
        }
        value["candidates"] = json!([candidate]);
        (value, tokens)
    });
    Ok(if order.request.query("alt") == Some("sse") { sse(values) } else { array(values) })
}

type Step = (Vec<Value>, u64, Option<Finish>);

/// The parts of each event; the last carries how it ended.
fn steps(speech: Speech, chunks: Option<u32>) -> Box<dyn Iterator<Item = Step> + Send> {
    if !speech.calls.is_empty() {
        return Box::new(std::iter::once((parts(&speech), 1, Some(speech.finish))));
    }
    let cuts = pieces(&speech.text, chunks);
    let count = cuts.len();
    if count == 0 {
        return Box::new(std::iter::once((parts(&speech), 0, Some(speech.finish))));
    }
    Box::new(cuts.into_iter().enumerate().map(move |(at, cut)| {
        let finish = (at + 1 == count).then(|| speech.finish.clone());
        let text = &speech.text[cut];
        (vec![json!({ "text": text })], tokens(text).max(1), finish)
    }))
}

/// Google ends its lines with CR LF.
fn sse(values: impl Iterator<Item = (Value, u64)> + Send + 'static) -> Spoken {
    let events = values.map(|(value, tokens)| Event { bytes: format!("data: {value}\r\n\r\n").into(), tokens });
    Spoken::Stream { content_type: "text/event-stream", events: Box::new(events) }
}

fn array(values: impl Iterator<Item = (Value, u64)> + Send + 'static) -> Spoken {
    let events = values.enumerate().map(|(at, (value, tokens))| {
        let before = if at == 0 { "[" } else { ",\r\n" };
        Event { bytes: format!("{before}{value}").into(), tokens }
    });
    let end = Event { bytes: Bytes::from_static(b"\n]\n"), tokens: 0 };
    Spoken::Stream { content_type: "application/json; charset=UTF-8", events: Box::new(events.chain([end])) }
}
