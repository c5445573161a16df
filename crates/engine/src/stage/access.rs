//! May this be asked, and spent? Policies, budgets and limits, each time before a provider is asked.
//!
//! Enters: a caller and a step. Leaves: nothing, with what it can come to at most held in all its budgets; or a refusal.
//! Never: holds anything for an answer that is there already, or lets a budget be overrun by requests at the same time.
//!
//! A model whose price nobody knows is not held back (the original does the same); should its cost become known, it counts.

use tollgate_model::{Money, Refusal};
use tollgate_rules::budget::rule::{self, Spender};
use tollgate_rules::budget::{Claim, Unit};
use tollgate_rules::catalog::Found;
use tollgate_rules::catalog::layers::Asker;
use tollgate_rules::cost::CustomCost;
use tollgate_rules::cost::bound::{Asked, Tokens};
use tollgate_rules::options::Options;
use tollgate_rules::policy::{Bucket, Verdict, Who};

use crate::books::Books;
use crate::gate::Gate;
use crate::purse::{Purse, Why};
use crate::rates::Rate;
use crate::stage::admit::Caller;
use crate::stage::limit;
use crate::stage::plan::Step;

/// What a request can come to at most.
#[derive(Clone, Copy)]
struct Most {
    /// `None` where no price is known.
    cost: Option<Money>,
    tokens: Tokens,
}

/// Nothing: what an answer from the cache costs.
const NOTHING: Most = Most { cost: Some(Money::ZERO), tokens: Tokens { input: 0, output: 0 } };

pub(crate) fn spend(
    gate: &Gate,
    caller: &Caller,
    step: &Step,
    options: &Options,
    books: &mut Books,
) -> Result<(), Refusal> {
    // What the target before this one held.
    books.let_go();
    if is_free(caller) {
        return Ok(());
    }
    let spender = spender(caller, step, options);
    limit::enter_target(gate, caller, spender, books)?;
    let buckets = permitted(caller, step, options)?;
    let most = most(gate, caller, step, options, books);
    let held = hold(gate, caller, spender, buckets, most);
    let held = held.map_err(|(refusal, rate)| {
        rate.into_iter().for_each(|rate| books.rated(rate));
        refusal
    })?;
    if let Some(purse) = held {
        purse.rates(gate.shared.clock.unix_ms()).for_each(|rate| books.rated(rate));
        books.owe(purse);
    }
    Ok(())
}

/// The same for an answer from the cache, where the gateway is strict: it costs nothing and is asked for all the same.
pub(crate) fn recall(gate: &Gate, caller: &Caller, step: &Step, options: &Options) -> Result<(), Refusal> {
    if !caller.gateway.settings.tollgate_strict_cache || is_free(caller) {
        return Ok(());
    }
    let buckets = permitted(caller, step, options)?;
    // Dropped at once: there must be something left, and nothing is held.
    hold(gate, caller, spender(caller, step, options), buckets, NOTHING).map(drop).map_err(|(refusal, _)| refusal)
}

/// The largest part that is used, spent or held, of the caller's budgets that do not depend on the target: for a route that chooses one.
pub(crate) fn used(gate: &Gate, caller: &Caller, options: &Options) -> f64 {
    let (till, now_ms) = (&gate.shared.till, gate.shared.clock.unix_ms());
    let token = caller.pass.as_ref().map_or("", |pass| &pass.token.id);
    let spender = Spender { provider: "", model: "", token, metadata: &options.metadata };
    let who = Who { identity: &caller.identity, metadata: &options.metadata };
    let buckets = match caller.gateway.judge(&who, "", "") {
        Verdict::Check(buckets) => buckets,
        Verdict::NoLimit | Verdict::Block(_) => Vec::new(),
    };
    let own = caller.pass.iter().flat_map(|pass| pass.budgets());
    let own = own.map(|(token, limit)| rule::of_token(token, limit, Money::ZERO));
    let of_rules = caller.gateway.spend.claims_of_all_targets(spender);
    let of_buckets = buckets.iter().map(|bucket| bucket.claim(Money::ZERO));
    own.chain(of_rules).chain(of_buckets).map(|claim| till.state(&claim, now_ms).used()).fold(0.0, f64::max)
}

fn is_free(caller: &Caller) -> bool {
    let gateway = &caller.gateway;
    let has_own = caller.pass.iter().any(|pass| pass.budgets().next().is_some());
    gateway.spend.is_empty() && gateway.policies.is_empty() && gateway.limits.is_empty() && !has_own
}

/// A refusal comes with what is left of the limit that was met.
fn hold(
    gate: &Gate,
    caller: &Caller,
    spender: Spender<'_>,
    buckets: Vec<Bucket>,
    most: Most,
) -> Result<Option<Purse>, (Refusal, Option<Rate>)> {
    let gateway = &caller.gateway;
    let amount = most.cost.unwrap_or(Money::ZERO);
    let own = caller.pass.iter().flat_map(|pass| pass.budgets());
    let own = own.map(|(token, limit)| (Why::Token(token.clone(), limit), rule::of_token(token, limit, amount)));
    let of_rules = gateway.spend.claims(spender, amount).map(|(rule, claim)| (Why::Rule(rule), claim));
    let of_limits = gateway.limits.claims(spender, most.tokens).map(|(limit, claim)| (Why::Limit(limit), claim));
    let of_buckets = buckets.into_iter().map(|bucket| {
        let claim = bucket.claim(amount);
        (Why::Bucket(bucket), claim)
    });
    let (why, mut claims): (Vec<Why>, Vec<Claim>) = of_limits.chain(own).chain(of_rules).chain(of_buckets).unzip();
    if claims.is_empty() {
        return Ok(None);
    }
    if most.cost.is_none() {
        let money = claims.iter_mut().filter(|claim| claim.unit == Unit::Nanos);
        money.for_each(|claim| claim.soft = true);
    }
    let (till, now_ms) = (&gate.shared.till, gate.shared.clock.unix_ms());
    match till.admit(&claims, now_ms, |at| why[at].name(gateway, spender)) {
        Ok(lease) => Ok(Some(Purse::new(lease, why, gateway.clone()))),
        Err(over) => {
            let (why, limit) = (&why[over.claim], claims[over.claim].limit);
            why.tell_refusal(till, gateway, spender, now_ms, &over, limit);
            Err((why.refusal(gateway, spender, &over), why.rate(gateway, &over)))
        }
    }
}

fn spender<'a>(caller: &'a Caller, step: &'a Step, options: &'a Options) -> Spender<'a> {
    let token = caller.pass.as_ref().map_or("", |pass| &pass.token.id);
    Spender { provider: step.row.name(), model: &step.model, token, metadata: &options.metadata }
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

fn most(gate: &Gate, caller: &Caller, step: &Step, options: &Options, books: &Books) -> Most {
    let asker = Asker { gateway: &caller.gateway.id, token: caller.pass.as_ref().map(|pass| pass.token.id.as_str()) };
    let found = gate.shared.catalog.find_for(asker, step.row.name(), &step.model, books.started_ms());
    let asked = Asked {
        body: step.body.held().map_or(&[][..], |body| body),
        body_bytes: books.request_size(),
        context_window: found.as_ref().and_then(|found| found.model.context_window),
    };
    let custom = options.custom_cost.as_deref().and_then(CustomCost::read);
    let tokens = asked.tokens();
    Most { cost: asked.cost(found.map(|found: Found<'_>| found.price), custom.as_ref()), tokens }
}
