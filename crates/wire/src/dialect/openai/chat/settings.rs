//! The settings of a request, read and written.
//!
//! Enters: top-level members, or the form. Leaves: the other. Never: judges a value beyond its type: ranges are the provider's business.

use serde_json::{Map, Value, json};

use super::{HOME, tool};
use crate::chat::{BadField, Effort, Field, Format, Losses, Place, Reasoning, Request, Settings, effort_of};
use crate::dialect::object::{Object, Path};

pub(super) fn read(top: &mut Object<'_>) -> Result<Settings, BadField> {
    let (newer, older) = (top.count("max_completion_tokens")?, top.count("max_tokens")?);
    let user = top.string("user")?;
    Ok(Settings {
        stream_usage: stream_usage(top)?,
        max_tokens: newer.or(older),
        temperature: top.number("temperature")?,
        top_p: top.number("top_p")?,
        top_k: top.count("top_k")?,
        frequency_penalty: top.number("frequency_penalty")?,
        presence_penalty: top.number("presence_penalty")?,
        seed: top.integer("seed")?,
        n: top.count("n")?,
        stop: top.strings("stop")?,
        logprobs: top.bool("logprobs")?,
        top_logprobs: top.count("top_logprobs")?,
        logit_bias: top.object("logit_bias")?,
        tool_choice: tool::read_choice(top)?,
        parallel_tools: top.bool("parallel_tool_calls")?,
        format: format(top)?,
        reasoning: reasoning(top)?,
        verbosity: top.string("verbosity")?,
        service_tier: top.string("service_tier")?,
        // Where both are given the newer one stays an extra.
        user: if user.is_some() { user } else { top.string("safety_identifier")? },
        cache_key: top.string("prompt_cache_key")?,
        modalities: top.strings("modalities")?,
    })
}

fn stream_usage(top: &mut Object<'_>) -> Result<Option<bool>, BadField> {
    let Some(options) = top.object("stream_options")? else { return Ok(None) };
    let path = top.path;
    let mut options = Object::of(Value::Object(options), Path::Member(&path, "stream_options"))?;
    let usage = options.bool("include_usage")?;
    top.put_rest("stream_options", options.rest());
    Ok(usage)
}

/// What else there may be in it is not understood, so then all of it stays an extra.
fn format(top: &mut Object<'_>) -> Result<Option<Format>, BadField> {
    let Some(value) = top.object("response_format")? else { return Ok(None) };
    let path = top.path;
    let at = Path::Member(&path, "response_format");
    let kind =
        value.get("type").and_then(Value::as_str).ok_or_else(|| Path::Member(&at, "type").missing("a string"))?;
    match (kind, value.len()) {
        ("text", 1) => Ok(Some(Format::Text)),
        ("json_object", 1) => Ok(Some(Format::Json)),
        ("json_schema", _) => {
            let mut value = Object::of(Value::Object(value), at)?;
            let inner_at = Path::Member(&at, "json_schema");
            let mut inner =
                Object::of(value.take("json_schema").ok_or_else(|| inner_at.missing("an object"))?, inner_at)?;
            Ok(Some(Format::Schema {
                name: inner.need_string("name")?,
                description: inner.string("description")?,
                schema: inner.object("schema")?.map_or_else(|| json!({}), Value::Object),
                strict: inner.bool("strict")?,
            }))
        }
        _ => {
            top.put("response_format", Value::Object(value));
            Ok(None)
        }
    }
}

/// OpenAI's word, OpenRouter's object, and the switch that DeepSeek and others took over from Anthropic.
fn reasoning(top: &mut Object<'_>) -> Result<Option<Reasoning>, BadField> {
    let mut found = Reasoning { effort: effort(top, "reasoning_effort")?, ..Reasoning::default() };
    let path = top.path;
    if top.peek("reasoning").is_some_and(Value::is_object) {
        let mut object = Object::of(top.take("reasoning").unwrap_or_default(), Path::Member(&path, "reasoning"))?;
        found.effort = effort(&mut object, "effort")?.or(found.effort);
        found.budget = object.count("max_tokens")?;
        found.shown = object.bool("exclude")?.map(|hidden| !hidden);
        found.summary = object.string("summary")?;
        match object.bool("enabled")? {
            Some(false) if found.effort.is_none() => found.effort = Some(Effort::None),
            Some(true) if found.effort.is_none() && found.budget.is_none() => found.dynamic = true,
            _ => {}
        }
        top.put_rest("reasoning", object.rest());
    }
    if top.peek("thinking").is_some_and(Value::is_object) {
        let mut object = Object::of(top.take("thinking").unwrap_or_default(), Path::Member(&path, "thinking"))?;
        thinking(&mut object, &mut found)?;
        top.put_rest("thinking", object.rest());
    }
    Ok((found != Reasoning::default()).then_some(found))
}

