//! OpenAI's completions, the API before chat.
//!
//! Enters: `POST /v1/completions`. Leaves: `text_completion` objects, whole or streamed. Never: calls tools.

use serde_json::{Value, json};

use super::chat::usage;
use super::read::{self, needs_model, strings};
use crate::ask::{Ask, Last};
use crate::script::{Event, Order, Spoken, Wrong};
use crate::speech::{Finish, pieces, tokens};

pub(super) fn answer(order: &Order) -> Result<Spoken, Wrong> {
    let body = order.body;
    let ask = read(order)?;
    let (speeches, tally) = read::speeches(order, &ask)?;
    let finish = |finish: &Finish| if *finish == Finish::Length { "length" } else { "stop" };
    let head = json!({
        "id": order.id("cmpl-", 0, 29), "object": "text_completion", "created": order.dials.created, "model": order.model,
    });
    let choice = |index: u64, text: &str, finish: Option<&str>| json!({"text": text, "index": index, "logprobs": null, "finish_reason": finish});
    if !ask.stream {
        let mut whole = head;
        let choices =
            (0..).zip(&speeches).map(|(index, speech)| choice(index, &speech.text, Some(finish(&speech.finish))));
        whole["choices"] = choices.collect();
        if order.dials.usage {
            whole["usage"] = usage(tally);
        }
        return Ok(Spoken::json(&whole, tally.output));
    }
    let usage_asked = order.dials.usage && body["stream_options"]["include_usage"] == true;
    let chunks = order.dials.chunks;
    let last = usage_asked.then(|| {
        let mut chunk = head.clone();
        (chunk["choices"], chunk["usage"]) = (json!([]), usage(tally));
        Event::data(&chunk, 0)
    });
    let events = (0_u64..).zip(speeches).flat_map(move |(index, speech)| {
        let head = head.clone();
        let ended = [(String::new(), 0, Some(finish(&speech.finish)))];
        let cuts = pieces(&speech.text, chunks);
        let words = cuts
            .into_iter()
            .map(move |cut| (speech.text[cut.clone()].to_owned(), tokens(&speech.text[cut]).max(1), None));
        words.chain(ended).map(move |(text, tokens, finish)| {
            let mut chunk = head.clone();
            chunk["choices"] = json!([choice(index, &text, finish)]);
            if usage_asked {
                chunk["usage"] = Value::Null;
            }
            Event::data(&chunk, tokens)
        })
    });
    Ok(Spoken::events(events.chain(last).chain([Event::bare("data: [DONE]\n\n")])))
}

/// Several prompts get one answer each, times `n`.
fn read(order: &Order) -> Result<Ask, Wrong> {
    needs_model(order)?;
    let prompt = match &order.body["prompt"] {
        Value::Null => return Err(Wrong::missing("prompt")),
        prompt => prompt,
    };
    let texts = strings(prompt);
    let prompts = if prompt.is_array() { texts.len().max(1) as u64 } else { 1 };
    Ok(Ask {
        input_tokens: texts.iter().map(|text| tokens(text)).sum(),
        last: Last::Said(texts.join(" ")),
        stops: strings(&order.body["stop"]),
        tokens_max: order.body["max_tokens"].as_u64(),
        answers: order.body["n"].as_u64().unwrap_or(1).saturating_mul(prompts),
        stream: order.body["stream"] == true,
        ..Ask::default()
    })
}
