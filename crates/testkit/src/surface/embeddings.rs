//! OpenAI's embeddings.
//!
//! Enters: `POST /v1/embeddings`. Leaves: unit vectors, as numbers or in base64.
//! Never: understands anything, but texts that share words get vectors that point the same way, so that a search over them works.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::read::needs_model;
use crate::digest;
use crate::script::{Order, Spoken, Wrong};
use crate::speech::tokens;

const DIMENSIONS: u64 = 256;
const DIMENSIONS_MAX: u64 = 8_192;
/// Of all vectors in one answer.
const NUMBERS_MAX: u64 = 2_000_000;
/// OpenAI's own limit.
const INPUTS_MAX: usize = 2_048;
/// Each word moves this many coordinates.
const PER_WORD: u64 = 8;

pub(super) fn answer(order: &Order) -> Result<Spoken, Wrong> {
    needs_model(order)?;
    let inputs = inputs(&order.body["input"])?;
    let dimensions = order.body["dimensions"].as_u64().unwrap_or(DIMENSIONS);
    check_size(inputs.len(), dimensions)?;
    let base64 = order.body["encoding_format"] == "base64";
    let data = (0_u64..).zip(&inputs).map(|(index, input)| {
        let vector = vector(&input.text, dimensions)?;
        let embedding = if base64 { encoded(&vector) } else { numbers(&vector) };
        Ok(json!({"object": "embedding", "index": index, "embedding": embedding}))
    });
    let mut body =
        json!({"object": "list", "data": data.collect::<Result<Vec<Value>, Wrong>>()?, "model": order.model});
    if order.dials.usage {
        let count = order.dials.input.map_or_else(|| inputs.iter().map(|input| input.tokens).sum(), u64::from);
        body["usage"] = json!({"prompt_tokens": count, "total_tokens": count});
    }
    Ok(Spoken::json(&body, 0))
}

struct Input {
    text: String,
    tokens: u64,
}

/// A text, a list of texts, a list of token numbers, or a list of such lists.
fn inputs(value: &Value) -> Result<Vec<Input>, Wrong> {
    let said = |text: &str| Input { text: text.to_owned(), tokens: tokens(text) };
    let counted = |list: &[Value]| Input {
        text: list.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
        tokens: list.len() as u64,
    };
    match value {
        Value::Null => Err(Wrong::missing("input")),
        Value::String(text) => Ok(vec![said(text)]),
        Value::Array(list) if list.first().is_some_and(Value::is_number) => Ok(vec![counted(list)]),
        Value::Array(list) if (1..=INPUTS_MAX).contains(&list.len()) => list
            .iter()
            .map(|item| match item {
                Value::String(text) => Ok(said(text)),
                Value::Array(list) => Ok(counted(list)),
                _ => Err(Wrong { member: Some("input"), ..Wrong::new("'input' holds something that is no text") }),
            })
            .collect(),
        _ => Err(Wrong { member: Some("input"), ..Wrong::new("'input' must be a text or 1 to 2,048 texts") }),
    }
}

pub(super) fn check_size(inputs: usize, dimensions: u64) -> Result<(), Wrong> {
    if dimensions.saturating_mul(inputs as u64) <= NUMBERS_MAX {
        return Ok(());
    }
    Err(Wrong::new("the sandbox gives at most 2,000,000 numbers in one answer: ask for fewer texts or dimensions"))
}

/// The sum of the words' directions, at length one.
pub(super) fn vector(text: &str, dimensions: u64) -> Result<Vec<f32>, Wrong> {
    if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
        return Err(Wrong { member: Some("dimensions"), ..Wrong::new("'dimensions' must be 1 to 8,192") });
    }
    let mut sum = vec![0_f64; dimensions as usize];
    // A text without words has a direction as well.
    for word in text.split_whitespace().chain(text.trim().is_empty().then_some("")) {
        let seed = digest::seed(&[word.to_lowercase().as_bytes()]);
        for index in 0..PER_WORD {
            let number = digest::number(seed, index);
            sum[(number % dimensions) as usize] += if number >> 63 == 0 { 1.0 } else { -1.0 };
        }
    }
    let length = sum.iter().map(|part| part * part).sum::<f64>().sqrt();
    if length == 0.0 {
        // The words cancelled out: rare, and possible with few dimensions.
        sum[0] = 1.0;
    }
    let scale = if length == 0.0 { 1.0 } else { length };
    Ok(sum.iter().map(|part| (part / scale) as f32).collect())
}

/// As short as an `f32` can be written; JSON's numbers are wider and would show its rounding.
pub(super) fn numbers(vector: &[f32]) -> Value {
    vector.iter().map(|part| part.to_string().parse::<f64>().unwrap_or_default()).collect()
}

fn encoded(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
    STANDARD.encode(bytes).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_units_and_shared_words_make_them_near() {
        let near = |one: &str, other: &str| {
            let (one, other) = (vector(one, 256).unwrap(), vector(other, 256).unwrap());
            one.iter().zip(&other).map(|(a, b)| a * b).sum::<f32>()
        };
        assert!((near("a cat sat", "a cat sat") - 1.0).abs() < 1e-5);
        assert!(near("the cat sat here", "the cat sat there") > 0.5);
        assert!(near("the cat sat here", "quarterly revenue grew strongly").abs() < 0.5);
        assert!((near("", "") - 1.0).abs() < 1e-5);
        assert!(vector("x", 0).is_err() && vector("x", 8_193).is_err());
    }
}
