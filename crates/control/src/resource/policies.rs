//! Policies over HTTP (control-plane specification, section 11).
//!
//! Enters: bodies and queries. Leaves: policies, drafts, what committing them did, what they would say. Never: judges: `rules::policy` does.

use http::Method;
use serde_json::{Map, Value, json};
use tollgate_model::{Gateway, Metadata, PolicyBody, PolicyDocument};
use tollgate_rules::metadata;
use tollgate_rules::policy::{Bucket, Identity, Policies, Policy, Verdict, Who};

use crate::answer::Answer;
use crate::call::Call;
use crate::desk::{DeskError, POLICY, POLICY_MEMBERS};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Whole};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::{Optional, Required};
use crate::shape::{Member, Shape};

const ALL: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/policies";
const ITEM: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/policies/{policy}";

const STAGING: Member = Member::of("includeStaging", Shape::Flag, Optional, "Drafts too.");
const COMMIT: Member = Member::of("commit", Shape::Flag, Optional, "In force at once; without it the body is a draft.");
const COMMITTED: Member = Member::of("committed", Shape::Flag, Required, "Whether it is in force.");

static SHOWN: Shape = Shape::Named("Policy", &Shape::Parts(&[POLICY_MEMBERS, MARKS]));
static MARKS: &[Member] = &[
    Member::of("id", Shape::TEXT, Required, "Made up; never changes."),
    Member::of("created_at", Shape::COUNT, Required, "Unix seconds."),
    Member::of("updated_at", Shape::COUNT, Required, "Unix seconds."),
    Member::of("staging", Shape::Flag, Optional, "In a list: this is a draft."),
    Member::of("uncommitted", Shape::Flag, Optional, "There is a draft of it."),
];
static NEW: Shape = Shape::Named("NewPolicy", &Shape::Object(POLICY_MEMBERS));
static LIST: Shape = Shape::List { of: &SHOWN, max: usize::MAX };
static PART: Shape = Shape::Object(&[
    Member::of("name", Shape::TEXT, Optional, "As in a create; what is missing stays as it is."),
    Member::of("actor", Shape::TEXT, Optional, "Likewise."),
    Member::of("resource", Shape::Any, Optional, "Likewise."),
    Member::of("condition", Shape::TEXT, Optional, "Likewise."),
    Member::of("action", Shape::Any, Optional, "Likewise."),
]);
static COMMITS: Shape = Shape::Object(&[
    Member::of("committed", Shape::COUNT, Required, "How many drafts are in force now."),
    Member::of("failed", Shape::COUNT, Required, "How many are not; `errors` says why."),
    Member::of("policies", Shape::List { of: &SHOWN, max: usize::MAX }, Required, "Those that are."),
]);
static ASKED: Shape = Shape::Object(&[
    Member::of(
        "identity",
        Shape::Map(&Shape::Any),
        Optional,
        "`id`, `email`, `groups`, `custom`, `country`; also below `user`.",
    ),
    Member::of("metadata", Shape::Map(&Shape::Any), Optional, "As in the header; also below `identity`."),
    Member::of("provider", Shape::TEXT, Required, "Path segment of the provider."),
    Member::of("model", Shape::TEXT, Required, "With its provider in front or without."),
    Member::of("bucketUsage", Shape::Map(&Shape::Any), Optional, "By bucket: `{spent: dollars}`."),
]);
static SAID: Shape = Shape::Object(&[
    Member::of(
        "evaluation",
        Shape::Map(&Shape::Any),
        Required,
        "`decision`: no-limit, block or check_limits; and the `buckets`.",
    ),
    Member::of(
        "enforcement",
        Shape::Map(&Shape::Any),
        Required,
        "`allowed`; else `reason`, `bucket`, `spent`, `limit`, `policyName`.",
    ),
    Member::of("policiesEvaluated", Shape::COUNT, Required, "How many policies there are."),
]);

