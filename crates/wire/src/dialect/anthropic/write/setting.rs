//! Settings of the whole request.
//!
//! Enters: the form's settings. Leaves: Anthropic's members, and losses for what it has no member for. Never: a loss for a value that changes nothing.

use serde_json::{Map, Value, json};

use super::super::messages::HOME;
use super::super::model::Claude;
use super::super::read::UNNAMED;
use super::schema;
use super::thinking::Thinking;
use crate::chat::{Field, Format, Losses, Place, Request, Settings};
use crate::dialect::carry::NO_PLACE;

type Members = Map<String, Value>;

pub(super) fn write(request: &Request, model: Claude, thinking: &Thinking, body: &mut Members, losses: &mut Losses) {
    let settings = &request.settings;
    sampling(request, model, thinking, body, losses);
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

/// Others' requests are fitted to what the model takes; 1 is the default of both.
fn sampling(request: &Request, model: Claude, thinking: &Thinking, body: &mut Members, losses: &mut Losses) {
    const TOP_P_MIN_THINKING: f64 = 0.95;
    const BOUND: &str = "the model takes none while it thinks";
    let settings = &request.settings;
    let foreign = request.origin != HOME;
    let refused = foreign && !model.takes_sampling();
    let refusal = if refused { "the model takes none" } else { BOUND };
    let bound = refused || (foreign && thinking.is_on());
    let mut has_temperature = false;
    if let Some(temperature) = settings.temperature {
        if bound {
            lost_unless(temperature == 1.0, Field::Temperature, refusal, losses);
        } else {
            if !(0.0..=1.0).contains(&temperature) {
                losses.clamped(Place::Setting(Field::Temperature), "0 to 1");
            }
            has_temperature = true;
            body.insert("temperature".into(), number(temperature.clamp(0.0, 1.0)));
        }
    }
    if let Some(top_p) = settings.top_p {
        if refused || (bound && top_p < TOP_P_MIN_THINKING) {
            lost_unless(top_p == 1.0, Field::TopP, refusal, losses);
        } else if foreign && has_temperature && model.takes_one_of_sampling() {
            lost_unless(top_p == 1.0, Field::TopP, "the model takes temperature or top_p", losses);
        } else {
            body.insert("top_p".into(), number(top_p));
        }
    }
    if let Some(top_k) = settings.top_k {
        match bound {
            true => losses.dropped(Place::Setting(Field::TopK), refusal),
            false => drop(body.insert("top_k".into(), top_k.into())),
        }
    }
}

fn lost_unless(neutral: bool, field: Field, why: &'static str, losses: &mut Losses) {
    if !neutral {
        losses.dropped(Place::Setting(field), why);
    }
}

/// Whole numbers without a point, as callers write them.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { (value as i64).into() } else { value.into() }
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

fn unsayable(settings: &Settings, losses: &mut Losses) {
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
