//! Writes a request to `generateContent`.
//!
//! Enters: the form. Leaves: a body. Never: the model or the wish for a stream: the path says them.

use serde_json::{Map, Value, json};

use super::say::{Say, Seals};
use super::{schema, settings, thinking};
use crate::chat::{Block, Losses, Place, Request, Role, Tool, ToolKind, Turn};
use crate::dialect::Dialect;
use crate::dialect::carry::{self, NO_PLACE, NOT_ITS_OWN};

/// Google's own word for a call that another model made (<https://ai.google.dev/gemini-api/docs/thought-signatures#faqs>).
const UNVERIFIED: &str = "skip_thought_signature_validator";

pub(super) fn request(request: &Request, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    let (system, contents) = conversation(request, losses);
    body.insert("contents".into(), contents.into());
    if !system.is_empty() {
        body.insert("systemInstruction".into(), json!({"parts": system}));
    }
    let tools = tools(request, losses);
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
    }
    settings::write(request, &mut body, losses);
    match request.origin {
        Dialect::Gemini => carry::bring_home(&request.extra, &mut body),
        _ => carry::request(Dialect::Gemini, request, &mut body, losses),
    }
    Value::Object(body).to_string().into_bytes()
}

/// System text apart, the rest in turns that take turns.
fn conversation(request: &Request, losses: &mut Losses) -> (Vec<Value>, Vec<Value>) {
    let mut say = Say::new(request.origin, Seals::Own, losses);
    say.results_hold_media = thinking::sees_results(&request.model);
    let (mut system, mut contents) = (Vec::new(), Vec::new());
    for (role, blocks) in request.merged() {
        let is_system = matches!(role, Role::System | Role::Developer);
        let late = is_system && !contents.is_empty();
        let first = blocks.first().map_or(Turn::OUTSIDE, |(turn, _)| turn.at);
        for (at, block) in numbered(&blocks) {
            if late {
                say.losses.approximated(at.clone(), "moved to the front, where the target keeps instructions");
            }
            say.block(block, &at);
        }
        let mut parts = say.take();
        if is_system {
            system.append(&mut parts);
        } else if !parts.is_empty() {
            if role == Role::Assistant {
                mark_unverified(request, &mut parts, first, say.losses);
            }
            let role = if role == Role::Assistant { "model" } else { "user" };
            contents.push(json!({"role": role, "parts": parts}));
        }
    }
    if contents.is_empty() && !system.is_empty() {
        say.losses.approximated(Place::Turn(Turn::OUTSIDE), "there is nothing else to say: sent as the user's words");
        contents.push(json!({"role": "user", "parts": std::mem::take(&mut system)}));
    }
    for turn in request.turns.iter().filter(|turn| !turn.extra.is_empty()) {
        let names: Vec<_> = turn.extra.keys().map(String::as_str).collect();
        losses.dropped(Place::Turn(turn.at), format!("{}: {NO_PLACE}", names.join(", ")));
    }
    (system, contents)
}

/// Each block with its place: its turn, and its number in that.
fn numbered<'b>(blocks: &'b [(&'b Turn, &'b Block)]) -> impl Iterator<Item = (Place, &'b Block)> {
    let (mut of, mut number) = (None, 0);
    blocks.iter().map(move |(turn, block)| {
        let same = of.is_some_and(|last: &Turn| std::ptr::eq(last, *turn));
        number = if same { number + 1 } else { 0 };
        of = Some(*turn);
        (Place::Block(turn.at, number), *block)
    })
}

/// The first call of a turn must be signed, where signatures are verified. What another model called never was.
fn mark_unverified(request: &Request, parts: &mut [Value], turn: u32, losses: &mut Losses) {
    if request.origin == Dialect::Gemini || !thinking::verifies_signatures(&request.model) {
        return;
    }
    let first = parts.iter_mut().filter_map(Value::as_object_mut).find(|part| part.contains_key("functionCall"));
    if let Some(part) = first
        && !part.contains_key("thoughtSignature")
    {
        part.insert("thoughtSignature".into(), UNVERIFIED.into());
        losses.approximated(Place::Turn(turn), "a call of another model's: marked so that nobody verifies it");
    }
}

/// Functions that stand together are one entry; each thing that runs at Google is one.
fn tools(request: &Request, losses: &mut Losses) -> Vec<Value> {
    let mut entries: Vec<Value> = Vec::new();
    for (at, tool) in request.tools.iter().enumerate() {
        let place = Place::Tool(at as u32);
        if tool.cache.is_some() {
            losses.dropped(place.clone(), "mark of the prompt cache: the target's cache needs none");
        }
        match &tool.kind {
            ToolKind::Function { .. } => {
                let function = function(request.origin, at, tool, losses);
                match entries.last_mut().and_then(|last| last.get_mut("functionDeclarations")) {
                    Some(Value::Array(functions)) => functions.push(function),
                    _ => entries.push(json!({"functionDeclarations": [function]})),
                }
            }
            ToolKind::Hosted { origin: Dialect::Gemini, value, .. } => entries.push(value.clone()),
            ToolKind::Hosted { .. } => losses.dropped(place, NOT_ITS_OWN),
            ToolKind::Custom { .. } => losses.dropped(place, "the target's tools take JSON, not free text"),
        }
    }
    entries
}

fn function(origin: Dialect, number: usize, tool: &Tool, losses: &mut Losses) -> Value {
    let place = &Place::Tool(number as u32);
    let mut function = Map::new();
    let ToolKind::Function { name, description, schema, strict } = &tool.kind else { return Value::Null };
    function.insert("name".into(), name.as_str().into());
    function.extend(description.as_ref().map(|text| ("description".to_owned(), text.as_str().into())));
    if let Some(schema) = schema {
        if let Some(note) = schema::unheeded(schema) {
            losses.approximated(place.clone(), note);
        }
        function.insert("parametersJsonSchema".into(), schema.clone());
    }
    if *strict == Some(true) {
        losses.dropped(place.clone(), format!("strict: {NO_PLACE}"));
    }
    carry::tool(Dialect::Gemini, origin, number, &tool.extra, &mut function, losses);
    Value::Object(function)
}
