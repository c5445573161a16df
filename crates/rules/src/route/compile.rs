//! From elements to nodes: names become numbers.
//!
//! Enters: a draft. Leaves: a route, or all problems. Never: looks at the shape of the graph before every element is sound; `graph` does.

use std::collections::HashMap;
use std::sync::Arc;

use tollgate_model::trace::{Kind, RouteName};

use super::document::{self, Element, Output};
use super::problem::{Problem, Problems, meant, quoted};
use super::share::{self, ELSE, SHARES_MAX, WHOLE};
use super::{Draft, Exit, ModelNode, Node, NodeKind, RateNode, Route, Share, graph, normalise, properties};

pub(super) fn route(draft: &Draft<'_>) -> Result<Route, Vec<Problem>> {
    let elements = normalise(draft.elements);
    let mut problems = Problems::default();
    let elements = document::read(&elements, &mut problems);
    let numbers = number(&elements, &mut problems);
    let nodes: Vec<Option<Node>> =
        elements.iter().map(|element| Desk { element, numbers: &numbers, problems: &mut problems }.node()).collect();
    let nodes: Option<Vec<Node>> = nodes.into_iter().collect();
    let Some(mut nodes) = nodes.filter(|_| !problems.has_errors()) else { return Err(problems.into_all()) };
    let start = graph::check(&mut nodes, &mut problems);
    match start.filter(|_| !problems.has_errors()) {
        Some(start) => Ok(Route {
            name: RouteName { id: draft.id.into(), name: draft.name.into(), version_id: draft.version_id.into() },
            scope: [draft.gateway.into(), draft.id.into()],
            start,
            reads_body: nodes.iter().any(Node::reads_body),
            reads_budget: nodes.iter().any(Node::reads_budget),
            nodes,
            warnings: problems.into_all(),
        }),
        None => Err(problems.into_all()),
    }
}

/// Element ids to their numbers.
fn number<'a>(elements: &[Element<'a>], problems: &mut Problems) -> HashMap<&'a str, usize> {
    let mut numbers = HashMap::with_capacity(elements.len());
    for (number, element) in elements.iter().enumerate() {
        if numbers.insert(element.id, number).is_some() {
            let message = format!("the id {} is there twice", quoted(element.id));
            problems.within(element.index, |problems| problems.within("id", |problems| problems.error(message)));
        }
    }
    numbers
}

/// Where one element is made into a node.
struct Desk<'a, 'p> {
    element: &'a Element<'a>,
    numbers: &'a HashMap<&'a str, usize>,
    problems: &'p mut Problems,
}

// === impl Desk ===

impl Desk<'_, '_> {
    fn node(&mut self) -> Option<Node> {
        let (element, numbers) = (self.element, self.numbers);
        let kind = self.problems.within(element.index, |problems| Desk { element, numbers, problems }.kind());
        Some(Node { id: Arc::from(element.id), kind: kind?, kin: Vec::new() })
    }

    fn kind(&mut self) -> Option<NodeKind> {
        match self.element.kind {
            Kind::Start => self.only(&["next"]).exit("next").map(NodeKind::Start),
            Kind::Conditional => self.only(&["true", "false"]).conditional(),
            Kind::Percentage => self.percentage(),
            Kind::Rate => self.only(&["success", "fallback"]).rate(),
            Kind::Model => self.only(&["success", "fallback"]).model(),
            // It may have outputs in old exports; nothing comes after it.
            Kind::End => Some(NodeKind::End),
        }
    }

    fn conditional(&mut self) -> Option<NodeKind> {
        let condition = self.properties(properties::conditional);
        let (yes, no) = (self.exit("true"), self.exit("false"));
        Some(NodeKind::Conditional { condition: condition?, yes: yes?, no: no? })
    }

    fn rate(&mut self) -> Option<NodeKind> {
        let rate = self.properties(properties::rate);
        let (success, fallback) = (self.exit("success"), self.exit_if_there("fallback"));
        let rate = rate?;
        Some(NodeKind::Rate(RateNode {
            by: rate.by,
            limit: rate.limit,
            window_ms: rate.window_ms,
            technique: rate.technique,
            key: rate.key,
            success: success?,
            fallback,
        }))
    }

