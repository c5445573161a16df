//! A configuration file as it was written, with the place of everything in it.
//!
//! Enters: TOML text. Leaves: JSON values by kind and name, and line and column of any of them. Never: stops at the first fault when it can go on.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::kinds::{KINDS, Kind, Name, Place};
use crate::desk::DeskError;
use crate::shape::{Fault, Step};

/// What this program writes and reads.
const FORMAT: i64 = 1;
const NAME_CHARS_MAX: usize = 256;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// From 1; of the table it should stand in when it is missing.
    pub line: usize,
    pub column: usize,
    /// `gateway.support.cache_ttl`; empty for the text as a whole.
    pub at: String,
    pub what: String,
}

pub(super) struct Source<'a> {
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    /// In the order of the file's table of kinds.
    pub(super) things: Vec<(Name, Map<String, Value>)>,
    /// Kinds of which the file says nothing at all, not even that there are none.
    pub(super) kept: Vec<String>,
}

// === impl Source ===

impl<'a> Source<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, ConfigError> {
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let wrong = |error: &toml::de::Error| {
                let (line, column) = place(text, error.span().map_or(0, |span| span.start));
                Wrong { line, column, at: String::new(), what: error.message().to_owned() }
            };
            return Err(ConfigError::Wrong(errors.iter().map(wrong).collect()));
        }
        let mut source = Self { text, root, things: Vec::new(), kept: Vec::new() };
        let mut faults = Vec::new();
        source.take_apart(&mut faults);
        source.things.sort_by(|(a, _), (b, _)| a.cmp(b));
        match faults.is_empty() {
            true => Ok(source),
            false => Err(source.wrong(faults)),
        }
    }

    fn take_apart(&mut self, faults: &mut Vec<Fault>) {
        let root = json(&DeValue::Table(self.root.get_ref().clone()));
        let Value::Object(root) = root else { return };
        for (word, value) in root {
            match (word.as_str(), &value) {
                ("format", Value::Number(number)) if number.as_i64() == Some(FORMAT) => {}
                ("format", _) => {
                    faults.push(Fault::new(["format"], format!("Expected {FORMAT}, which this program reads")))
                }
                ("keep", Value::Array(words)) => self.keep(words, faults),
                _ => match top(&word) {
                    Some((at, kind)) => self.section(at, kind, &value, faults),
                    None => faults.push(unknown(&word, &[], at_the_top())),
                },
            }
        }
    }

    fn keep(&mut self, words: &[Value], faults: &mut Vec<Fault>) {
        for (index, word) in words.iter().enumerate() {
            let known = word.as_str().filter(|word| KINDS.iter().any(|kind| kind.word == *word));
            match known {
                Some(word) => self.kept.push(word.to_owned()),
                None => {
                    let words: Vec<&str> = KINDS.iter().map(|kind| kind.word).collect();
                    let mut fault = Fault::new(["keep"], format!("Expected one of {}", words.join(", ")));
                    fault.path.push(Step::Index(index));
                    faults.push(fault);
                }
            }
        }
    }

    fn section(&mut self, at: usize, kind: &Kind, value: &Value, faults: &mut Vec<Fault>) {
        let Value::Object(named) = value else {
            let what = format!("Expected tables: [{}.NAME]", kind.word);
            return faults.push(Fault::new([kind.word], what));
        };
        for (name, value) in named {
            let Value::Object(fields) = value else {
                let what = format!("Expected a table: [{}.{name}]", kind.word);
                faults.push(Fault::new([kind.word, name], what));
                continue;
            };
            let mut fields = fields.clone();
            self.below(kind, name, &mut fields, faults);
            self.thing(Name::new(at, None, name.clone()), fields, faults);
        }
    }

    /// What stands below a thing is taken out of its settings.
    fn below(&mut self, owner: &Kind, top: &str, fields: &mut Map<String, Value>, faults: &mut Vec<Fault>) {
        for (at, kind) in owner.below() {
            let named = match fields.shift_remove(kind.word) {
                None => continue,
                Some(Value::Object(named)) => named,
                Some(_) => {
                    let what = format!("Expected tables: [{}.{top}.{}.NAME]", owner.word, kind.word);
                    faults.push(Fault::new([owner.word, top, kind.word], what));
                    continue;
                }
            };
            for (name, value) in named {
                match value {
                    Value::Object(fields) => {
                        self.thing(Name::new(at, Some(top.to_owned()), name), fields, faults);
                    }
                    _ => faults.push(Fault::new([owner.word, top, kind.word, &name], "Expected a table")),
                }
            }
        }
    }

    fn thing(&mut self, name: Name, fields: Map<String, Value>, faults: &mut Vec<Fault>) {
        if !(1..=NAME_CHARS_MAX).contains(&name.name().chars().count()) {
            let what = format!("A name has 1 to {NAME_CHARS_MAX} characters");
            faults.push(under(&name, Fault { path: Vec::new(), message: what }));
        }
        let members = name.kind().way.members();
        for field in fields.keys().filter(|field| !members.iter().any(|member| member.name == **field)) {
            let below = name.kind().below().map(|(_, kind)| kind.word);
            let known = members.iter().map(|member| member.name).chain(below);
            faults.push(unknown(field, &name.path(), known));
        }
        self.things.push((name, fields));
    }

    /// Faults whose paths begin at the top of the file.
    pub(super) fn wrong(&self, faults: Vec<Fault>) -> ConfigError {
        ConfigError::Wrong(faults.into_iter().map(|fault| self.locate(fault)).collect())
    }

    fn locate(&self, fault: Fault) -> Wrong {
        let (line, column) = place(self.text, self.offset(&fault.path));
        let at: Vec<String> = fault.path.iter().map(ToString::to_string).collect();
        Wrong { line, column, at: at.join("."), what: fault.message }
    }

    /// Problems of the installation as a whole name the thing that has them.
    pub(super) fn locate_problems(&self, error: DeskError) -> ConfigError {
        let DeskError::Problems(problems) = error else { return error.into() };
        let faults = problems.into_iter().map(|problem| {
            let thing = self.things.iter().find(|(name, _)| name.to_string() == problem.document);
            let path = thing.map(|(name, _)| name.path().into_iter().map(Step::from).collect());
            Fault { path: path.unwrap_or_default(), message: problem.to_string() }
        });
        self.wrong(faults.collect())
    }

    /// Where the deepest part of the path begins that the file has.
    fn offset(&self, path: &[Step]) -> usize {
        let mut at = 0;
        let mut table = Some(self.root.get_ref());
        let mut list = None;
        for step in path {
            let value = match (step, table, list) {
                (Step::Name(name), Some(table), _) => match table.iter().find(|(key, _)| key.get_ref() == name) {
                    Some((key, value)) => {
                        at = key.span().start;
                        value
                    }
                    None => return at,
                },
                (Step::Index(index), _, Some(items)) => match items_of(items).nth(*index) {
                    Some(value) => {
                        at = value.span().start;
                        value
                    }
                    None => return at,
                },
                _ => return at,
            };
            (table, list) = match value.get_ref() {
                DeValue::Table(table) => (Some(table), None),
                array @ DeValue::Array(_) => (None, Some(array)),
                _ => (None, None),
            };
        }
        at
    }
}

