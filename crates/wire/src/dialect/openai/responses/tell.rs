//! A whole answer for a caller: what its stream would have ended with.
//!
//! Enters: an [`Answer`]. Leaves: a response object. Never: a second way of saying what the encoder says.

use serde_json::{Map, Value};

use super::encode::Encoder;
use crate::chat::{Answer, Losses, unfold};
use crate::dialect::chat::Telling;

pub(super) fn answer(answer: &Answer, telling: &Telling, losses: &mut Losses) -> Map<String, Value> {
    let mut encoder = Encoder::silent(telling.clone());
    for event in unfold(answer.clone()) {
        encoder.take(event, losses);
    }
    encoder.into_response()
}
