//! Reads one message: of a conversation, or of an answer.
//!
//! Enters: its JSON. Leaves: a turn, or the blocks of what an assistant said. Never: lets a member go that it does not know.

use serde_json::{Map, Value};

use super::tool::{self, Ids};
use super::{HOME, part, thought};
use crate::chat::{BadField, Block, Citation, Content, Extra, Role, Source, Turn};
use crate::dialect::object::{Object, Path};

/// `before`: the turns so far, in which the older form of a tool's result finds its call.
pub(super) fn turn(value: Value, at: usize, path: Path<'_>, before: &[Turn]) -> Result<Turn, BadField> {
    let mut message = Object::of(value, path)?;
    let role = message.need_string("role")?;
    let mut turn = Turn::new(Role::User, at);
    turn.blocks = match role.as_str() {
        "user" => content(&mut message)?,
        "system" => {
            turn.role = Role::System;
            content(&mut message)?
        }
        "developer" => {
            turn.role = Role::Developer;
            content(&mut message)?
        }
        "assistant" => {
            turn.role = Role::Assistant;
            said(&mut message, Ids::Needed(at))?
        }
        "tool" => {
            let id = message.need_string("tool_call_id")?;
            result(&mut message, id)?
        }
        "function" => {
            let name = message.peek_str("name").unwrap_or_default();
            let id = call_of(before, name).ok_or_else(|| path.bad("a function that was called before", "none"))?;
            result(&mut message, id)?
        }
        other => {
            let expected = "system, developer, user, assistant, tool or function";
            return Err(Path::Member(&path, "role").bad(expected, format!("{other:?}")));
        }
    };
    // A mark on the message is meant for all of it.
    if let Some(last) = turn.blocks.last_mut().filter(|last| last.cache.is_none()) {
        last.cache = part::cache(&mut message);
    }
    turn.extra = message.rest();
    Ok(turn)
}

/// A string, or an array of parts.
fn content(message: &mut Object<'_>) -> Result<Vec<Block>, BadField> {
    let path = message.path;
    match message.take("content") {
        Some(value) => part::blocks(value, Path::Member(&path, "content")),
        None => Err(Path::Member(&path, "content").missing("a string or an array of parts")),
    }
}

/// Some clients write nothing where a tool said nothing.
fn result(message: &mut Object<'_>, id: String) -> Result<Vec<Block>, BadField> {
    let name = message.string("name")?;
    let blocks = if message.peek("content").is_some() { content(message)? } else { Vec::new() };
    Ok(vec![Content::ToolResult { id, name, blocks, is_error: false }.into()])
}

/// The id that was given to the last call of this function.
fn call_of(before: &[Turn], function: &str) -> Option<String> {
    before.iter().rev().flat_map(|turn| turn.blocks.iter().rev()).find_map(|block| match &block.content {
        Content::ToolUse { id, name, .. } if name == function => Some(id.clone()),
        _ => None,
    })
}

/// What an assistant said: thoughts, then words, then calls, as this dialect has no other order.
pub(super) fn said(message: &mut Object<'_>, ids: Ids<'_>) -> Result<Vec<Block>, BadField> {
    let path = message.path;
    let mut blocks = thought::read(message)?;
    if let Some(value) = message.take("content")
        && !value.as_str().is_some_and(str::is_empty)
    {
        blocks.extend(part::blocks(value, Path::Member(&path, "content"))?);
    }
    if let Some(text) = message.string("refusal")?.filter(|text| !text.is_empty()) {
        blocks.push(Content::Refusal { text }.into());
    }
    annotations(message, &mut blocks)?;
    for (at, image) in message.array("images")?.unwrap_or_default().into_iter().enumerate() {
        blocks.push(part::block(image, Path::Item(&Path::Member(&path, "images"), at))?);
    }
    if let Some(audio) = message.object("audio")? {
        blocks.push(audio_block(audio, Path::Member(&path, "audio"))?);
    }
    blocks.extend(tool::read_calls(message, ids)?);
    thought::seal_next(&mut blocks);
    Ok(blocks)
}

/// In a question it is the id of what was said before; in an answer the sound itself.
pub(super) fn audio_block(audio: Map<String, Value>, path: Path<'_>) -> Result<Block, BadField> {
    let mut audio = Object::of(Value::Object(audio), path)?;
    let source = match audio.string("data")? {
        // The answer does not say in which format: it is the one that was asked for.
        Some(base64) => Source::Data { media_type: "audio/*".into(), base64 },
        None => Source::Id { origin: HOME, id: audio.need_string("id")? },
    };
    let mut block = Block::from(Content::Audio { source });
    block.extra = audio.rest();
    Ok(block)
}

/// They belong to the text. Without any they stay what they are.
fn annotations(message: &mut Object<'_>, blocks: &mut [Block]) -> Result<(), BadField> {
    let text = blocks.iter_mut().find_map(|block| match &mut block.content {
        Content::Text { citations, .. } => Some(citations),
        _ => None,
    });
    let Some(citations) = text else { return Ok(()) };
    let found = message.array("annotations")?.unwrap_or_default();
    citations.extend(found.into_iter().map(citation));
    Ok(())
}

pub(super) fn citation(raw: Value) -> Citation {
    let page = raw.get("url_citation").and_then(Value::as_object);
    let member = |name: &str| page.and_then(|page: &Extra| page.get(name));
    let text = |name| member(name).and_then(Value::as_str).map(str::to_owned);
    let count = |name| member(name).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title"),
        // OpenRouter's.
        text: text("content"),
        start: count("start_index"),
        end: count("end_index"),
        origin: HOME,
        raw,
    }
}
