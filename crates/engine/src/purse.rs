//! What one request holds of its budgets, and what each of them is called.
//!
//! Enters: a lease, and why each part of it was claimed. Leaves: the truth in its place, and word of budgets that are used up so far that somebody
//! wants to know. Never: puts a name together that nobody will read.

use std::sync::Arc;
use std::time::Duration;

use tollgate_model::token::SpendLimit;
use tollgate_model::{BudgetCrossing, BudgetKind, Money, Record, Refusal};
use tollgate_rules::budget::rule::{self, Rule, Spender};
use tollgate_rules::budget::{Crossed, Over, Spent, Truth};
use tollgate_rules::limit::rule::{Count, LimitRule};
use tollgate_rules::policy::Bucket;
use tollgate_rules::snapshot::GatewayRules;

use crate::rates::Rate;
use crate::till::{Lease, Till};

pub(crate) struct Purse {
    lease: Lease,
    /// One for each claim.
    why: Vec<Why>,
    gateway: Arc<GatewayRules>,
}

/// What a claim is made for.
pub(crate) enum Why {
    Token(Arc<str>, SpendLimit),
    /// Its place among the gateway's rules.
    Rule(usize),
    /// Its place among the gateway's limits.
    Limit(usize),
    Bucket(Bucket),
}

const SOON: Duration = Duration::from_secs(1);

// === impl Purse ===

impl Purse {
    pub(crate) fn new(lease: Lease, why: Vec<Why>, gateway: Arc<GatewayRules>) -> Self {
        Self { lease, why, gateway }
    }

    /// What is left of limits that are no budgets.
    pub(crate) fn rates(&self, now_ms: u64) -> impl Iterator<Item = Rate> {
        let held = self.why.iter().zip(self.lease.held());
        held.filter_map(move |(why, held)| Some(Rate::of_rule(why.limit(&self.gateway)?).held(held, now_ms)))
    }

    pub(crate) fn settle(self, truth: Truth, record: &Record) {
        let Self { lease, why, gateway } = self;
        let (till, now_ms) = (lease.till().clone(), record.created_ms);
        for crossed in lease.settle(truth) {
            let Some(why) = why.get(crossed.held) else { continue };
            let token = record.token_id.as_deref().unwrap_or_default();
            let (provider, model, metadata) = (&*record.provider, record.model.as_str(), &record.metadata);
            let spender = Spender { provider, model, token, metadata };
            till.tell(why.crossing(&gateway, spender, now_ms, &crossed));
        }
    }
}

// === impl Why ===

impl Why {
    fn rule<'a>(&self, gateway: &'a GatewayRules) -> Option<&'a Rule> {
        match self {
            Self::Rule(at) => gateway.spend.all().get(*at),
            _ => None,
        }
    }

    fn limit<'a>(&self, gateway: &'a GatewayRules) -> Option<&'a LimitRule> {
        match self {
            Self::Limit(at) => gateway.limits.all().get(*at),
            _ => None,
        }
    }

    pub(crate) fn refusal(&self, gateway: &GatewayRules, spender: Spender<'_>, over: &Over) -> Refusal {
        match self {
            Self::Token(token, limit) => Refusal::spend_limited(rule::token_refusal(token, *limit, spender), over.wait),
            Self::Rule(_) => {
                let said = self.rule(gateway).map(|rule| rule.refusal(spender)).unwrap_or_default();
                Refusal::spend_limited(said, over.wait)
            }
            Self::Limit(_) => {
                let limit = self.limit(gateway);
                // Who is under way may be done at any moment; a second is what a client waits anyway.
                let is_concurrent = limit.is_some_and(|limit| limit.count == Count::Concurrent);
                let wait =
                    if is_concurrent && limit.is_some_and(|limit| limit.limit > 0) { Some(SOON) } else { over.wait };
                let refusal = Refusal::over_limit(wait);
                if limit.is_some_and(LimitRule::is_of_target) { refusal.of_target() } else { refusal }
            }
            Self::Bucket(bucket) => {
                let spent = Money::from_nanos(i64::try_from(over.taken).unwrap_or(i64::MAX));
                Refusal::policy_limited(&bucket.id, spent, bucket.limit, over.wait)
            }
        }
    }

    /// What is left of a limit that is no budget: too little.
    pub(crate) fn rate(&self, gateway: &GatewayRules, over: &Over) -> Option<Rate> {
        let limit = self.limit(gateway)?;
        let more_ms = over.wait.map_or(limit.window_ms, |wait| wait.as_millis() as u64);
        Some(Rate::of_rule(limit).with_left((limit.limit.saturating_sub(over.taken), more_ms)))
    }

    /// What people call the budget, and whose policy it is, where it is one of many.
    pub(crate) fn name(&self, gateway: &GatewayRules, spender: Spender<'_>) -> Option<(String, Option<String>)> {
        match self {
            Self::Token(..) | Self::Limit(_) => None,
            Self::Rule(_) => Some((self.rule(gateway)?.bucket(spender)?, None)),
            Self::Bucket(bucket) => Some((bucket.id.clone(), Some(bucket.policy.clone()))),
        }
    }

    /// Word of the first refusal in a period.
    pub(crate) fn tell_refusal(
        &self,
        till: &Till,
        gateway: &GatewayRules,
        spender: Spender<'_>,
        now_ms: u64,
        over: &Over,
        limit: u64,
    ) {
        let Some(Spent { part, .. }) = over.told else { return };
        let crossed = Crossed { held: over.claim, percent: 100, spent: over.taken, limit, part };
        till.tell(BudgetCrossing { refused: true, ..self.crossing(gateway, spender, now_ms, &crossed) });
    }

    fn crossing(&self, gateway: &GatewayRules, spender: Spender<'_>, at_ms: u64, crossed: &Crossed) -> BudgetCrossing {
        let money = |nanos: u64| Money::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX));
        let of_gateway = gateway.id.to_string();
        let (kind, gateway, id, bucket) = match self {
            // No money, so it never comes to this.
            Self::Limit(_) => (BudgetKind::Rule, of_gateway, String::new(), String::new()),
            Self::Token(token, _) => (BudgetKind::Token, String::new(), token.to_string(), String::new()),
            Self::Bucket(bucket) => (BudgetKind::Policy, of_gateway, bucket.policy.clone(), bucket.id.clone()),
            Self::Rule(_) => {
                let rule = self.rule(gateway);
                let bucket = rule.and_then(|rule| rule.bucket(spender)).unwrap_or_default();
                (BudgetKind::Rule, of_gateway, rule.map(|rule| rule.id.clone()).unwrap_or_default(), bucket)
            }
        };
        BudgetCrossing {
            at_ms,
            kind,
            gateway,
            id,
            bucket,
            percent: crossed.percent,
            refused: false,
            spent: money(crossed.spent),
            limit: money(crossed.limit),
            from_ms: crossed.part.from_ms,
            until_ms: crossed.part.until_ms,
        }
    }
}
