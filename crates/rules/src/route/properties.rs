//! What the properties of each kind of element mean.
//!
//! Enters: the members of `properties`. Leaves: limits, targets, keys. Never: guesses a member that must be there.

use serde_json::Value;
use tollgate_model::gateway::Technique;
use tollgate_model::money::scaled;

use crate::meter::By;
use crate::retry::ATTEMPTS_MAX;
use crate::walk::{Miss, Target};

use super::MissSet;
use super::condition::Condition;
use super::document::{Properties, kind_of, name};
use super::path::{Path, Source};
use super::problem::{Problems, meant, quoted};

const TIMEOUT_MAX_MS: u64 = 86_400_000;
/// A window of more than a year is a mistake in the unit.
const WINDOW_MAX_S: f64 = 366.0 * 86_400.0;
const SOURCES_MAX: usize = 8;

/// A rate element without its outputs.
pub(super) struct Rate {
    pub(super) by: By,
    pub(super) limit: u64,
    pub(super) window_ms: u64,
    pub(super) technique: Technique,
    pub(super) key: Option<Source>,
}

/// Words that stand for several misses.
const GROUPS: [(&str, &[Miss]); 8] = [
    ("any", &Miss::ALL),
    ("all", &Miss::ALL),
    ("5xx", &[Miss::ServerError]),
    ("4xx", &[Miss::RateLimited, Miss::ClientError, Miss::ContextTooLong, Miss::ContentPolicy]),
    ("429", &[Miss::RateLimited]),
    ("rate_limit", &[Miss::RateLimited]),
    ("context_length_exceeded", &[Miss::ContextTooLong]),
    ("spend_limit", &[Miss::SpendLimited]),
];

pub(super) fn conditional(properties: Properties<'_>, problems: &mut Problems) -> Option<Condition> {
    problems.within("conditions", |problems| match properties.get("conditions") {
        None => {
            problems.error("Required");
            None
        }
        Some(value) => {
            if value.as_object().is_some_and(serde_json::Map::is_empty) {
                problems.warning("no condition always holds", "write one, or lead past this element");
            }
            Some(Condition::read(value, problems))
        }
    })
}

pub(super) fn rate(properties: Properties<'_>, problems: &mut Problems) -> Option<Rate> {
    let by = problems.within("limitType", |problems| {
        word(properties.get("limitType"), &[("count", By::Count), ("cost", By::Cost)], problems)
    });
    let limit = problems.within("limit", |problems| limit(properties.get("limit"), by, problems));
    let window_ms = problems.within("window", |problems| window(properties.get("window"), problems));
    let techniques = &[("sliding", Technique::Sliding), ("fixed", Technique::Fixed)];
    let technique = problems.within("technique", |problems| match properties.get("technique") {
        None => Some(Technique::Sliding),
        given => word(given, techniques, problems),
    });
    let key = problems.within("key", |problems| source(properties.get("key"), problems));
    Some(Rate { by: by?, limit: limit?, window_ms: window_ms?, technique: technique?, key })
}

pub(super) fn target(properties: Properties<'_>, problems: &mut Problems) -> Option<Target> {
    let provider = problems.within("provider", |problems| name(properties.get("provider"), problems));
    let model = problems.within("model", |problems| name(properties.get("model"), problems));
    let timeout_ms = problems.within("timeout", |problems| whole(properties.get("timeout"), TIMEOUT_MAX_MS, problems));
    let retries = problems.within("retries", |problems| retries(properties.get("retries"), problems));
    Some(Target {
        provider: provider?.into(),
        model: model?.into(),
        timeout_ms: timeout_ms.filter(|ms| *ms > 0),
        attempts: retries,
    })
}

/// Which misses take the fallback.
pub(super) fn falls_on(properties: Properties<'_>, problems: &mut Problems) -> MissSet {
    problems.within("fallbackOn", |problems| match properties.get("fallbackOn") {
        None => MissSet::all(),
        Some(Value::Array(words)) => words.iter().enumerate().fold(MissSet::NONE, |set, (index, word)| {
            let misses = problems.within(index, |problems| misses(word, problems));
            misses.iter().fold(set, |set, miss| set.with(*miss))
        }),
        Some(word @ Value::String(_)) => misses(word, problems).iter().fold(MissSet::NONE, |set, miss| set.with(*miss)),
        Some(other) => {
            problems.error(format!("Expected array, received {}", kind_of(other)));
            MissSet::all()
        }
    })
}

fn misses(word: &Value, problems: &mut Problems) -> Vec<Miss> {
    let found = word.as_str().unwrap_or_default();
    if let Some((_, group)) = GROUPS.iter().find(|(name, _)| *name == found) {
        return group.to_vec();
    }
    let known = Miss::ALL.into_iter().find(|miss| miss.word() == found);
    if known.is_none() {
        let words = Miss::ALL.map(Miss::word);
        let guess = meant(found, words).unwrap_or_else(|| format!("known are {}, 4xx and any", words.join(", ")));
        problems.error_with(format!("unknown reason {}", quoted(found)), guess);
    }
    known.into_iter().collect()
}

