//! What a provider wants otherwise than its dialect has it.
//!
//! Enters: a row's quirks, then a request's body as it would go out. Leaves: the body as the provider takes it, and the ledger of what that cost. Never:
//! knows a provider: the row says which changes, and the edit makes them.

use std::borrow::Cow;

use serde_json::Value;

use super::ProviderRow;
use super::compile::dialect;
use super::fault::{BadRow, quoted};
use super::fix::Fix;
use super::raw::{RawQuirk, RawRange};
use crate::chat::{BadField, Field, Losses, Place};
use crate::dialect::Dialect;
use crate::edit::{Change, Done, edit};

#[derive(Clone, Debug)]
pub(super) struct Quirk {
    dialects: Vec<Dialect>,
    models: Vec<Models>,
    steps: Vec<Step>,
}

/// Models by their names, or all but those.
#[derive(Clone, Debug)]
struct Models {
    /// What stands between the stars.
    pieces: Vec<String>,
    taken_out: bool,
}

/// In the order they are made: a name that is renamed is clamped by its new one.
#[derive(Clone, Debug)]
enum Step {
    Drop(String),
    Rename(String, String),
    Clamp(String, RawRange),
    Default(String, String),
    Fix(Fix),
    Require(String),
}

// === impl ProviderRow ===

impl ProviderRow {
    /// A request's body, written in the provider's dialect, as this provider takes it. `model` is its name there.
    pub fn apply_quirks<'a>(
        &self,
        dialect: Dialect,
        model: &str,
        body: &'a [u8],
        losses: &mut Losses,
    ) -> Result<Cow<'a, [u8]>, BadField> {
        let fitting = self.quirks.iter().filter(|quirk| quirk.fits(dialect, model));
        let steps: Vec<&Step> = fitting.flat_map(|quirk| &quirk.steps).filter(|step| step.may_apply(body)).collect();
        if steps.is_empty() {
            return Ok(Cow::Borrowed(body));
        }
        let changes: Vec<Change<'_>> = steps.iter().flat_map(|step| step.changes()).collect();
        let owners: Vec<&Step> = steps.iter().flat_map(|step| step.changes().into_iter().map(move |_| *step)).collect();
        let edited = edit(body, &changes)?;
        for done in &edited.done {
            owners[done.change].note(done, &changes[done.change], dialect, losses);
        }
        Ok(edited.body)
    }
}

// === impl Quirk ===

impl Quirk {
    pub(super) fn compile(raw: &RawQuirk) -> Result<Self, BadRow> {
        let dialects = match raw.dialects.as_slice() {
            [] => vec![Dialect::OpenaiChat],
            names => names.iter().map(|name| dialect("quirks.dialects", name)).collect::<Result<_, _>>()?,
        };
        let mut steps: Vec<Step> = raw.drop.iter().cloned().map(Step::Drop).collect();
        steps.extend(raw.rename.iter().map(|(name, to)| Step::Rename(name.clone(), to.clone())));
        for (name, range) in &raw.clamp {
            steps.push(Step::Clamp(name.clone(), checked_range(name, *range)?));
        }
        for (name, value) in &raw.default {
            steps.push(Step::Default(name.clone(), checked_json(name, value)?));
        }
        for name in &raw.fix {
            steps.push(Step::Fix(Fix::from_name(name).ok_or_else(|| unknown_fix(name))?));
        }
        steps.extend(raw.require.iter().cloned().map(Step::Require));
        if steps.is_empty() {
            return Err(BadRow::new("quirks", "one of them changes nothing", "remove it"));
        }
        Ok(Self { dialects, models: raw.models.iter().map(|pattern| Models::compile(pattern)).collect(), steps })
    }

    fn fits(&self, dialect: Dialect, model: &str) -> bool {
        let wanted = self.models.iter().all(|models| models.taken_out)
            || self.models.iter().any(|models| !models.taken_out && models.fit(model));
        let taken_out = self.models.iter().any(|models| models.taken_out && models.fit(model));
        self.dialects.contains(&dialect) && wanted && !taken_out
    }
}

