//! A dynamic route, compiled: elements by number, conditions read, regexes built.
//!
//! Enters: a document that people or Terraform wrote. Leaves: an immutable route, or every problem with its place and a suggestion.
//! Never: is walked without having been checked: [`Route::compile`] is the only way to make one.
//!
//! What elements there are, and every choice the original leaves open, is told in docs/routes.md.

mod compile;
mod condition;
mod document;
mod graph;
mod node;
mod normal;
mod path;
mod problem;
mod properties;
pub(crate) mod share;

use std::sync::Arc;

use serde_json::Value;
use tollgate_model::RouteDocument;
use tollgate_model::route::RouteVersion;
use tollgate_model::trace::RouteName;
use tollgate_wire::provider::{ProviderRow, Providers};

use crate::facts::Facts;
use crate::memory::Mark;

pub use normal::normalise;
pub use problem::{Place, Problem, Severity};

pub(crate) use node::{Exit, MissSet, ModelNode, Node, NodeKind, RateNode};
pub(crate) use path::Source;
pub(crate) use share::Share;

/// Before the slug of a provider of one's own.
const CUSTOM: &str = "custom-";
pub const ELEMENTS_MAX: usize = 128;
/// Of element ids, output names, keys.
pub const NAME_BYTES_MAX: usize = 256;

#[derive(Debug)]
pub struct Route {
    pub name: RouteName,
    /// The gateway and the route's id: no two routes share a counter or a remembered choice.
    scope: [Arc<str>; 2],
    nodes: Vec<Node>,
    start: usize,
    reads_body: bool,
    reads_budget: bool,
    /// What does not keep it from serving.
    pub warnings: Vec<Problem>,
}

/// What a route is made of.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    pub gateway: &'a str,
    pub id: &'a str,
    pub name: &'a str,
    pub version_id: &'a str,
    /// The list of elements; JSON text that holds it, or an object around it, is understood too.
    pub elements: &'a Value,
}

// === impl Draft ===

impl<'a> Draft<'a> {
    pub fn of(document: &'a RouteDocument, version: &'a RouteVersion) -> Self {
        Self {
            gateway: &document.gateway,
            id: &document.id,
            name: &document.name,
            version_id: &version.id,
            elements: &version.elements,
        }
    }
}

// === impl Route ===

impl Route {
    /// All problems at once, so that they can be mended at once. Warnings alone do not fail.
    pub fn compile(draft: &Draft<'_>) -> Result<Self, Vec<Problem>> {
        compile::route(draft)
    }

    /// Whether any condition or key looks into the body: the only reason to parse it.
    pub fn reads_body(&self) -> bool {
        self.reads_body
    }

    /// Whether a condition looks at how much of the caller's budgets is used.
    pub fn reads_budget(&self) -> bool {
        self.reads_budget
    }

    /// Every target that some request may reach, in the order of the document.
    pub fn targets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Model(model) => Some((&*model.target.provider, &*model.target.model)),
            _ => None,
        })
    }

    /// Elements whose provider nobody knows. Custom ones are looked up when a request goes to them.
    pub fn strangers(&self, providers: &Providers) -> Vec<Problem> {
        let segments = || providers.all().map(|row| row.segment());
        // Elsewhere the provider goes by another name: `xai` is the author, `grok` the provider.
        let author_of =
            |row: &&Arc<ProviderRow>, name: &str| row.rest_author() == Some(name) || row.compat_prefix() == Some(name);
        let mut problems = problem::Problems::default();
        for (index, node) in self.nodes.iter().enumerate() {
            let NodeKind::Model(model) = &node.kind else { continue };
            let provider = &*model.target.provider;
            if !provider.starts_with(CUSTOM) && providers.get(provider).is_none() {
                let other = providers.all().find(|row| author_of(row, provider));
                let guess = match other {
                    Some(row) => Some(format!("did you mean {:?}?", row.segment())),
                    None => problem::meant(provider, segments()),
                };
                let guess = guess.unwrap_or_else(|| format!("a provider of your own is called {CUSTOM}..."));
                let place = |problems: &mut problem::Problems| {
                    let message = format!("there is no provider {}", problem::quoted(provider));
                    problems.within("provider", |problems| problems.error_with(message, guess));
                };
                problems.within(index, |problems| problems.within("properties", place));
            }
        }
        problems.into_all()
    }

    /// What this request's user or session is remembered by, one mark for each sticky key that it has.
    pub(crate) fn marks(&self, facts: &Facts) -> Vec<Mark> {
        let mut marks: Vec<Mark> = self.nodes.iter().filter_map(|node| self.sticky_mark(node, facts)).collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    pub(crate) fn sticky_mark(&self, node: &Node, facts: &Facts) -> Option<Mark> {
        let NodeKind::Model(model) = &node.kind else { return None };
        let (path, key) = model.sticky.as_ref()?.read(facts)?;
        Some(self.mark("sticky", path, &key))
    }

    pub(crate) fn mark(&self, what: &str, of: &str, key: &str) -> Mark {
        Mark::of(&[&self.scope[0], &self.scope[1], what, of, key])
    }

    pub(crate) fn node(&self, at: usize) -> &Node {
        &self.nodes[at]
    }

    pub(crate) fn start(&self) -> usize {
        self.start
    }
}
