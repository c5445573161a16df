//! Policies: who may ask which model, and for how much money in a calendar period (data-plane specification, section 5.4).
//!
//! Enters: the policies of a gateway, compiled when they were saved; who asks for what. Leaves: yes, no, or buckets to be drawn on.
//! Never: parses a condition on a request, or spends anything.
//!
//! No policies: everything is allowed. Otherwise a policy matches when its resource covers the model and its condition is true. A matching block
//! refuses. What else matches is grouped by resolved actor and resource into buckets; a bucket with a `no-limit` is not checked, and of several
//! limits of one period the highest counts. When nothing matches, the answer is no.
//!
//! A field that is not there makes a block whose resource covers the model apply, and every other policy not. So does a field of another type than
//! its condition expects: who asks decides what stands in the metadata, and must not switch a block off with it.

mod action;
mod actor;
mod condition;
mod resource;
mod who;

use std::sync::Arc;

use tollgate_model::{Money, PolicyBody, PolicyDocument};

use crate::budget::calendar::Period;
use crate::budget::{Claim, Span, Unit};
use crate::memory::Mark;

use self::action::Action;
use self::actor::Actor;
use self::condition::Condition;
use self::resource::Resource;
use self::who::Fields;

pub use self::condition::{CHARS_MAX, Found};
pub use self::who::{Identity, Who};

/// All policies of a gateway that are in force.
#[derive(Debug, Default)]
pub struct Policies(Vec<Arc<Policy>>);

#[derive(Debug)]
pub struct Policy {
    pub id: String,
    pub name: String,
    actor: Actor,
    resource: Resource,
    condition: Condition,
    action: Action,
}

/// What is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub member: Vec<String>,
    pub said: String,
}

/// What the policies say of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to be checked: there are no policies, or each bucket has no limit.
    NoLimit,
    /// By this policy; `None`: nothing matched.
    Block(Option<String>),
    Check(Vec<Bucket>),
}

/// What is drawn on together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Actor and resource, as callers and operators see them.
    pub id: String,
    pub period: Period,
    pub limit: Money,
    /// The name of the policy with the limit.
    pub policy: String,
    mark: Mark,
    shared: Mark,
}

// === impl Policy ===

impl Policy {
    /// All faults at once.
    pub fn compile(id: &str, body: &PolicyBody) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let actor = keep(&mut faults, Actor::read(&body.actor));
        let resource = keep(&mut faults, Resource::read(&body.resource));
        let condition = keep(&mut faults, Condition::compile(&body.condition));
        let action = keep(&mut faults, Action::read(&body.action));
        match (actor, resource, condition, action) {
            (Some(actor), Some(resource), Some(condition), Some(action)) => {
                Ok(Self { id: id.to_owned(), name: body.name.clone(), actor, resource, condition, action })
            }
            _ => Err(faults),
        }
    }

    /// What is in force of a document; `None` when nothing is.
    pub fn of(document: &PolicyDocument) -> Option<Result<Self, Vec<Fault>>> {
        document.committed.as_ref().map(|body| Self::compile(&document.id, body))
    }
}

fn keep<T>(faults: &mut Vec<Fault>, read: Result<T, Fault>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

// === impl Policies ===

impl Policies {
    pub fn new(policies: Vec<Arc<Policy>>) -> Self {
        Self(policies)
    }

    pub(crate) fn add(&mut self, policy: Arc<Policy>) {
        self.0.push(policy);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn all(&self) -> &[Arc<Policy>] {
        &self.0
    }

    /// What the buckets of each limit have in common: the mark of those for which there is no place.
    pub fn shared_marks(&self, owner: &str) -> Vec<Mark> {
        let limits = self.0.iter().filter_map(|policy| match policy.action {
            Action::Limit { period, .. } => Some(mark(owner, "", &policy.resource, period)),
            _ => None,
        });
        limits.collect()
    }

    /// `owner` tells one gateway's buckets from another's.
    pub fn judge(&self, owner: &str, who: &Who<'_>, provider: &str, model: &str) -> Verdict {
        if self.0.is_empty() {
            return Verdict::NoLimit;
        }
        let fields = Fields::of(who);
        let mut matched = Matched::default();
        for policy in &self.0 {
            let covered = policy.resource.covers(provider, model);
            match policy.action {
                Action::Block { except } => {
                    // One that blocks all but its resource lets its resource pass.
                    let holds = covered == except || policy.condition.is_met(&fields) == Found::False;
                    if !holds {
                        return Verdict::Block(Some(policy.name.clone()));
                    }
                    matched.any |= except && covered && policy.condition.is_met(&fields) == Found::True;
                }
                _ if !covered || policy.condition.is_met(&fields) != Found::True => {}
                Action::NoLimit => matched.free(policy, who),
                Action::Limit { amount, period } => matched.limit(owner, policy, who, amount, period),
            }
        }
        matched.verdict()
    }
}

#[derive(Default)]
struct Matched {
    any: bool,
    unlimited: Vec<String>,
    buckets: Vec<Bucket>,
}

impl Matched {
    fn free(&mut self, policy: &Policy, who: &Who<'_>) {
        if let Some(actor) = policy.actor.resolve(who) {
            self.any = true;
            self.unlimited.push(id(&actor, &policy.resource));
        }
    }

    fn limit(&mut self, owner: &str, policy: &Policy, who: &Who<'_>, limit: Money, period: Period) {
        // An actor that cannot be resolved: the policy does not apply.
        let Some(actor) = policy.actor.resolve(who) else { return };
        self.any = true;
        let id = id(&actor, &policy.resource);
        if let Some(same) = self.buckets.iter_mut().find(|bucket| bucket.id == id && bucket.period == period) {
            if limit > same.limit {
                (same.limit, same.policy) = (limit, policy.name.clone());
            }
            return;
        }
        let of = |actor: &str| mark(owner, actor, &policy.resource, period);
        let (mark, shared) = (of(&actor), of(""));
        self.buckets.push(Bucket { id, period, limit, policy: policy.name.clone(), mark, shared });
    }

    fn verdict(mut self) -> Verdict {
        self.buckets.retain(|bucket| !self.unlimited.contains(&bucket.id));
        match (self.any, self.buckets.is_empty()) {
            (false, _) => Verdict::Block(None),
            (true, true) => Verdict::NoLimit,
            (true, false) => Verdict::Check(self.buckets),
        }
    }
}

fn mark(owner: &str, actor: &str, resource: &Resource, period: Period) -> Mark {
    Mark::of(&["policy", owner, actor, resource.name(), period.word()])
}

fn id(actor: &str, resource: &Resource) -> String {
    format!("{actor}|{}", resource.name())
}

// === impl Bucket ===

impl Bucket {
    pub fn claim(&self, amount: Money) -> Claim {
        Claim {
            mark: self.mark,
            shared: self.shared,
            span: Span::Calendar(self.period),
            unit: Unit::Nanos,
            limit: u64::try_from(self.limit.nanos()).unwrap_or(0),
            amount: u64::try_from(amount.nanos()).unwrap_or(0),
            soft: false,
        }
    }
}

#[cfg(test)]
mod tests;
