//! The shape of a route: where it starts, what it can reach, whether it may turn in circles.
//!
//! Enters: sound nodes. Leaves: the start; problems. Never: fails a route for what no request can reach.

use std::collections::BTreeSet;

use super::problem::Problems;
use super::{Node, NodeKind};

/// Marks in each node its kin (see [`Node::kin`]) on the way.
pub(super) fn check(nodes: &mut [Node], problems: &mut Problems) -> Option<usize> {
    let start = start(nodes, problems)?;
    let reached = reach(nodes, &[start], Node::exits);
    unreachable(nodes, &reached, problems);
    let is_model = |at: &usize| matches!(nodes[*at].kind, NodeKind::Model(_));
    if !reached.iter().any(is_model) {
        problems.error_with("no model can be reached from the start", "add an element of type \"model\"");
    } else if !reached.iter().any(|at| matches!(nodes[*at].kind, NodeKind::End)) {
        problems.warning("no end can be reached from the start", "add an element of type \"end\"");
    }
    circles(nodes, &reached, problems);
    after_answers(nodes, &reached, problems);
    for at in 0..nodes.len() {
        nodes[at].kin = kin(nodes, at);
    }
    Some(start)
}

fn start(nodes: &[Node], problems: &mut Problems) -> Option<usize> {
    let is_start = |at: &usize| matches!(nodes[*at].kind, NodeKind::Start(_));
    let mut starts = (0..nodes.len()).filter(is_start);
    let Some(first) = starts.next() else {
        problems.error_with("there is no start", "add an element of type \"start\"");
        return None;
    };
    for second in starts {
        problems.within(second, |problems| problems.error("a route has exactly one start"));
    }
    Some(first)
}

/// Everything that can be come to, itself included.
fn reach(nodes: &[Node], from: &[usize], exits: impl Fn(&Node) -> Vec<usize>) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut ahead = from.to_vec();
    while let Some(at) = ahead.pop() {
        if reached.insert(at) {
            ahead.extend(exits(&nodes[at]));
        }
    }
    reached
}

fn unreachable(nodes: &[Node], reached: &BTreeSet<usize>, problems: &mut Problems) {
    for at in (0..nodes.len()).filter(|at| !reached.contains(at)) {
        problems.within(at, |problems| {
            problems.warning(format!("{:?} cannot be reached", nodes[at].id), "lead an output to it, or remove it");
        });
    }
}

/// Elements that decide at once would turn for ever; a model or a rate in the circle may change its mind, and the walk's bound ends it.
fn circles(nodes: &[Node], reached: &BTreeSet<usize>, problems: &mut Problems) {
    for &at in reached {
        let waits = |node: &Node| matches!(node.kind, NodeKind::Model(_) | NodeKind::Rate(_));
        let at_once = |node: &Node| if waits(node) { Vec::new() } else { node.exits() };
        let returns = |exits: &dyn Fn(&Node) -> Vec<usize>| reach(nodes, &exits(&nodes[at]), exits).contains(&at);
        problems.within(at, |problems| {
            if returns(&at_once) {
                problems.error_with(
                    "it leads back to itself past no model and no rate",
                    "lead one output of the circle to an end",
                );
            } else if returns(&continuing) {
                problems.warning(
                    "it leads back to itself",
                    format!("a request visits {} elements at most", crate::walk::VISITS_MAX),
                );
            }
        });
    }
}

/// Where a walk goes on: after an answer it does not.
fn continuing(node: &Node) -> Vec<usize> {
    match &node.kind {
        NodeKind::Model(model) => model.fallback.iter().map(|exit| exit.to).collect(),
        _ => node.exits(),
    }
}

fn after_answers(nodes: &[Node], reached: &BTreeSet<usize>, problems: &mut Problems) {
    for &at in reached {
        let NodeKind::Model(model) = &nodes[at].kind else { continue };
        let ends = |to: usize| matches!(nodes[to].kind, NodeKind::End);
        if model.success.as_ref().is_some_and(|exit| !ends(exit.to)) {
            problems.within(at, |problems| {
                problems.within("outputs", |problems| {
                    problems.within("success", |problems| {
                        problems.warning(
                            "an answer ends the route: what comes after it is not visited",
                            "lead it to an end",
                        );
                    });
                });
            });
        }
    }
}

fn kin(nodes: &[Node], at: usize) -> Vec<usize> {
    let by_chance_or_failure = |node: &Node| match &node.kind {
        NodeKind::Percentage { .. } => node.exits(),
        NodeKind::Model(_) => continuing(node),
        _ => Vec::new(),
    };
    if !matches!(nodes[at].kind, NodeKind::Percentage { .. } | NodeKind::Model(_)) {
        return Vec::new();
    }
    let is_sticky = |at: &usize| matches!(&nodes[*at].kind, NodeKind::Model(model) if model.sticky.is_some());
    reach(nodes, &[at], by_chance_or_failure).into_iter().filter(is_sticky).collect()
}
