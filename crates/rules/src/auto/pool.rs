//! The models that the auto router may choose from: what they can do, and how good they are held to be.
//!
//! Enters: the table below, and the settings `[auto]` over it. Leaves: a pool. Never: knows a price: the catalog does, unless the settings name one.
//!
//! The names are those of the original's documents (data-plane specification, section 8). The scores are ours: a coarse order of general
//! ability, 0 to 100, to be corrected by whoever measured his own work. Models whose providers are not in the catalog are not in the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use tollgate_model::money::scaled;
use tollgate_model::price::PerMillion;

use super::Level;
use crate::walk::Target;

/// What `[auto]` in the settings file may say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The models that are chosen from when a request names none.
    pub pool: Option<Vec<String>>,
    /// The least quality that an easy, a usual and a hard task ask for.
    pub levels: Option<[u8; 3]>,
    /// How many times as much as the cheapest the model of the last turn may cost and still be kept for the session.
    pub session_tolerance: Option<f64>,
    /// How many models are tried.
    pub tries: Option<u8>,
    pub models: BTreeMap<String, ModelSettings>,
}

/// A model of the table with other values, or one that is not in it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// Path segment of the provider.
    pub provider: Option<String>,
    /// As the provider calls it.
    pub model: Option<String>,
    pub quality: Option<u8>,
    pub images: Option<bool>,
    pub files: Option<bool>,
    pub audio: Option<bool>,
    /// Dollars per million tokens, as text.
    pub input_price: Option<String>,
    pub output_price: Option<String>,
    pub context_window: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    entries: Vec<Entry>,
    levels: [u8; 3],
    /// In thousandths, so that a comparison stays whole.
    pub(super) session_tolerance: u64,
    pub(super) tries: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `openai/gpt-5.6-luna`.
    pub name: Arc<str>,
    pub provider: Arc<str>,
    pub model: Arc<str>,
    pub quality: u8,
    pub images: bool,
    pub files: bool,
    pub audio: bool,
    /// Whether it is chosen from when a request names no models.
    pub in_pool: bool,
    /// Of the settings; otherwise the catalog's.
    pub price: Option<(PerMillion, PerMillion)>,
    pub context_window: Option<u64>,
}

const LEVELS: [u8; 3] = [50, 70, 85];
const SESSION_TOLERANCE: f64 = 1.5;
const TRIES: u8 = 3;
const MODELS_MAX: usize = 200;

