//! What is one value for the whole of an Ollama request: `options`, `format`, `think`.
//!
//! Enters: the request's object, or the form's settings. Leaves: the other of the two. Never: a setting that is left out without its entry in the
//! ledger.

use serde_json::{Map, Value};

use crate::chat::{
    BadField, Effort, Field, Format, Losses, Place, Reasoning, Request, Settings, ToolChoice, effort_of,
};
use crate::dialect::carry::{self, NO_PLACE};
use crate::dialect::functions::{take_title, titled};
use crate::dialect::object::{Object, Path};

pub(super) fn read(top: &mut Object<'_>, request: &mut Request) -> Result<(), BadField> {
    let settings = &mut request.settings;
    settings.stream_usage = Some(true);
    settings.logprobs = top.bool("logprobs")?;
    settings.top_logprobs = top.count("top_logprobs")?;
    settings.format = format(top)?;
    settings.reasoning = think(top)?;
    if let Some(value) = top.take("options") {
        let path = Path::Member(&Path::Root, "options");
        let mut options = Object::of(value, path)?;
        // Without an end: -1, and -2 to fill the window.
        if options.peek("num_predict").is_some_and(|count| count.as_i64().is_none_or(|count| count >= 0)) {
            settings.max_tokens = options.count("num_predict")?;
        }
        settings.temperature = options.number("temperature")?;
        settings.top_p = options.number("top_p")?;
        settings.top_k = options.count("top_k")?;
        settings.frequency_penalty = options.number("frequency_penalty")?;
        settings.presence_penalty = options.number("presence_penalty")?;
        settings.seed = options.integer("seed")?;
        settings.stop = options.strings("stop")?;
        carry::keep_rest("options", options.rest(), &mut request.extra);
    }
    Ok(())
}

fn format(top: &mut Object<'_>) -> Result<Option<Format>, BadField> {
    match top.take("format") {
        None => Ok(None),
        Some(Value::String(word)) if word.is_empty() => Ok(None),
        Some(Value::String(word)) if word == "json" => Ok(Some(Format::Json)),
        Some(mut schema @ Value::Object(_)) => {
            let name = take_title(&mut schema);
            Ok(Some(Format::Schema { name, description: None, schema, strict: None }))
        }
        Some(other) => Err(Path::Member(&top.path, "format").wrong("\"json\" or a schema", &other)),
    }
}

fn think(top: &mut Object<'_>) -> Result<Option<Reasoning>, BadField> {
    let effort = |effort| Some(Reasoning { effort: Some(effort), ..Reasoning::default() });
    match top.take("think") {
        None => Ok(None),
        Some(Value::Bool(true)) => Ok(Some(Reasoning { dynamic: true, ..Reasoning::default() })),
        Some(Value::Bool(false)) => Ok(effort(Effort::None)),
        Some(Value::String(word)) if Effort::from_name(&word).is_some() => {
            Ok(Effort::from_name(&word).and_then(effort))
        }
        Some(other) => Err(Path::Member(&top.path, "think").wrong("true, false, low, medium or high", &other)),
    }
}

pub(super) fn write(request: &Request, into: &mut Map<String, Value>, losses: &mut Losses) {
    let settings = &request.settings;
    let options = options(settings);
    if !options.is_empty() {
        into.insert("options".into(), Value::Object(options));
    }
    into.extend(write_format(settings.format.as_ref(), losses).map(|format| ("format".to_owned(), format)));
    into.extend(write_think(settings, losses).map(|think| ("think".to_owned(), think)));
    into.extend(settings.logprobs.map(|asked| ("logprobs".to_owned(), asked.into())));
    into.extend(settings.top_logprobs.map(|count| ("top_logprobs".to_owned(), count.into())));
    without_place(settings, losses);
}

fn options(settings: &Settings) -> Map<String, Value> {
    let mut options = Map::new();
    let mut put = |name: &str, value: Option<Value>| options.extend(value.map(|value| (name.to_owned(), value)));
    put("num_predict", settings.max_tokens.map(Value::from));
    put("temperature", settings.temperature.map(Value::from));
    put("top_p", settings.top_p.map(Value::from));
    put("top_k", settings.top_k.map(Value::from));
    put("frequency_penalty", settings.frequency_penalty.map(Value::from));
    put("presence_penalty", settings.presence_penalty.map(Value::from));
    put("seed", settings.seed.map(Value::from));
    put("stop", (!settings.stop.is_empty()).then(|| settings.stop.clone().into()));
    options
}

/// Text is what there is when nothing is said.
fn write_format(format: Option<&Format>, losses: &mut Losses) -> Option<Value> {
    match format? {
        Format::Text => None,
        Format::Json => Some("json".into()),
        Format::Schema { name, description, schema, strict } => {
            if strict.is_some() {
                let place = Place::Setting(Field::Format);
                losses.approximated(place, "strict: the target always holds the answer to the schema");
            }
            Some(titled(schema, name, description.as_deref(), losses))
        }
    }
}

fn write_think(settings: &Settings, losses: &mut Losses) -> Option<Value> {
    let reasoning = settings.reasoning.as_ref()?;
    let place = Place::Setting(Field::Reasoning);
    if reasoning.shown.is_some() || reasoning.summary.is_some() {
        losses.dropped(place.clone(), "whether thoughts are shown: the target shows them");
    }
    let effort = match (reasoning.effort, reasoning.budget) {
        (Some(effort), budget) => {
            if budget.is_some() {
                losses.dropped(place.clone(), "budget: the target takes an effort");
            }
            effort
        }
        (None, Some(budget)) => {
            losses.approximated(place.clone(), "a budget in tokens, as an effort");
            effort_of(budget)
        }
        (None, None) => return reasoning.dynamic.then(|| true.into()),
    };
    let (word, exact) = match effort {
        Effort::None => return Some(false.into()),
        Effort::Minimal => ("low", false),
        Effort::Low => ("low", true),
        Effort::Medium => ("medium", true),
        Effort::High => ("high", true),
        Effort::Higher | Effort::Max => ("high", false),
    };
    if !exact {
        losses.approximated(place, "the nearest effort the target has");
    }
    Some(word.into())
}

fn without_place(settings: &Settings, losses: &mut Losses) {
    let choice = settings.tool_choice.as_ref();
    let lost = [
        (Field::N, settings.n.is_some_and(|n| n != 1)),
        (Field::LogitBias, settings.logit_bias.is_some()),
        (Field::ToolChoice, choice.is_some_and(|choice| !matches!(choice, ToolChoice::Auto | ToolChoice::None))),
        (Field::ParallelTools, settings.parallel_tools == Some(false)),
        (Field::Verbosity, settings.verbosity.is_some()),
        (Field::ServiceTier, settings.service_tier.is_some()),
        (Field::User, settings.user.is_some()),
        (Field::CacheKey, settings.cache_key.is_some()),
        (Field::Modalities, settings.modalities.iter().any(|word| word != "text")),
    ];
    for (field, _) in lost.into_iter().filter(|(_, said)| *said) {
        losses.dropped(Place::Setting(field), NO_PLACE);
    }
}
