//! Both sides beside each other.
//!
//! Enters: sums of both. Leaves: rows for people or JSON, and the whole. Never: shows a gap where one side said nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tollgate_model::Money;

use super::show;
use super::sums::{Key, Sum, Sums, day_text};
use super::theirs::Theirs;

pub(super) type Gaps = BTreeMap<Key, [Sum; 2]>;

/// Theirs and ours, of every day and model that one of them knows.
pub(super) fn gaps(theirs: &Theirs, ours: &Sums) -> Gaps {
    let keys: BTreeSet<&Key> = theirs.sums.0.keys().chain(ours.0.keys()).collect();
    let theirs = |key: &Key| theirs.sums.0.get(key).cloned().unwrap_or_default();
    // What the log does not have, there was not: it knows.
    let ours = |key: &Key| ours.0.get(key).cloned().unwrap_or_else(Sum::nothing);
    keys.into_iter().map(|key| (key.clone(), [theirs(key), ours(key)])).collect()
}

pub(super) fn print(theirs: &Theirs, gaps: &Gaps) -> anyhow::Result<()> {
    let heads = ["DAY", "MODEL", "REQUESTS", "TOKENS IN", "TOKENS OUT", "THEIRS", "OURS", "DIFFERENCE", "%"];
    let mut rows: Vec<[String; 9]> =
        gaps.iter().map(|((day, model), sides)| row(day_text(*day), named(model), sides)).collect();
    rows.push(row("all".to_owned(), String::new(), &totals(gaps)));
    show::text(&format!(
        "{} ({}); counts are theirs / ours, differences theirs less ours\n",
        theirs.format, theirs.provider
    ))?;
    show::table(heads, &rows)
}

pub(super) fn json(theirs: &Theirs, gaps: &Gaps) -> Value {
    let rows = gaps.iter().map(|((day, model), sides)| {
        let mut row = told(sides);
        row["day"] = day_text(*day).into();
        row["model"] = if model.is_empty() { Value::Null } else { model.as_str().into() };
        row
    });
    let unread: Vec<Value> =
        theirs.unread.iter().map(|unread| json!({ "line": unread.line, "why": unread.why })).collect();
    json!({
        "format": theirs.format,
        "provider": theirs.provider,
        "rows": rows.collect::<Vec<_>>(),
        "total": told(&totals(gaps)),
        "unread": unread,
    })
}

fn totals(gaps: &Gaps) -> [Sum; 2] {
    let side = |at: usize| {
        let each = gaps.iter().map(|(key, sides)| (key.clone(), sides[at].clone()));
        Sums(each.collect()).total()
    };
    [side(0), side(1)]
}

fn row(day: String, model: String, [theirs, ours]: &[Sum; 2]) -> [String; 9] {
    let both = |pick: fn(&Sum) -> Option<u64>| {
        let text = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        format!("{} / {}", text(pick(theirs)), text(pick(ours)))
    };
    let money = |cost: Option<Money>| cost.map_or_else(|| "-".to_owned(), dollars);
    let gap = difference(theirs, ours);
    [
        day,
        model,
        both(|sum| sum.requests),
        both(|sum| sum.tokens_in),
        both(|sum| sum.tokens_out),
        money(theirs.cost()),
        money(ours.cost()),
        money(gap),
        percent(theirs, gap).map_or_else(|| "-".to_owned(), |percent| format!("{percent:+.2}")),
    ]
}

fn told([theirs, ours]: &[Sum; 2]) -> Value {
    let side = |sum: &Sum| {
        json!({
            "requests": sum.requests, "tokens_in": sum.tokens_in, "tokens_out": sum.tokens_out,
            "cost": sum.cost().map(|cost| cost.to_string()),
        })
    };
    let gap = difference(theirs, ours);
    json!({
        "theirs": side(theirs), "ours": side(ours),
        "difference": gap.map(|gap| gap.to_string()), "percent": percent(theirs, gap),
    })
}

/// Only where they told a cost: a usage report tells none.
fn difference(theirs: &Sum, ours: &Sum) -> Option<Money> {
    Some(theirs.cost()? - ours.cost().unwrap_or(Money::ZERO))
}

/// Of theirs, to a hundredth.
fn percent(theirs: &Sum, gap: Option<Money>) -> Option<f64> {
    let (theirs, gap) = (theirs.cost()?.nanos(), gap?.nanos());
    (theirs != 0).then(|| (gap as f64 / theirs.unsigned_abs() as f64 * 10_000.0).round() / 100.0)
}

fn named(model: &str) -> String {
    let clean: String = model.chars().filter(|character| !character.is_control()).collect();
    if clean.is_empty() { "(all)".to_owned() } else { clean }
}

fn dollars(amount: Money) -> String {
    match amount.to_string().strip_prefix('-') {
        Some(amount) => format!("-${amount}"),
        None => format!("${amount}"),
    }
}
