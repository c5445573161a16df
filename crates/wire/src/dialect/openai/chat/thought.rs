//! Thoughts, for which OpenAI's own dialect has no place and its hosts have several.
//!
//! Enters: `reasoning_content` (DeepSeek, Moonshot, xAI, ...) or `reasoning` (Groq, Cerebras, vLLM, ...), plain text both; `reasoning_details`
//! (OpenRouter), typed entries with signatures; `thinking_blocks` (LiteLLM), Anthropic's own blocks. Leaves: reasoning blocks; and back.
//! Never: changes an entry that its provider must see again.
//!
//! An entry of this dialect's own provider travels as a seal. Its data is the signature where the entry has nothing else, and otherwise the whole
//! entry without its text, as JSON. Another provider's seal stands in an entry of the format `tollgate`, packed.

use serde_json::{Map, Value, json};

use super::HOME;
use crate::chat::{BadField, Block, Content, Extra, Seal};
use crate::dialect::object::{Object, Path};

const FORMAT: &str = "tollgate";

/// As the id of a packed seal: it belongs to the block that follows, which has no place for it.
const NEXT: &str = "next";

/// The thoughts of a message. The plain text repeats that of the entries, so it counts only where they have none.
pub(super) fn read(message: &mut Object<'_>) -> Result<Vec<Block>, BadField> {
    let path = message.path;
    let plain = match message.string("reasoning_content")? {
        Some(text) => {
            message.take("reasoning");
            Some(text)
        }
        None => message.string("reasoning")?,
    };
    let mut entries: Vec<Extra> = Vec::new();
    for name in ["reasoning_details", "thinking_blocks"] {
        for (at, value) in message.array(name)?.unwrap_or_default().into_iter().enumerate() {
            match value {
                Value::Object(entry) => join(&mut entries, entry),
                other => return Err(Path::Item(&Path::Member(&path, name), at).wrong("an object", &other)),
            }
        }
    }
    let mut blocks: Vec<Block> = entries.into_iter().map(block).collect();
    let told = blocks.iter().any(|block| matches!(&block.content, Content::Reasoning { text, .. } if !text.is_empty()));
    if let Some(text) = plain.filter(|text| !told && !text.is_empty()) {
        blocks.insert(0, Content::Reasoning { text, summary: false }.into());
    }
    Ok(blocks)
}

/// A client that collected a stream may hand back its pieces: those of one number are one entry.
fn join(entries: &mut Vec<Extra>, piece: Extra) {
    match entries.last_mut() {
        Some(last) if continues(last, &piece) => extend(last, piece),
        _ => entries.push(piece),
    }
}

/// `piece` is more of the entry `held`.
pub(super) fn continues(held: &Extra, piece: &Extra) -> bool {
    let same = |name: &str| held.get(name) == piece.get(name);
    // LiteLLM does not number the pieces of Anthropic's blocks.
    (held.contains_key("index") || kind(held) == "thinking")
        && same("index")
        && same("type")
        && ["signature", "data"].iter().all(|name| held.get(*name).is_none_or(Value::is_null))
}

pub(super) fn extend(held: &mut Extra, piece: Extra) {
    for (name, value) in piece {
        match (held.get_mut(&name), value) {
            (Some(Value::String(held)), Value::String(more)) if TEXTS.contains(&name.as_str()) => held.push_str(&more),
            (Some(_), Value::Null) => {}
            (_, value) => drop(held.insert(name, value)),
        }
    }
}

/// Where an entry's readable text stands.
const TEXTS: [&str; 3] = ["text", "summary", "thinking"];

/// The text of an entry, taken out of it; and whether it is a summary.
pub(super) fn take_text(entry: &mut Extra) -> (String, bool) {
    let mut text = String::new();
    let mut summary = kind(entry) == "reasoning.summary";
    for name in TEXTS {
        if let Some(Value::String(found)) = entry.remove(name) {
            summary |= name == "summary";
            text.push_str(&found);
        }
    }
    (text, summary)
}

