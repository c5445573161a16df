//! The walk along a dynamic route.
//!
//! Enters: a compiled route, the facts, what became of the last question. Leaves: the next question. Never: visits more than its bounds.
//!
//! An answer ends the walk, whatever the `success` output leads to. A sticky model that has answered this user or session before is gone to at
//! once from the first percentage or model element that could have led to it; conditions and rates on the way there decide as ever.

use std::sync::Arc;

use tollgate_model::Trace;
use tollgate_model::trace::Visit;

use crate::facts::Facts;
use crate::memory::Mark;
use crate::meter::Need;
use crate::route::{Exit, ModelNode, Node, NodeKind, RateNode, Route, Share, Source, share};

use super::{Ask, Miss, Said, Step, StopReason, TRIES_MAX, VISITS_MAX};

#[derive(Clone, Debug)]
pub(super) struct Road {
    route: Arc<Route>,
    facts: Arc<Facts>,
    place: Place,
    visits: usize,
    tries: u16,
    owed: Vec<Need>,
    /// A remembered model is gone to once: if it fails, its fallback decides.
    jumped: bool,
}

/// Where the walk stands, and so what may be said to it.
#[derive(Clone, Debug)]
enum Place {
    Begin,
    Counting(usize, Need),
    Trying(usize),
    Answered(usize),
    Over(StopReason),
}

// === impl Road ===

impl Road {
    pub(super) fn new(route: Arc<Route>, facts: Arc<Facts>) -> Self {
        Self { route, facts, place: Place::Begin, visits: 0, tries: 0, owed: Vec::new(), jumped: false }
    }

    pub(super) fn owed(&self) -> &[Need] {
        &self.owed
    }

    pub(super) fn kept(&self) -> Option<(Mark, Arc<str>)> {
        let Place::Answered(at) = self.place else { return None };
        let node = self.route.node(at);
        Some((self.route.sticky_mark(node, &self.facts)?, node.id.clone()))
    }

    pub(super) fn next(&mut self, said: Said, trace: &mut Trace) -> Ask {
        let place = std::mem::replace(&mut self.place, Place::Over(StopReason::Exhausted));
        let to = match (place, said) {
            (Place::Begin, Said::Start) => Ok(self.route.start()),
            (Place::Counting(at, need), Said::Counted(has_room)) => self.counted(at, need, has_room, trace),
            (Place::Trying(at), Said::Missed(miss)) => self.missed(at, miss, trace),
            (Place::Over(reason), _) => Err(reason),
            // An answer to another question: the one who walks is confused, and ends rather than wander.
            _ => Err(StopReason::Exhausted),
        };
        match to.and_then(|to| self.go(to, trace)) {
            Ok(ask) => ask,
            Err(reason) => {
                self.place = Place::Over(reason);
                Ask::Stop(reason)
            }
        }
    }

    pub(super) fn answered(&mut self, trace: &mut Trace) {
        let Place::Trying(at) = self.place else { return };
        self.place = Place::Answered(at);
        let node = self.route.node(at);
        if let NodeKind::Model(model) = &node.kind {
            let why = "answered".to_owned();
            let output = model.success.as_ref().map(|exit| exit.output.clone());
            trace.visited.push(Visit { target: Some(model.target.name()), ..visit(node, output, why) });
        }
    }

    /// Along the elements that need nobody else, to the next one that does.
    fn go(&mut self, mut to: usize, trace: &mut Trace) -> Result<Ask, StopReason> {
        let route = self.route.clone();
        loop {
            self.visits += 1;
            if self.visits > VISITS_MAX {
                return Err(StopReason::TooLong);
            }
            let node = route.node(to);
            if let Some(kept) = self.remembered(node) {
                let why = format!("sticky: {} has answered this session before", route.node(kept).id);
                trace.visited.push(visit(node, Some("sticky".into()), why));
                to = kept;
                continue;
            }
            let (exit, why) = match &node.kind {
                NodeKind::Start(next) => (next, String::new()),
                NodeKind::Conditional { condition, yes, no } => {
                    (if condition.holds(&self.facts) { yes } else { no }, condition.why(&self.facts))
                }
                NodeKind::Percentage { shares, key } => self.drawn(node, shares, key.as_ref()),
                NodeKind::Rate(rate) => return Ok(self.ask(to, node, rate)),
                NodeKind::Model(model) => return self.attempt(to, node, model),
                NodeKind::End => {
                    trace.visited.push(visit(node, None, String::new()));
                    return Err(if self.tries == 0 { StopReason::NoModel } else { StopReason::Exhausted });
                }
            };
            trace.visited.push(visit(node, Some(exit.output.clone()), why));
            to = exit.to;
        }
    }