    fn model(&mut self) -> Option<NodeKind> {
        let target = self.properties(properties::target);
        let falls_on = self.properties(properties::falls_on);
        let sticky = self.properties(properties::sticky);
        let (success, fallback) = (self.exit_if_there("success"), self.exit_if_there("fallback"));
        Some(NodeKind::Model(Box::new(ModelNode { target: target?, success, fallback, falls_on, sticky })))
    }

    fn percentage(&mut self) -> Option<NodeKind> {
        let key = self.properties(properties::sticky);
        let outputs = self.element.outputs.as_slice();
        let mut shares: Vec<Share> = Vec::with_capacity(outputs.len());
        let (mut sum, mut sound) = (0, true);
        for output in outputs.iter().filter(|output| output.name != ELSE) {
            let share = share::read(output.name);
            if share.is_none() {
                let message = format!("{} is not a percentage", quoted(output.name));
                self.at_output(output.name, |problems| {
                    problems.error_with(message, "write it as \"10%\", or \"else\" for the rest")
                });
            }
            let exit = self.leads(output);
            sum += share.unwrap_or_default();
            sound &= share.is_some() && exit.is_some();
            shares.extend(exit.map(|exit| Share { exit, up_to: sum }));
        }
        let rest = outputs.iter().find(|output| output.name == ELSE);
        if let Some(rest) = rest {
            let exit = self.leads(rest);
            sound &= exit.is_some();
            shares.extend(exit.map(|exit| Share { exit, up_to: WHOLE }));
        }
        sound &= self.adds_up(sum, outputs.len() - usize::from(rest.is_some()), rest.is_some());
        sound.then_some(NodeKind::Percentage { shares, key })
    }

    fn adds_up(&mut self, sum: u32, weights: usize, has_rest: bool) -> bool {
        let adds_up = if has_rest { sum <= WHOLE } else { sum == WHOLE };
        if weights > SHARES_MAX {
            self.at_outputs(|problems| {
                problems.error_with(
                    format!("at most {SHARES_MAX} percentages and \"else\", received {weights}"),
                    "lead one output to another percentage element",
                );
            });
        }
        if !adds_up {
            let message = format!("the percentages must total 100%, received {}", share::spelled(sum));
            let hint = "two outputs of the same percentage have the same name, and the later one counts: call the last one \"else\"";
            self.at_outputs(|problems| problems.error_with(message, hint));
        }
        adds_up && weights <= SHARES_MAX
    }

    fn properties<T>(&mut self, read: impl FnOnce(document::Properties<'_>, &mut Problems) -> T) -> T {
        let properties = self.element.properties;
        self.problems.within("properties", |problems| read(properties, problems))
    }

    fn exit(&mut self, name: &str) -> Option<Exit> {
        if !self.element.outputs.iter().any(|output| output.name == name) {
            self.at_output(name, |problems| problems.error("Required"));
        }
        self.exit_if_there(name)
    }

    fn exit_if_there(&mut self, name: &str) -> Option<Exit> {
        let output = self.element.outputs.iter().find(|output| output.name == name)?;
        self.leads(output)
    }

    fn leads(&mut self, output: &Output<'_>) -> Option<Exit> {
        let to = self.numbers.get(output.to).copied();
        if to.is_none() {
            let message = format!("there is no element {}", quoted(output.to));
            let guess = meant(output.to, self.numbers.keys().copied());
            self.at_output(output.name, |problems| {
                problems.within("elementId", |problems| match guess {
                    Some(guess) => problems.error_with(message, guess),
                    None => problems.error(message),
                });
            });
        }
        Some(Exit { output: output.name.into(), to: to? })
    }

    /// A misspelt output would be a fallback that silently never comes.
    fn only(&mut self, names: &[&str]) -> &mut Self {
        for output in self.element.outputs.iter().filter(|output| !names.contains(&output.name)) {
            let message = format!("{} has no output {}", self.element.kind.word(), quoted(output.name));
            let guess =
                meant(output.name, names.iter().copied()).unwrap_or(format!("its outputs are {}", names.join(" and ")));
            self.at_output(output.name, |problems| problems.error_with(message, guess));
        }
        self
    }

    fn at_outputs(&mut self, work: impl FnOnce(&mut Problems)) {
        self.problems.within("outputs", work);
    }

    fn at_output(&mut self, name: &str, work: impl FnOnce(&mut Problems)) {
        self.at_outputs(|problems| problems.within(name, work));
    }
}

#[cfg(test)]
mod tests;