/// `sticky`: true for the session, or a path, or several of which the first that is there counts. `key` is another word for it.
pub(super) fn sticky(properties: Properties<'_>, problems: &mut Problems) -> Option<Source> {
    let member = if properties.get("sticky").is_some() { "sticky" } else { "key" };
    problems.within(member, |problems| source(properties.get(member), problems))
}

fn source(value: Option<&Value>, problems: &mut Problems) -> Option<Source> {
    match value? {
        Value::Bool(false) => None,
        Value::Bool(true) => Some(Source::session()),
        Value::String(text) if text == "session" => Some(Source::session()),
        Value::String(text) => path(text, problems).map(|path| Source::of(vec![path])),
        Value::Array(items) if (1..=SOURCES_MAX).contains(&items.len()) => {
            let read = |(index, item): (usize, &Value)| {
                problems.within(index, |problems| name(Some(item), problems).and_then(|text| path(text, problems)))
            };
            Some(Source::of(items.iter().enumerate().filter_map(read).collect()))
        }
        other => {
            problems.error(format!("Expected a path such as metadata.user_id, received {}", kind_of(other)));
            None
        }
    }
}

fn path(text: &str, problems: &mut Problems) -> Option<Path> {
    match Path::read(text) {
        Ok(path) => return Some(path),
        Err((message, Some(guess))) => problems.error_with(message, guess),
        Err((message, None)) => problems.error(message),
    }
    None
}

fn word<T: Copy>(value: Option<&Value>, words: &[(&str, T)], problems: &mut Problems) -> Option<T> {
    let found = name(value, problems)?;
    let known = words.iter().find(|(word, _)| *word == found);
    if known.is_none() {
        let expected: Vec<String> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
        problems.error(format!("Invalid enum value. Expected {}, received {}", expected.join(" | "), quoted(found)));
    }
    known.map(|(_, meaning)| *meaning)
}

/// Requests are whole; dollars have nine decimals.
fn limit(value: Option<&Value>, by: Option<By>, problems: &mut Problems) -> Option<u64> {
    let number = match value {
        None => {
            problems.error("Required");
            return None;
        }
        Some(Value::Number(number)) => number,
        Some(other) => {
            problems.error(format!("Expected number, received {}", kind_of(other)));
            return None;
        }
    };
    let places = if by == Some(By::Cost) { 9 } else { 0 };
    let limit = scaled(&number.to_string(), places).ok().and_then(|limit| i64::try_from(limit).ok());
    let limit = limit.and_then(|limit| u64::try_from(limit).ok());
    if limit.is_none() {
        let unit = if by == Some(By::Cost) {
            "dollars, at least 0, with at most 9 decimals"
        } else {
            "a whole number of requests, at least 0"
        };
        problems.error(format!("Expected {unit}, received {number}"));
    }
    limit
}

fn window(value: Option<&Value>, problems: &mut Problems) -> Option<u64> {
    let Some(seconds) = value.and_then(Value::as_f64) else {
        problems.error(
            value.map_or("Required".to_owned(), |other| format!("Expected number, received {}", kind_of(other))),
        );
        return None;
    };
    if !(0.001..=WINDOW_MAX_S).contains(&seconds) {
        problems.error(format!("Expected seconds above 0 and at most {WINDOW_MAX_S}"));
        return None;
    }
    Some((seconds * 1_000.0) as u64)
}

fn whole(value: Option<&Value>, max: u64, problems: &mut Problems) -> Option<u64> {
    let value = value?;
    // Some editors write 60000.0.
    let number = value.as_u64().or_else(|| {
        value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0).map(|number| number as u64)
    });
    match number {
        Some(number) if number <= max => return Some(number),
        Some(_) => problems.error(format!("Number must be less than or equal to {max}")),
        None if value.is_number() => problems.error("Number must be greater than or equal to 0"),
        None => problems.error(format!("Expected number, received {}", kind_of(value))),
    }
    None
}

/// Retries come on top of the first attempt.
fn retries(value: Option<&Value>, problems: &mut Problems) -> Option<u8> {
    let retries = whole(value, 1_000, problems)?;
    let attempts = u8::try_from(retries.saturating_add(1)).unwrap_or(u8::MAX);
    if attempts > ATTEMPTS_MAX {
        let most = ATTEMPTS_MAX - 1;
        problems.warning(
            format!("a target is asked {ATTEMPTS_MAX} times at most"),
            format!("{most} retries are the most that count"),
        );
    }
    Some(attempts.min(ATTEMPTS_MAX))
}
