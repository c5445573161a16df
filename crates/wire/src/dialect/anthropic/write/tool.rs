//! Tools and how they are to be used.
//!
//! Enters: the form's tools and choice. Leaves: Anthropic's. Never: a choice without tools: it would be refused.

use serde_json::{Map, Value, json};

use super::super::messages::HOME;
use super::super::model::Claude;
use super::{block, schema};
use crate::chat::{Field, Losses, Place, Request, Tool, ToolChoice, ToolKind};
use crate::dialect::{call, carry};

type Members = Map<String, Value>;

pub(super) fn write(request: &Request, model: Claude, body: &mut Members, losses: &mut Losses) {
    let mut tools = Vec::new();
    for (number, tool) in request.tools.iter().enumerate() {
        if is_allowed(tool, request.settings.tool_choice.as_ref()) {
            tools.extend(self::tool(request, number, tool, model, losses));
        }
    }
    let choice = choice(request, losses);
    if tools.is_empty() {
        used(request, body, losses);
        if matches!(request.settings.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
            losses.dropped(Place::Setting(Field::ToolChoice), "there is no tool to choose");
        }
        return;
    }
    body.insert("tools".into(), tools.into());
    if let Some(choice) = choice {
        body.insert("tool_choice".into(), choice);
    }
}

fn used(request: &Request, body: &mut Members, losses: &mut Losses) {
    let names = if request.origin == HOME { Vec::new() } else { call::used(request) };
    let names = names.into_iter().filter(|name| call::is_name(name, call::NAME_BYTES_MAX));
    let tools: Vec<Value> = names.map(|name| named(name, None, call::schema(None)).into()).collect();
    if !tools.is_empty() {
        losses.approximated(Place::Extra("tools".into()), call::NAMED);
        body.insert("tools".into(), tools.into());
        body.insert("tool_choice".into(), json!({ "type": "none" }));
    }
}

/// A choice of some of the tools is told by leaving out the others.
fn is_allowed(tool: &Tool, choice: Option<&ToolChoice>) -> bool {
    match (choice, &tool.kind) {
        (Some(ToolChoice::Allowed { names, .. }), ToolKind::Function { name, .. } | ToolKind::Custom { name, .. }) => {
            names.contains(name)
        }
        _ => true,
    }
}

fn tool(request: &Request, number: usize, tool: &Tool, model: Claude, losses: &mut Losses) -> Option<Value> {
    let place = Place::Tool(number as u32);
    let mut told = match &tool.kind {
        ToolKind::Hosted { origin, value, .. } if *origin == HOME => return Some(value.clone()),
        ToolKind::Hosted { name, .. } => {
            losses.dropped(place, format!("{name}: {}", carry::NOT_ITS_OWN));
            return None;
        }
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. }
            if request.origin != HOME && !call::is_name(name, call::NAME_BYTES_MAX) =>
        {
            losses.dropped(place, call::NO_NAME);
            return None;
        }
        ToolKind::Function { name, description, schema, strict } => {
            let schema = match (schema, strict) {
                (Some(schema), Some(true)) if request.origin != HOME => schema::strict(schema, &place, losses),
                (schema, _) => call::schema(schema.as_ref()),
            };
            let mut told = named(name, description.as_deref(), schema);
            strictness(request, *strict, model, &place, &mut told, losses);
            told
        }
        ToolKind::Custom { name, description, .. } => {
            losses.approximated(place, call::FREE_TEXT);
            named(name, description.as_deref(), call::free_text_schema())
        }
    };
    let own_words = request.origin == HOME && tool.extra.contains_key("cache_control");
    if let Some(mark) = tool.cache.filter(|_| !own_words) {
        told.insert("cache_control".into(), block::cache_control(mark));
    }
    carry::tool(HOME, request.origin, number, &tool.extra, &mut told, losses);
    Some(told.into())
}

fn strictness(
    request: &Request,
    strict: Option<bool>,
    model: Claude,
    place: &Place,
    told: &mut Members,
    losses: &mut Losses,
) {
    match strict {
        Some(true) if request.origin != HOME && !model.takes_schema() => {
            losses.dropped(place.clone(), "strict: the model takes none");
        }
        Some(true) => drop(told.insert("strict".into(), true.into())),
        Some(false) if request.origin == HOME => drop(told.insert("strict".into(), false.into())),
        _ => {}
    }
}

fn named(name: &str, description: Option<&str>, schema: Value) -> Members {
    let mut told = Map::new();
    told.insert("name".into(), name.into());
    if let Some(description) = description {
        told.insert("description".into(), description.into());
    }
    told.insert("input_schema".into(), schema);
    told
}

fn choice(request: &Request, losses: &mut Losses) -> Option<Value> {
    let one_at_a_time = match request.settings.parallel_tools {
        Some(false) => Some(true),
        // The default: only who wrote it in these words gets it back in words.
        Some(true) => (request.origin == HOME).then_some(false),
        None => None,
    };
    let mut choice = match &request.settings.tool_choice {
        Some(ToolChoice::Auto) => json!({ "type": "auto" }),
        Some(ToolChoice::Required) => json!({ "type": "any" }),
        Some(ToolChoice::Named(name)) => json!({ "type": "tool", "name": name }),
        // Without tools in use there is nothing to do one at a time.
        Some(ToolChoice::None) => return Some(json!({ "type": "none" })),
        Some(ToolChoice::Allowed { required, .. }) => {
            losses.approximated(Place::Setting(Field::ToolChoice), "the other tools are left out");
            json!({ "type": if *required { "any" } else { "auto" } })
        }
        None => json!({ "type": one_at_a_time.map(|_| "auto")? }),
    };
    if let (Some(one_at_a_time), Value::Object(members)) = (one_at_a_time, &mut choice) {
        members.insert("disable_parallel_tool_use".into(), one_at_a_time.into());
    }
    Some(choice)
}
