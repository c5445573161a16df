//! Reads a request to Cohere's `v2/chat`.
//!
//! Enters: a body. Leaves: the form. Never: a document's content: what Cohere alone knows stays as it is.
//!
//! <https://docs.cohere.com/v2/reference/chat>.

use serde_json::Value;

use super::settings;
use crate::chat::{BadField, Block, CallKind, Content, Request, Role, Seal, Source, Turn};
use crate::dialect::object::{Object, Path, root};
use crate::dialect::{Dialect, data_url, functions};

/// Where other providers' seals stand on their way through a caller: beside what they seal. Cohere seals nothing itself.
pub(super) const SEAL: &str = "signature";

pub(super) fn request(body: &[u8]) -> Result<Request, BadField> {
    let mut top = root(body)?;
    let mut request = Request::new(Dialect::CohereV2);
    request.model = top.need_string("model")?;
    request.stream = top.bool("stream")?.unwrap_or(false);
    let path = Path::Member(&Path::Root, "messages");
    let messages = top.need_array("messages")?;
    if messages.is_empty() {
        return Err(path.bad("at least one message", "an empty array"));
    }
    for (at, value) in messages.into_iter().enumerate() {
        request.turns.push(message(value, Path::Item(&path, at), at)?);
    }
    let strict = top.bool("strict_tools")?;
    request.tools = functions::read(&mut top, Dialect::CohereV2, strict)?;
    settings::read(&mut top, &mut request.settings)?;
    request.extra = top.rest();
    Ok(request)
}

fn message(value: Value, path: Path<'_>, at: usize) -> Result<Turn, BadField> {
    let mut message = Object::of(value, path)?;
    let word = message.need_string("role")?;
    let role = match word.to_ascii_lowercase().as_str() {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" | "tool" => Role::User,
        "assistant" | "chatbot" => Role::Assistant,
        _ => return Err(Path::Member(&path, "role").bad("system, user, assistant or tool", format!("{word:?}"))),
    };
    let mut turn = Turn::new(role, at);
    if word.eq_ignore_ascii_case("tool") {
        let id = message.need_string("tool_call_id")?;
        let blocks = content(&mut message)?;
        turn.blocks.push(Content::ToolResult { id, name: None, blocks, is_error: false }.into());
    } else {
        turn.blocks = content(&mut message)?;
        turn.blocks.extend(plan(&mut message)?);
        calls(&mut message, &mut turn.blocks)?;
    }
    turn.extra = message.rest();
    Ok(turn)
}

/// "A chain-of-thought style reflection and plan that the model generates when working with Tools."
pub(super) fn plan(message: &mut Object<'_>) -> Result<Option<Block>, BadField> {
    let plan = message.string("tool_plan")?.filter(|text| !text.is_empty());
    Ok(plan.map(|text| Content::Reasoning { text, summary: true }.into()))
}

pub(super) fn content(message: &mut Object<'_>) -> Result<Vec<Block>, BadField> {
    let outer = message.path;
    let path = Path::Member(&outer, "content");
    match message.take("content") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Block::text(text)]),
        Some(Value::Array(items)) => {
            items.into_iter().enumerate().map(|(at, item)| part(item, Path::Item(&path, at))).collect()
        }
        Some(other) => Err(path.wrong("a string or an array", &other)),
    }
}

pub(super) fn part(value: Value, path: Path<'_>) -> Result<Block, BadField> {
    let mut item = Object::of(value, path)?;
    let kind = item.need_string("type")?;
    let content = match kind.as_str() {
        "text" => Content::Text { text: item.need_string("text")?, citations: Vec::new() },
        "thinking" => Content::Reasoning { text: item.need_string("thinking")?, summary: false },
        "image_url" => image(&mut item)?,
        _ => {
            item.put("type", kind.into());
            return Ok(Content::Opaque { origin: Dialect::CohereV2, value: item.into_value() }.into());
        }
    };
    let seal = seal(&mut item)?;
    Ok(Block { content, seal, cache: None, extra: item.rest() })
}

pub(super) fn seal(item: &mut Object<'_>) -> Result<Option<Seal>, BadField> {
    Ok(item.string(SEAL)?.map(|text| Seal::unpack(Dialect::CohereV2, text)))
}

fn image(item: &mut Object<'_>) -> Result<Content, BadField> {
    let outer = item.path;
    let path = Path::Member(&outer, "image_url");
    let value = item.take("image_url").ok_or_else(|| path.missing("an object"))?;
    let mut image = Object::of(value, path)?;
    let url = image.need_string("url")?;
    let source = match data_url::parse(&url) {
        None => Source::Url { url, media_type: None },
        Some(Ok((media_type, base64))) => Source::Data { media_type, base64 },
        Some(Err(found)) => return Err(Path::Member(&path, "url").bad("a URL", found)),
    };
    let detail = image.string("detail")?;
    item.put_rest("image_url", image.rest());
    Ok(Content::Image { source, detail })
}

pub(super) fn calls(message: &mut Object<'_>, blocks: &mut Vec<Block>) -> Result<(), BadField> {
    let outer = message.path;
    let path = Path::Member(&outer, "tool_calls");
    for (at, value) in message.array("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
        let path = Path::Item(&path, at);
        let mut call = Object::of(value, path)?;
        let id = call.need_string("id")?;
        call.take("type");
        let function_path = Path::Member(&path, "function");
        let value = call.take("function").ok_or_else(|| function_path.missing("an object"))?;
        let mut function = Object::of(value, function_path)?;
        let name = function.need_string("name")?;
        let arguments = function.string("arguments")?.unwrap_or_else(|| "{}".to_owned());
        let seal = seal(&mut call)?;
        let mut extra = call.rest();
        extra.extend(function.rest());
        let content = Content::ToolUse { id, name, arguments, kind: CallKind::Function };
        blocks.push(Block { content, seal, cache: None, extra });
    }
    Ok(())
}
