//! What a log record may be told afterwards (control-plane specification, 4.7).
//!
//! Enters: the body of a PATCH. Leaves: changes, or every fault. Never: changes what the body does not name.

use serde_json::{Map, Value};
use tollgate_model::{Meta, Metadata};
use tollgate_store::records::Patch;

use crate::shape::{Fault, type_name};

/// Requests carry five at most; what is added afterwards may be more.
const ENTRIES_MAX: usize = 64;
const KEY_CHARS_MAX: usize = 256;
const TEXT_CHARS_MAX: usize = 16 * 1024;
/// The gateway's own keys.
const RESERVED: &str = "cf.";

/// From the body of a PATCH.
pub fn read(body: &Value) -> Result<Patch, Vec<Fault>> {
    let mut faults = Vec::new();
    let Value::Object(body) = body else {
        return Err(vec![Fault::new(["body"], format!("Expected object, received {}", type_name(body)))]);
    };
    let feedback = body.get("feedback").and_then(|value| number(value, "feedback", -1.0, 1.0, &mut faults));
    if feedback.flatten().is_some_and(|feedback| feedback.fract() != 0.0) {
        faults.push(Fault::new(["body", "feedback"], "Expected integer, received float"));
    }
    let score = body.get("score").and_then(|value| number(value, "score", 0.0, 100.0, &mut faults));
    let metadata = body.get("metadata").and_then(|value| metadata(value, &mut faults));
    let feedback = feedback.map(|feedback| feedback.map(|feedback| feedback as i8));
    if faults.is_empty() { Ok(Patch { feedback, score, metadata }) } else { Err(faults) }
}

/// The inner `None`: null was sent, which takes the value back.
fn number(value: &Value, name: &str, min: f64, max: f64, faults: &mut Vec<Fault>) -> Option<Option<f64>> {
    let message = match value {
        Value::Null => return Some(None),
        Value::Number(number) => match number.as_f64().unwrap_or(f64::MAX) {
            low if low < min => format!("Number must be greater than or equal to {min}"),
            high if high > max => format!("Number must be less than or equal to {max}"),
            fits => return Some(Some(fits)),
        },
        other => format!("Expected number, received {}", type_name(other)),
    };
    faults.push(Fault::new(["body", name], message));
    None
}

fn metadata(value: &Value, faults: &mut Vec<Fault>) -> Option<Metadata> {
    match value {
        Value::Null => Some(Metadata::default()),
        Value::Object(map) if map.len() <= ENTRIES_MAX => Some(entries(map, faults)),
        Value::Object(_) => {
            let message = format!("Object must contain at most {ENTRIES_MAX} member(s)");
            faults.push(Fault::new(["body", "metadata"], message));
            None
        }
        other => {
            let message = format!("Expected object, received {}", type_name(other));
            faults.push(Fault::new(["body", "metadata"], message));
            None
        }
    }
}

fn entries(map: &Map<String, Value>, faults: &mut Vec<Fault>) -> Metadata {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.iter().filter(|(key, _)| !key.starts_with(RESERVED)) {
        let too_long = |max| format!("String must contain at most {max} character(s)");
        let read = match value {
            _ if key.chars().count() > KEY_CHARS_MAX => Err(too_long(KEY_CHARS_MAX)),
            Value::String(text) if text.chars().count() > TEXT_CHARS_MAX => Err(too_long(TEXT_CHARS_MAX)),
            Value::String(text) => Ok(Meta::Text(text.clone())),
            Value::Number(number) => Ok(Meta::Number(number.to_string())),
            Value::Bool(flag) => Ok(Meta::Flag(*flag)),
            Value::Null => Ok(Meta::Null),
            nested => Err(format!("Expected string, received {}", type_name(nested))),
        };
        match read {
            Ok(value) => entries.push((key.clone(), value)),
            Err(message) => faults.push(Fault::new(["body", "metadata", key], message)),
        }
    }
    Metadata(entries)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_stays_and_null_takes_back() {
        assert_eq!(read(&json!({})).unwrap(), Patch::default());
        let all = json!({ "feedback": -1, "score": 99.5, "metadata": { "a": "b", "n": 1.50, "on": true, "none": null, "cf.user_id": "x" } });
        let patch = read(&all).unwrap();
        assert_eq!((patch.feedback, patch.score), (Some(Some(-1)), Some(Some(99.5))));
        assert_eq!(patch.metadata.unwrap().to_json(), r#"{"a":"b","n":1.5,"on":true,"none":null}"#);
        let none = Patch { feedback: Some(None), score: Some(None), metadata: Some(Metadata::default()) };
        assert_eq!(read(&json!({ "feedback": null, "score": null, "metadata": null })).unwrap(), none);
    }

    #[test]
    fn each_fault_is_told_with_its_place() {
        let body = json!({ "feedback": 2, "score": "high", "metadata": { "a": { "b": 1 }, "c": [] } });
        let said: Vec<String> = read(&body).unwrap_err().iter().map(ToString::to_string).collect();
        let expected = [
            "feedback: Number must be less than or equal to 1",
            "score: Expected number, received string",
            "metadata.a: Expected string, received object",
            "metadata.c: Expected string, received array",
        ];
        assert_eq!(said, expected);
        for (body, at) in [
            (json!({ "feedback": 0.5 }), "feedback: Expected integer, received float"),
            (json!({ "score": -0.1 }), "score: Number must be greater than or equal to 0"),
            (json!({ "metadata": [] }), "metadata: Expected object, received array"),
            (json!([]), "Expected object, received array"),
        ] {
            assert_eq!(read(&body).unwrap_err()[0].to_string(), at);
        }
    }
}
