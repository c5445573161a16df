//! A whole answer for a caller: what its stream would have ended with.
//!
//! Enters: an [`Answer`]. Leaves: a response object. Never: a second way of saying what the encoder says.

use serde_json::{Map, Value};

use super::encode::Encoder;
use crate::chat::{Answer, Event, Losses, unfold};
use crate::dialect::chat::Telling;

pub(super) fn answer(answer: &Answer, telling: &Telling, losses: &mut Losses) -> Map<String, Value> {
    let mut encoder = Encoder::silent(telling.clone());
    // Before the text they belong to has ended, as they come in a stream.
    let (mut first, rest): (Vec<_>, Vec<_>) = unfold(answer.clone()).into_iter().partition(is_first);
    first.extend(rest);
    first.into_iter().for_each(|event| encoder.take(event, losses));
    encoder.into_response()
}

fn is_first(event: &Event) -> bool {
    matches!(event, Event::Start { .. } | Event::Logprobs { .. })
}
