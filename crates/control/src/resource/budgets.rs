//! How budgets stand: what is spent, held and left of each, and until when it will last.
//!
//! Enters: the rules and tokens of the snapshot; states from whoever keeps the money. Leaves: one list. Never: the budget of a value of which this
//! process has not heard yet: what it spent before the start still counts, and it is shown from its next request on.

use serde_json::{Value, json};
use tollgate_model::gateway::Technique;
use tollgate_model::{BudgetKind, Money};
use tollgate_rules::budget::calendar::Period;
use tollgate_rules::budget::rule::of_token;
use tollgate_rules::budget::{Claim, Span, State};
use tollgate_rules::snapshot::GatewayRules;

use crate::answer::Answer;
use crate::call::Call;
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::One;
use crate::row::{Needs, Row, get};
use crate::shape::Presence::{Required, RequiredOrNull};
use crate::shape::{Member, Shape};
use crate::time;

pub(crate) static ROWS: &[Row] = &[
    get(
        "/accounts/{account}/ai-gateway/gateways/{gateway}/budgets",
        "tollgate-list-gateway-budgets",
        Guarded(Needs::Metadata, of_gateway),
        One(&LIST),
        "What is spent, held and left of each budget of a gateway's spend limits and policies. Not in the original.",
    ),
    get(
        "/accounts/{account}/ai-gateway/budgets",
        "tollgate-list-budgets",
        Guarded(Needs::Metadata, of_account),
        One(&LIST),
        "The same of all gateways, and of tokens with a spend limit.",
    ),
];

static LIST: Shape = Shape::List { of: &Shape::Named("Budget", &Shape::Object(MEMBERS)), max: usize::MAX };
static MEMBERS: &[Member] = &[
    Member::of("kind", Shape::Word(&["token", "rule", "policy"]), Required, "What it belongs to."),
    Member::of("gateway", Shape::TEXT, RequiredOrNull, "Null for a token: its budget counts in all gateways."),
    Member::of("id", Shape::TEXT, Required, "Of the rule or the token; the name of the policy."),
    Member::of("bucket", Shape::TEXT, RequiredOrNull, "Which of the budgets into which it is split: `team=red`."),
    Member::of("limit", Shape::Positive, Required, "US dollars."),
    Member::of("spent", DOLLARS, Required, "In the window."),
    Member::of("held", DOLLARS, Required, "By requests under way: the most they can cost."),
    Member::of("left", DOLLARS, Required, "Neither spent nor held."),
    Member::of("period", Shape::Word(PERIODS), Required, "`sliding` and `fixed` are windows of `window` seconds."),
    Member::of("window", Shape::COUNT, RequiredOrNull, "Seconds; null for a calendar period."),
    Member::of("from", Shape::Time, Required, "When the period began, or the first of what counts was spent."),
    Member::of(
        "until",
        Shape::Time,
        RequiredOrNull,
        "When it ends, or the first of what counts no longer does. Null: nothing counts.",
    ),
    Member::of(
        "used_up_at",
        Shape::Time,
        RequiredOrNull,
        "When it is used up at the pace since `from`. Null: it lasts.",
    ),
];
const DOLLARS: Shape = Shape::Number { min: 0.0, max: 1e12 };
const PERIODS: &[&str] = &["sliding", "fixed", "hourly", "daily", "weekly", "monthly"];

fn of_gateway(call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::Result(budgets(call, call.gateway()?).into()))
}

fn of_account(call: &Call) -> Result<Answer, Problem> {
    let mut gateways: Vec<&GatewayRules> = call.snapshot.gateways().map(|gateway| &**gateway).collect();
    gateways.sort_by(|a, b| a.id.cmp(&b.id));
    let mut all: Vec<Value> = call
        .snapshot
        .tokens()
        .filter_map(|token| {
            let limit = token.scope.spend_limit?;
            let state = call.parts.budgets.state(&of_token(&token.id, limit, Money::ZERO));
            Some(shown(
                BudgetKind::Token,
                None,
                &token.id,
                None,
                Span::Sliding(limit.window.saturating_mul(1_000)),
                &state,
            ))
        })
        .collect();
    all.extend(gateways.into_iter().flat_map(|gateway| budgets(call, gateway)));
    Ok(Answer::Result(all.into()))
}

fn budgets(call: &Call, gateway: &GatewayRules) -> Vec<Value> {
    let (drawer, id) = (&call.parts.budgets, Some(&*gateway.id));
    let mut all = Vec::new();
    for rule in gateway.spend.all() {
        let whole = rule.standing();
        let mut parts = if rule.is_split() { drawer.split(&[whole.mark]) } else { Vec::new() };
        parts.sort_by(|a, b| a.bucket.cmp(&b.bucket));
        let state = drawer.state(&whole);
        // Of a rule that is split, the rest: values for which there was no place.
        if !rule.is_split() || state.spent + state.held > 0 {
            all.push(shown(BudgetKind::Rule, id, &rule.id, None, whole.span, &state));
        }
        for part in parts {
            let state = drawer.state(&Claim { mark: part.claim.mark, ..whole });
            all.push(shown(BudgetKind::Rule, id, &rule.id, Some(&part.bucket), whole.span, &state));
        }
    }
    let mut parts = drawer.split(&gateway.policy_marks());
    parts.sort_by(|a, b| (&a.policy, &a.bucket).cmp(&(&b.policy, &b.bucket)));
    for part in parts {
        let policy = part.policy.as_deref().unwrap_or_default();
        let state = drawer.state(&part.claim);
        all.push(shown(BudgetKind::Policy, id, policy, Some(&part.bucket), part.claim.span, &state));
    }
    all
}

fn shown(kind: BudgetKind, gateway: Option<&str>, id: &str, bucket: Option<&str>, span: Span, state: &State) -> Value {
    let dollars = |nanos: u64| Money::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX)).as_dollars();
    let (period, window) = match span {
        Span::Sliding(window_ms) => (word(Technique::Sliding), Some(window_ms / 1_000)),
        Span::Fixed(window_ms) | Span::Aligned(window_ms) => (word(Technique::Fixed), Some(window_ms / 1_000)),
        Span::Calendar(period) => (Period::word(period), None),
        Span::Ever => ("ever", None),
    };
    json!({
        "kind": kind.word(), "gateway": gateway, "id": id, "bucket": bucket,
        "limit": dollars(state.limit), "spent": dollars(state.spent), "held": dollars(state.held), "left": dollars(state.left()),
        "period": period, "window": window, "from": time::text(state.from_ms),
        "until": state.until_ms.map(time::text), "used_up_at": state.used_up_ms.map(time::text),
    })
}

fn word(technique: Technique) -> &'static str {
    match technique {
        Technique::Fixed => "fixed",
        Technique::Sliding => "sliding",
    }
}