/// In the default pool; name, provider, upstream name, quality, images, files.
type Row = (bool, &'static str, &'static str, &'static str, u8, bool, bool);
#[rustfmt::skip]
const TABLE: &[Row] = &[
    (true,  "anthropic/claude-fable-5",                 "anthropic",  "claude-fable-5",                           97, true,  true),
    (true,  "anthropic/claude-opus-5",                  "anthropic",  "claude-opus-5",                            94, true,  true),
    (true,  "anthropic/claude-sonnet-5",                "anthropic",  "claude-sonnet-5",                          87, true,  true),
    (true,  "openai/gpt-5.6-luna",                      "openai",     "gpt-5.6-luna",                             66, true,  true),
    (true,  "openai/gpt-5.6-sol",                       "openai",     "gpt-5.6-sol",                              92, true,  true),
    (true,  "openai/gpt-5.6-terra",                     "openai",     "gpt-5.6-terra",                            84, true,  true),
    (true,  "xai/grok-4.5",                             "grok",       "grok-4.5",                                 85, true,  false),
    (false, "@cf/deepseek-ai/deepseek-v4-flash-0731",   "workers-ai", "@cf/deepseek-ai/deepseek-v4-flash-0731",   70, false, false),
    (false, "@cf/deepseek-ai/deepseek-v4-pro-0813",     "workers-ai", "@cf/deepseek-ai/deepseek-v4-pro-0813",     82, false, false),
    (false, "@cf/google/gemma-4-26b-a4b-it",            "workers-ai", "@cf/google/gemma-4-26b-a4b-it",            55, true,  false),
    (false, "@cf/moonshotai/kimi-k2.7-code",            "workers-ai", "@cf/moonshotai/kimi-k2.7-code",            78, false, false),
    (false, "@cf/openai/gpt-oss-20b",                   "workers-ai", "@cf/openai/gpt-oss-20b",                   50, false, false),
    (false, "@cf/qwen/qwen3.8-27b",                     "workers-ai", "@cf/qwen/qwen3.8-27b",                     65, false, false),
    (false, "@cf/zai-org/glm-5.2",                      "workers-ai", "@cf/zai-org/glm-5.2",                      78, false, false),
    (false, "anthropic/claude-fable-5.1",               "anthropic",  "claude-fable-5-1",                         98, true,  true),
    (false, "anthropic/claude-opus-4.8",                "anthropic",  "claude-opus-4-8",                          90, true,  true),
    (false, "anthropic/claude-opus-5.5",                "anthropic",  "claude-opus-5-5",                          96, true,  true),
    (false, "anthropic/claude-sonnet-4.6",              "anthropic",  "claude-sonnet-4-6",                        83, true,  true),
    (false, "fireworks/glm-5.3",                        "fireworks",  "accounts/fireworks/models/glm-5p3",        80, false, false),
    (false, "fireworks/glm-5.3-flash",                  "fireworks",  "accounts/fireworks/models/glm-5p3-flash",  68, false, false),
    (false, "openai/gpt-5.5",                           "openai",     "gpt-5.5",                                  90, true,  true),
    (false, "openai/gpt-6-astra",                       "openai",     "gpt-6-astra",                              98, true,  true),
    (false, "openai/gpt-6-luna",                        "openai",     "gpt-6-luna",                               72, true,  true),
    (false, "openai/gpt-6-sol",                         "openai",     "gpt-6-sol",                                94, true,  true),
    (false, "xai/grok-4.6",                             "grok",       "grok-4.6",                                 87, true,  false),
];

// === impl Pool ===

impl Pool {
    /// The table with the settings over it, or what is wrong with them: key and sentence.
    pub fn new(settings: &Settings) -> Result<Self, (String, String)> {
        let mut entries: Vec<Entry> = TABLE.iter().map(Entry::of).collect();
        if settings.models.len() > MODELS_MAX {
            return Err(("auto.models".to_owned(), format!("at most {MODELS_MAX} models")));
        }
        for (name, wanted) in &settings.models {
            let at = |(key, what): (&str, String)| (format!("auto.models.{name:?}.{key}"), what);
            match entries.iter_mut().find(|entry| *entry.name == **name) {
                Some(entry) => entry.change(wanted).map_err(at)?,
                None => entries.push(Entry::new(name, wanted).map_err(at)?),
            }
        }
        choose(&mut entries, settings.pool.as_deref())?;
        let levels = settings.levels.unwrap_or(LEVELS);
        if !levels.is_sorted() {
            return Err(("auto.levels".to_owned(), "expected three qualities, the lowest first".to_owned()));
        }
        let tolerance = settings.session_tolerance.unwrap_or(SESSION_TOLERANCE);
        if !(0.0..=1_000.0).contains(&tolerance) {
            return Err(("auto.session_tolerance".to_owned(), "expected a number from 0 to 1000".to_owned()));
        }
        let tries = usize::from(settings.tries.unwrap_or(TRIES)).max(1);
        Ok(Self { entries, levels, session_tolerance: (tolerance * 1_000.0) as u64, tries })
    }

    /// Everything that can be asked for by name.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// What is tried when no decision can be made: [`super::Reason::FallbackRouterError`].
    pub fn in_order(&self) -> Vec<Target> {
        self.entries.iter().filter(|entry| entry.in_pool).take(self.tries).map(Entry::target).collect()
    }

    pub(super) fn quality(&self, level: Level) -> u8 {
        self.levels[level as usize]
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(&Settings::default()).expect("the table is right: a test makes it")
    }
}

fn choose(entries: &mut [Entry], pool: Option<&[String]>) -> Result<(), (String, String)> {
    let Some(pool) = pool else { return Ok(()) };
    if pool.is_empty() {
        return Err(("auto.pool".to_owned(), "expected at least one model".to_owned()));
    }
    if let Some(stray) = pool.iter().find(|name| !entries.iter().any(|entry| *entry.name == ***name)) {
        let what = format!("{stray:?} is not known; describe it under [auto.models.{stray:?}]");
        return Err(("auto.pool".to_owned(), what));
    }
    for entry in entries {
        entry.in_pool = pool.iter().any(|name| **name == *entry.name);
    }
    Ok(())
}

// === impl Entry ===

impl Entry {
    fn of(row: &Row) -> Self {
        let (in_pool, name, provider, model, quality, images, files) = *row;
        Self {
            name: name.into(),
            provider: provider.into(),
            model: model.into(),
            quality,
            images,
            files,
            audio: false,
            in_pool,
            price: None,
            context_window: None,
        }
    }

    fn new(name: &str, wanted: &ModelSettings) -> Result<Self, (&'static str, String)> {
        let missing = |key| (key, "a model that is not in the table needs it".to_owned());
        let (author, rest) = name.split_once('/').ok_or(("name", "expected author/model".to_owned()))?;
        let quality = wanted.quality.ok_or(missing("quality"))?;
        let mut entry = Self::of(&(false, "", "", "", quality, false, false));
        (entry.name, entry.provider, entry.model) = (name.into(), author.into(), rest.into());
        entry.change(wanted)?;
        Ok(entry)
    }

    fn change(&mut self, wanted: &ModelSettings) -> Result<(), (&'static str, String)> {
        let text = |place: &mut Arc<str>, wanted: &Option<String>| {
            if let Some(wanted) = wanted {
                *place = wanted.as_str().into();
            }
        };
        text(&mut self.provider, &wanted.provider);
        text(&mut self.model, &wanted.model);
        self.quality = wanted.quality.unwrap_or(self.quality);
        self.images = wanted.images.unwrap_or(self.images);
        self.files = wanted.files.unwrap_or(self.files);
        self.audio = wanted.audio.unwrap_or(self.audio);
        self.context_window = wanted.context_window.or(self.context_window);
        if self.quality > 100 {
            return Err(("quality", "expected 0 to 100".to_owned()));
        }
        self.price = match (&wanted.input_price, &wanted.output_price) {
            (Some(input), Some(output)) => Some((price("input_price", input)?, price("output_price", output)?)),
            (None, None) => self.price,
            _ => return Err(("input_price", "input_price and output_price belong together".to_owned())),
        };
        Ok(())
    }

    pub fn target(&self) -> Target {
        Target { provider: self.provider.clone(), model: self.model.clone(), ..Target::default() }
    }
}

fn price(key: &'static str, text: &str) -> Result<PerMillion, (&'static str, String)> {
    let nanos = scaled(text, 9).ok().and_then(|nanos| u64::try_from(nanos).ok());
    nanos.ok_or_else(|| (key, format!("expected dollars per million tokens, found {text:?}")))
}
