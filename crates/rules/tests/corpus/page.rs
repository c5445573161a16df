//! The files of the corpus.
//!
//! Enters: `*.toml` beside this file. Leaves: lines. Never: works out a number.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use tollgate_model::Usage;

/// Saturday, 21 November 2026, noon: when a line names no other moment.
const NOON: u64 = 1_795_262_400_000;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(skip)]
    pub file: String,
    /// The path segment.
    pub provider: String,
    /// The price page, and when it was read.
    pub source: String,
    #[allow(dead_code, reason = "for people, and for tests/prices/check.py")]
    pub read_on: toml::value::Datetime,
    #[serde(rename = "line")]
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub model: String,
    /// What the answer looks like around its usage.
    pub shape: String,
    /// As the provider writes it: JSON.
    pub usage: String,
    /// The classes that must be read; those not named are 0.
    pub reads: BTreeMap<String, u64>,
    /// Quantity x dollars per million, added up.
    pub sum: String,
    pub nanos: i64,
    /// The name of its price in tests/prices/published.toml, where it is not the model's.
    #[allow(dead_code, reason = "for tests/prices/check.py")]
    pub published: Option<String>,
    /// The tier that the answer says it was served in; `default` of those asked for.
    pub tier: Option<String>,
    /// What the request says of how it wants to be served.
    pub asks: Option<String>,
    /// Where it was sent.
    pub path: Option<String>,
    /// Where they differ from the page's.
    pub provider: Option<String>,
    pub source: Option<String>,
    /// Unix milliseconds.
    pub at: Option<u64>,
}

pub fn read_all() -> Vec<Page> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let page: Page =
            toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap_or_else(|bad| panic!("{file}: {bad}"));
        Page { file, ..page }
    };
    paths.into_iter().map(read).collect()
}

// === impl Line ===

impl Line {
    pub fn at_ms(&self) -> u64 {
        self.at.unwrap_or(NOON)
    }

    pub fn reads(&self) -> Usage {
        let mut usage = Usage::default();
        for (class, count) in &self.reads {
            *slot(&mut usage, class) = *count;
        }
        usage
    }
}

fn slot<'u>(usage: &'u mut Usage, class: &str) -> &'u mut u64 {
    match class {
        "input" => &mut usage.input,
        "cache_read" => &mut usage.cache_read,
        "cache_write_5m" => &mut usage.cache_write_5m,
        "cache_write_1h" => &mut usage.cache_write_1h,
        "audio_in" => &mut usage.audio_in,
        "output" => &mut usage.output,
        "reasoning" => &mut usage.reasoning,
        "audio_out" => &mut usage.audio_out,
        "cache_read_audio" => &mut usage.cache_read_audio,
        "cache_read_image" => &mut usage.cache_read_image,
        "image_in" => &mut usage.image_in,
        "image_out" => &mut usage.image_out,
        "seconds" => &mut usage.seconds,
        "characters" => &mut usage.characters,
        "searches" => &mut usage.searches,
        "images" => &mut usage.images,
        other => panic!("no class {other:?}"),
    }
}