fn checked_range(name: &str, range: RawRange) -> Result<RawRange, BadRow> {
    let sound = match (range.min, range.max) {
        (Some(min), Some(max)) => min <= max,
        (min, max) => min.or(max).is_some_and(f64::is_finite),
    };
    match sound {
        true => Ok(range),
        false => {
            Err(BadRow::new("quirks.clamp", format!("{} has no range", quoted(name)), "give `min`, `max` or both"))
        }
    }
}

fn checked_json(name: &str, value: &str) -> Result<String, BadRow> {
    match serde_json::from_str::<serde::de::IgnoredAny>(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(_) => Err(BadRow::new(
            "quirks.default",
            format!("{} of {} is not JSON", quoted(value), quoted(name)),
            "write a text as '\"text\"'",
        )),
    }
}

fn unknown_fix(name: &str) -> BadRow {
    let known: Vec<&str> = Fix::ALL.iter().map(|(name, _)| *name).collect();
    BadRow::new("quirks.fix", format!("{} is not known", quoted(name)), format!("use one of {}", known.join(", ")))
}

// === impl Models ===

impl Models {
    fn compile(pattern: &str) -> Self {
        let (taken_out, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        Self { pieces: pattern.split('*').map(str::to_owned).collect(), taken_out }
    }

    fn fit(&self, model: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|whole| whole == model);
        };
        let Some(mut rest) = model.strip_prefix(first.as_str()) else { return false };
        for piece in middle {
            let Some(at) = rest.find(piece.as_str()) else { return false };
            rest = &rest[at + piece.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

// === impl Step ===

impl Step {
    /// Fixes take a part of the body apart, so the body is searched for what they fix first.
    fn may_apply(&self, body: &[u8]) -> bool {
        match self {
            Self::Fix(fix) => fix.may_apply(body),
            _ => true,
        }
    }

    fn changes(&self) -> Vec<Change<'_>> {
        match self {
            Self::Drop(name) => vec![Change::Drop { name }],
            Self::Rename(name, to) => vec![Change::Rename { name, to }],
            Self::Clamp(name, RawRange { min, max }) => vec![Change::Clamp { name, min: *min, max: *max }],
            Self::Default(name, value) => vec![Change::Default { name, value: value.as_str().into() }],
            Self::Fix(fix) => fix.changes(),
            Self::Require(name) => vec![Change::Require { name }],
        }
    }

    fn note(&self, done: &Done, change: &Change<'_>, dialect: Dialect, losses: &mut Losses) {
        match self {
            Self::Drop(name) if !is_moot(dialect, name, done) => {
                losses.dropped(place(dialect, name), "the provider does not take it");
            }
            Self::Clamp(name, _) => losses.clamped(place(dialect, name), "to what the provider takes"),
            Self::Fix(fix) => fix.note(place(dialect, change.name()), losses),
            Self::Drop(_) | Self::Rename(..) | Self::Default(..) | Self::Require(_) => {}
        }
    }
}

/// The setting that this dialect calls so, for the caller's dialect to spell.
fn place(dialect: Dialect, name: &str) -> Place {
    let chat = dialect.chat();
    let called = |field: &Field| chat.is_some_and(|chat| chat.place(&Place::Setting(*field)) == name);
    Field::ALL.into_iter().find(called).map_or_else(|| Place::Extra(name.to_owned()), Place::Setting)
}

/// It asked for what is done anyway.
fn is_moot(dialect: Dialect, name: &str, done: &Done) -> bool {
    let value = done.was.as_deref().and_then(|was| serde_json::from_str::<Value>(was).ok());
    value.is_some_and(|value| value.is_null() || dialect.chat().is_some_and(|chat| chat.is_moot(name, &value)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
