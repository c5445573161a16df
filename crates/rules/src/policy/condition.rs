//! A policy's condition: an expression of the Common Expression Language.
//!
//! Enters: its text, once, when it is saved; fields of each request. Leaves: yes, no, or that something it needs is not there.
//! Never: parses on a request, or can be made to take long: loops are not nested deeply, and run over short lists.

mod check;
mod work;

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use cel::common::types::{BOOL_TYPE, CelBool, CelString, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{Context, Env, ExecutionError, Program, Value};
use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};
use tollgate_model::Metadata;

use super::who::Fields;
use super::{Fault, Identity, Who};

pub const CHARS_MAX: usize = 4_096;

#[derive(Debug)]
pub(super) struct Condition(Compiled);

enum Compiled {
    Always,
    Program(Box<Program>),
}

/// What came of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    True,
    False,
    /// A field is not there, or not of the type that is expected of it.
    Unknown,
}

/// The standard library, with a `matches` that compiles an expression once.
static LANGUAGE: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut language = Env::stdlib();
    let both = || vec![STRING_TYPE, STRING_TYPE];
    let added = language.add_overload("matches", "matches_cached", both(), matches).and_then(|()| {
        language.add_member_overload("matches", "string_matches_cached", STRING_TYPE, vec![STRING_TYPE], matches)
    });
    // A test calls it; were it declared already, every use would fail loudly there.
    drop(added);
    Arc::new(language)
});

// === impl Condition ===

impl Condition {
    pub(super) fn compile(said: &str) -> Result<Self, Fault> {
        if said.trim() == "true" {
            return Ok(Self(Compiled::Always));
        }
        if said.is_empty() || said.chars().count() > CHARS_MAX {
            return Err(fault(format!("String must contain 1 to {CHARS_MAX} character(s)")));
        }
        let program = LANGUAGE.compile(said).map_err(|errors| {
            let first = errors.errors.iter().min_by_key(|error| error.pos);
            first.map_or_else(
                || fault("not a CEL expression".to_owned()),
                |error| {
                    // The parser lists all tokens that it could have taken; nobody reads those.
                    let text = error.msg.split(" expecting {").next().unwrap_or_default();
                    fault_at(error.pos.0.max(1), error.pos.1.max(1), text)
                },
            )
        })?;
        check::expression(&program).map_err(|(at, text)| {
            let (line, column) = place(said, at);
            fault_at(line, column, &text)
        })?;
        let condition = Self(Compiled::Program(Box::new(program)));
        let (identity, metadata) = (Identity::default(), Metadata::default());
        let nobody = Fields::of(&Who { identity: &identity, metadata: &metadata });
        let kind = condition
            .value(&nobody, |value| (value.get_type() != &BOOL_TYPE).then(|| value.get_type().name().to_owned()));
        match kind {
            Ok(Some(kind)) => Err(fault_at(1, 1, &format!("expected a boolean, found {kind}"))),
            // A field that nobody has is no fault.
            Ok(None) | Err(_) => Ok(condition),
        }
    }

    pub(super) fn is_met(&self, fields: &Fields<'_>) -> Found {
        match self.value(fields, |value| value.downcast_ref::<CelBool>().map(|flag| *flag.inner())) {
            Ok(Some(true)) => Found::True,
            Ok(Some(false)) => Found::False,
            Ok(None) | Err(_) => Found::Unknown,
        }
    }

    fn value<T>(&self, fields: &Fields<'_>, read: impl FnOnce(&dyn Val) -> T) -> Result<T, ExecutionError> {
        let Compiled::Program(program) = &self.0 else { return Ok(read(&CelBool::from(true))) };
        let mut context = Context::with_env(LANGUAGE.clone());
        context.set_variable_resolver(fields);
        let value = Value::resolve_val(program.expression(), &context)?;
        Ok(read(&*value))
    }
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Always => f.write_str("true"),
            Self::Program(program) => f.write_str(&program.source_info().source),
        }
    }
}

/// Line and column, from 1, of a character.
fn place(said: &str, at: usize) -> (isize, isize) {
    let before: Vec<char> = said.chars().take(at).collect();
    let line = before.iter().filter(|each| **each == '\n').count();
    let column = before.iter().rev().take_while(|each| **each != '\n').count();
    (line as isize + 1, column as isize + 1)
}

fn fault_at(line: isize, column: isize, said: &str) -> Fault {
    fault(format!("line {line}, column {column}: {said}"))
}

fn fault(said: String) -> Fault {
    Fault { member: vec!["condition".to_owned()], said }
}

/// Expressions that this thread has met. Emptied when it is full: who has more is no worse off than without.
const EXPRESSIONS_MAX: usize = 256;
/// Of one compiled expression.
const EXPRESSION_BYTES_MAX: usize = 1 << 20;

thread_local!(static EXPRESSIONS: RefCell<HashMap<String, Option<Regex>, ahash::RandomState>> = RefCell::default());

fn matches<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = |at: usize| arguments.get(at).and_then(|value| value.downcast_ref::<CelString<'_>>());
    let (Some(text), Some(expression)) = (text(0), text(1)) else {
        return Err(ExecutionError::function_error("matches", "expected two strings"));
    };
    let found = EXPRESSIONS.with_borrow_mut(|known| {
        if known.len() >= EXPRESSIONS_MAX {
            known.clear();
        }
        let known = known.entry_ref(expression.inner()).or_insert_with(|| compile(expression.inner()));
        known.as_ref().map(|expression| expression.is_match(text.inner()))
    });
    let found = found.ok_or_else(|| ExecutionError::function_error("matches", "not a regular expression"))?;
    Ok(CowVal::owned(CelBool::from(found)))
}

/// RE2's syntax, as CEL wants it, for what both know. Linear in the text.
fn compile(expression: &str) -> Option<Regex> {
    RegexBuilder::new(expression).size_limit(EXPRESSION_BYTES_MAX).build().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod conformance;
