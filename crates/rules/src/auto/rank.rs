//! The order in which candidates are tried.
//!
//! Enters: candidates, a task, facts. Leaves: a decision with every candidate's reason. Never: draws lots: names break ties.

use std::cmp::Reverse;
use std::sync::Arc;

use tollgate_model::price::{Price, Rates};
use tollgate_model::trace::Candidate;
use tollgate_model::{Money, Usage};

use crate::cost;

use super::{Before, Decision, Entry, NoDecision, Pool, Reason, Task, World};

/// A candidate that can take the request.
struct Weighed<'a> {
    entry: &'a Entry,
    /// `None`: unknown, which is dearer than any known price.
    cost: Option<Money>,
    is_poor: bool,
    is_good_enough: bool,
}

/// Compared from top to bottom: well before poor, good enough before not; among the good enough the cheapest, among the others the best.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    is_poor: bool,
    is_below: bool,
    quality: Reverse<u8>,
    is_unpriced: bool,
    cost: Option<Money>,
    better: Reverse<u8>,
    name: Arc<str>,
}

pub(super) fn rank(
    pool: &Pool,
    candidates: &[&Entry],
    task: &Task,
    world: &World<'_>,
    before: &Before,
) -> Result<Decision, NoDecision> {
    let (mut able, mut unable) = (Vec::new(), Vec::new());
    for entry in candidates {
        match unfit(entry, task, world) {
            None => able.push(Weighed::new(entry, pool, task, world)),
            Some(why) => unable.push(Candidate { target: entry.name.clone(), eligible: false, why }),
        }
    }
    if able.is_empty() {
        let first: Vec<String> = unable.iter().take(3).map(|it| format!("{}: {}", it.target, it.why)).collect();
        return Err(NoDecision::NoneEligible(first.join("; ")));
    }
    able.sort_by_key(Weighed::key);
    let kept = keep(&mut able, pool, before);
    let reason = match kept {
        Kept::Turn => Reason::PinnedByTurn,
        Kept::Lost => Reason::FallbackKeyNotInCandidates,
        _ if able.len() == 1 => Reason::ForcedByCandidatePool,
        _ if !task.has_text => Reason::FallbackUnsupportedInput,
        _ => Reason::CostOptimalWithinPool,
    };
    let first = kept.word();
    let tell = |(at, weighed): (usize, &Weighed<'_>)| weighed.candidate(if at == 0 { first } else { "" });
    let told = able.iter().enumerate().map(tell).chain(unable).collect();
    let tried = able.iter().take(pool.tries);
    Ok(Decision {
        targets: tried.clone().map(|weighed| weighed.entry.target()).collect(),
        names: tried.map(|weighed| weighed.entry.name.clone()).collect(),
        candidates: told,
        reason,
        ..Decision::default()
    })
}

/// Why it cannot take the request.
fn unfit(entry: &Entry, task: &Task, world: &World<'_>) -> Option<String> {
    if !(world.usable)(entry) {
        return Some("no such provider, or no key for it".to_owned());
    }
    let senses =
        [(task.images, entry.images, "images"), (task.files, entry.files, "files"), (task.audio, entry.audio, "audio")];
    if let Some((_, _, sense)) = senses.iter().find(|(needed, has, _)| *needed && !has) {
        return Some(format!("does not take {sense}"));
    }
    let window = window(entry, world)?;
    let needed = task.input_tokens.saturating_add(task.output_tokens_max);
    (needed > window).then(|| format!("about {needed} tokens do not fit into {window}"))
}

/// `None`: unknown, and then it is tried.
fn window(entry: &Entry, world: &World<'_>) -> Option<u64> {
    entry.context_window.or_else(|| world.catalog.model(&entry.provider, &entry.model)?.context_window)
}

/// What happened to a choice of before.
enum Kept {
    Nothing,
    Turn,
    Session,
    /// It cannot be chosen any more.
    Lost,
}

/// Puts the choice of before in front, where it still holds: for the turn always, for the session if it is good enough, well, and not too dear.
fn keep(able: &mut [Weighed<'_>], pool: &Pool, before: &Before) -> Kept {
    let place = |name: &Option<Arc<str>>| {
        let name = name.as_ref()?;
        able.iter().position(|weighed| weighed.entry.name == *name)
    };
    let (turn, session) = (place(&before.turn), place(&before.session));
    let (at, kept) = match (turn, session) {
        (Some(at), _) => (at, Kept::Turn),
        _ if before.turn.is_some() => return Kept::Lost,
        (None, Some(at)) if able[at].may_stay(&able[0], pool) => (at, Kept::Session),
        _ => return Kept::Nothing,
    };
    able[..=at].rotate_right(1);
    kept
}

// === impl Kept ===

impl Kept {
    fn word(&self) -> &'static str {
        match self {
            Self::Turn => ", pinned by turn",
            Self::Session => ", kept for the session",
            Self::Nothing | Self::Lost => "",
        }
    }
}

// === impl Weighed ===

impl<'a> Weighed<'a> {
    fn new(entry: &'a Entry, pool: &Pool, task: &Task, world: &World<'_>) -> Self {
        Self {
            entry,
            cost: expected(entry, task, world),
            is_poor: (world.poor)(entry),
            is_good_enough: entry.quality >= pool.quality(task.level),
        }
    }

    fn key(&self) -> Key {
        let quality = if self.is_good_enough { 0 } else { self.entry.quality };
        Key {
            is_poor: self.is_poor,
            is_below: !self.is_good_enough,
            quality: Reverse(quality),
            is_unpriced: self.cost.is_none(),
            cost: self.cost,
            better: Reverse(self.entry.quality),
            name: self.entry.name.clone(),
        }
    }

    fn may_stay(&self, best: &Self, pool: &Pool) -> bool {
        let (Some(mine), Some(least)) = (self.cost, best.cost) else { return false };
        let bound = i128::from(least.nanos()) * i128::from(pool.session_tolerance);
        self.is_good_enough && !self.is_poor && i128::from(mine.nanos()) * 1_000 <= bound
    }

    fn candidate(&self, more: &str) -> Candidate {
        let cost = self.cost.map_or("at an unknown price".to_owned(), |cost| format!("about ${}", cost.as_dollars()));
        let enough = if self.is_good_enough { "good enough" } else { "below the level asked for" };
        let poor = if self.is_poor { ", failing lately" } else { "" };
        let why = format!("quality {}, {enough}, {cost}{poor}{more}", self.entry.quality);
        Candidate { target: self.entry.name.clone(), eligible: true, why }
    }
}

fn expected(entry: &Entry, task: &Task, world: &World<'_>) -> Option<Money> {
    let usage = Usage { input: task.input_tokens, output: task.output_tokens, ..Usage::default() };
    let given = entry.price.map(|(input, output)| {
        let rates = Rates { input: Some(input), output: Some(output), ..Rates::default() };
        Price { rates, ..Price::default() }
    });
    let ledger = match &given {
        Some(price) => cost::of(&usage, price),
        None => cost::of(&usage, world.catalog.find(&entry.provider, &entry.model, world.now_ms)?.price),
    };
    ledger.map(|ledger| ledger.total)
}
