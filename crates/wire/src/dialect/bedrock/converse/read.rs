//! A question in Converse's words.
//!
//! Enters: a caller's body. Leaves: the form. Never: the model: it is in the path.

use serde_json::Value;

use super::HOME;
use super::block::{blocks, mark};
use crate::chat::{BadField, Extra, Format, Reasoning, Request, Role, Settings, Tool, ToolChoice, ToolKind, Turn};
use crate::dialect::object::{self, Object, Path, within};
use crate::dialect::{anthropic, call};

pub(super) fn request(body: &[u8]) -> Result<Request, BadField> {
    let mut top = object::root(body)?;
    let mut request = Request::new(HOME);
    let system = top.array("system")?.unwrap_or_default();
    if !system.is_empty() {
        let mut turn = Turn::new(Role::System, 0);
        turn.at = Turn::OUTSIDE;
        turn.blocks = blocks(system, &Path::Member(&Path::Root, "system"))?;
        request.turns.push(turn);
    }
    let messages = top.need_array("messages")?;
    let list = Path::Member(&Path::Root, "messages");
    if messages.is_empty() {
        return Err(list.bad("at least one message", "none"));
    }
    for (at, message) in messages.into_iter().enumerate() {
        request.turns.push(turn(message, at, Path::Item(&list, at))?);
    }
    request.settings = settings(&mut top)?;
    within(&mut top, "toolConfig", |config| {
        request.tools = tools(config)?;
        request.settings.tool_choice = choice(config)?;
        Ok(())
    })?;
    request.extra = top.rest();
    Ok(request)
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
    turn.blocks = blocks(message.need_array("content")?, &Path::Member(&path, "content"))?;
    turn.extra = message.rest();
    Ok(turn)
}

fn settings(top: &mut Object<'_>) -> Result<Settings, BadField> {
    let mut settings = Settings::default();
    let mut reasoning = Reasoning::default();
    within(top, "inferenceConfig", |config| {
        settings.max_tokens = config.count("maxTokens")?;
        settings.temperature = config.number("temperature")?;
        settings.top_p = config.number("topP")?;
        settings.stop = config.strings("stopSequences")?;
        Ok(())
    })?;
    within(top, "serviceTier", |tier| {
        settings.service_tier = tier.string("type")?;
        Ok(())
    })?;
    within(top, "outputConfig", |config| {
        reasoning.effort = anthropic::effort(config)?;
        within(config, "textFormat", |format| {
            settings.format = self::format(format)?;
            Ok(())
        })
    })?;
    // What Claude takes beyond the other models.
    within(top, "additionalModelRequestFields", |fields| {
        settings.top_k = fields.count("top_k")?;
        within(fields, "thinking", |thinking| anthropic::read_thinking(thinking, &mut reasoning))
    })?;
    settings.reasoning = (reasoning != Reasoning::default()).then_some(reasoning);
    Ok(settings)
}

/// The schema is JSON in a string.
fn format(format: &mut Object<'_>) -> Result<Option<Format>, BadField> {
    if format.peek_str("type") != Some("json_schema") {
        return Ok(None);
    }
    format.take("type");
    let mut found = None;
    within(format, "structure", |structure| {
        within(structure, "jsonSchema", |definition| {
            let schema = definition.need_string("schema")?;
            let path = definition.path;
            let schema = serde_json::from_str(&schema)
                .map_err(|fault| Path::Member(&path, "schema").bad("JSON in a string", fault.to_string()))?;
            let name = definition.string("name")?.unwrap_or_else(|| anthropic::UNNAMED.into());
            let description = definition.string("description")?;
            found = Some(Format::Schema { name, description, schema, strict: Some(true) });
            Ok(())
        })
    })?;
    Ok(found)
}

fn tools(config: &mut Object<'_>) -> Result<Vec<Tool>, BadField> {
    let path = config.path;
    let list = Path::Member(&path, "tools");
    let mut tools: Vec<Tool> = Vec::new();
    for (at, item) in config.array("tools")?.unwrap_or_default().into_iter().enumerate() {
        match (item.get("cachePoint").and_then(mark), tools.last_mut()) {
            (Some(mark), Some(last)) if last.cache.is_none() => last.cache = Some(mark),
            _ => tools.push(tool(item, Path::Item(&list, at))?),
        }
    }
    Ok(tools)
}

fn tool(value: Value, path: Path<'_>) -> Result<Tool, BadField> {
    let mut object = Object::of(value.clone(), path)?;
    let Some(members) = object.object("toolSpec")? else {
        let name = value.pointer("/systemTool/name").and_then(Value::as_str).unwrap_or("tool").to_owned();
        let kind = ToolKind::Hosted { origin: HOME, name, value };
        return Ok(Tool { kind, cache: None, extra: Extra::new() });
    };
    let place = Path::Member(&path, "toolSpec");
    let mut spec = Object::of(Value::Object(members), place)?;
    let name = spec.need_string("name")?;
    let description = spec.string("description")?;
    let strict = spec.bool("strict")?;
    let schema = Path::Member(&place, "inputSchema");
    let mut holder = spec.object("inputSchema")?.ok_or_else(|| schema.missing("an object"))?;
    let schema = holder.remove("json").ok_or_else(|| Path::Member(&schema, "json").missing("an object"))?;
    let kind = ToolKind::Function { name, description, schema: call::stated(schema), strict };
    Ok(Tool { kind, cache: None, extra: spec.rest() })
}

fn choice(config: &mut Object<'_>) -> Result<Option<ToolChoice>, BadField> {
    let path = config.path;
    let place = Path::Member(&path, "toolChoice");
    let Some(members) = config.object("toolChoice")? else { return Ok(None) };
    let mut choice = Object::of(Value::Object(members), place)?;
    if choice.take("auto").is_some() {
        return Ok(Some(ToolChoice::Auto));
    }
    if choice.take("any").is_some() {
        return Ok(Some(ToolChoice::Required));
    }
    let named = choice.object("tool")?.ok_or_else(|| place.bad("auto, any or tool", "none of them"))?;
    let mut named = Object::of(Value::Object(named), Path::Member(&place, "tool"))?;
    Ok(Some(ToolChoice::Named(named.need_string("name")?)))
}
