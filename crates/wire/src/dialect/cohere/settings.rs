//! What is one value for the whole of a Cohere request.
//!
//! Enters: the request's object, or the form's settings. Leaves: the other of the two. Never: a setting that is left out without its entry in the
//! ledger.

use serde_json::{Map, Value, json};

use crate::chat::{
    BadField, Effort, Field, Format, Losses, Place, Reasoning, Request, Settings, ToolChoice, ToolKind, budget_of,
};
use crate::dialect::carry::NO_PLACE;
use crate::dialect::functions::{take_title, titled};
use crate::dialect::object::{Object, Path};

/// More are refused.
const STOPS_MAX: usize = 5;

pub(super) fn read(top: &mut Object<'_>, settings: &mut Settings) -> Result<(), BadField> {
    settings.stream_usage = Some(true);
    settings.max_tokens = top.count("max_tokens")?;
    settings.temperature = top.number("temperature")?;
    settings.top_p = top.number("p")?;
    settings.top_k = top.count("k")?;
    settings.frequency_penalty = top.number("frequency_penalty")?;
    settings.presence_penalty = top.number("presence_penalty")?;
    settings.seed = top.integer("seed")?;
    settings.stop = top.strings("stop_sequences")?;
    settings.logprobs = top.bool("logprobs")?;
    settings.tool_choice = match top.string("tool_choice")?.as_deref() {
        None => None,
        Some("REQUIRED") => Some(ToolChoice::Required),
        Some("NONE") => Some(ToolChoice::None),
        Some(other) => {
            let found = format!("{other:?}");
            return Err(Path::Member(&top.path, "tool_choice").bad("REQUIRED or NONE", found));
        }
    };
    settings.format = format(top)?;
    settings.reasoning = thinking(top)?;
    Ok(())
}

fn format(top: &mut Object<'_>) -> Result<Option<Format>, BadField> {
    let outer = top.path;
    let path = Path::Member(&outer, "response_format");
    let Some(value) = top.take("response_format") else { return Ok(None) };
    let mut format = Object::of(value, path)?;
    // `schema` is what version 1 called it, and what version 2 still reads.
    let schema = format.object("json_schema")?.or(format.object("schema")?).map(Value::Object);
    match (format.need_string("type")?.as_str(), schema) {
        ("text", _) => Ok(Some(Format::Text)),
        ("json_object", None) => Ok(Some(Format::Json)),
        ("json_object", Some(mut schema)) => {
            let name = take_title(&mut schema);
            Ok(Some(Format::Schema { name, description: None, schema, strict: None }))
        }
        (other, _) => Err(Path::Member(&path, "type").bad("text or json_object", format!("{other:?}"))),
    }
}

fn thinking(top: &mut Object<'_>) -> Result<Option<Reasoning>, BadField> {
    let outer = top.path;
    let path = Path::Member(&outer, "thinking");
    let Some(value) = top.take("thinking") else { return Ok(None) };
    let mut thinking = Object::of(value, path)?;
    let budget = thinking.count("token_budget")?;
    match thinking.need_string("type")?.as_str() {
        "disabled" => Ok(Some(Reasoning { budget: Some(0), ..Reasoning::default() })),
        "enabled" => Ok(Some(Reasoning { budget, dynamic: budget.is_none(), ..Reasoning::default() })),
        other => Err(Path::Member(&path, "type").bad("enabled or disabled", format!("{other:?}"))),
    }
}

pub(super) fn write(request: &Request, into: &mut Map<String, Value>, losses: &mut Losses) {
    let settings = &request.settings;
    let mut put = |name: &str, value: Option<Value>| into.extend(value.map(|value| (name.to_owned(), value)));
    put("max_tokens", settings.max_tokens.map(Value::from));
    put("temperature", settings.temperature.map(Value::from));
    put("p", clamped(settings.top_p, 0.01, 0.99, Field::TopP, losses));
    put("k", settings.top_k.map(Value::from));
    put("frequency_penalty", clamped(settings.frequency_penalty, 0.0, 1.0, Field::FrequencyPenalty, losses));
    put("presence_penalty", clamped(settings.presence_penalty, 0.0, 1.0, Field::PresencePenalty, losses));
    put("seed", settings.seed.map(Value::from));
    put("stop_sequences", stop(settings, losses));
    put("logprobs", settings.logprobs.map(Value::from));
    put("tool_choice", tool_choice(request, losses));
    put("response_format", settings.format.as_ref().map(|format| write_format(format, losses)));
    put("thinking", settings.reasoning.as_ref().and_then(|reasoning| write_thinking(reasoning, losses)));
    without_place(settings, losses);
}