pub(crate) static ROWS: &[Row] = &[
    get(ALL, "tollgate-list-gateway-policies", Guarded(Needs::Metadata, list), One(&LIST), "The policies of a gateway, the oldest first.")
        .query(&[STAGING]).said("policy", "list").columns(&["id", "name", "actor", "resource", "condition", "action"]),
    row(
        Method::POST,
        ALL,
        "tollgate-create-gateway-policy",
        Guarded(Needs::Write, create),
        Whole(&[Member::of("result", SHOWN_MEMBER, Required, "As it is stored."), COMMITTED]),
        "A new policy; a draft, unless it is committed. A condition that cannot be read is refused with line and column.",
    )
    .query(&[COMMIT])
    .body(&NEW).said("policy", "create").fills(r#"{"actor":"*","resource":"*","condition":"true"}"#),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/gateways/{gateway}/policies/commit",
        "tollgate-commit-gateway-policies",
        Guarded(Needs::Write, commit),
        One(&COMMITS),
        "Puts all drafts in force.",
    ).said("policy", "commit"),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/gateways/{gateway}/policies/simulate",
        "tollgate-simulate-gateway-policies",
        Guarded(Needs::Metadata, simulate),
        One(&SAID),
        "What the policies would say to somebody who asks for a model. Changes nothing.",
    )
    .unaudited("it changes nothing, and looks into settings alone")
    .query(&[STAGING])
    .body(&ASKED).said("policy", "simulate"),
    get(ITEM, "tollgate-get-gateway-policy", Guarded(Needs::Metadata, get_one), One(&SHOWN), "One policy.").query(&[STAGING]).said("policy", "show"),
    row(
        Method::PUT,
        ITEM,
        "tollgate-update-gateway-policy",
        Guarded(Needs::Write, update),
        Whole(&[COMMITTED]),
        "Changes some members of a committed policy; a draft, unless it is committed.",
    )
    .query(&[COMMIT])
    .body(&PART).said("policy", "update"),
    row(
        Method::DELETE,
        ITEM,
        "tollgate-delete-gateway-policy",
        Guarded(Needs::Write, delete),
        One(&SHOWN),
        "Deletes a policy, and a draft of it.",
    ).said("policy", "delete"),
];

const SHOWN_MEMBER: Shape = Shape::Named("Policy", &Shape::Parts(&[POLICY_MEMBERS, MARKS]));

fn list(call: &Call) -> Result<Answer, Problem> {
    let staging = flag(call, "includeStaging")?;
    let all = call.parts.desk.policies(gateway(call)?)?;
    let shown = all.iter().filter_map(|policy| {
        let body =
            if staging { policy.draft.as_ref().or(policy.committed.as_ref()) } else { policy.committed.as_ref() };
        let mut shown = shown(policy, body?);
        if staging && policy.draft.is_some() {
            shown["staging"] = true.into();
        }
        Some(shown)
    });
    Ok(Answer::Result(shown.collect()))
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let commit = flag(call, "commit")?;
    let policy = call.parts.desk.create_policy(gateway(call)?, &call.json(), commit)?;
    let body = policy.draft.as_ref().or(policy.committed.as_ref()).ok_or_else(Problem::internal)?;
    Ok(whole([("result", shown(&policy, body)), ("committed", commit.into())]))
}

fn get_one(call: &Call) -> Result<Answer, Problem> {
    let staging = flag(call, "includeStaging")?;
    let policy = call.parts.desk.policy(gateway(call)?, call.params.get("policy"))?;
    let drafted = policy.draft.as_ref().filter(|_| staging);
    let body = drafted.or(policy.committed.as_ref()).ok_or(DeskError::Missing(POLICY))?;
    let mut shown = shown(&policy, body);
    if policy.draft.is_some() {
        shown["uncommitted"] = true.into();
    }
    Ok(Answer::Result(shown))
}

fn update(call: &Call) -> Result<Answer, Problem> {
    let commit = flag(call, "commit")?;
    call.parts.desk.update_policy(gateway(call)?, call.params.get("policy"), &call.read(&PART)?, commit)?;
    Ok(whole([("committed", commit.into())]))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_policy(gateway(call)?, call.params.get("policy"))?;
    let body = gone.committed.as_ref().or(gone.draft.as_ref()).ok_or_else(Problem::internal)?;
    Ok(Answer::Result(shown(&gone, body)))
}

fn commit(call: &Call) -> Result<Answer, Problem> {
    let (committed, failed) = call.parts.desk.commit_policies(gateway(call)?)?;
    let shown = |policy: &PolicyDocument| policy.committed.as_ref().map(|body| shown(policy, body));
    let policies: Vec<Value> = committed.iter().filter_map(shown).collect();
    let errors = failed.iter().map(|failed| json!({ "policyId": failed.id, "error": failed.error }));
    Ok(whole([
        ("success", failed.is_empty().into()),
        ("errors", errors.collect()),
        ("result", json!({ "committed": policies.len(), "failed": failed.len(), "policies": policies })),
    ]))
}

