//! Changes named members of a JSON object and keeps every other byte.
//!
//! Enters: a body, and what to change at its top level. Leaves: the body again, and which changes had something to do. Never: builds a tree, or touches
//! what nobody named: where caller and provider speak one dialect, the bytes in between are the caller's.
//!
//! A name that stands there twice is changed twice: parsers take the last one, and which one a provider's parser takes is not for us to know. `null`
//! counts as missing.

mod scan;

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::BadField;
use scan::{Member, Members};

/// What becomes of one member. Values are JSON.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    /// Has this value, whether it was there or not.
    Set {
        name: &'a str,
        value: Cow<'a, str>,
    },
    /// Has this value where it was missing.
    Default {
        name: &'a str,
        value: Cow<'a, str>,
    },
    Drop {
        name: &'a str,
    },
    /// Stands under another name, unless that one is there already: then it is dropped.
    Rename {
        name: &'a str,
        to: &'a str,
    },
    /// A number outside of the range becomes the nearest in it. What is no number stays.
    Clamp {
        name: &'a str,
        min: Option<f64>,
        max: Option<f64>,
    },
    /// Without it there is no use in asking.
    Require {
        name: &'a str,
    },
    /// Has the value that is made of it, where one is.
    Rewrite {
        name: &'a str,
        with: fn(&RawValue) -> Option<String>,
    },
}

/// The body after the changes.
#[derive(Debug)]
pub struct Edited<'a> {
    /// Borrowed when nothing was to be done.
    pub body: Cow<'a, [u8]>,
    pub done: Vec<Done>,
}

/// A change that did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its number in the list.
    pub change: usize,
    /// The value that went, when it was short.
    pub was: Option<String>,
}

/// Longer values are not repeated.
const WAS_BYTES_MAX: usize = 64;

/// In the order of `changes`: each sees what those before it made of a member, by its new name too. Fails when the body is not a JSON object, or lacks
/// what is required.
pub fn edit<'a>(body: &'a [u8], changes: &[Change<'_>]) -> Result<Edited<'a>, BadField> {
    let mut members = Members::read(body)?;
    let mut done = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        let was = members.value(change.name()).filter(|value| value.len() <= WAS_BYTES_MAX).map(str::to_owned);
        if change.apply(&mut members)? {
            done.push(Done { change: number, was });
        }
    }
    let body = if done.is_empty() { Cow::Borrowed(body) } else { Cow::Owned(members.write()) };
    Ok(Edited { body, done })
}

/// The body with one value in the place of another: the model's name in most cases.
pub fn set<'a>(body: &'a [u8], name: &str, text: &str) -> Result<Cow<'a, [u8]>, BadField> {
    let value = Cow::Owned(serde_json::Value::from(text).to_string());
    Ok(edit(body, &[Change::Set { name, value }])?.body)
}

// === impl Change ===

impl Change<'_> {
    /// Did it change anything?
    fn apply(&self, members: &mut Members<'_>) -> Result<bool, BadField> {
        match self {
            Self::Set { name, value } => {
                let found = members.each(name, |member| member.set(value));
                if !found.any {
                    members.insert(name, value);
                }
                Ok(!found.any || found.changed)
            }
            Self::Default { name, value } => {
                if members.has(name) {
                    return Ok(false);
                }
                members.each(name, Member::drop);
                members.insert(name, value);
                Ok(true)
            }
            Self::Drop { name } => Ok(members.each(name, Member::drop).changed),
            Self::Rename { name, to } if members.has(to) => Ok(members.each(name, Member::drop).changed),
            Self::Rename { name, to } if members.has(name) => {
                members.each(to, Member::drop);
                Ok(members.each(name, |member| member.rename(to)).changed)
            }
            Self::Rename { name, .. } => Ok(members.each(name, Member::drop).changed),
            Self::Clamp { name, min, max } => Ok(members.each(name, |member| clamp(member, *min, *max)).changed),
            Self::Require { name } if members.has(name) => Ok(false),
            Self::Require { name } => Err(BadField {
                path: (*name).to_owned(),
                expected: "a value: the provider requires one".into(),
                found: "nothing".into(),
            }),
            Self::Rewrite { name, with } => {
                Ok(members.each(name, |member| with(member.raw()).is_some_and(|value| member.set(&value))).changed)
            }
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Set { name, .. }
            | Self::Default { name, .. }
            | Self::Drop { name }
            | Self::Rename { name, .. }
            | Self::Clamp { name, .. }
            | Self::Require { name }
            | Self::Rewrite { name, .. } => name,
        }
    }
}

fn clamp(member: &mut Member<'_>, min: Option<f64>, max: Option<f64>) -> bool {
    let Ok(number) = serde_json::from_str::<f64>(member.value()) else { return false };
    match (min, max) {
        (Some(min), _) if number < min => member.set(&number_text(min)),
        (_, Some(max)) if number > max => member.set(&number_text(max)),
        _ => false,
    }
}

/// Whole numbers without a fraction: some parsers take no other.
fn number_text(number: f64) -> String {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT_MAX { (number as i64).to_string() } else { number.to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
