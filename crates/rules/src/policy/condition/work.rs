//! How much a condition can ask for at most, before it is kept.
//!
//! Enters: a parsed expression. Leaves: nothing, or the place where it becomes too much. Never: evaluates.
//!
//! An expression of few characters can be deep (`1+1+1+...` is as deep as it is long, and evaluation takes room on the stack for each level), and two
//! loops over long lists go round a million times.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};

/// Levels of an expression. Evaluation takes about a kilobyte of stack for each.
const LEVELS_MAX: usize = 128;
/// Parts that are looked at, loops counted as often as they go round: about a millisecond.
const WORK_MAX: u64 = 20_000;
/// Rounds of a loop over what is not written out: somebody's groups, the keys of metadata.
const ROUNDS_ASSUMED: u64 = 64;

/// The part where it becomes too much, and why.
pub(super) fn bounded(expression: &IdedExpr) -> Result<(), (&IdedExpr, String)> {
    of(expression, LEVELS_MAX).map(drop)
}

fn of<'a>(node: &'a IdedExpr, levels: usize) -> Result<u64, (&'a IdedExpr, String)> {
    let Some(levels) = levels.checked_sub(1) else {
        return Err((node, format!("more than {LEVELS_MAX} levels; say it in parts, or use a list and `in`")));
    };
    let all = |parts: Vec<&'a IdedExpr>| sum(parts, levels);
    let work = match &node.expr {
        Expr::Select(select) => all(vec![&select.operand])?,
        Expr::List(list) => all(list.elements.iter().collect())?,
        Expr::Call(call) => all(call.target.iter().map(|target| &**target).chain(&call.args).collect())?,
        Expr::Map(map) => {
            let parts = map.entries.iter().flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            });
            all(parts.collect())?
        }
        Expr::Comprehension(looped) => {
            let once = all(vec![&looped.iter_range, &looped.accu_init, &looped.result])?;
            let round = all(vec![&looped.loop_cond, &looped.loop_step])?;
            once.saturating_add(rounds(&looped.iter_range).saturating_mul(round))
        }
        Expr::Struct(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => 0,
    };
    let work = work.saturating_add(1);
    if work <= WORK_MAX { Ok(work) } else { Err((node, "too much work: its loops go round too often".to_owned())) }
}

fn sum(parts: Vec<&IdedExpr>, levels: usize) -> Result<u64, (&IdedExpr, String)> {
    parts.into_iter().try_fold(0_u64, |work, part| Ok(work.saturating_add(of(part, levels)?)))
}

fn rounds(range: &IdedExpr) -> u64 {
    match &range.expr {
        Expr::List(list) => list.elements.len() as u64,
        Expr::Map(map) => map.entries.len() as u64,
        _ => ROUNDS_ASSUMED,
    }
}
