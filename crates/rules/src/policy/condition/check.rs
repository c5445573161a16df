//! Whether a condition can mean anything, before it is kept.
//!
//! Enters: a parsed expression. Leaves: nothing, or the first thing that cannot be, and where. Never: evaluates.

use cel::common::ast::{EntryExpr, Expr, LiteralValue};
use cel::{IdedExpr, Program};

use super::work;

/// Loops within loops.
const LOOPS_MAX: usize = 2;
const VARIABLES: &[&str] = &["cf", "metadata"];
const TYPES: &[&str] = &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint", "dyn"];
/// Functions of the standard library, without those of timestamps and durations: no field is one.
const FUNCTIONS: &[&str] = &[
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

/// A character of the text, and what is wrong there.
type Wrong = (usize, String);

struct Check<'a> {
    program: &'a Program,
    /// Names of the loops around.
    bound: Vec<&'a str>,
    loops: usize,
}

pub(super) fn expression(program: &Program) -> Result<(), Wrong> {
    let mut check = Check { program, bound: Vec::new(), loops: 0 };
    // First: what is too deep is not looked at any deeper.
    work::bounded(program.expression()).map_err(|(node, said)| check.wrong(node, said))?;
    check.look(program.expression())
}

impl<'a> Check<'a> {
    fn look(&mut self, node: &'a IdedExpr) -> Result<(), Wrong> {
        match &node.expr {
            Expr::Ident(name) => self.name(node, name),
            Expr::Select(select) => self.look(&select.operand),
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.look(element)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.look(&entry.key).and_then(|()| self.look(&entry.value)),
                EntryExpr::StructField(field) => self.look(&field.value),
            }),
            Expr::Call(call) => {
                self.function(node, &call.func_name)?;
                if let Some(fault) = bad_pattern(&call.func_name, call.args.last()) {
                    return Err(self.wrong(call.args.last().unwrap_or(node), fault));
                }
                call.target.iter().map(|target| &**target).chain(&call.args).try_for_each(|each| self.look(each))
            }
            Expr::Comprehension(looped) => {
                self.look(&looped.iter_range)?;
                if self.loops >= LOOPS_MAX {
                    return Err(self.wrong(node, format!("more than {LOOPS_MAX} loops within each other")));
                }
                let before = self.bound.len();
                self.bound.extend([looped.iter_var.as_str(), looped.accu_var.as_str()]);
                self.bound.extend(looped.iter_var2.as_deref());
                self.loops += 1;
                let parts = [&looped.accu_init, &looped.loop_cond, &looped.loop_step, &looped.result];
                let looked = parts.into_iter().try_for_each(|part| self.look(part));
                self.loops -= 1;
                self.bound.truncate(before);
                looked
            }
            Expr::Struct(made) => Err(self.wrong(node, format!("there is no type {}", made.type_name))),
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn name(&self, node: &IdedExpr, name: &str) -> Result<(), Wrong> {
        let known = VARIABLES.contains(&name) || TYPES.contains(&name) || self.bound.contains(&name);
        let text = || format!("there is no {name}; there are cf.user, cf.custom, cf.country and metadata");
        if known { Ok(()) } else { Err(self.wrong(node, text())) }
    }

    fn function(&self, node: &IdedExpr, name: &str) -> Result<(), Wrong> {
        // Operators are not spelled as names.
        let is_operator = !name.starts_with(|first: char| first.is_ascii_alphabetic());
        let known = is_operator || FUNCTIONS.contains(&name);
        if known {
            Ok(())
        } else {
            Err(self.wrong(node, format!("there is no function {name}; there are {}", FUNCTIONS.join(", "))))
        }
    }

    fn wrong(&self, node: &IdedExpr, said: String) -> Wrong {
        let at = self.program.source_info().offset_for(node.id).map_or(0, |(start, _)| start as usize);
        (at, said)
    }
}

/// A regular expression that stands in the text can be tried at once.
fn bad_pattern(function: &str, last: Option<&IdedExpr>) -> Option<String> {
    let Some(Expr::Literal(LiteralValue::String(pattern))) = last.map(|last| &last.expr) else { return None };
    (function == "matches" && super::compile(pattern.inner()).is_none())
        .then(|| "not a regular expression, or too large a one".to_owned())
}