fn clamped(number: Option<f64>, least: f64, most: f64, field: Field, losses: &mut Losses) -> Option<Value> {
    let number = number?;
    let within = number.clamp(least, most);
    if within != number {
        losses.clamped(Place::Setting(field), format!("{within}"));
    }
    Some(within.into())
}

fn stop(settings: &Settings, losses: &mut Losses) -> Option<Value> {
    if settings.stop.len() > STOPS_MAX {
        losses.dropped(Place::Setting(Field::Stop), "the target takes five stop sequences: the first five were kept");
    }
    let kept: Vec<_> = settings.stop.iter().take(STOPS_MAX).cloned().collect();
    (!kept.is_empty()).then(|| kept.into())
}

/// To say nothing is to say that tools may be used.
fn tool_choice(request: &Request, losses: &mut Losses) -> Option<Value> {
    let place = Place::Setting(Field::ToolChoice);
    let functions = request.tools.iter().filter(|tool| matches!(tool.kind, ToolKind::Function { .. })).count();
    match request.settings.tool_choice.as_ref()? {
        ToolChoice::Auto => None,
        ToolChoice::None => Some("NONE".into()),
        ToolChoice::Required => Some("REQUIRED".into()),
        ToolChoice::Named(_) => {
            if functions > 1 {
                losses.approximated(place, "some tool must be used: the target cannot say which");
            } else {
                losses.approximated(place, "some tool must be used, and there is one");
            }
            Some("REQUIRED".into())
        }
        ToolChoice::Allowed { required: true, .. } => {
            losses.approximated(place, "some tool must be used: the target cannot say which");
            Some("REQUIRED".into())
        }
        ToolChoice::Allowed { required: false, .. } => {
            losses.dropped(place, "the target cannot say which tools are allowed");
            None
        }
    }
}

fn write_format(format: &Format, losses: &mut Losses) -> Value {
    match format {
        Format::Text => json!({"type": "text"}),
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict } => {
            if strict.is_some() {
                let place = Place::Setting(Field::Format);
                losses.approximated(place, "strict: the target always holds the answer to the schema");
            }
            json!({"type": "json_object", "json_schema": titled(schema, name, description.as_deref(), losses)})
        }
    }
}

fn write_thinking(reasoning: &Reasoning, losses: &mut Losses) -> Option<Value> {
    let place = Place::Setting(Field::Reasoning);
    if reasoning.shown.is_some() || reasoning.summary.is_some() {
        losses.dropped(place.clone(), "whether thoughts are shown: the target shows them");
    }
    if let (None, Some(effort)) = (reasoning.budget, reasoning.effort) {
        losses.approximated(place, "an effort, as a budget in tokens");
        return Some(match effort {
            Effort::None => json!({"type": "disabled"}),
            effort => json!({"type": "enabled", "token_budget": budget_of(effort)}),
        });
    }
    if reasoning.effort.is_some() || (reasoning.dynamic && reasoning.budget.is_some()) {
        losses.dropped(place, "the target takes a budget in tokens and nothing beside it");
    }
    match reasoning.budget {
        Some(0) => Some(json!({"type": "disabled"})),
        Some(budget) => Some(json!({"type": "enabled", "token_budget": budget})),
        None => reasoning.dynamic.then(|| json!({"type": "enabled"})),
    }
}

fn without_place(settings: &Settings, losses: &mut Losses) {
    let other_modality = settings.modalities.iter().any(|word| word != "text");
    let lost = [
        (Field::N, settings.n.is_some_and(|n| n != 1)),
        (Field::TopLogprobs, settings.top_logprobs.is_some()),
        (Field::LogitBias, settings.logit_bias.is_some()),
        (Field::ParallelTools, settings.parallel_tools == Some(false)),
        (Field::Verbosity, settings.verbosity.is_some()),
        (Field::ServiceTier, settings.service_tier.is_some()),
        (Field::User, settings.user.is_some()),
        (Field::CacheKey, settings.cache_key.is_some()),
        (Field::Modalities, other_modality),
    ];
    for (field, _) in lost.into_iter().filter(|(_, said)| *said) {
        losses.dropped(Place::Setting(field), NO_PLACE);
    }
}
