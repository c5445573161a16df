//! May this be asked, and spent? Policies and budgets, each time before a provider is asked.
//!
//! Enters: a caller and a step. Leaves: nothing, with what it can come to at most held in all its budgets; or a refusal.
//! Never: holds anything for an answer that is there already, or lets a budget be overrun by requests at the same time.
//!
//! A model whose price nobody knows is not held back (the original does the same); should its cost become known, it counts.

use tollgate_model::token::SpendLimit;
use tollgate_model::{Money, Refusal};
use tollgate_rules::budget::rule::{self, Rule, Spender};
use tollgate_rules::budget::{Claim, Over};
use tollgate_rules::catalog::layers::Asker;
use tollgate_rules::cost::CustomCost;
use tollgate_rules::cost::bound::Asked;
use tollgate_rules::options::Options;
use tollgate_rules::policy::{Bucket, Verdict, Who};

use crate::books::Books;
use crate::gate::Gate;
use crate::stage::admit::Caller;
use crate::stage::plan::Step;

/// What a claim is made for.
enum Why<'a> {
    Token(&'a str, SpendLimit),
    Rule(&'a Rule),
    Bucket(Bucket),
}

pub(crate) fn spend(
    gate: &Gate,
    caller: &Caller,
    step: &Step,
    options: &Options,
    books: &mut Books,
) -> Result<(), Refusal> {
    // What the target before this one held.
    books.let_go();
    let gateway = &caller.gateway;
    let has_own = caller.pass.iter().any(|pass| pass.budgets().next().is_some());
    if gateway.spend.is_empty() && gateway.policies.is_empty() && !has_own {
        return Ok(());
    }
    let buckets = permitted(caller, step, options)?;
    let most = bound(gate, caller, step, options, books);
    let amount = most.unwrap_or(Money::ZERO);
    let spender = spender(step, options);
    let own = caller.pass.iter().flat_map(|pass| pass.budgets());
    let own = own.map(|(token, limit)| (Why::Token(token, limit), rule::of_token(token, limit, amount)));
    let of_rules = gateway.spend.claims(spender, amount).map(|(rule, claim)| (Why::Rule(rule), claim));
    let of_buckets = buckets.into_iter().map(|bucket| {
        let claim = bucket.claim(amount);
        (Why::Bucket(bucket), claim)
    });
    let (why, mut claims): (Vec<Why<'_>>, Vec<Claim>) = own.chain(of_rules).chain(of_buckets).unzip();
    if claims.is_empty() {
        return Ok(());
    }
    if most.is_none() {
        claims.iter_mut().for_each(|claim| claim.limit = u64::MAX);
    }
    let lease = gate.shared.till.admit(&claims, gate.shared.clock.unix_ms());
    books.owe(lease.map_err(|over| why[over.claim].refusal(spender, over))?);
    Ok(())
}

fn spender<'a>(step: &'a Step, options: &'a Options) -> Spender<'a> {
    Spender { provider: step.row.name(), model: &step.model, metadata: &options.metadata }
}

/// The buckets to draw on, unless the policies say no.
fn permitted(caller: &Caller, step: &Step, options: &Options) -> Result<Vec<Bucket>, Refusal> {
    let who = Who { identity: &caller.identity, metadata: &options.metadata };
    match caller.gateway.judge(&who, step.row.name(), &step.model) {
        Verdict::NoLimit => Ok(Vec::new()),
        Verdict::Check(buckets) => Ok(buckets),
        Verdict::Block(Some(policy)) => Err(Refusal::denied_by_policy(format!("policy {policy:?} blocks it"))),
        Verdict::Block(None) => Err(Refusal::denied_by_policy("no policy matches")),
    }
}

/// The most it can cost; `None` where no price is known.
fn bound(gate: &Gate, caller: &Caller, step: &Step, options: &Options, books: &Books) -> Option<Money> {
    let asker = Asker { gateway: &caller.gateway.id, token: caller.pass.as_ref().map(|pass| pass.token.id.as_str()) };
    let found = gate.shared.catalog.find_for(asker, step.row.name(), &step.model, books.started_ms());
    let asked = Asked {
        body: step.body.held().map_or(&[][..], |body| body),
        body_bytes: books.request_size(),
        context_window: found.as_ref().and_then(|found| found.model.context_window),
    };
    let custom = options.custom_cost.as_deref().and_then(CustomCost::read);
    asked.cost(found.map(|found| found.price), custom.as_ref())
}

impl Why<'_> {
    fn refusal(&self, spender: Spender<'_>, over: Over) -> Refusal {
        match self {
            Self::Token(token, limit) => Refusal::spend_limited(rule::token_refusal(token, *limit, spender), over.wait),
            Self::Rule(rule) => Refusal::spend_limited(rule.refusal(spender), over.wait),
            Self::Bucket(bucket) => {
                let spent = Money::from_nanos(i64::try_from(over.taken).unwrap_or(i64::MAX));
                Refusal::policy_limited(&bucket.id, spent, bucket.limit, over.wait)
            }
        }
    }
}
