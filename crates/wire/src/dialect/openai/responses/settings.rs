//! Everything that is one value for the whole question.
//!
//! Enters: members of the body, or settings. Leaves: the other of the two. Never: a number out of the range that OpenAI publishes, for callers who
//! could not know it.

use serde_json::{Map, Value, json};

use super::{ENCRYPTED, HOME, LOGPROBS, tools};
use crate::chat::{BadField, Effort, Field, Format, Losses, Place, Reasoning, Request, Settings, budget_of, effort_of};
use crate::dialect::object::{Object, Path};

/// OpenAI refuses less; a caller of another dialect may ask for a single token, to see whether the model is there.
const MAX_TOKENS_MIN: u64 = 16;

/// OpenAI refuses longer ones.
const ID_CHARS_MAX: usize = 64;

const TIERS: [&str; 5] = ["auto", "default", "flex", "priority", "scale"];

const NO_PLACE: &str = "the Responses API has no such setting";

pub(super) fn read(top: &mut Object<'_>) -> Result<Settings, BadField> {
    let (format, verbosity) = read_text(top)?;
    let user = match top.string("safety_identifier")? {
        None => top.string("user")?,
        named => named,
    };
    Ok(Settings {
        max_tokens: top.count("max_output_tokens")?,
        temperature: top.number("temperature")?,
        top_p: top.number("top_p")?,
        top_logprobs: top.count("top_logprobs")?,
        tool_choice: tools::read_choice(top)?,
        parallel_tools: top.bool("parallel_tool_calls")?,
        format,
        reasoning: read_reasoning(top)?,
        verbosity,
        service_tier: top.string("service_tier")?,
        user,
        cache_key: top.string("prompt_cache_key")?,
        ..Settings::default()
    })
}

fn read_text(top: &mut Object<'_>) -> Result<(Option<Format>, Option<String>), BadField> {
    let path = Path::Member(&Path::Root, "text");
    let Some(text) = top.take("text") else { return Ok((None, None)) };
    let mut text = Object::of(text, path)?;
    let verbosity = text.string("verbosity")?;
    let format = match text.take("format") {
        None => None,
        Some(format) => Some(read_format(Object::of(format, Path::Member(&text.path, "format"))?)?),
    };
    top.put_back("text", text.rest());
    Ok((format, verbosity))
}

fn read_format(mut format: Object<'_>) -> Result<Format, BadField> {
    let kind = format.need_string("type")?;
    match kind.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Json),
        "json_schema" => Ok(Format::Schema {
            name: format.need_string("name")?,
            description: format.string("description")?,
            schema: Value::Object(
                format.object("schema")?.ok_or_else(|| Path::Member(&format.path, "schema").missing("an object"))?,
            ),
            strict: format.bool("strict")?,
        }),
        other => {
            let expected = "text, json_object or json_schema";
            Err(Path::Member(&format.path, "type").bad(expected, format!("{other:?}")))
        }
    }
}

fn read_reasoning(top: &mut Object<'_>) -> Result<Option<Reasoning>, BadField> {
    let Some(members) = top.take("reasoning") else { return Ok(None) };
    let mut members = Object::of(members, Path::Member(&Path::Root, "reasoning"))?;
    let effort = members.peek_str("effort").and_then(Effort::from_name);
    if effort.is_some() {
        members.take("effort");
    } else if let Some(other) = members.peek("effort").filter(|value| !value.is_string()) {
        return Err(Path::Member(&members.path, "effort").wrong("a string", other));
    }
    let summary = match members.string("summary")? {
        None => members.string("generate_summary")?,
        named => named,
    };
    let shown = summary.as_ref().map(|_| true);
    top.put_back("reasoning", members.rest());
    let reasoning = Reasoning { effort, summary, shown, ..Reasoning::default() };
    Ok((reasoning != Reasoning::default()).then_some(reasoning))
}

pub(super) fn write(request: &Request, into: &mut Map<String, Value>, losses: &mut Losses) {
    let settings = &request.settings;
    let foreign = request.origin != HOME;
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            into.insert(name.into(), value);
        }
    };
    set("max_output_tokens", max_tokens(settings.max_tokens, foreign, losses).map(Value::from));
    set("temperature", settings.temperature.map(Value::from));
    set("top_p", settings.top_p.map(Value::from));
    set("top_logprobs", settings.top_logprobs.map(Value::from));
    set("parallel_tool_calls", settings.parallel_tools.map(Value::from));
    set("safety_identifier", short(&settings.user, Field::User, foreign, losses));
    set("prompt_cache_key", short(&settings.cache_key, Field::CacheKey, foreign, losses));
    set("service_tier", tier(settings.service_tier.as_deref(), foreign, losses));
    set("tool_choice", settings.tool_choice.as_ref().map(|choice| tools::write_choice(choice, &request.tools)));
    set("include", include(request));
    set("reasoning", write_reasoning(request, losses));
    set("text", write_text(request));
    note_unsaid(settings, losses);
}