fn items_of<'v, 'a>(array: &'v DeValue<'a>) -> impl Iterator<Item = &'v Spanned<DeValue<'a>>> {
    array.as_array().into_iter().flat_map(|array| array.iter())
}

fn top(word: &str) -> Option<(usize, &'static Kind)> {
    KINDS.iter().enumerate().find(|(_, kind)| kind.place == Place::Account && kind.word == word)
}

fn at_the_top() -> impl Iterator<Item = &'static str> {
    let kinds = KINDS.iter().filter(|kind| kind.place == Place::Account).map(|kind| kind.word);
    kinds.chain(["format", "keep"])
}

/// A path from the top of the file instead of one from the thing itself.
pub(super) fn under(name: &Name, fault: Fault) -> Fault {
    let inner = fault.path.into_iter().enumerate();
    let inner = inner.filter(|(at, step)| *at > 0 || *step != Step::from("body")).map(|(_, step)| step);
    let path = name.path().into_iter().map(Step::from).chain(inner).collect();
    Fault { path, message: fault.message }
}

fn unknown(word: &str, path: &[&str], known: impl Iterator<Item = &'static str>) -> Fault {
    let known: Vec<&str> = known.collect();
    let far = |each: &str| strsim::damerau_levenshtein(word, each);
    let close = known.iter().map(|each| (far(each), each)).filter(|(far, each)| *far <= 2.max(each.len() / 4)).min();
    let message = match close {
        Some((_, close)) => format!("There is no {word:?} here; did you mean {close:?}?"),
        None => format!("There is no {word:?} here; there are {}", known.join(", ")),
    };
    let path = path.iter().copied().chain([word]).map(Step::from).collect();
    Fault { path, message }
}

fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Integer(number) => {
            let digits = number.as_str();
            i64::from_str_radix(digits, number.radix()).map_or_else(|_| digits.into(), Value::from)
        }
        // What JSON cannot say (inf, nan) comes as text, and is refused as that.
        DeValue::Float(number) => {
            let number = number.as_str();
            number.parse().ok().and_then(Number::from_f64).map_or_else(|| number.into(), Value::Number)
        }
        DeValue::Datetime(at) => at.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect())
        }
    }
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1)
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.is_empty() {
            true => write!(f, "{}:{}: {}", self.line, self.column, self.what),
            false => write!(f, "{}:{}: {}: {}", self.line, self.column, self.at, self.what),
        }
    }
}
