//! Quirks that need more than a verb: changes inside of a chat's messages.
//!
//! Enters: a part of the body. Leaves: it changed, or nothing. Never: chosen by anything but a row: this is the closed list of names rows may use.

use memchr::memmem;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::chat::{LossKind, Losses, Place};
use crate::edit::Change;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fix {
    /// `content: null` is written as an empty text.
    EmptyContent,
    /// Content that is an array of texts is one text.
    TextContent,
    /// Developers' messages are system messages.
    DeveloperAsSystem,
    /// Messages have no `name`, except results of tools.
    NoNames,
    /// Nothing is marked for the prompt cache.
    NoCacheMarks,
    /// Earlier thoughts are not sent back.
    NoThoughts,
    /// Earlier thoughts are called `reasoning`, not `reasoning_content`.
    ThoughtsAsReasoning,
    /// A schema for the answer becomes the wish for any JSON.
    NoAnswerSchema,
}

/// Changes one message, or whatever is fixed. Did it?
type Edit = fn(&mut Value) -> bool;

// === impl Fix ===

impl Fix {
    pub(super) const ALL: [(&str, Self); 8] = [
        ("empty-content", Self::EmptyContent),
        ("text-content", Self::TextContent),
        ("developer-as-system", Self::DeveloperAsSystem),
        ("no-names", Self::NoNames),
        ("no-cache-marks", Self::NoCacheMarks),
        ("no-thoughts", Self::NoThoughts),
        ("thoughts-as-reasoning", Self::ThoughtsAsReasoning),
        ("no-answer-schema", Self::NoAnswerSchema),
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, fix)| *fix)
    }

    /// Most bodies have nothing to fix, which a search tells faster than a look inside.
    pub(super) fn may_apply(self, body: &[u8]) -> bool {
        let signs: &[&str] = match self {
            Self::EmptyContent => &["null"],
            Self::TextContent => &["\"text\""],
            Self::DeveloperAsSystem => &["\"developer\""],
            Self::NoNames => &["\"name\""],
            Self::NoCacheMarks => &["\"cache_control\""],
            Self::NoThoughts => &["\"reasoning", "\"thinking_blocks\""],
            Self::ThoughtsAsReasoning => &["\"reasoning_content\""],
            Self::NoAnswerSchema => &["\"json_schema\""],
        };
        signs.iter().any(|sign| memmem::find(body, sign.as_bytes()).is_some())
    }

    pub(super) fn changes(self) -> Vec<Change<'static>> {
        let messages = |with| vec![Change::Rewrite { name: "messages", with }];
        match self {
            Self::EmptyContent => messages(|raw| each(raw, empty_content)),
            Self::TextContent => messages(|raw| each(raw, text_content)),
            Self::DeveloperAsSystem => messages(|raw| each(raw, developer_as_system)),
            Self::NoNames => messages(|raw| each(raw, no_name)),
            Self::NoThoughts => messages(|raw| each(raw, no_thoughts)),
            Self::ThoughtsAsReasoning => messages(|raw| each(raw, thoughts_as_reasoning)),
            Self::NoCacheMarks => {
                ["messages", "tools"].map(|name| Change::Rewrite { name, with: |raw| each(raw, no_cache_marks) }).into()
            }
            Self::NoAnswerSchema => vec![Change::Rewrite { name: "response_format", with: no_answer_schema }],
        }
    }

    /// What it cost. Other words for the same cost nothing.
    pub(super) fn note(self, place: Place, losses: &mut Losses) {
        let (kind, why) = match self {
            Self::EmptyContent | Self::TextContent | Self::DeveloperAsSystem | Self::ThoughtsAsReasoning => return,
            Self::NoNames => (LossKind::Dropped, "the provider takes no names of those who speak"),
            Self::NoCacheMarks => (LossKind::Dropped, "the provider takes no marks for its prompt cache"),
            Self::NoThoughts => (LossKind::Dropped, "the provider takes no earlier thoughts"),
            Self::NoAnswerSchema => (LossKind::Approximated, "the provider takes no schema, so any JSON was asked for"),
        };
        losses.add(place, kind, why);
    }
}

/// Every element of an array. What is not JSON of this kind stays: it is for the provider to judge.
fn each(raw: &RawValue, edit: Edit) -> Option<String> {
    let mut list: Vec<Value> = serde_json::from_str(raw.get()).ok()?;
    let mut changed = false;
    for item in &mut list {
        changed |= edit(item);
    }
    changed.then(|| Value::Array(list).to_string())
}

fn empty_content(message: &mut Value) -> bool {
    match message.get_mut("content") {
        Some(content @ Value::Null) => {
            *content = "".into();
            true
        }
        _ => false,
    }
}

/// Pictures and such stay where they are, and with them the array.
fn text_content(message: &mut Value) -> bool {
    let Some(Value::Array(parts)) = message.get("content") else { return false };
    let text = |part: &Value| (part["type"] == "text").then(|| part["text"].as_str().map(str::to_owned))?;
    let Some(texts) = parts.iter().map(text).collect::<Option<Vec<_>>>() else { return false };
    message["content"] = texts.join("\n\n").into();
    true
}

fn developer_as_system(message: &mut Value) -> bool {
    match message.get_mut("role") {
        Some(role) if role == "developer" => {
            *role = "system".into();
            true
        }
        _ => false,
    }
}

fn no_name(message: &mut Value) -> bool {
    let needs_name = message.get("role").is_some_and(|role| role == "tool" || role == "function");
    !needs_name && remove(message, "name")
}

fn remove(value: &mut Value, name: &str) -> bool {
    value.as_object_mut().is_some_and(|members| members.shift_remove(name).is_some())
}

/// On the message or the tool, and on the parts within.
fn no_cache_marks(item: &mut Value) -> bool {
    let mut changed = remove(item, "cache_control");
    for within in ["content", "function"] {
        match item.get_mut(within) {
            Some(Value::Array(parts)) => parts.iter_mut().for_each(|part| changed |= remove(part, "cache_control")),
            Some(inner) => changed |= remove(inner, "cache_control"),
            None => {}
        }
    }
    changed
}

fn no_thoughts(message: &mut Value) -> bool {
    let names = ["reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"];
    names.into_iter().filter(|name| remove(message, name)).count() > 0
}

fn thoughts_as_reasoning(message: &mut Value) -> bool {
    let Some(members) = message.as_object_mut() else { return false };
    match members.shift_remove("reasoning_content") {
        Some(thought) => {
            members.entry("reasoning").or_insert(thought);
            true
        }
        None => false,
    }
}

fn no_answer_schema(raw: &RawValue) -> Option<String> {
    let format: Value = serde_json::from_str(raw.get()).ok()?;
    (format["type"] == "json_schema").then(|| r#"{"type":"json_object"}"#.to_owned())
}
