//! The items of a question, each of which is a turn.
//!
//! Enters: the list. Leaves: turns, numbered as their items. Never: an item's order changed.

use serde_json::Value;

use super::{HOME, items, parts};
use crate::chat::{BadField, Block, Content, Place, Request, Role, Seal, Turn};
use crate::dialect::{
    beside,
    object::{Object, Path},
};

const ROLES: [(&str, Role); 4] =
    [("user", Role::User), ("assistant", Role::Assistant), ("system", Role::System), ("developer", Role::Developer)];

/// Hosted tools' items end so when they come from the caller's side.
const OUTPUT: &str = "_output";
const APPROVAL: &str = "mcp_approval_response";
const REFERENCE: &str = "item_reference";
const REASONING_ID: &str = "rs_";

pub(super) fn read(list: Vec<Value>, path: &Path<'_>, request: &mut Request) -> Result<(), BadField> {
    // A seal whose block comes next.
    let mut waiting = None;
    for (at, item) in list.into_iter().enumerate() {
        let mut turn = turn(Object::of(item, Path::Item(path, at))?, at, request)?;
        match seal_of_another(&turn) {
            Some(beside::NEXT) => {
                waiting = turn.blocks.pop().and_then(|block| block.seal);
                continue;
            }
            Some(_) => {
                put_back(request, turn);
                continue;
            }
            None => {}
        }
        if let Some(seal) = waiting.take() {
            seal_first(&mut turn, seal, request);
        }
        request.turns.push(turn);
    }
    Ok(())
}

/// Is this turn nothing but the seal of a block that could not carry it here?
fn seal_of_another(turn: &Turn) -> Option<&'static str> {
    let [Block { content: Content::Reasoning { text, .. }, seal: Some(seal), .. }] = turn.blocks.as_slice() else {
        return None;
    };
    beside::side(HOME, seal).filter(|_| text.is_empty())
}

fn seal_first(turn: &mut Turn, seal: Seal, request: &mut Request) {
    let seal = beside::unmarked(seal);
    match turn.blocks.first_mut() {
        Some(block) if turn.role == Role::Assistant => block.seal = Some(seal),
        // The caller has left out what it belongs to.
        _ => {
            let mut alone = Turn { at: turn.at, ..Turn::new(Role::Assistant, 0) };
            let thought = Content::Reasoning { text: String::new(), summary: false };
            alone.blocks.push(Block::from(thought).sealed(Some(seal)));
            request.turns.push(alone);
        }
    }
}

fn put_back(request: &mut Request, mut turn: Turn) {
    let seal = turn.blocks.pop().and_then(|block| block.seal).map(beside::unmarked);
    let before = request.turns.last_mut().filter(|before| before.role == Role::Assistant);
    if let Some(block) = before.and_then(|before| before.blocks.last_mut()) {
        block.seal = seal;
    }
}

fn turn(mut item: Object<'_>, at: usize, request: &mut Request) -> Result<Turn, BadField> {
    let kind = match item.peek("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(other) => return Err(Path::Member(&item.path, "type").wrong("a string", other)),
        None if item.peek("role").is_some() => "message".into(),
        None if item.peek("id").is_some() => REFERENCE.into(),
        None => return Err(Path::Member(&item.path, "type").missing("an item's type")),
    };
    match kind.as_str() {
        "message" => message(item, at),
        "function_call_output" | "custom_tool_call_output" => outcome(item, at),
        _ => {
            let from_caller = kind.ends_with(OUTPUT) || kind == APPROVAL;
            let mut turn = Turn::new(if from_caller { Role::User } else { Role::Assistant }, at);
            if is_reference(&kind, &item) {
                note_reference(&item, at, request);
                item.take("type");
                let mut value = item.into_value();
                value["type"] = REFERENCE.into();
                turn.blocks.push(Content::Opaque { origin: HOME, value }.into());
            } else {
                turn.blocks = items::read(item, &kind)?;
            }
            Ok(turn)
        }
    }
}

/// Also a thought that neither shows nor seals anything: its id is all there is to it.
fn is_reference(kind: &str, item: &Object<'_>) -> bool {
    let is_empty = |name: &str| item.peek(name).is_none_or(|list| list.as_array().is_some_and(Vec::is_empty));
    let says_nothing = || item.peek("encrypted_content").is_none() && is_empty("summary") && is_empty("content");
    kind == REFERENCE || (kind == "reasoning" && item.peek("id").is_some() && says_nothing())
}

/// Without a thought the conversation goes on; without what was said or done it would be another.
fn note_reference(item: &Object<'_>, at: usize, request: &mut Request) {
    if !item.peek_str("id").is_some_and(|id| id.starts_with(REASONING_ID)) {
        request.kept.push(Place::Turn(at as u32));
    }
}

fn message(mut item: Object<'_>, at: usize) -> Result<Turn, BadField> {
    let role = item.need_string("role")?;
    let path = Path::Member(&item.path, "role");
    let known = ROLES.iter().find(|(name, _)| *name == role);
    let (_, role) = known.ok_or_else(|| path.bad("user, assistant, system or developer", format!("{role:?}")))?;
    let mut turn = Turn::new(*role, at);
    let content = item.take("content");
    let path = Path::Member(&item.path, "content");
    let content = content.ok_or_else(|| path.missing("a string or an array"))?;
    turn.blocks = parts::read_all(content, path)?;
    items::forget_bookkeeping(&mut item);
    turn.extra = item.rest();
    Ok(turn)
}

fn outcome(mut item: Object<'_>, at: usize) -> Result<Turn, BadField> {
    let id = item.need_string("call_id")?;
    let name = item.string("name")?;
    let output = item.take("output");
    let path = Path::Member(&item.path, "output");
    let output = output.ok_or_else(|| path.missing("a string or an array"))?;
    let blocks = match output {
        Value::String(text) if text.is_empty() => Vec::new(),
        output => parts::read_all(output, path)?,
    };
    items::forget_bookkeeping(&mut item);
    let mut turn = Turn::new(Role::User, at);
    let result = Content::ToolResult { id, name, blocks, is_error: false };
    turn.blocks.push(Block { extra: item.rest(), ..result.into() });
    Ok(turn)
}
