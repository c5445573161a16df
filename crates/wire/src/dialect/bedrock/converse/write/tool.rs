//! Tools and how they are to be used.
//!
//! Enters: the form's tools and choice. Leaves: `toolConfig`. Never: a conversation with calls and no tools: it would be refused.

use serde_json::{Map, Value, json};

use super::super::HOME;
use super::{block, setting};
use crate::chat::{Content, Field, Losses, Place, Request, Tool, ToolChoice, ToolKind};
use crate::dialect::anthropic::{Claude, schema};
use crate::dialect::{call, carry};

pub(super) const NAME_BYTES_MAX: usize = 64;

pub(super) fn write(request: &Request, model: Claude, body: &mut Map<String, Value>, losses: &mut Losses) {
    if request.tools.is_empty() && request.origin == HOME {
        return;
    }
    let mut tools = Vec::new();
    if is_idle(request) {
        if !request.tools.is_empty() {
            losses.approximated(Place::Setting(Field::ToolChoice), "tools that must not be used are left out");
        }
        return;
    }
    for (number, tool) in request.tools.iter().enumerate() {
        if is_allowed(tool, request.settings.tool_choice.as_ref()) {
            self::tool(request, number, tool, model, &mut tools, losses);
        }
    }
    if tools.is_empty() {
        let used = call::used(request).into_iter().filter(|name| call::is_name(name, NAME_BYTES_MAX));
        tools.extend(
            used.map(|name| json!({ "toolSpec": { "name": name, "inputSchema": { "json": call::schema(None) } } })),
        );
        if !tools.is_empty() {
            losses.approximated(Place::Extra("tools".into()), call::NAMED);
        }
    }
    let choice = choice(request, losses);
    if tools.is_empty() {
        return;
    }
    let mut config = json!({ "tools": tools });
    if let Some(choice) = choice.filter(|_| !request.tools.is_empty()) {
        config["toolChoice"] = choice;
    }
    body.insert("toolConfig".into(), config);
}

/// There is no choice of none: tools are left out instead, as long as nothing tells of them.
fn is_idle(request: &Request) -> bool {
    let calls = |content: &Content| matches!(content, Content::ToolUse { .. } | Content::ToolResult { .. });
    let mut blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
    request.settings.tool_choice == Some(ToolChoice::None) && !blocks.any(|block| calls(&block.content))
}

fn is_allowed(tool: &Tool, choice: Option<&ToolChoice>) -> bool {
    match (choice, &tool.kind) {
        (Some(ToolChoice::Allowed { names, .. }), ToolKind::Function { name, .. } | ToolKind::Custom { name, .. }) => {
            names.contains(name)
        }
        _ => true,
    }
}

fn tool(request: &Request, number: usize, tool: &Tool, model: Claude, out: &mut Vec<Value>, losses: &mut Losses) {
    let place = Place::Tool(number as u32);
    let foreign = request.origin != HOME;
    let mut spec = match &tool.kind {
        ToolKind::Hosted { origin, value, .. } if *origin == HOME => {
            out.push(value.clone());
            return;
        }
        ToolKind::Hosted { name, .. } => {
            return losses.dropped(place, format!("{name}: {}", carry::NOT_ITS_OWN));
        }
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. }
            if foreign && !call::is_name(name, NAME_BYTES_MAX) =>
        {
            return losses.dropped(place, call::NO_NAME);
        }
        ToolKind::Function { name, description, schema, strict } => {
            let schema = match (schema, strict) {
                (Some(schema), Some(true)) if foreign => schema::strict(schema, &place, losses),
                (schema, _) => call::schema(schema.as_ref()),
            };
            let mut spec = spec(name, description.as_deref(), schema);
            match strict {
                Some(true) if foreign && !model.takes_schema() => {
                    losses.dropped(place, "strict: the model takes none");
                }
                Some(strict) if *strict || !foreign => drop(spec.insert("strict".into(), (*strict).into())),
                _ => {}
            }
            spec
        }
        ToolKind::Custom { name, description, .. } => {
            losses.approximated(place, call::FREE_TEXT);
            spec(name, description.as_deref(), call::free_text_schema())
        }
    };
    carry::tool(HOME, request.origin, number, &tool.extra, &mut spec, losses);
    out.push(json!({ "toolSpec": spec }));
    match tool.cache {
        Some(mark) if setting::takes_cache(request) => out.push(block::cache_point(mark)),
        Some(_) => losses.dropped(Place::Tool(number as u32), "cache mark: not every model takes one"),
        None => {}
    }
}

fn spec(name: &str, description: Option<&str>, schema: Value) -> Map<String, Value> {
    let mut spec = Map::new();
    spec.insert("name".into(), name.into());
    if let Some(description) = description.filter(|description| !description.is_empty()) {
        spec.insert("description".into(), description.into());
    }
    spec.insert("inputSchema".into(), json!({ "json": schema }));
    spec
}

fn choice(request: &Request, losses: &mut Losses) -> Option<Value> {
    let place = Place::Setting(Field::ToolChoice);
    if request.settings.parallel_tools == Some(false) {
        losses.dropped(Place::Setting(Field::ParallelTools), carry::NO_PLACE);
    }
    match request.settings.tool_choice.as_ref()? {
        ToolChoice::Auto => Some(json!({ "auto": {} })),
        ToolChoice::Required => Some(json!({ "any": {} })),
        ToolChoice::Named(name) => Some(json!({ "tool": { "name": name } })),
        ToolChoice::None => {
            losses.dropped(place, "the conversation tells of tools, so the model may use them");
            None
        }
        ToolChoice::Allowed { required, .. } => {
            losses.approximated(place, "the other tools are left out");
            Some(if *required { json!({ "any": {} }) } else { json!({ "auto": {} }) })
        }
    }
}
