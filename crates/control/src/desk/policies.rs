//! Policies of a gateway: drafted, committed, changed, deleted.
//!
//! Enters: bodies of the REST API. Leaves: policies as they are stored now. Never: stores a condition that cannot be met: it is compiled first.
//!
//! A policy is one document with what is in force and what is drafted, so each change is one write. A draft changes nothing until it is committed.

use serde_json::{Map, Value};
use tollgate_model::{Gateway, PolicyBody, PolicyDocument};
use tollgate_rules::policy::{CHARS_MAX, Fault as Wrong, Policy};
use tollgate_store::documents::Document;

use super::read::{read, write};
use super::{Change, Desk, DeskError, secret};
use crate::shape::{Fault, Member, Presence, Shape, Step, object_of};

pub const POLICY: &str = "policy";

const POLICIES_MAX: usize = 500;

/// What a policy is made of, in the order of the manual.
pub static MEMBERS: &[Member] = &[
    Member::of("name", Shape::Text { min: 1, max: 256 }, Presence::Required, "For people."),
    Member::of(
        "actor",
        Shape::Text { min: 1, max: 256 },
        Presence::Required,
        "Whose bucket; fields may stand in braces: `user:{cf.user.email}`, `{metadata.team}`.",
    ),
    Member::of(
        "resource",
        Shape::Any,
        Presence::Required,
        "`\"*\"`, or `model` and `provider`, each a string or an array; `*` in a model crosses no `/`.",
    ),
    Member::of(
        "condition",
        Shape::Text { min: 1, max: CHARS_MAX },
        Presence::Default("\"true\""),
        "A CEL expression over `cf.user`, `cf.custom`, `cf.country` and `metadata`.",
    ),
    Member::of("action", Shape::Any, Presence::Required, "`no-limit`, `block` (with `except`), or `limit`."),
];

/// A draft that could not be put in force.
#[derive(Clone, Debug)]
pub struct Failed {
    pub id: String,
    pub error: String,
}