fn effort(object: &mut Object<'_>, name: &str) -> Result<Option<Effort>, BadField> {
    let known = object.peek_str(name).map(Effort::from_name);
    match known {
        // A word of its host's own: an extra.
        Some(None) => Ok(None),
        _ => Ok(object.string(name)?.and_then(|word| Effort::from_name(&word))),
    }
}

fn thinking(object: &mut Object<'_>, found: &mut Reasoning) -> Result<(), BadField> {
    match object.peek_str("type") {
        Some("disabled") => found.effort = Some(Effort::None),
        Some("adaptive" | "auto") => found.dynamic = true,
        Some("enabled") if object.peek("budget_tokens").is_none() => found.dynamic = found.effort.is_none(),
        Some("enabled") => found.budget = object.count("budget_tokens")?,
        _ => return Ok(()),
    }
    object.take("type");
    Ok(())
}

pub(super) fn write(request: &Request, body: &mut Map<String, Value>, losses: &mut Losses) {
    let settings = &request.settings;
    let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| body.insert(name.into(), value)));
    put("max_completion_tokens", settings.max_tokens.map(Value::from));
    put("temperature", settings.temperature.map(Value::from));
    put("top_p", settings.top_p.map(Value::from));
    put("top_k", settings.top_k.map(Value::from));
    put("frequency_penalty", settings.frequency_penalty.map(Value::from));
    put("presence_penalty", settings.presence_penalty.map(Value::from));
    put("seed", settings.seed.map(Value::from));
    put("n", settings.n.map(Value::from));
    put("stop", list(&settings.stop));
    put("logprobs", settings.logprobs.map(Value::from));
    put("top_logprobs", settings.top_logprobs.map(Value::from));
    put("logit_bias", settings.logit_bias.clone().map(Value::Object));
    put("tool_choice", settings.tool_choice.as_ref().map(|choice| tool::write_choice(choice, &request.tools)));
    put("parallel_tool_calls", settings.parallel_tools.map(Value::from));
    put("response_format", settings.format.as_ref().map(write_format));
    put("verbosity", settings.verbosity.as_deref().map(Value::from));
    put("service_tier", settings.service_tier.as_deref().map(Value::from));
    put("user", settings.user.as_deref().map(Value::from));
    put("prompt_cache_key", settings.cache_key.as_deref().map(Value::from));
    put("modalities", list(&settings.modalities));
    if let Some(usage) = settings.stream_usage.filter(|_| request.stream || request.origin == HOME) {
        put("stream_options", Some(json!({"include_usage": usage})));
    }
    if let Some(reasoning) = &settings.reasoning {
        write_reasoning(reasoning, request, body, losses);
    }
}

fn list(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| texts.into())
}

fn write_format(format: &Format) -> Value {
    match format {
        Format::Text => json!({"type": "text"}),
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict } => {
            let mut inner = Map::from_iter([("name".to_owned(), Value::from(name.as_str()))]);
            if let Some(description) = description {
                inner.insert("description".into(), description.as_str().into());
            }
            inner.insert("schema".into(), schema.clone());
            if let Some(strict) = strict {
                inner.insert("strict".into(), (*strict).into());
            }
            json!({"type": "json_schema", "json_schema": inner})
        }
    }
}

/// Most hosts know the word alone. Who asked in OpenRouter's object is answered in it.
fn write_reasoning(reasoning: &Reasoning, request: &Request, body: &mut Map<String, Value>, losses: &mut Losses) {
    let place = Place::Setting(Field::Reasoning);
    let Reasoning { effort, budget, dynamic, shown, summary } = reasoning;
    let plain = budget.is_none() && !dynamic && shown.is_none() && summary.is_none();
    if request.origin == HOME && !plain {
        body.insert("reasoning".into(), own_reasoning(reasoning));
        return;
    }
    let effort = effort.or_else(|| {
        let nearest = effort_of((*budget)?);
        losses.approximated(place.clone(), format!("a budget of tokens became the effort {}", nearest.name()));
        Some(nearest)
    });
    if let Some(effort) = effort {
        body.insert("reasoning_effort".into(), effort.name().into());
    }
    if shown.is_some() || summary.is_some() {
        losses.dropped(place, "the target decides whether thoughts are shown");
    }
}

fn own_reasoning(reasoning: &Reasoning) -> Value {
    let Reasoning { effort, budget, dynamic, shown, summary } = reasoning;
    let mut object = Map::new();
    let mut put = |name: &str, value: Option<Value>| drop(value.map(|value| object.insert(name.into(), value)));
    put("effort", effort.map(|effort| effort.name().into()));
    put("max_tokens", budget.map(Value::from));
    put("enabled", dynamic.then_some(Value::Bool(true)));
    put("exclude", shown.map(|shown| (!shown).into()));
    put("summary", summary.as_deref().map(Value::from));
    Value::Object(object)
}
