//! Vectors as numbers and as bytes.
//!
//! Enters: one of the two. Leaves: the other. Never: touches a vector that is what was asked for.
//!
//! The bytes are little-endian 32-bit floats, which is how OpenAI's own SDKs read them; every number such a float can be is written so that it is read as
//! the same float again.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

use crate::embed::Vector;

/// `None`: the bytes are no floats.
pub(crate) fn written(vector: &Vector, base64: bool) -> Option<Value> {
    match (vector, base64) {
        (Vector::Numbers(numbers), false) => Some(Value::Array(numbers.clone())),
        (Vector::Base64(bytes), true) => Some(bytes.as_str().into()),
        (Vector::Numbers(numbers), true) => Some(STANDARD.encode(bytes(numbers)).into()),
        (Vector::Base64(text), false) => numbers(text).map(Value::Array),
    }
}

fn bytes(numbers: &[Value]) -> Vec<u8> {
    numbers.iter().flat_map(|number| (number.as_f64().unwrap_or(0.0) as f32).to_le_bytes()).collect()
}

fn numbers(text: &str) -> Option<Vec<Value>> {
    let bytes = STANDARD.decode(text).ok()?;
    let (floats, rest) = bytes.as_chunks::<4>();
    rest.is_empty().then_some(())?;
    floats.iter().map(|float| number(f32::from_le_bytes(*float))).collect()
}

/// With as few digits as tell it from its neighbours: those of a 32-bit float, not of the 64-bit one JSON would make of it.
fn number(float: f32) -> Option<Value> {
    let shortest: f64 = float.to_string().parse().ok()?;
    Number::from_f64(shortest).map(Value::Number)
}
