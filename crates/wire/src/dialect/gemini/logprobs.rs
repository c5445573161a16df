//! Probabilities of tokens, between Google's shape and the form's (which is OpenAI's).
//!
//! Enters: `logprobsResult`, or the form's object. Leaves: the other of the two. Never: a token's number, which means nothing elsewhere.

use serde_json::{Map, Value, json};

pub(super) fn read(result: &Value) -> Option<Value> {
    let chosen = result.get("chosenCandidates")?.as_array()?;
    let tops = result.get("topCandidates").and_then(Value::as_array);
    let content: Vec<Value> = chosen
        .iter()
        .enumerate()
        .map(|(at, candidate)| {
            let others = tops.and_then(|tops| tops.get(at)?.get("candidates")?.as_array());
            let mut token = token(candidate);
            let others: Vec<Value> =
                others.into_iter().flatten().map(|other| Value::Object(self::token(other))).collect();
            token.insert("top_logprobs".into(), others.into());
            Value::Object(token)
        })
        .collect();
    Some(json!({"content": content}))
}

fn token(candidate: &Value) -> Map<String, Value> {
    let token = candidate.get("token").and_then(Value::as_str).unwrap_or_default();
    let mut members = Map::new();
    members.insert("token".into(), token.into());
    members.insert("logprob".into(), candidate.get("logProbability").cloned().unwrap_or_default());
    members.insert("bytes".into(), token.as_bytes().into());
    members
}

/// And whether it says all there was.
pub(super) fn write(logprobs: &Value) -> (Value, bool) {
    let content = logprobs.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut complete = logprobs.get("refusal").is_none_or(Value::is_null);
    let mut candidate = |token: &Value| {
        let text = token.get("token").and_then(Value::as_str).unwrap_or_default();
        complete &= token.get("bytes").is_none_or(|bytes| *bytes == Value::from(text.as_bytes()));
        json!({"token": text, "logProbability": token.get("logprob")})
    };
    let chosen: Vec<Value> = content.iter().map(&mut candidate).collect();
    let tops: Vec<Value> = content
        .iter()
        .map(|token| {
            let others = token.get("top_logprobs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            json!({"candidates": others.iter().map(&mut candidate).collect::<Vec<_>>()})
        })
        .collect();
    (json!({"chosenCandidates": chosen, "topCandidates": tops}), complete)
}
