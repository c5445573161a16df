//! Other people's price lists.
//!
//! Enters: JSON of genai-prices, LiteLLM or models.dev. Leaves: dollars per million, by our names of providers and classes.
//! Never: takes a figure whose unit it does not know, or guesses which of two formats it has before it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use serde_json::{Map, Value};
use tollgate_dial::{Client, Limits, Resolver, TlsRoots};
use tollgate_model::Money;
use tollgate_model::money::scaled;
use tollgate_rules::catalog::sheet::RatesRow;
use tollgate_rules::egress::Egress;

const BYTES_MAX: usize = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// Provider and model to its rates.
pub(super) type Listed = BTreeMap<(String, String), RatesRow>;

/// Their word for a provider, ours.
const PROVIDERS: [(&str, &str); 26] = [
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("google", "google-ai-studio"),
    ("gemini", "google-ai-studio"),
    ("x-ai", "grok"),
    ("xai", "grok"),
    ("groq", "groq"),
    ("mistral", "mistral"),
    ("cohere", "cohere"),
    ("cohere_chat", "cohere"),
    ("deepseek", "deepseek"),
    ("perplexity", "perplexity-ai"),
    ("cerebras", "cerebras"),
    ("openrouter", "openrouter"),
    ("together", "together"),
    ("togetherai", "together"),
    ("together_ai", "together"),
    ("fireworks", "fireworks"),
    ("fireworks-ai", "fireworks"),
    ("fireworks_ai", "fireworks"),
    ("voyageai", "voyage"),
    ("voyage", "voyage"),
    ("azure", "azure-openai"),
    ("aws", "aws-bedrock"),
    ("amazon-bedrock", "aws-bedrock"),
    ("bedrock", "aws-bedrock"),
];

/// Their word for a class, ours, and the powers of ten from their figure to dollars per million.
type Classes = &'static [(&'static str, &'static str, usize)];

const GENAI: Classes = &[
    ("input_mtok", "input", 0),
    ("output_mtok", "output", 0),
    ("cache_read_mtok", "cache_read", 0),
    ("cache_write_mtok", "cache_write_5m", 0),
    ("input_audio_mtok", "audio_in", 0),
    ("output_audio_mtok", "audio_out", 0),
    ("cache_audio_read_mtok", "cache_read_audio", 0),
    ("requests_kcount", "request", 3),
];
const LITELLM: Classes = &[
    ("input_cost_per_token", "input", 6),
    ("output_cost_per_token", "output", 6),
    ("cache_read_input_token_cost", "cache_read", 6),
    ("cache_creation_input_token_cost", "cache_write_5m", 6),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h", 6),
    ("output_cost_per_reasoning_token", "reasoning", 6),
    ("input_cost_per_audio_token", "audio_in", 6),
    ("output_cost_per_audio_token", "audio_out", 6),
];
const MODELS_DEV: Classes = &[
    ("input", "input", 0),
    ("output", "output", 0),
    ("cache_read", "cache_read", 0),
    ("cache_write", "cache_write_5m", 0),
    ("reasoning", "reasoning", 0),
    ("input_audio", "audio_in", 0),
    ("output_audio", "audio_out", 0),
];

/// From a file or an address.
pub(super) fn read(source: &str) -> anyhow::Result<Listed> {
    let bytes = if source.contains("://") { fetched(source)? } else { held(source)? };
    listed(&bytes).with_context(|| source.to_owned())
}

fn held(path: &str) -> anyhow::Result<Vec<u8>> {
    let about = std::fs::metadata(path).with_context(|| path.to_owned())?;
    anyhow::ensure!(about.len() <= BYTES_MAX as u64, "{path}: longer than {BYTES_MAX} bytes");
    std::fs::read(path).with_context(|| path.to_owned())
}

fn fetched(url: &str) -> anyhow::Result<Vec<u8>> {
    let request = http::Request::get(url).body(Bytes::new()).context("that is no address")?;
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    // Who types a command may reach what this machine can reach; in the clear only itself.
    let allow_private = ["127.0.0.0/8", "::1/128"].iter().filter_map(|range| range.parse().ok()).collect();
    let client = Client::new(Egress { allow_private }.into(), TlsRoots::System, Resolver::System);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let limits = Limits { total: PATIENCE, body_bytes_max: BYTES_MAX };
    let answer = runtime.block_on(client.send(request, limits)).with_context(|| url.to_owned())?;
    anyhow::ensure!(answer.status().is_success(), "{url} answers with status {}", answer.status().as_u16());
    Ok(answer.into_body().to_vec())
}

/// The format is told by what only one of them has.
fn listed(bytes: &[u8]) -> anyhow::Result<Listed> {
    let document: Value = serde_json::from_slice(bytes).context("expected JSON")?;
    let listed = match &document {
        Value::Array(providers) => genai(providers),
        Value::Object(members) if members.values().any(|entry| entry["litellm_provider"].is_string()) => {
            litellm(members)
        }
        Value::Object(members) if members.values().any(|entry| entry["models"].is_object()) => models_dev(members),
        _ => anyhow::bail!("expected a list in the format of genai-prices, LiteLLM or models.dev"),
    }?;
    anyhow::ensure!(!listed.is_empty(), "there is no price in it of a provider that is known here");
    Ok(listed)
}

fn segment(theirs: &str) -> Option<&'static str> {
    PROVIDERS.iter().find(|(name, _)| *name == theirs).map(|(_, ours)| *ours)
}