fn simulate(call: &Call) -> Result<Answer, Problem> {
    let staging = flag(call, "includeStaging")?;
    let asked = call.read(&ASKED)?;
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let (provider, model) = (text("provider"), text("model"));
    let model = model.strip_prefix(&format!("{provider}/")).unwrap_or(model);
    let all = call.parts.desk.policies(gateway(call)?)?;
    let of = |policy: &PolicyDocument| {
        let body = policy.draft.as_ref().filter(|_| staging).or(policy.committed.as_ref())?;
        Policy::compile(&policy.id, body).ok().map(std::sync::Arc::new)
    };
    let policies = Policies::new(all.iter().filter_map(of).collect());
    let (identity, metadata) = (identity(&asked["identity"]), labels(&asked));
    let verdict = policies.judge("", &Who { identity: &identity, metadata: &metadata }, provider, model);
    Ok(Answer::Result(told(&verdict, &asked["bucketUsage"], policies.all().len())))
}

fn told(verdict: &Verdict, usage: &Value, evaluated: usize) -> Value {
    let (decision, buckets) = match verdict {
        Verdict::NoLimit => ("no-limit", &[][..]),
        Verdict::Block(_) => ("block", &[][..]),
        Verdict::Check(buckets) => ("check_limits", &buckets[..]),
    };
    let spent = |bucket: &Bucket| usage[&bucket.id]["spent"].as_f64().unwrap_or(0.0);
    let over = buckets.iter().find(|bucket| spent(bucket) >= bucket.limit.as_dollars());
    let enforcement = match (verdict, over) {
        (Verdict::Block(policy), _) => json!({ "allowed": false, "reason": "blocked", "policyName": policy }),
        (_, Some(bucket)) => {
            json!({ "allowed": false, "reason": "limit_exceeded", "bucket": bucket.id, "spent": spent(bucket),
            "limit": bucket.limit.as_dollars(), "policyName": bucket.policy })
        }
        _ => json!({ "allowed": true }),
    };
    let shown = buckets.iter().map(|bucket| {
        json!({ "bucket": bucket.id, "period": bucket.period.word(), "limit": bucket.limit.as_dollars(), "policyName": bucket.policy })
    });
    json!({
        "evaluation": { "decision": decision, "buckets": shown.collect::<Vec<_>>() },
        "enforcement": enforcement,
        "policiesEvaluated": evaluated
    })
}

/// Wherever a client puts it: flat, below `user`, or below `cf` as conditions spell it.
fn identity(said: &Value) -> Identity {
    let places = [said, &said["user"], &said["cf"], &said["cf"]["user"]];
    let find = |names: &[&str]| places.iter().find_map(|place| names.iter().find_map(|name| place.get(*name))).cloned();
    let text = |names: &[&str]| find(names).and_then(|value| value.as_str().map(str::to_owned));
    let groups = find(&["groups"]).and_then(|groups| {
        groups.as_array().map(|groups| groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect())
    });
    let claim = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), text)
    };
    let custom =
        find(&["custom"]).and_then(|claims| claims.as_object().map(|claims| claims.iter().map(claim).collect()));
    Identity {
        id: text(&["id", "sub"]),
        email: text(&["email"]),
        groups,
        custom: custom.unwrap_or_default(),
        country: text(&["country"]),
    }
}

fn labels(asked: &Value) -> Metadata {
    let said = [&asked["metadata"], &asked["identity"]["metadata"]].into_iter().find(|said| said.is_object());
    said.map(|said| metadata::read(&said.to_string())).unwrap_or_default()
}

fn shown(policy: &PolicyDocument, body: &PolicyBody) -> Value {
    json!({
        "id": policy.id, "name": body.name, "actor": body.actor, "resource": body.resource, "condition": body.condition,
        "action": body.action, "created_at": policy.created_at, "updated_at": policy.updated_at
    })
}

fn whole<const N: usize>(members: [(&str, Value); N]) -> Answer {
    Answer::Whole(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

fn flag(call: &Call, name: &str) -> Result<bool, Problem> {
    let mut reader = call.query.reader();
    let flag = reader.flag(name).unwrap_or(false);
    reader.finish()?;
    Ok(flag)
}

fn gateway(call: &Call) -> Result<&Gateway, Problem> {
    Ok(&call.gateway()?.settings)
}
