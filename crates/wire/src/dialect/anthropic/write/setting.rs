//! Settings of the whole request.
//!
//! Enters: the form's settings. Leaves: Anthropic's members, and losses for what it has no member for. Never: a loss for a value that changes nothing.

use serde_json::{Map, Value, json};

use super::super::messages::HOME;
use super::super::model::Claude;
use super::super::read::UNNAMED;
use super::thinking::Thinking;
use super::{sampling, schema};
use crate::chat::{Field, Format, Losses, Place, Request, Settings};
use crate::dialect::carry::NO_PLACE;

type Members = Map<String, Value>;

pub(super) fn write(request: &Request, model: Claude, thinking: &Thinking, body: &mut Members, losses: &mut Losses) {
    let settings = &request.settings;
    let sampling = sampling::of(request, HOME, model, thinking.is_on(), losses);
    body.extend(sampling.temperature.map(|value| ("temperature".into(), value)));
    body.extend(sampling.top_p.map(|value| ("top_p".into(), value)));
    body.extend(sampling.top_k.map(|value| ("top_k".into(), value.into())));
    stop(request, body, losses);
    if let Some(user) = &settings.user {
        body.insert("metadata".into(), json!({ "user_id": user }));
    }
    if let Some(tier) = tier(request, losses) {
        body.insert("service_tier".into(), tier.into());
    }
    if let Some(thinking) = &thinking.thinking {
        body.insert("thinking".into(), thinking.clone());
    }
    output_config(request, thinking.effort, body, losses);
    unsayable(settings, losses);
}

fn stop(request: &Request, body: &mut Members, losses: &mut Losses) {
    let says = |stop: &&String| request.origin == HOME || !stop.trim().is_empty();
    let stops: Vec<_> = request.settings.stop.iter().filter(says).cloned().collect();
    if stops.len() < request.settings.stop.len() {
        losses.dropped(Place::Setting(Field::Stop), "the target takes no sequence of white space alone");
    }
    if !stops.is_empty() {
        body.insert("stop_sequences".into(), stops.into());
    }
}

/// Anthropic's two words; what `default` is elsewhere is `standard_only` here.
fn tier(request: &Request, losses: &mut Losses) -> Option<String> {
    let tier = request.settings.service_tier.as_deref()?;
    match tier {
        _ if request.origin == HOME => Some(tier.into()),
        "auto" | "standard_only" => Some(tier.into()),
        "default" | "standard" => Some("standard_only".into()),
        _ => {
            losses.dropped(Place::Setting(Field::ServiceTier), "the target has no such tier");
            None
        }
    }
}

fn output_config(request: &Request, effort: Option<&str>, body: &mut Members, losses: &mut Losses) {
    let mut config = Map::new();
    if let Some(effort) = effort {
        config.insert("effort".into(), effort.into());
    }
    if let Some(format) = format(request, losses) {
        config.insert("format".into(), format);
    }
    if !config.is_empty() {
        body.insert("output_config".into(), config.into());
    }
}

fn format(request: &Request, losses: &mut Losses) -> Option<Value> {
    let place = Place::Setting(Field::Format);
    match request.settings.format.as_ref()? {
        Format::Text => None,
        Format::Json => {
            losses.dropped(place, "JSON only by a schema");
            None
        }
        Format::Schema { name, description, schema, strict } => {
            if description.is_some() {
                losses.dropped(place.clone(), "the format's description");
            }
            if *strict == Some(false) {
                losses.approximated(place.clone(), "schemas are always strict");
            }
            let mut schema = match request.origin == HOME {
                true => schema.clone(),
                false => schema::strict(schema, &place, losses),
            };
            if !titled(&mut schema, name) {
                losses.dropped(place, "the format's name");
            }
            Some(json!({ "type": "json_schema", "schema": schema }))
        }
    }
}

/// The name stands in the schema's title. Is it told?
fn titled(schema: &mut Value, name: &str) -> bool {
    let Value::Object(members) = schema else { return false };
    match members.get("title") {
        Some(title) => title == name || name == UNNAMED,
        None if name == UNNAMED => true,
        None => {
            members.insert("title".into(), name.into());
            true
        }
    }
}

/// What neither Anthropic nor Bedrock has members for.
pub(in crate::dialect) fn unsayable(settings: &Settings, losses: &mut Losses) {
    let said = [
        (Field::FrequencyPenalty, settings.frequency_penalty.is_some_and(|penalty| penalty != 0.0)),
        (Field::PresencePenalty, settings.presence_penalty.is_some_and(|penalty| penalty != 0.0)),
        (Field::Seed, settings.seed.is_some()),
        (Field::N, settings.n.is_some_and(|n| n > 1)),
        (Field::Logprobs, settings.logprobs == Some(true)),
        (Field::TopLogprobs, settings.top_logprobs.is_some_and(|count| count > 0)),
        (Field::LogitBias, settings.logit_bias.as_ref().is_some_and(|bias| !bias.is_empty())),
        (Field::Verbosity, settings.verbosity.is_some()),
        (Field::CacheKey, settings.cache_key.is_some()),
        (Field::Modalities, settings.modalities.iter().any(|modality| modality != "text")),
    ];
    for (field, _) in said.into_iter().filter(|(_, said)| *said) {
        losses.dropped(Place::Setting(field), NO_PLACE);
    }
}