fn kind(entry: &Extra) -> &str {
    entry.get("type").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn block(mut entry: Extra) -> Block {
    let (text, summary) = take_text(&mut entry);
    Block::from(Content::Reasoning { text, summary }).sealed(seal(entry))
}

/// What is left of an entry without its text.
pub(super) fn seal(mut entry: Extra) -> Option<Seal> {
    entry.retain(|_, value| !value.is_null());
    let proof = ["signature", "data"].into_iter().find_map(|name| Some((name, entry.get(name)?.as_str()?)));
    if entry.get("format").and_then(Value::as_str) == Some(FORMAT) {
        return proof.map(|(_, packed)| Seal::unpack(HOME, packed.to_owned()));
    }
    let (kind, proof) = (kind(&entry), proof);
    let others = entry.keys().filter(|name| !["type", "index", "signature", "data"].contains(&name.as_str())).count();
    match (kind, proof) {
        ("reasoning.text" | "reasoning.summary", None) if others == 0 => None,
        ("reasoning.text" | "reasoning.summary", Some(("signature", text))) if others == 0 => {
            Some(Seal::new(HOME, text))
        }
        ("reasoning.encrypted", Some(("data", text))) if others == 0 => {
            Some(Seal { redacted: true, ..Seal::new(HOME, text) })
        }
        _ => {
            let redacted = matches!(kind, "reasoning.encrypted" | "redacted_thinking");
            // A stream tells the members in another order than the whole answer.
            entry.sort_keys();
            Some(Seal { redacted, ..Seal::new(HOME, Value::Object(entry).to_string()) })
        }
    }
}

/// The entry of a thought, and whether it is one of `thinking_blocks`.
pub(super) fn entry(text: &str, summary: bool, seal: Option<&Seal>, index: usize) -> (Value, bool) {
    if let Some(Value::Object(mut own)) = seal.and_then(own_entry) {
        let anthropic = matches!(kind(&own), "thinking" | "redacted_thinking");
        let name = if anthropic {
            "thinking"
        } else if summary {
            "summary"
        } else {
            "text"
        };
        if !text.is_empty() {
            own.insert(name.into(), text.into());
        }
        return (Value::Object(own), anthropic);
    }
    let redacted = seal.is_some_and(|seal| seal.redacted);
    let kind = match (redacted, summary) {
        (true, _) => "reasoning.encrypted",
        (false, true) => "reasoning.summary",
        (false, false) => "reasoning.text",
    };
    let mut entry = Map::from_iter([("type".to_owned(), kind.into()), ("index".to_owned(), index.into())]);
    if !text.is_empty() || !redacted {
        entry.insert(if summary { "summary" } else { "text" }.into(), text.into());
    }
    if let Some(seal) = seal {
        proof(seal, &mut entry);
    }
    (Value::Object(entry), false)
}

/// The members of an entry that hold the seal.
fn proof(seal: &Seal, entry: &mut Extra) {
    entry.insert(if seal.redacted { "data" } else { "signature" }.into(), seal.pack(HOME).into());
    if seal.origin != HOME {
        entry.insert("format".into(), FORMAT.into());
    }
}

/// Into a message: the plain text for those who show it, the entries for those who keep them.
pub(super) fn put(plain: &str, entries: Option<Vec<(Value, bool)>>, message: &mut Map<String, Value>) {
    if !plain.is_empty() {
        message.insert("reasoning_content".into(), plain.into());
    }
    for (entry, anthropic) in entries.into_iter().flatten() {
        let name = if anthropic { "thinking_blocks" } else { "reasoning_details" };
        if let Value::Array(list) = message.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
            list.push(entry);
        }
    }
}

/// The same for the end of a streamed thought, whose text was told before: only what was not said yet.
pub(super) fn sealing(summary: bool, seal: &Seal, index: usize) -> (Value, bool) {
    let (mut value, anthropic) = entry("", summary, Some(seal), index);
    if let Some(entry) = value.as_object_mut() {
        TEXTS.iter().for_each(|name| drop(entry.remove(*name)));
        entry.insert("index".into(), index.into());
    }
    (value, anthropic)
}

fn own_entry(seal: &Seal) -> Option<Value> {
    let is_entry = seal.origin == HOME && seal.data.starts_with('{');
    let value: Value = is_entry.then(|| serde_json::from_str(&seal.data).ok())??;
    value.get("type").is_some_and(Value::is_string).then_some(value)
}

/// For a seal on a block that has no place for it: an entry before the block.
pub(super) fn before_next(seal: &Seal, index: usize) -> Value {
    let seal = Seal { id: seal.id.clone().or_else(|| Some(NEXT.into())), redacted: true, ..seal.clone() };
    json!({"type": "reasoning.encrypted", "index": index, "data": seal.pack(HOME), "format": FORMAT})
}

/// Is this what [`before_next`] wrote?
pub(super) fn is_for_next(seal: &Seal) -> bool {
    seal.origin != HOME && seal.id.as_deref() == Some(NEXT)
}

pub(super) fn for_next(seal: Seal) -> Seal {
    Seal { id: None, redacted: false, ..seal }
}

/// Gives such seals to the blocks they were taken from.
pub(super) fn seal_next(blocks: &mut Vec<Block>) {
    let mut pending = None;
    blocks.retain_mut(|block| match &block.content {
        Content::Reasoning { text, .. } if text.is_empty() && block.seal.as_ref().is_some_and(is_for_next) => {
            pending = block.seal.take().map(for_next);
            false
        }
        Content::Reasoning { .. } => true,
        _ => {
            if block.seal.is_none() {
                block.seal = pending.take();
            }
            true
        }
    });
}
