//! May this be spent? The budgets that a request draws on, each time before a provider is asked.
//!
//! Enters: a caller and a step. Leaves: nothing, with what it can come to at most held in all its budgets; or a refusal.
//! Never: holds anything for an answer that is there already, or lets a budget be overrun by requests at the same time.
//!
//! A model whose price nobody knows is not held back (the original does the same); should its cost become known, it counts.

use tollgate_model::{Money, Refusal};
use tollgate_rules::budget::rule::Spender;
use tollgate_rules::budget::{Claim, Over};
use tollgate_rules::cost::CustomCost;
use tollgate_rules::cost::bound::Asked;
use tollgate_rules::options::Options;

use crate::books::Books;
use crate::gate::Gate;
use crate::stage::admit::Caller;
use crate::stage::plan::Step;

pub(crate) fn spend(
    gate: &Gate,
    caller: &Caller,
    step: &Step,
    options: &Options,
    books: &mut Books,
) -> Result<(), Refusal> {
    // What the target before this one held.
    books.let_go();
    let rules = &caller.gateway.spend;
    if rules.is_empty() {
        return Ok(());
    }
    let spender = Spender { provider: step.row.name(), model: &step.model, metadata: &options.metadata };
    let most = bound(gate, step, options, books);
    let claim = |claim: Claim| match most {
        Some(_) => claim,
        None => Claim { limit: u64::MAX, ..claim },
    };
    let (which, claims): (Vec<_>, Vec<Claim>) =
        rules.claims(spender, most.unwrap_or(Money::ZERO)).map(|(rule, each)| (rule, claim(each))).unzip();
    if claims.is_empty() {
        return Ok(());
    }
    let lease = gate.shared.till.admit(&claims, gate.shared.clock.unix_ms());
    let lease =
        lease.map_err(|Over { claim, wait, .. }| Refusal::spend_limited(which[claim].refusal(spender), wait))?;
    books.owe(lease);
    Ok(())
}

/// The most it can cost; `None` where no price is known.
fn bound(gate: &Gate, step: &Step, options: &Options, books: &Books) -> Option<Money> {
    let found = gate.shared.catalog.find(step.row.name(), &step.model, books.started_ms());
    let body = step.body.held().map_or(&[][..], |body| body);
    let asked = Asked {
        body,
        body_bytes: books.request_size(),
        context_window: found.as_ref().and_then(|found| found.model.context_window),
    };
    let custom = options.custom_cost.as_deref().and_then(CustomCost::read);
    asked.cost(found.map(|found| found.price), custom.as_ref())
}
