//! `generationConfig`, `toolConfig` and the other members that are one value for the whole request.
//!
//! Enters: a request's object, or the form's settings. Leaves: the other of the two. Never: a setting without its entry in the ledger when Google
//! has no such.

use serde_json::{Map, Value, json};

use super::{names, schema, thinking};
use crate::chat::{BadField, Field, Format, Losses, Place, Request, Settings, ToolChoice};
use crate::dialect::Dialect;
use crate::dialect::carry::{self, NO_PLACE};
use crate::dialect::functions;
use crate::dialect::object::{Object, Path};

/// More are refused (<https://ai.google.dev/api/generate-content#FIELDS.stop_sequences>).
const STOPS_MAX: usize = 5;

pub(super) fn read(top: &mut Object<'_>, request: &mut Request) -> Result<(), BadField> {
    request.settings.stream_usage = Some(true);
    request.settings.service_tier = top.string("serviceTier")?;
    if let Some(value) = top.take("generationConfig") {
        generation(value, request)?;
    }
    if let Some(value) = top.take("toolConfig") {
        tool_config(value, request)?;
    }
    Ok(())
}

fn generation(value: Value, request: &mut Request) -> Result<(), BadField> {
    let path = Path::Member(&Path::Root, "generationConfig");
    let mut config = names::open(value, path)?;
    let settings = &mut request.settings;
    settings.max_tokens = config.count("maxOutputTokens")?;
    settings.temperature = config.number("temperature")?;
    settings.top_p = config.number("topP")?;
    settings.top_k = config.count("topK")?;
    settings.frequency_penalty = config.number("frequencyPenalty")?;
    settings.presence_penalty = config.number("presencePenalty")?;
    settings.seed = config.integer("seed")?;
    settings.n = config.count("candidateCount")?;
    settings.stop = config.strings("stopSequences")?;
    settings.logprobs = config.bool("responseLogprobs")?;
    settings.top_logprobs = config.count("logprobs")?;
    settings.modalities = config.strings("responseModalities")?.iter().map(|word| word.to_ascii_lowercase()).collect();
    settings.format = format(&mut config)?;
    if let Some(value) = config.take("thinkingConfig") {
        let path = Path::Member(&path, "thinkingConfig");
        settings.reasoning = Some(thinking::read(value, path, &mut request.extra)?);
    }
    carry::keep_rest("generationConfig", config.rest(), &mut request.extra);
    Ok(())
}

/// The type alone says JSON; with a schema it says which. Types the form does not know (`text/x.enum`) stay where they are.
fn format(config: &mut Object<'_>) -> Result<Option<Format>, BadField> {
    let whole = config.take("responseJsonSchema");
    let subset = config.take("responseSchema").map(schema::from_openapi);
    let mut schema = whole.or(subset);
    let word = config.peek_str("responseMimeType").map(str::to_owned);
    match (word.as_deref(), &mut schema) {
        (Some("application/json"), None) => {
            config.take("responseMimeType");
            Ok(Some(Format::Json))
        }
        (Some("application/json") | None, Some(schema)) => {
            config.take("responseMimeType");
            let name = functions::take_title(schema);
            Ok(Some(Format::Schema { name, description: None, schema: schema.take(), strict: None }))
        }
        (Some("text/plain"), None) => {
            config.take("responseMimeType");
            Ok(Some(Format::Text))
        }
        (_, None) => Ok(None),
        (Some(other), Some(_)) => {
            Err(Path::Member(&config.path, "responseMimeType").bad("application/json", format!("{other:?}")))
        }
    }
}

fn tool_config(value: Value, request: &mut Request) -> Result<(), BadField> {
    let path = Path::Member(&Path::Root, "toolConfig");
    let mut config = names::open(value, path)?;
    if let Some(value) = config.take("functionCallingConfig") {
        let path = Path::Member(&path, "functionCallingConfig");
        let mut calling = names::open(value, path)?;
        let mode = calling.string("mode")?.map(|mode| mode.to_ascii_uppercase());
        let names = calling.strings("allowedFunctionNames")?;
        request.settings.tool_choice = match mode.as_deref() {
            Some("NONE") => Some(ToolChoice::None),
            Some("ANY") => Some(required(names)),
            Some("AUTO" | "VALIDATED") if !names.is_empty() => Some(ToolChoice::Allowed { names, required: false }),
            Some("VALIDATED") => {
                request.extra.insert("toolConfig.functionCallingConfig.mode".into(), "VALIDATED".into());
                None
            }
            Some("AUTO" | "MODE_UNSPECIFIED") => Some(ToolChoice::Auto),
            None => None,
            Some(other) => {
                let found = format!("{other:?}");
                return Err(Path::Member(&path, "mode").bad("AUTO, ANY, NONE or VALIDATED", found));
            }
        };
        carry::keep_rest("toolConfig.functionCallingConfig", calling.rest(), &mut request.extra);
    }
    carry::keep_rest("toolConfig", config.rest(), &mut request.extra);
    Ok(())
}

fn required(mut names: Vec<String>) -> ToolChoice {
    match names.len() {
        0 => ToolChoice::Required,
        1 => ToolChoice::Named(names.remove(0)),
        _ => ToolChoice::Allowed { names, required: true },
    }
}

