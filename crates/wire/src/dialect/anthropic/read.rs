//! A question in Anthropic's words.
//!
//! Enters: a caller's body. Leaves: the form. Never: judges what a model can do; only what the API's types are.
//!
//! A missing `max_tokens` is no fault: `count_tokens` has none, and no other dialect needs it. A missing `model` is none either: hosts that carry this
//! dialect keep it in the path.

mod block;
mod source;
mod tool;

use serde_json::{Map, Value};

use super::messages::HOME;
use crate::chat::{BadField, Effort, Format, Reasoning, Request, Role, Settings, Turn};
use crate::dialect::call;
use crate::dialect::object::{self, Object, Path, within};

use block::content;
pub(super) use block::{block, citation};

/// A format whose schema has no title.
pub(in crate::dialect) const UNNAMED: &str = "response";

pub(super) fn request(body: &[u8]) -> Result<Request, BadField> {
    let mut top = object::root(body)?;
    let mut request = Request::new(HOME);
    request.model = top.string("model")?.unwrap_or_default();
    request.stream = top.bool("stream")?.unwrap_or(false);
    if let Some(system) = top.take("system") {
        let mut turn = Turn::new(Role::System, 0);
        turn.at = Turn::OUTSIDE;
        turn.blocks = content(system, &Path::Member(&Path::Root, "system"))?;
        request.turns.push(turn);
    }
    turns(&mut top, &mut request.turns)?;
    request.tools = tool::tools(&mut top)?;
    request.settings = settings(&mut top)?;
    request.settings.stream_usage = request.stream.then_some(true);
    request.extra.extend(top.rest());
    Ok(request)
}

fn turns(top: &mut Object<'_>, turns: &mut Vec<Turn>) -> Result<(), BadField> {
    let messages = top.need_array("messages")?;
    let list = Path::Member(&Path::Root, "messages");
    if messages.is_empty() {
        return Err(list.bad("at least one message", "none"));
    }
    for (at, message) in messages.into_iter().enumerate() {
        turns.push(turn(message, at, Path::Item(&list, at))?);
    }
    Ok(())
}

fn turn(message: Value, at: usize, path: Path<'_>) -> Result<Turn, BadField> {
    let mut message = Object::of(message, path)?;
    let role = match message.need_string("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        other => return Err(Path::Member(&path, "role").bad("user, assistant or system", format!("{other:?}"))),
    };
    let mut turn = Turn::new(role, at);
    let place = Path::Member(&path, "content");
    turn.blocks = match message.take("content") {
        Some(held) => content(held, &place)?,
        // Such a message only changes settings from here on.
        None if role == Role::System => Vec::new(),
        None => return Err(place.missing("a string or an array of blocks")),
    };
    turn.extra = message.rest();
    Ok(turn)
}

fn settings(top: &mut Object<'_>) -> Result<Settings, BadField> {
    let (tool_choice, parallel_tools) = tool::choice(top)?;
    let mut settings = Settings {
        max_tokens: top.count("max_tokens")?,
        temperature: top.number("temperature")?,
        top_p: top.number("top_p")?,
        top_k: top.count("top_k")?,
        stop: top.strings("stop_sequences")?,
        service_tier: top.string("service_tier")?,
        tool_choice,
        parallel_tools,
        ..Settings::default()
    };
    let mut reasoning = Reasoning::default();
    within(top, "metadata", |metadata| {
        settings.user = metadata.string("user_id")?;
        Ok(())
    })?;
    within(top, "thinking", |thinking| self::thinking(thinking, &mut reasoning))?;
    within(top, "output_config", |config| {
        reasoning.effort = effort(config)?;
        settings.format = format(config, "format")?;
        Ok(())
    })?;
    // The older name of `output_config.format`.
    if settings.format.is_none() {
        settings.format = format(top, "output_format")?;
    }
    settings.reasoning = (reasoning != Reasoning::default()).then_some(reasoning);
    Ok(settings)
}

/// A type that is not known is left where it is, whole.
pub(in crate::dialect) fn thinking(thinking: &mut Object<'_>, reasoning: &mut Reasoning) -> Result<(), BadField> {
    let kind = thinking.need_string("type")?;
    match kind.as_str() {
        "enabled" => {
            let budget = thinking.count("budget_tokens")?;
            reasoning.budget =
                Some(budget.ok_or_else(|| Path::Member(&thinking.path, "budget_tokens").missing("a whole number"))?);
        }
        "adaptive" => reasoning.dynamic = true,
        "disabled" => reasoning.budget = Some(0),
        _ => {
            thinking.put("type", Value::String(kind));
            return Ok(());
        }
    }
    reasoning.shown = match thinking.peek_str("display") {
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        _ => return Ok(()),
    };
    thinking.take("display");
    Ok(())
}

pub(in crate::dialect) fn effort(config: &mut Object<'_>) -> Result<Option<Effort>, BadField> {
    let Some(word) = config.string("effort")? else { return Ok(None) };
    let effort = Effort::from_name(&word);
    effort
        .map(Some)
        .ok_or_else(|| Path::Member(&config.path, "effort").bad("low, medium, high, xhigh or max", format!("{word:?}")))
}

/// The schema's title is its name, as far as it can be one.
fn format(config: &mut Object<'_>, name: &str) -> Result<Option<Format>, BadField> {
    let Some(members) = config.object(name)? else { return Ok(None) };
    let path = config.path;
    let place = Path::Member(&path, name);
    let mut format = Object::of(Value::Object(members), place)?;
    let kind = format.need_string("type")?;
    if kind != "json_schema" {
        return Err(Path::Member(&place, "type").bad("json_schema", format!("{kind:?}")));
    }
    let schema = format.object("schema")?;
    let mut schema = schema.ok_or_else(|| Path::Member(&place, "schema").missing("an object"))?;
    Ok(Some(Format::Schema {
        name: title(&mut schema).unwrap_or_else(|| UNNAMED.into()),
        description: None,
        schema: Value::Object(schema),
        strict: Some(true),
    }))
}

fn title(schema: &mut Map<String, Value>) -> Option<String> {
    let title = schema.get("title")?.as_str()?;
    if !call::is_name(title, call::NAME_BYTES_MAX) {
        return None;
    }
    let title = title.to_owned();
    schema.shift_remove("title");
    Some(title)
}