impl Desk {
    /// The oldest first.
    pub fn policies(&self, gateway: &Gateway) -> Result<Vec<PolicyDocument>, DeskError> {
        let world = self.now()?.world;
        let stored = world.of_kind(POLICY).filter(|held| held.document.parent == gateway.id);
        let mut all =
            stored.map(|held| Ok((*held.read::<PolicyDocument>()?).clone())).collect::<Result<Vec<_>, DeskError>>()?;
        all.retain(|policy| policy.gateway_internal_id == gateway.internal_id);
        all.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// By its id, else by its name; of several with that name the oldest.
    pub fn policy(&self, gateway: &Gateway, id: &str) -> Result<PolicyDocument, DeskError> {
        let mut all = self.policies(gateway)?;
        let named = |policy: &PolicyDocument| {
            policy.committed.as_ref().or(policy.draft.as_ref()).is_some_and(|body| body.name == id)
        };
        let place = all.iter().position(|policy| policy.id == id).or_else(|| all.iter().position(named));
        place.map(|at| all.swap_remove(at)).ok_or(DeskError::Missing(POLICY))
    }

    /// In force at once with `commit`, else a draft.
    pub fn create_policy(&self, gateway: &Gateway, body: &Value, commit: bool) -> Result<PolicyDocument, DeskError> {
        let body = wanted(body.as_object().unwrap_or(&Map::new()))?;
        let now_s = self.now_ms() / 1_000;
        let mut policy = PolicyDocument {
            id: secret::new_uuid()?,
            gateway: gateway.id.clone(),
            gateway_internal_id: gateway.internal_id.clone(),
            committed: None,
            draft: None,
            created_at: now_s,
            updated_at: now_s,
        };
        put(&mut policy, body, commit);
        self.change(POLICY, &policy.id.clone(), |_| {
            if self.policies(gateway)?.len() >= POLICIES_MAX {
                let fault = Fault::new(["body"], format!("A gateway has at most {POLICIES_MAX} policies"));
                return Err(DeskError::Faults(vec![fault]));
            }
            Ok(Change::to(document(&policy)?, policy.clone()))
        })
    }

    /// From some members of a body; the others stay. What was never committed is deleted and made anew instead.
    pub fn update_policy(
        &self,
        gateway: &Gateway,
        id: &str,
        body: &Value,
        commit: bool,
    ) -> Result<PolicyDocument, DeskError> {
        self.change_policy(gateway, id, |policy| {
            let Some(before) = policy.committed.as_ref() else {
                let fault = Fault::new(["params", "policy"], "Only committed policies can be updated");
                return Err(DeskError::Faults(vec![fault]));
            };
            let mut members = members_of(policy.draft.as_ref().unwrap_or(before));
            let said = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
            members.extend(said.map(|(name, value)| (name.clone(), value.clone())));
            put(policy, wanted(&members)?, commit);
            Ok(())
        })
    }

    pub fn delete_policy(&self, gateway: &Gateway, id: &str) -> Result<PolicyDocument, DeskError> {
        let id = self.policy(gateway, id)?.id;
        self.change(POLICY, &id, |before| Ok(Change::gone(read(before.ok_or(DeskError::Missing(POLICY))?)?)))
    }

    /// Puts all drafts in force, each by itself.
    pub fn commit_policies(&self, gateway: &Gateway) -> Result<(Vec<PolicyDocument>, Vec<Failed>), DeskError> {
        let (mut committed, mut failed) = (Vec::new(), Vec::new());
        for policy in self.policies(gateway)?.into_iter().filter(|policy| policy.draft.is_some()) {
            let done = self.change_policy(gateway, &policy.id, |policy| {
                if let Some(draft) = policy.draft.take() {
                    Policy::compile(&policy.id, &draft).map_err(faults)?;
                    policy.committed = Some(draft);
                }
                Ok(())
            });
            match done {
                Ok(policy) => committed.push(policy),
                Err(error @ (DeskError::Faults(_) | DeskError::Problems(_))) => {
                    failed.push(Failed { id: policy.id, error: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        Ok((committed, failed))
    }

    fn change_policy(
        &self,
        gateway: &Gateway,
        id: &str,
        make: impl Fn(&mut PolicyDocument) -> Result<(), DeskError>,
    ) -> Result<PolicyDocument, DeskError> {
        let id = self.policy(gateway, id)?.id;
        self.change(POLICY, &id, |before| {
            let mut policy: PolicyDocument = read(before.ok_or(DeskError::Missing(POLICY))?)?;
            make(&mut policy)?;
            policy.updated_at = (self.now_ms() / 1_000).max(policy.updated_at);
            Ok(Change::to(document(&policy)?, policy))
        })
    }
}

fn put(policy: &mut PolicyDocument, body: PolicyBody, commit: bool) {
    (policy.committed, policy.draft) = if commit { (Some(body), None) } else { (policy.committed.take(), Some(body)) };
}

pub(crate) fn document(policy: &PolicyDocument) -> Result<Document, DeskError> {
    let name = policy.draft.as_ref().or(policy.committed.as_ref()).map_or("", |body| &body.name);
    let document = write(POLICY, &policy.id, name, policy)?;
    Ok(Document { parent: policy.gateway.clone(), ..document })
}

/// All members, each as it may be, and together something that can be judged by; or every fault.
pub(crate) fn wanted(body: &Map<String, Value>) -> Result<PolicyBody, DeskError> {
    let mut wrong = Vec::new();
    let read = object_of(MEMBERS, body, &mut vec![Step::from("body")], &mut wrong);
    if !wrong.is_empty() {
        return Err(DeskError::Faults(wrong));
    }
    let text = |name: &str| read.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let any = |name: &str| read.get(name).cloned().unwrap_or_default();
    let body = PolicyBody {
        name: text("name"),
        actor: text("actor"),
        resource: any("resource"),
        condition: text("condition"),
        action: any("action"),
    };
    Policy::compile("", &body).map_err(faults)?;
    Ok(body)
}

pub(crate) fn members_of(body: &PolicyBody) -> Map<String, Value> {
    let PolicyBody { name, actor, resource, condition, action } = body.clone();
    let pairs: [(&str, Value); 5] = [
        ("name", name.into()),
        ("actor", actor.into()),
        ("resource", resource),
        ("condition", condition.into()),
        ("action", action),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn faults(wrong: Vec<Wrong>) -> DeskError {
    let fault = |wrong: Wrong| {
        let mut fault = Fault::new(["body"], wrong.said);
        fault.path.extend(wrong.member.into_iter().map(Step::Name));
        fault
    };
    DeskError::Faults(wrong.into_iter().map(fault).collect())
}
