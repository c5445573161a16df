//! The rules of a gateway's `tollgate_limits`: requests, tokens and requests at once, of everybody together or of each value of something.
//!
//! Enters: the setting, as it was saved; provider, model, token and metadata of a request. Leaves: places to take in windows, and claims on budgets, of all
//! rules that apply to it. Never: counts money: those are the rules of `spend_limits`.
//!
//! Requests are counted in windows, exactly, and are counted when they are let through. Tokens are held like money: the most that a request can
//! come to, and the truth in its place when it has ended. Requests at once are held while they last.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tollgate_model::gateway::Technique;

use super::{Limit, Take};
use crate::budget::dimension::Split;
use crate::budget::rule::Spender;
use crate::budget::{Claim, Span, Unit};
use crate::cost::bound::Tokens;

pub const RULES_MAX: usize = 20;

/// All that count, in the order in which they were written.
#[derive(Debug, Default)]
pub struct LimitRules {
    rules: Vec<LimitRule>,
    /// Whether one of them has a claim.
    holds: bool,
}

#[derive(Debug)]
pub struct LimitRule {
    /// In headers.
    pub name: Arc<str>,
    pub count: Count,
    pub limit: u64,
    pub window_ms: u64,
    pub technique: Technique,
    split: Split,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    Requests,
    /// What goes in and what comes out.
    Tokens,
    InputTokens,
    OutputTokens,
    /// Requests under way at the same time.
    Concurrent,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    id: String,
    #[serde(default = "yes")]
    enabled: bool,
    count: Count,
    limit: u64,
    #[serde(default = "minute")]
    window: u64,
    #[serde(default = "sliding")]
    technique: Technique,
    #[serde(flatten)]
    split: Value,
}

fn yes() -> bool {
    true
}

fn minute() -> u64 {
    60
}

fn sliding() -> Technique {
    Technique::Sliding
}

// === impl LimitRules ===

impl LimitRules {
    /// `owner` tells one gateway's counters from another's.
    pub fn compile(owner: &[&str], setting: Option<&Value>) -> Result<Self, String> {
        let Some(setting) = setting.filter(|setting| !setting.is_null()) else { return Ok(Self::default()) };
        let said = Vec::<Said>::deserialize(setting).map_err(|cause| format!("tollgate_limits: {cause}"))?;
        let mut rules: Vec<LimitRule> = Vec::new();
        for (at, said) in said.into_iter().enumerate().filter(|(_, rule)| rule.enabled) {
            let rule = LimitRule::new(owner, at, said, &rules)?;
            rules.push(rule);
        }
        let holds = rules.iter().any(|rule| rule.count != Count::Requests);
        Ok(Self { rules, holds })
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether requests must be held: for tokens, or while they last.
    pub fn holds(&self) -> bool {
        self.holds
    }

    pub fn all(&self) -> &[LimitRule] {
        &self.rules
    }

    /// One for each rule that counts requests and applies.
    pub fn takes<'a>(&'a self, spender: Spender<'a>) -> impl Iterator<Item = (&'a LimitRule, Take)> {
        self.rules.iter().filter_map(move |rule| Some((rule, rule.take(spender)?)))
    }

    /// One for each other rule that applies, and which of them that is.
    pub fn claims<'a>(&'a self, spender: Spender<'a>, most: Tokens) -> impl Iterator<Item = (usize, Claim)> {
        self.rules.iter().enumerate().filter_map(move |(at, rule)| Some((at, rule.claim(spender, most)?)))
    }
}

// === impl LimitRule ===

impl LimitRule {
    fn new(owner: &[&str], at: usize, said: Said, before: &[LimitRule]) -> Result<Self, String> {
        let name = if said.id.is_empty() { format!("limit-{}", at + 1) } else { said.id };
        let what = format!("limit {} {:?} {} {:?}", owner.join("/"), said.count, said.window, said.technique);
        let names = before.iter().map(|rule| rule.split.name());
        let split = Split::read(&what, said.split, names).map_err(|cause| format!("tollgate_limits: {cause}"))?;
        Ok(Self {
            name: name.into(),
            count: said.count,
            limit: said.limit,
            window_ms: said.window.max(1).saturating_mul(1_000),
            technique: said.technique,
            split,
        })
    }

