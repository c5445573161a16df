//! Reads `cf-aig-metadata`: a flat JSON object of at most five entries (data-plane specification, section 12.3).
//!
//! Enters: a header's text. Leaves: entries in the caller's order. Never: fails a request: what cannot be read is left out.

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use tollgate_model::metadata::ENTRIES_MAX;
use tollgate_model::{Meta, Metadata};

/// Longer headers are ignored whole.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
const RESERVED: &str = "cf.";

/// Entries past the fifth, reserved keys, and objects or arrays as values are dropped.
pub fn read(text: &str) -> Metadata {
    if text.len() > TEXT_BYTES_MAX {
        return Metadata::default();
    }
    serde_json::from_str::<Flat>(text).map(|flat| flat.0).unwrap_or_default()
}

struct Flat(Metadata);

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(FlatVisitor)
    }
}

struct FlatVisitor;

impl<'de> Visitor<'de> for FlatVisitor {
    type Value = Flat;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a flat object of strings, numbers and booleans")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flat, A::Error> {
        let mut entries: Vec<(String, Meta)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.starts_with(RESERVED) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value::<serde_json::Value>()?;
            let Some(value) = flat(value) else { continue };
            match entries.iter().position(|(name, _)| *name == key) {
                Some(index) => entries[index].1 = value,
                None if entries.len() < ENTRIES_MAX => entries.push((key, value)),
                None => {}
            }
        }
        Ok(Flat(Metadata(entries)))
    }
}

fn flat(value: serde_json::Value) -> Option<Meta> {
    use serde_json::Value;
    match value {
        Value::String(text) => Some(Meta::Text(text)),
        Value::Number(number) => Some(Meta::Number(number.to_string())),
        Value::Bool(flag) => Some(Meta::Flag(flag)),
        Value::Null => Some(Meta::Null),
        Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_kept_in_order_and_capped() {
        let metadata = read(r#"{"team":"a","n":1,"on":true,"none":null,"nested":{"x":1},"e":"5","f":"6"}"#);
        assert_eq!(metadata.to_json(), r#"{"team":"a","n":1,"on":true,"none":null,"e":"5"}"#);
    }

    #[test]
    fn reserved_keys_and_nonsense_are_left_out() {
        assert!(read(r#"{"cf.user_id":"x"}"#).is_empty());
        assert!(read("not json").is_empty());
        assert!(read(r#"["a"]"#).is_empty());
        assert!(read(&format!(r#"{{"a":"{}"}}"#, "x".repeat(TEXT_BYTES_MAX))).is_empty());
    }
}