pub(super) fn write(request: &Request, into: &mut Map<String, Value>, losses: &mut Losses) {
    let config = generation_config(request, losses);
    if !config.is_empty() {
        into.insert("generationConfig".into(), Value::Object(config));
    }
    if let Some(choice) = request.settings.tool_choice.as_ref().filter(|_| !request.tools.is_empty()) {
        into.insert("toolConfig".into(), json!({"functionCallingConfig": calling_config(choice, losses)}));
    } else if request.settings.tool_choice.is_some() {
        losses.dropped(Place::Setting(Field::ToolChoice), "there are no tools to choose from");
    }
    service_tier(request, into, losses);
    without_place(&request.settings, losses);
}

fn generation_config(request: &Request, losses: &mut Losses) -> Map<String, Value> {
    let settings = &request.settings;
    let mut config = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        config.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("maxOutputTokens", settings.max_tokens.map(Value::from));
    put("temperature", settings.temperature.map(Value::from));
    put("topP", settings.top_p.map(Value::from));
    put("topK", settings.top_k.map(Value::from));
    put("frequencyPenalty", settings.frequency_penalty.map(Value::from));
    put("presencePenalty", settings.presence_penalty.map(Value::from));
    put("seed", seed(settings, losses));
    put("candidateCount", settings.n.map(Value::from));
    put("stopSequences", stop(settings, losses));
    put("responseLogprobs", settings.logprobs.map(Value::from));
    put("logprobs", settings.top_logprobs.map(Value::from));
    put("responseModalities", modalities(settings));
    put("thinkingConfig", thinking::write(request, losses));
    write_format(settings.format.as_ref(), &mut config, losses);
    config
}

/// 32 bits there.
fn seed(settings: &Settings, losses: &mut Losses) -> Option<Value> {
    let seed = settings.seed?;
    if i32::try_from(seed).is_err() {
        losses.dropped(Place::Setting(Field::Seed), "the target's seeds have 32 bits");
        return None;
    }
    Some(seed.into())
}

fn stop(settings: &Settings, losses: &mut Losses) -> Option<Value> {
    if settings.stop.len() > STOPS_MAX {
        losses.dropped(Place::Setting(Field::Stop), "the target takes five stop sequences: the first five were kept");
    }
    let kept: Vec<_> = settings.stop.iter().take(STOPS_MAX).cloned().collect();
    (!kept.is_empty()).then(|| kept.into())
}

fn modalities(settings: &Settings) -> Option<Value> {
    let words: Vec<_> = settings.modalities.iter().map(|word| word.to_ascii_uppercase()).collect();
    (!words.is_empty()).then(|| words.into())
}

fn write_format(format: Option<&Format>, config: &mut Map<String, Value>, losses: &mut Losses) {
    let place = Place::Setting(Field::Format);
    match format {
        None => {}
        Some(Format::Text) => drop(config.insert("responseMimeType".into(), "text/plain".into())),
        Some(Format::Json) => drop(config.insert("responseMimeType".into(), "application/json".into())),
        Some(Format::Schema { name, description, schema, strict }) => {
            if let Some(note) = schema::unheeded(schema) {
                losses.approximated(place.clone(), note);
            }
            if strict.is_some() {
                losses.approximated(place.clone(), "strict: the target always holds the answer to the schema");
            }
            let schema = functions::titled(schema, name, description.as_deref(), losses);
            config.insert("responseMimeType".into(), "application/json".into());
            config.insert("responseJsonSchema".into(), schema);
        }
    }
}

fn calling_config(choice: &ToolChoice, losses: &mut Losses) -> Value {
    match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
        ToolChoice::Allowed { names, required: true } => {
            if names.len() == 1 {
                losses.approximated(Place::Setting(Field::ToolChoice), "the only tool allowed is the tool required");
            }
            json!({"mode": "ANY", "allowedFunctionNames": names})
        }
        ToolChoice::Allowed { names, required: false } => json!({"mode": "VALIDATED", "allowedFunctionNames": names}),
    }
}

/// <https://ai.google.dev/gemini-api/docs/flex-inference>: `standard`, `flex`, `priority`.
fn service_tier(request: &Request, into: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(tier) = request.settings.service_tier.as_deref() else { return };
    let place = Place::Setting(Field::ServiceTier);
    let word = match tier {
        _ if request.origin == Dialect::Gemini => tier,
        "flex" | "priority" | "standard" => tier,
        "default" | "standard_only" => {
            losses.approximated(place, "standard");
            "standard"
        }
        _ => return losses.dropped(place, "the target has no such tier"),
    };
    into.insert("serviceTier".into(), word.into());
}

fn without_place(settings: &Settings, losses: &mut Losses) {
    let lost = [
        (Field::LogitBias, settings.logit_bias.is_some()),
        (Field::ParallelTools, settings.parallel_tools == Some(false)),
        (Field::Verbosity, settings.verbosity.is_some()),
        (Field::User, settings.user.is_some()),
        (Field::CacheKey, settings.cache_key.is_some()),
    ];
    for (field, _) in lost.into_iter().filter(|(_, said)| *said) {
        losses.dropped(Place::Setting(field), NO_PLACE);
    }
}