    fn take(&self, spender: Spender<'_>) -> Option<Take> {
        if self.count != Count::Requests {
            return None;
        }
        let limit = Limit { requests: self.limit, interval_ms: self.window_ms, technique: self.technique };
        Some(Take { mark: self.split.mark(spender)?, shared: self.split.whole(), limit })
    }

    fn claim(&self, spender: Spender<'_>, most: Tokens) -> Option<Claim> {
        let window = match self.technique {
            Technique::Fixed => Span::Aligned(self.window_ms),
            Technique::Sliding => Span::Sliding(self.window_ms),
        };
        let (unit, span, amount) = match self.count {
            Count::Requests => return None,
            Count::Tokens => (Unit::Tokens, window, most.input.saturating_add(most.output)),
            Count::InputTokens => (Unit::InputTokens, window, most.input),
            Count::OutputTokens => (Unit::OutputTokens, window, most.output),
            Count::Concurrent => (Unit::AtOnce, Span::Ever, 1),
        };
        let (mark, shared) = (self.split.mark(spender)?, self.split.whole());
        Some(Claim { mark, shared, span, unit, limit: self.limit, amount, soft: false })
    }

    /// Whether the model or its provider decides whether it applies, or from what is drawn: then another target may have room.
    pub fn is_of_target(&self) -> bool {
        self.split.is_of_target()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;
    use tollgate_model::Metadata;

    use super::*;

    fn spender<'a>(model: &'a str, token: &'a str, metadata: &'a Metadata) -> Spender<'a> {
        Spender { provider: "openai", model, token, metadata }
    }

    #[test]
    fn each_rule_counts_its_unit_where_it_applies() {
        let rules = LimitRules::compile(&["g"], Some(&json!([
            { "id": "all", "count": "requests", "limit": 10 },
            { "count": "tokens", "limit": 1_000, "window": 60, "metadata": { "user": { "mode": "partition" } } },
            { "count": "output_tokens", "limit": 50, "window": 3_600, "technique": "fixed", "model": { "mode": "filter", "values": ["gpt-4o"] } },
            { "count": "concurrent", "limit": 2, "token": { "mode": "partition" } },
            { "count": "requests", "limit": 1, "enabled": false }
        ]))).unwrap();
        let metadata = crate::metadata::read(r#"{"user":"ann"}"#);
        let most = Tokens { input: 100, output: 40 };
        assert_eq!(rules.takes(spender("m", "t", &metadata)).map(|(rule, _)| &*rule.name).collect::<Vec<_>>(), ["all"]);
        let claims: Vec<_> = rules.claims(spender("m", "t", &metadata), most).collect();
        let units: Vec<_> = claims.iter().map(|(at, claim)| (*at, claim.unit, claim.amount)).collect();
        assert_eq!(units, [(1, Unit::Tokens, 140), (3, Unit::AtOnce, 1)]);
        let of_model: Vec<_> = rules.claims(spender("gpt-4o", "t", &metadata), most).collect();
        assert_eq!((of_model[1].1.unit, of_model[1].1.span), (Unit::OutputTokens, Span::Aligned(3_600_000)));
        let other: Vec<_> = rules.claims(spender("m", "u", &metadata), most).collect();
        assert_eq!(claims[0].1.mark, other[0].1.mark);
        assert_ne!(claims[1].1.mark, other[1].1.mark, "each token has its own");
        assert_eq!(rules.all().iter().map(LimitRule::is_of_target).collect::<Vec<_>>(), [false, false, true, false]);
        assert_eq!(&*rules.all()[1].name, "limit-2");
    }

    #[test]
    fn another_limit_is_the_same_counter_and_another_unit_is_not() {
        let metadata = Metadata::default();
        let mark = |rule: Value| {
            let rules = LimitRules::compile(&["g"], Some(&json!([rule]))).unwrap();
            rules.claims(spender("m", "t", &metadata), Tokens { input: 1, output: 1 }).next().unwrap().1.mark
        };
        let first = mark(json!({ "count": "tokens", "limit": 1 }));
        assert_eq!(first, mark(json!({ "id": "x", "count": "tokens", "limit": 2 })));
        assert_ne!(first, mark(json!({ "count": "input_tokens", "limit": 1 })));
    }
}