/// A model with a price that depends on something is left out: which of them stands cannot be said in a table.
fn genai(providers: &[Value]) -> anyhow::Result<Listed> {
    let mut listed = Listed::new();
    for (at, provider) in providers.iter().enumerate() {
        let id = provider["id"].as_str().with_context(|| format!("[{at}].id: expected a provider's name"))?;
        let Some(segment) = segment(id) else { continue };
        let models = provider["models"].as_array().with_context(|| format!("[{at}].models: expected a list"))?;
        for (place, model) in models.iter().enumerate() {
            let place = format!("[{at}].models[{place}]");
            let name = model["id"].as_str().with_context(|| format!("{place}.id: expected a name"))?;
            let Some(figures) = model["prices"].as_object() else { continue };
            if figures.values().any(Value::is_object) {
                continue;
            }
            add(&mut listed, segment, name, rates(figures, GENAI, &place)?);
        }
    }
    Ok(listed)
}

fn litellm(entries: &Map<String, Value>) -> anyhow::Result<Listed> {
    let mut listed = Listed::new();
    for (key, entry) in entries {
        let theirs = entry["litellm_provider"].as_str().unwrap_or_default();
        let Some((segment, entry)) = segment(theirs).zip(entry.as_object()) else { continue };
        let depends =
            |name: &String| name.contains("_above_") && !name.ends_with("_above_1hr") || name == "tiered_pricing";
        if entry.keys().any(depends) {
            continue;
        }
        let name = key.strip_prefix(theirs).and_then(|rest| rest.strip_prefix('/')).unwrap_or(key);
        let mut rates = rates(entry, LITELLM, key)?;
        // There 0 often means that nobody knows.
        rates.retain(|_, text| text != "0");
        add(&mut listed, segment, name, rates);
    }
    Ok(listed)
}

fn models_dev(providers: &Map<String, Value>) -> anyhow::Result<Listed> {
    let mut listed = Listed::new();
    for (theirs, provider) in providers {
        let Some((segment, models)) = segment(theirs).zip(provider["models"].as_object()) else { continue };
        for (name, model) in models {
            let Some(figures) = model["cost"].as_object() else { continue };
            if figures.values().any(Value::is_object) {
                continue;
            }
            add(&mut listed, segment, name, rates(figures, MODELS_DEV, &format!("{theirs}.models.{name}.cost"))?);
        }
    }
    Ok(listed)
}

/// Where a `/` in a name means a region or a size, the name is of no model that anybody asks for.
const WITHOUT_SLASH: [&str; 5] = ["openai", "anthropic", "azure-openai", "aws-bedrock", "google-ai-studio"];

fn add(listed: &mut Listed, segment: &str, name: &str, rates: RatesRow) {
    let is_model = !name.contains(char::is_whitespace) && !(name.contains('/') && WITHOUT_SLASH.contains(&segment));
    if rates.contains_key("input") && is_model {
        listed.entry((segment.to_owned(), name.to_owned())).or_insert(rates);
    }
}

fn rates(figures: &Map<String, Value>, classes: Classes, place: &str) -> anyhow::Result<RatesRow> {
    let mut rates = RatesRow::new();
    for (theirs, ours, shift) in classes {
        let Some(figure) = figures.get(*theirs).filter(|figure| !figure.is_null()) else { continue };
        let text = dollars(figure, *shift);
        rates.insert(
            (*ours).to_owned(),
            text.with_context(|| format!("{place}.{theirs}: expected a price, found {figure}"))?,
        );
    }
    Ok(rates)
}

/// What JSON encoders add behind the nano-dollar (`7.000000000000001e-07`) is rounded away.
fn dollars(figure: &Value, shift: usize) -> Option<String> {
    let text = match figure {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let fine = scaled(&text, 18 + shift).ok()?;
    let nanos = (fine + 500_000_000) / 1_000_000_000;
    Some(Money::from_nanos(i64::try_from(nanos).ok().filter(|nanos| *nanos >= 0)?).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn three_formats_say_the_same() {
        let texts = [
            r#"[{"id":"openai","models":[{"id":"m-1","prices":{"input_mtok":"0.15","output_mtok":0.6,"cache_read_mtok":"0.075"}}]}]"#,
            r#"{"m-1":{"litellm_provider":"openai","input_cost_per_token":1.5e-07,"output_cost_per_token":6e-07,"cache_read_input_token_cost":7.500000000000001e-08}}"#,
            r#"{"openai":{"models":{"m-1":{"cost":{"input":0.15,"output":0.6,"cache_read":0.075}}}}}"#,
        ];
        let expected = RatesRow::from(
            [("input", "0.15"), ("output", "0.6"), ("cache_read", "0.075")]
                .map(|(class, text)| (class.to_owned(), text.to_owned())),
        );
        for text in texts {
            let read = listed(text.as_bytes()).unwrap();
            assert_eq!(read, Listed::from([(("openai".to_owned(), "m-1".to_owned()), expected.clone())]), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, problem) in [
            ("{", "expected JSON"),
            ("{}", "expected a list in the format of"),
            (r#"[{"id":"openai","models":7}]"#, "[0].models: expected a list"),
            (r#"[{"models":[]}]"#, "[0].id: expected a provider's name"),
            (
                r#"[{"id":"openai","models":[{"id":"m","prices":{"input_mtok":"-1"}}]}]"#,
                "[0].models[0].input_mtok: expected a price",
            ),
            (
                r#"{"m":{"litellm_provider":"openai","input_cost_per_token":"free"}}"#,
                "m.input_cost_per_token: expected a price",
            ),
            (r#"{"openai":{"models":{"m":{"cost":{"input":true}}}}}"#, "openai.models.m.cost.input: expected a price"),
            (r#"[{"id":"nobody","models":[]}]"#, "there is no price in it"),
        ] {
            let said = format!("{:#}", listed(text.as_bytes()).unwrap_err());
            assert!(said.starts_with(problem), "{text}: {said}");
        }
    }
}
