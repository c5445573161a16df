//! Reads a request to Ollama's `/api/chat`.
//!
//! Enters: a body. Leaves: the form. Never: asks to be asked for a stream: Ollama streams unless it is told not to.

use serde_json::Value;

use super::settings;
use crate::chat::{BadField, Block, CallKind, Content, Request, Role, Seal, Source, Turn};
use crate::dialect::calls::Calls;
use crate::dialect::object::{Object, Path, root};
use crate::dialect::{Dialect, data_url, functions};

/// Begins the ids that we made.
pub(super) const MADE_ID: &str = "ollama_";

/// Where other providers' seals stand on their way through a caller: one for the thought of a message, one on each call. Ollama seals nothing itself.
pub(super) const THOUGHT_SEAL: &str = "thinking_signature";
pub(super) const CALL_SEAL: &str = "signature";

pub(super) fn request(body: &[u8]) -> Result<Request, BadField> {
    let mut top = root(body)?;
    let mut request = Request::new(Dialect::OllamaChat);
    request.model = top.need_string("model")?;
    request.stream = top.bool("stream")?.unwrap_or(true);
    let path = Path::Member(&Path::Root, "messages");
    let messages = top.need_array("messages")?;
    if messages.is_empty() {
        return Err(path.bad("at least one message", "an empty array"));
    }
    let mut calls = Calls::new(MADE_ID);
    for (at, value) in messages.into_iter().enumerate() {
        request.turns.push(turn(value, Path::Item(&path, at), at, &mut calls)?);
    }
    request.tools = functions::read(&mut top, Dialect::OllamaChat, None)?;
    settings::read(&mut top, &mut request)?;
    request.extra.extend(top.rest());
    Ok(request)
}

fn turn(value: Value, path: Path<'_>, at: usize, calls: &mut Calls) -> Result<Turn, BadField> {
    let mut message = Object::of(value, path)?;
    let word = message.need_string("role")?.to_ascii_lowercase();
    let role = match word.as_str() {
        "system" => Role::System,
        "user" | "tool" => Role::User,
        "assistant" => Role::Assistant,
        _ => return Err(Path::Member(&path, "role").bad("system, user, assistant or tool", format!("{word:?}"))),
    };
    let mut turn = Turn::new(role, at);
    let result = match word == "tool" {
        true => {
            let name = message.string("tool_name")?.or(message.string("name")?);
            let id = calls.result(message.string("tool_call_id")?, name.as_deref());
            Some((id, name))
        }
        false => None,
    };
    turn.blocks = blocks(&mut message, calls)?;
    if let Some((id, name)) = result {
        let blocks = std::mem::take(&mut turn.blocks);
        turn.blocks.push(Content::ToolResult { id, name, blocks, is_error: false }.into());
    }
    turn.extra = message.rest();
    Ok(turn)
}

/// What a message is made of, in questions and answers.
pub(super) fn blocks(message: &mut Object<'_>, calls: &mut Calls) -> Result<Vec<Block>, BadField> {
    let mut blocks = Vec::new();
    let thought = message.string("thinking")?.unwrap_or_default();
    let seal = message.string(THOUGHT_SEAL)?.map(|text| Seal::unpack(Dialect::OllamaChat, text));
    if !thought.is_empty() || seal.is_some() {
        blocks.push(Block::from(Content::Reasoning { text: thought, summary: false }).sealed(seal));
    }
    let text = message.string("content")?.unwrap_or_default();
    if !text.is_empty() {
        blocks.push(Block::text(text));
    }
    images(message, &mut blocks)?;
    tool_calls(message, calls, &mut blocks)?;
    Ok(blocks)
}

fn images(message: &mut Object<'_>, blocks: &mut Vec<Block>) -> Result<(), BadField> {
    let outer = message.path;
    let path = Path::Member(&outer, "images");
    for (at, value) in message.array("images")?.unwrap_or_default().into_iter().enumerate() {
        let path = Path::Item(&path, at);
        let Value::String(base64) = value else { return Err(path.wrong("base64", &value)) };
        if !data_url::is_base64(&base64) {
            return Err(path.bad("base64", "a string that is none"));
        }
        let media_type = media_type(&base64).to_owned();
        blocks.push(Content::Image { source: Source::Data { media_type, base64 }, detail: None }.into());
    }
    Ok(())
}

/// By how the bytes begin: nobody says it.
fn media_type(base64: &str) -> &'static str {
    const BEGINNINGS: [(&str, &str); 4] =
        [("iVBOR", "image/png"), ("/9j/", "image/jpeg"), ("R0lGOD", "image/gif"), ("UklGR", "image/webp")];
    let known = BEGINNINGS.iter().find(|(beginning, _)| base64.starts_with(beginning));
    known.map_or("image/jpeg", |(_, media_type)| media_type)
}

fn tool_calls(message: &mut Object<'_>, calls: &mut Calls, blocks: &mut Vec<Block>) -> Result<(), BadField> {
    let outer = message.path;
    let path = Path::Member(&outer, "tool_calls");
    for (at, value) in message.array("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
        let path = Path::Item(&path, at);
        let mut call = Object::of(value, path)?;
        let function_path = Path::Member(&path, "function");
        let value = call.take("function").ok_or_else(|| function_path.missing("an object"))?;
        let mut function = Object::of(value, function_path)?;
        let name = function.need_string("name")?;
        let arguments = match function.take("arguments") {
            None => "{}".to_owned(),
            // As OpenAI writes it.
            Some(Value::String(text)) => text,
            Some(object @ Value::Object(_)) => object.to_string(),
            Some(other) => return Err(Path::Member(&function_path, "arguments").wrong("an object", &other)),
        };
        let id = calls.call(call.string("id")?, &name);
        let seal = call.string(CALL_SEAL)?.map(|text| Seal::unpack(Dialect::OllamaChat, text));
        // Their number among the calls, which the list says too; and the only kind there is.
        function.take("index");
        call.take("type");
        let mut extra = call.rest();
        extra.extend(function.rest());
        let content = Content::ToolUse { id, name, arguments, kind: CallKind::Function };
        blocks.push(Block { content, seal, cache: None, extra });
    }
    Ok(())
}
