//! Settings of the whole request.
//!
//! Enters: the form's settings. Leaves: Converse's members, and losses for what it has no member for. Never: a member of one family of models said to
//! another.

use serde_json::{Map, Value, json};

use super::super::HOME;
use crate::chat::{Effort, Field, Format, Losses, Place, Request, effort_of};
use crate::dialect::anthropic::{Claude, sampling, schema, thinking::Thinking, unsayable};
use crate::dialect::call;

type Members = Map<String, Value>;

/// In words of its own a request is for whatever model it is for.
pub(super) fn is_claude(request: &Request) -> bool {
    request.origin == HOME || request.model.contains("claude")
}

/// Only these two families do.
pub(super) fn takes_cache(request: &Request) -> bool {
    is_claude(request) || request.model.contains("nova")
}

/// Other families know an effort at most, each by its own name.
pub(super) fn unthinking(request: &Request, losses: &mut Losses) -> Thinking {
    if request.settings.reasoning.is_some() && family(request).is_none() {
        losses.dropped(Place::Setting(Field::Reasoning), "not every model takes one");
    }
    Thinking { thinking: None, effort: None, max_tokens: 0 }
}

type Tell = fn(&str) -> Value;

/// How this family is told an effort.
fn family(request: &Request) -> Option<Tell> {
    const FAMILIES: [(&str, Tell); 2] = [
        ("gpt-oss", |effort| json!({ "reasoning_effort": effort })),
        ("nova-2", |effort| json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": effort } })),
    ];
    FAMILIES.iter().find(|(name, _)| request.model.contains(name)).map(|(_, tell)| *tell)
}

pub(super) fn write(request: &Request, model: Claude, thinking: &Thinking, body: &mut Members, losses: &mut Losses) {
    let settings = &request.settings;
    let mut inference = Map::new();
    // Thoughts count, so with a budget for them the model's own limit may be too low.
    let limit = settings.max_tokens.or((thinking.budget() > 0).then_some(thinking.max_tokens));
    inference.extend(limit.map(|limit| ("maxTokens".into(), limit.into())));
    let sampling = sampling::of(request, HOME, model, thinking.is_on(), losses);
    inference.extend(sampling.temperature.map(|value| ("temperature".into(), value)));
    inference.extend(sampling.top_p.map(|value| ("topP".into(), value)));
    let stops: Vec<_> = settings.stop.iter().filter(|stop| !stop.is_empty()).cloned().collect();
    if !stops.is_empty() {
        inference.insert("stopSequences".into(), stops.into());
    }
    put(body, "inferenceConfig", inference);
    put(body, "additionalModelRequestFields", more(request, thinking, sampling.top_k, losses));
    put(body, "outputConfig", output(request, thinking, losses));
    if let Some(tier) = tier(request, losses) {
        body.insert("serviceTier".into(), json!({ "type": tier }));
    }
    if settings.user.is_some() {
        losses.dropped(Place::Setting(Field::User), crate::dialect::carry::NO_PLACE);
    }
    unsayable(settings, losses);
}

fn put(body: &mut Members, name: &str, members: Members) {
    if !members.is_empty() {
        body.insert(name.into(), members.into());
    }
}

/// What only some models take.
fn more(request: &Request, thinking: &Thinking, top_k: Option<u64>, losses: &mut Losses) -> Members {
    let mut more = Map::new();
    match top_k {
        Some(top_k) if is_claude(request) => drop(more.insert("top_k".into(), top_k.into())),
        Some(top_k) if request.model.contains("nova") => {
            more.insert("inferenceConfig".into(), json!({ "topK": top_k }));
        }
        Some(_) => losses.dropped(Place::Setting(Field::TopK), "not every model takes one"),
        None => {}
    }
    if let Some(thinking) = &thinking.thinking {
        more.insert("thinking".into(), thinking.clone());
    }
    let reasoning = request.settings.reasoning.as_ref().filter(|_| !is_claude(request));
    if let (Some(tell), Some(reasoning)) = (family(request), reasoning)
        && let Some(wanted) = reasoning.effort.or_else(|| reasoning.budget.map(effort_of))
    {
        let effort = wanted.clamp(Effort::Low, Effort::High);
        if reasoning.effort != Some(effort) {
            losses.approximated(Place::Setting(Field::Reasoning), format!("effort {}", effort.name()));
        }
        more.extend(tell(effort.name()).as_object().cloned().unwrap_or_default());
    }
    more
}

fn output(request: &Request, thinking: &Thinking, losses: &mut Losses) -> Members {
    let mut output = Map::new();
    if let Some(effort) = thinking.effort {
        output.insert("effort".into(), effort.into());
    }
    let place = Place::Setting(Field::Format);
    match &request.settings.format {
        None | Some(Format::Text) => {}
        Some(Format::Json) => losses.dropped(place, "JSON only by a schema"),
        Some(Format::Schema { name, description, schema, strict }) => {
            if *strict == Some(false) {
                losses.approximated(place.clone(), "schemas are always strict");
            }
            let schema = match request.origin {
                HOME => schema.clone(),
                _ => schema::strict(schema, &place, losses),
            };
            let mut definition = json!({ "schema": schema.to_string() });
            match call::is_name(name, super::tool::NAME_BYTES_MAX) || request.origin == HOME {
                true => definition["name"] = name.as_str().into(),
                false => losses.dropped(place, "the format's name"),
            }
            if let Some(description) = description {
                definition["description"] = description.as_str().into();
            }
            let format = json!({ "type": "json_schema", "structure": { "jsonSchema": definition } });
            output.insert("textFormat".into(), format);
        }
    }
    output
}

/// OpenAI's words are Bedrock's too, as far as they go.
fn tier(request: &Request, losses: &mut Losses) -> Option<String> {
    let tier = request.settings.service_tier.as_deref()?;
    match tier {
        _ if request.origin == HOME => Some(tier.into()),
        "default" | "flex" | "priority" => Some(tier.into()),
        "standard_only" | "standard" => Some("default".into()),
        "auto" => None,
        _ => {
            losses.dropped(Place::Setting(Field::ServiceTier), "the target has no such tier");
            None
        }
    }
}
