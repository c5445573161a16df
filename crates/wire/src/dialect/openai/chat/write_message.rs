//! Writes a conversation's messages for a provider.
//!
//! Enters: turns. Leaves: messages. Never: puts a result of a tool anywhere but right behind its call.

use serde_json::{Map, Value, json};

use super::{HOME, thought, tool, write_part};
use crate::chat::{Block, Content, Losses, Place, Request, Role, Source};
use crate::dialect::Dialect;
use crate::dialect::carry;

type Placed<'a> = (Place, &'a Block);

pub(super) fn all(request: &Request, losses: &mut Losses) -> Vec<Value> {
    let mut messages = Vec::with_capacity(request.turns.len());
    for turn in &request.turns {
        let blocks: Vec<Placed<'_>> =
            turn.blocks.iter().enumerate().map(|(n, block)| (Place::Block(turn.at, n as u32), block)).collect();
        let first = messages.len();
        match turn.role {
            Role::System => messages.push(told("system", request.origin, &blocks, losses)),
            Role::Developer => messages.push(told("developer", request.origin, &blocks, losses)),
            Role::User => user(request.origin, &blocks, &mut messages, losses),
            Role::Assistant => messages.push(assistant(request.origin, &blocks, losses)),
        }
        if let Some(message) = messages.get_mut(first).and_then(Value::as_object_mut) {
            carry::turn(HOME, request.origin, turn, message, losses);
        }
    }
    messages
}