    /// The sticky model that answered before, if this element could lead to it.
    fn remembered(&mut self, node: &Node) -> Option<usize> {
        if self.jumped || node.kin.is_empty() || self.facts.remembered.is_empty() {
            return None;
        }
        let is_kept = |at: &&usize| {
            let kin = self.route.node(**at);
            let mark = self.route.sticky_mark(kin, &self.facts);
            self.facts.remembered.iter().any(|(known, id)| Some(*known) == mark && *id == kin.id)
        };
        let kept = node.kin.iter().find(is_kept).copied()?;
        self.jumped = true;
        // Already there: nothing to skip.
        (*self.route.node(kept).id != *node.id).then_some(kept)
    }

    fn drawn<'a>(&self, node: &Node, shares: &'a [Share], key: Option<&Source>) -> (&'a Exit, String) {
        let keyed = key.and_then(|source| source.read(&self.facts));
        let (bits, how) = match &keyed {
            Some((path, key)) => (self.route.mark("percentage", &node.id, key).draw(), format!("by {path}")),
            None => (mix(self.facts.seed, self.visits as u64), "by chance".to_owned()),
        };
        let draw = share::draw(bits);
        let share = shares.iter().find(|share| draw < share.up_to).or(shares.last());
        let exit = &share.expect("a percentage element without outputs does not compile").exit;
        (exit, format!("drew {} {how}", share::shown(draw)))
    }

    fn ask(&mut self, at: usize, node: &Node, rate: &RateNode) -> Ask {
        let keyed = rate.key.as_ref().and_then(|source| source.read(&self.facts));
        let (path, key) = keyed.as_ref().map_or(("", ""), |(path, key)| (path, key));
        let need = Need {
            mark: self.route.mark(&format!("rate {}", node.id), path, key),
            by: rate.by,
            limit: rate.limit,
            window_ms: rate.window_ms,
            technique: rate.technique,
            element: node.id.clone(),
        };
        self.place = Place::Counting(at, need.clone());
        Ask::Count(need)
    }

    fn counted(&mut self, at: usize, need: Need, has_room: bool, trace: &mut Trace) -> Result<usize, StopReason> {
        let node = self.route.node(at);
        let NodeKind::Rate(rate) = &node.kind else { return Err(StopReason::Exhausted) };
        let exit = if has_room { Some(&rate.success) } else { rate.fallback.as_ref() };
        let room = if has_room { "there is room" } else { "no room" };
        let why = format!("{room}: {} in {} s", need.shown_limit(), need.window_ms as f64 / 1_000.0);
        trace.visited.push(visit(node, exit.map(|exit| exit.output.clone()), why));
        let to = exit.map(|exit| exit.to).ok_or(StopReason::RateLimited);
        if has_room && need.is_owed() {
            self.owed.push(need);
        }
        to
    }

    fn attempt(&mut self, at: usize, node: &Node, model: &ModelNode) -> Result<Ask, StopReason> {
        if self.tries >= TRIES_MAX {
            return Err(StopReason::TooLong);
        }
        let index = self.tries;
        self.tries += 1;
        self.place = Place::Trying(at);
        let more = model.fallback.is_some() && model.falls_on.holds(Miss::Timeout) && self.tries < TRIES_MAX;
        Ok(Ask::Try(Step { target: model.target.clone(), index, more, element: Some(node.id.clone()) }))
    }

    fn missed(&mut self, at: usize, miss: Miss, trace: &mut Trace) -> Result<usize, StopReason> {
        let node = self.route.node(at);
        let NodeKind::Model(model) = &node.kind else { return Err(StopReason::Exhausted) };
        let exit = model.fallback.as_ref().filter(|_| model.falls_on.holds(miss));
        let why = match (&model.fallback, exit) {
            (Some(_), None) => format!("missed: {}, which is not in fallbackOn", miss.word()),
            _ => format!("missed: {}", miss.word()),
        };
        let output = exit.map(|exit| exit.output.clone());
        trace.visited.push(Visit { target: Some(model.target.name()), ..visit(node, output, why) });
        exit.map(|exit| exit.to).ok_or(StopReason::Exhausted)
    }
}

fn visit(node: &Node, output: Option<Arc<str>>, why: String) -> Visit {
    Visit { element: node.id.clone(), kind: node.kind(), target: None, output, why }
}

/// Splitmix64: the seed may be as regular as a counter.
fn mix(seed: u64, draw: u64) -> u64 {
    let state = seed.wrapping_add(draw.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
