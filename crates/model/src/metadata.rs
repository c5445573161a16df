//! The caller's own labels on a request: a flat, short list.
//!
//! Enters: pairs already read and capped by `rules`. Leaves: the same pairs in order.
//! Never: nests. Names chosen by strangers are data, never members of a configuration object.

use serde::{Deserialize, Serialize};

/// At most this many entries are kept (data-plane specification, section 12.3).
pub const ENTRIES_MAX: usize = 5;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(pub Vec<(String, Meta)>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Meta {
    Text(String),
    /// Kept as its JSON text: a number is shown as it was said.
    Number(String),
    Flag(bool),
    Null,
}

impl Metadata {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&Meta> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The JSON text of the flat object, as the log API shows it.
    pub fn to_json(&self) -> String {
        let parts: Vec<String> =
            self.0.iter().map(|(key, value)| format!("{}:{}", quote(key), value.to_json())).collect();
        format!("{{{}}}", parts.join(","))
    }
}

impl Meta {
    pub fn to_json(&self) -> String {
        match self {
            Self::Text(text) => quote(text),
            Self::Number(number) => number.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::Null => "null".to_owned(),
        }
    }

    /// As a filter or a bucket name compares it: text without quotes.
    pub fn as_text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(text) | Self::Number(text) => text.as_str().into(),
            Self::Flag(flag) => if *flag { "true" } else { "false" }.into(),
            Self::Null => "null".into(),
        }
    }
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