fn told(role: &str, origin: Dialect, blocks: &[Placed<'_>], losses: &mut Losses) -> Value {
    let content = match blocks {
        [] => "".into(),
        blocks => write_part::content(origin, blocks, losses),
    };
    json!({"role": role, "content": content})
}

/// Results first, each a message of its own; then what the user says.
fn user(origin: Dialect, blocks: &[Placed<'_>], messages: &mut Vec<Value>, losses: &mut Losses) {
    let mut rest: Vec<Placed<'_>> = Vec::new();
    let before = messages.len();
    for (at, block) in blocks {
        match &block.content {
            Content::ToolResult { id, name, blocks, is_error } => {
                if *is_error {
                    losses.approximated(at.clone(), "the target cannot mark a result as failed");
                }
                let (inside, outside) = result_blocks(origin, at, blocks, losses);
                let content = if inside.is_empty() { "".into() } else { write_part::content(origin, &inside, losses) };
                let mut message = Map::from_iter([("role".to_owned(), Value::from("tool"))]);
                message.insert("tool_call_id".into(), id.as_str().into());
                message.extend(name.as_deref().filter(|_| origin == HOME).map(|name| ("name".into(), name.into())));
                message.insert("content".into(), content);
                message.extend(block.cache.map(|mark| ("cache_control".into(), write_part::cache(mark))));
                carry::block(HOME, origin, block, at, &mut message, losses);
                messages.push(Value::Object(message));
                rest.extend(outside);
            }
            _ => rest.push((at.clone(), block)),
        }
    }
    if !rest.is_empty() || messages.len() == before {
        messages.push(told("user", origin, &rest, losses));
    }
}

/// OpenAI's results are text. Who put more into one speaks to a host that takes it; anybody else's images go into the user's message behind.
fn result_blocks<'a>(
    origin: Dialect,
    at: &Place,
    blocks: &'a [Block],
    losses: &mut Losses,
) -> (Vec<Placed<'a>>, Vec<Placed<'a>>) {
    let stays =
        |block: &&Block| origin == HOME || matches!(block.content, Content::Text { .. } | Content::Opaque { .. });
    let (inside, outside): (Vec<&Block>, Vec<&Block>) = blocks.iter().partition(stays);
    if !outside.is_empty() {
        losses.approximated(at.clone(), "what is not text in a tool's result became the user's");
    }
    let placed = |blocks: Vec<&'a Block>| blocks.into_iter().map(|block| (at.clone(), block)).collect();
    (placed(inside), placed(outside))
}

fn assistant(origin: Dialect, blocks: &[Placed<'_>], losses: &mut Losses) -> Value {
    let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
    let (mut thoughts, mut words, mut calls, mut images) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut refusal = String::new();
    note_order(blocks, losses);
    for (at, block) in blocks {
        match &block.content {
            Content::Reasoning { .. } => thoughts.push((at.clone(), *block)),
            Content::ToolUse { .. } => calls.push(call(origin, block, at, losses)),
            Content::Refusal { text } => refusal.push_str(text),
            Content::Audio { source: Source::Id { origin: of, id } } if *of == HOME => {
                message.insert("audio".into(), json!({"id": id}));
            }
            // OpenRouter's, in what a model said.
            Content::Image { .. } if origin == HOME => images.push((at.clone(), *block)),
            Content::Image { .. } | Content::Audio { .. } | Content::File { .. } => {
                losses.dropped(at.clone(), "the target takes no such part of an assistant's turn");
            }
            _ => words.push((at.clone(), *block)),
        }
    }
    write_thoughts(origin, &thoughts, &mut message, losses);
    let content = if words.is_empty() { Value::Null } else { write_part::content(origin, &words, losses) };
    message.insert("content".into(), content);
    if !refusal.is_empty() {
        message.insert("refusal".into(), refusal.into());
    }
    if !images.is_empty() {
        message.insert("images".into(), write_part::content(origin, &images, losses));
    }
    if !calls.is_empty() {
        message.insert("tool_calls".into(), Value::Array(calls));
    }
    Value::Object(message)
}

/// A message has thoughts, then words, then calls, and no other order.
fn note_order(blocks: &[Placed<'_>], losses: &mut Losses) {
    let late = blocks.windows(2).find(|pair| rank(&pair[0].1.content) > rank(&pair[1].1.content));
    if let Some(pair) = late {
        losses.approximated(pair[1].0.clone(), "the order within the turn is not told");
    }
}

pub(super) fn rank(content: &Content) -> u8 {
    match content {
        Content::Reasoning { .. } => 0,
        Content::ToolUse { .. } => 4,
        Content::Refusal { .. } => 2,
        Content::Image { .. } | Content::Audio { .. } => 3,
        _ => 1,
    }
}

fn call(origin: Dialect, block: &Block, at: &Place, losses: &mut Losses) -> Value {
    let Content::ToolUse { id, name, arguments, kind } = &block.content else { return Value::Null };
    let mut call = tool::write_call(id, name, arguments, *kind);
    if let Some(seal) = carry::seal(HOME, block.seal.as_ref(), at, losses) {
        call.insert("extra_content".into(), tool::write_seal(seal));
    }
    carry::block(HOME, origin, block, at, &mut call, losses);
    Value::Object(call)
}

/// Plain text, and entries for the host that sealed them or wrote them. Others would not know what to do with entries.
fn write_thoughts(origin: Dialect, thoughts: &[Placed<'_>], message: &mut Map<String, Value>, losses: &mut Losses) {
    let mut entries = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    let mut sealed = false;
    for (index, (at, block)) in thoughts.iter().enumerate() {
        let Content::Reasoning { text, summary } = &block.content else { continue };
        let seal = carry::seal(HOME, block.seal.as_ref(), at, losses);
        carry::block(HOME, origin, block, at, &mut Map::new(), losses);
        sealed |= seal.is_some() || (origin == HOME && *summary);
        entries.push(thought::entry(text, *summary, seal, index));
        if !text.is_empty() {
            told.push(text);
        }
    }
    let by_entries = sealed || (origin == HOME && entries.len() > 1);
    if let Some((at, _)) = thoughts.first().filter(|_| !by_entries && told.len() > 1) {
        losses.approximated(at.clone(), "several thoughts became one");
    }
    thought::put(&told.join("\n"), by_entries.then_some(entries), message);
}