fn max_tokens(asked: Option<u64>, foreign: bool, losses: &mut Losses) -> Option<u64> {
    let asked = asked?;
    if foreign && asked < MAX_TOKENS_MIN {
        losses.clamped(Place::Setting(Field::MaxTokens), "at least 16");
        return Some(MAX_TOKENS_MIN);
    }
    Some(asked)
}

fn short(id: &Option<String>, field: Field, foreign: bool, losses: &mut Losses) -> Option<Value> {
    let id = id.as_deref()?;
    if foreign && id.chars().count() > ID_CHARS_MAX {
        losses.dropped(Place::Setting(field), "longer than 64 characters");
        return None;
    }
    Some(id.into())
}

fn tier(tier: Option<&str>, foreign: bool, losses: &mut Losses) -> Option<Value> {
    let tier = tier?;
    if foreign && !TIERS.contains(&tier) {
        losses.dropped(Place::Setting(Field::ServiceTier), "another provider's word");
        return None;
    }
    Some(tier.into())
}

/// Thoughts are stored nowhere for callers of other dialects, so they are asked for in sealed form; only models that think know that
/// word, others refuse it.
fn include(request: &Request) -> Option<Value> {
    let own = (request.origin == HOME).then(|| request.extra.get("include")?.as_array().cloned()).flatten();
    let mut asked = own.unwrap_or_default();
    if request.settings.logprobs == Some(true) {
        asked.push(LOGPROBS.into());
    }
    if request.origin != HOME && thinks(request) {
        asked.push(ENCRYPTED.into());
    }
    (!asked.is_empty()).then(|| asked.into())
}

fn thinks(request: &Request) -> bool {
    let asked = request.settings.reasoning.as_ref();
    let thought = || {
        let mut blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
        blocks.any(|block| block.seal.as_ref().is_some_and(|seal| seal.origin == HOME))
    };
    asked.is_some_and(|asked| asked.effort != Some(Effort::None) && asked.budget != Some(0)) || thought()
}

fn write_reasoning(request: &Request, losses: &mut Losses) -> Option<Value> {
    let mut members = own_members(request, "reasoning");
    if let Some(asked) = &request.settings.reasoning {
        if let Some(effort) = effort(asked, losses) {
            members.insert("effort".into(), effort.name().into());
        }
        let summary = asked.summary.as_deref().or((asked.shown == Some(true)).then_some("auto"));
        members.extend(summary.map(|summary| ("summary".to_owned(), Value::from(summary))));
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

fn effort(asked: &Reasoning, losses: &mut Losses) -> Option<Effort> {
    let place = Place::Setting(Field::Reasoning);
    if asked.effort.is_none() && asked.budget.is_none() && asked.dynamic {
        losses.approximated(place, "the model's usual effort");
        return None;
    }
    let effort = asked.effort.or_else(|| asked.budget.map(effort_of))?;
    if asked.budget.is_some_and(|budget| budget != budget_of(effort)) {
        losses.approximated(place, format!("a budget of tokens became effort {:?}", effort.name()));
    }
    Some(effort)
}

fn write_text(request: &Request) -> Option<Value> {
    let mut members = own_members(request, "text");
    let format = request.settings.format.as_ref().map(write_format);
    members.extend(format.map(|format| ("format".to_owned(), format)));
    let verbosity = request.settings.verbosity.as_deref();
    members.extend(verbosity.map(|verbosity| ("verbosity".to_owned(), Value::from(verbosity))));
    (!members.is_empty()).then_some(Value::Object(members))
}

/// What was left of an object when its known members were taken.
fn own_members(request: &Request, name: &str) -> Map<String, Value> {
    let own = (request.origin == HOME).then(|| request.extra.get(name)?.as_object().cloned()).flatten();
    own.unwrap_or_default()
}

fn write_format(format: &Format) -> Value {
    match format {
        Format::Text => json!({"type": "text"}),
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict } => {
            let mut members = json!({"type": "json_schema", "name": name, "schema": schema});
            if let Some(description) = description {
                members["description"] = description.as_str().into();
            }
            if let Some(strict) = strict {
                members["strict"] = (*strict).into();
            }
            members
        }
    }
}

fn note_unsaid(settings: &Settings, losses: &mut Losses) {
    let more_than_text = settings.modalities.iter().any(|kind| kind != "text");
    let unsaid = [
        (Field::TopK, settings.top_k.is_some()),
        (Field::FrequencyPenalty, settings.frequency_penalty.is_some()),
        (Field::PresencePenalty, settings.presence_penalty.is_some()),
        (Field::Seed, settings.seed.is_some()),
        (Field::N, settings.n.is_some_and(|n| n != 1)),
        (Field::Stop, !settings.stop.is_empty()),
        (Field::LogitBias, settings.logit_bias.is_some()),
        (Field::Modalities, more_than_text),
    ];
    for (field, _) in unsaid.into_iter().filter(|(_, said)| *said) {
        losses.dropped(Place::Setting(field), NO_PLACE);
    }
}
