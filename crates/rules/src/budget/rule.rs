//! The rules of a gateway's `spend_limits` (data-plane specification, section 5.3).
//!
//! Enters: the setting, as it was saved; provider, model and metadata of a request. Leaves: the claims of all rules that apply to it.
//! Never: lets the same rule with another limit begin anew: a budget is known by what it is for.

use serde::Deserialize;
use serde_json::Value;
use tollgate_model::gateway::Technique;
use tollgate_model::token::SpendLimit;
use tollgate_model::{Metadata, Money};

use super::dimension::{Dimensions, Split};
use super::{Claim, Span, Unit};
use crate::memory::Mark;

/// All rules of a gateway that count.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    pub limit: Money,
    pub window_s: u64,
    pub technique: Technique,
    /// Measured and told about, and never refused.
    pub soft: bool,
    split: Split,
}

/// What a request is to a rule.
#[derive(Clone, Copy, Debug)]
pub struct Spender<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    /// Id of the caller's token; empty without one.
    pub token: &'a str,
    pub metadata: &'a Metadata,
}

#[derive(Deserialize)]
struct Setting {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    rules: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    id: String,
    #[serde(default = "yes")]
    enabled: bool,
    limit: serde_json::Number,
    window: u64,
    #[serde(default = "sliding")]
    technique: Technique,
    #[serde(default)]
    soft: bool,
    #[serde(flatten)]
    dimensions: Dimensions,
}

fn yes() -> bool {
    true
}

fn sliding() -> Technique {
    Technique::Sliding
}

// === impl Rules ===

impl Rules {
    /// `owner` tells one gateway's budgets from another's, also from those of an earlier gateway of the same name.
    pub fn compile(owner: &[&str], setting: Option<&Value>) -> Result<Self, String> {
        let Some(setting) = setting.filter(|setting| !setting.is_null()) else { return Ok(Self::default()) };
        let setting = Setting::deserialize(setting).map_err(|cause| format!("spend_limits: {cause}"))?;
        let mut rules: Vec<Rule> = Vec::new();
        for said in setting.rules.into_iter().filter(|rule| rule.enabled && setting.enabled) {
            let rule = Rule::new(owner, said, &rules)?;
            rules.push(rule);
        }
        Ok(Self(rules))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn all(&self) -> &[Rule] {
        &self.0
    }

    /// One claim for each rule that applies, and which of them that is.
    pub fn claims<'a>(&'a self, spender: Spender<'a>, amount: Money) -> impl Iterator<Item = (usize, Claim)> {
        self.0.iter().enumerate().filter_map(move |(at, rule)| Some((at, rule.claim(spender, amount)?)))
    }

    /// Nothing is asked of those that apply whatever the model and its provider are.
    pub fn claims_of_all_targets<'a>(&'a self, spender: Spender<'a>) -> impl Iterator<Item = Claim> {
        let rules = self.0.iter().filter(|rule| !rule.split.is_of_target());
        rules.filter_map(move |rule| rule.claim(spender, Money::ZERO))
    }
}

// === impl Rule ===

impl Rule {
    fn new(owner: &[&str], said: Said, before: &[Rule]) -> Result<Self, String> {
        let dimensions = Dimensions { token: None, ..said.dimensions };
        // Without its id, which a client need not send; and without its limit. The text is what earlier processes made: their spending hangs on it.
        let metadata: Vec<_> = dimensions.metadata.iter().flatten().collect();
        let what = (&dimensions.provider, &dimensions.model, &metadata, said.window, said.technique);
        let what = format!("spend {} {what:?}", owner.join("/"));
        let split = Split::new(&what, dimensions, before.iter().map(|rule| rule.split.name()));
        let limit = dollars(&said.limit)?;
        Ok(Self { id: said.id, limit, window_s: said.window, technique: said.technique, soft: said.soft, split })
    }

    fn claim(&self, spender: Spender<'_>, amount: Money) -> Option<Claim> {
        let amount = u64::try_from(amount.nanos()).unwrap_or(0);
        Some(Claim { mark: self.split.mark(spender)?, amount, ..self.standing() })
    }

    /// What is asked of the budget that nothing splits, or that takes what there is no place for: nothing.
    pub fn standing(&self) -> Claim {
        let limit = u64::try_from(self.limit.nanos()).unwrap_or(0);
        Claim {
            mark: self.split.whole(),
            shared: self.split.whole(),
            span: self.span(),
            unit: Unit::Nanos,
            limit,
            amount: 0,
            soft: self.soft,
        }
    }

    /// Whether it has a budget for each value of something.
    pub fn is_split(&self) -> bool {
        self.split.is_split()
    }

    fn span(&self) -> Span {
        let window_ms = self.window_s.saturating_mul(1_000);
        match self.technique {
            Technique::Fixed => Span::Fixed(window_ms),
            Technique::Sliding => Span::Sliding(window_ms),
        }
    }

    /// Which of its budgets this is drawn from, for people: `team=red`. Empty when nothing splits it; `None` when it does not apply.
    pub fn bucket(&self, spender: Spender<'_>) -> Option<String> {
        self.split.bucket(spender)
    }

    /// The original's text, to the letter.
    pub fn refusal(&self, spender: Spender<'_>) -> String {
        let Spender { provider, model, .. } = spender;
        let technique = match self.technique {
            Technique::Fixed => "fixed",
            Technique::Sliding => "sliding",
        };
        format!(
            "Spend limit exceeded: rule '{}' (cost limit {} per {}s, {technique}) for {provider} {provider}/{model}",
            self.id, self.limit, self.window_s
        )
    }
}

/// A token's own budget, in all gateways together.
pub fn of_token(token: &str, limit: SpendLimit, amount: Money) -> Claim {
    let mark = Mark::of(&["token", token, &limit.window.to_string()]);
    Claim {
        mark,
        shared: mark,
        span: Span::Sliding(limit.window.saturating_mul(1_000)),
        unit: Unit::Nanos,
        // Bounded when it was saved; what is no number of dollars allows nothing.
        limit: (limit.limit_usd.max(0.0) * 1e9).round() as u64,
        amount: u64::try_from(amount.nanos()).unwrap_or(0),
        soft: false,
    }
}

/// In the original's words for a rule.
pub fn token_refusal(token: &str, limit: SpendLimit, spender: Spender<'_>) -> String {
    let Spender { provider, model, .. } = spender;
    let SpendLimit { limit_usd, window } = limit;
    format!(
        "Spend limit exceeded: token '{token}' (cost limit {limit_usd} per {window}s, sliding) for {provider} {provider}/{model}"
    )
}

// === impl Spender ===

impl Spender<'_> {
    /// With the provider in front of it or without.
    pub(super) fn is_model(&self, name: &str) -> bool {
        name == self.model
            || name.split_once('/').is_some_and(|(first, rest)| first == self.provider && rest == self.model)
    }
}

/// Rounded to the nano-dollar where somebody wrote more decimals.
pub(crate) fn dollars(number: &serde_json::Number) -> Result<Money, String> {
    let text = number.to_string();
    text.parse::<Money>().or_else(|_| {
        let nanos = number.as_f64().map(|dollars| (dollars * 1e9).round());
        let nanos = nanos.filter(|nanos| (0.0..9e18).contains(nanos));
        nanos
            .map(|nanos| Money::from_nanos(nanos as i64))
            .ok_or_else(|| format!("spend_limits: limit {text} is no amount"))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;
    use tollgate_model::Meta;

    use super::*;

    fn rules(rules: Value) -> Rules {
        Rules::compile(&["g"], Some(&json!({ "enabled": true, "rules": rules }))).unwrap()
    }

    fn metadata(pairs: &[(&str, &str)]) -> Metadata {
        Metadata(pairs.iter().map(|(key, value)| ((*key).to_owned(), Meta::Text((*value).to_owned()))).collect())
    }

    fn marks(rules: &Rules, provider: &str, model: &str, metadata: &Metadata) -> Vec<Mark> {
        let spender = Spender { provider, model, token: "", metadata };
        rules.claims(spender, Money::from_nanos(1)).map(|(_, claim)| claim.mark).collect()
    }

    #[test]
    fn a_filter_lets_a_rule_apply_and_a_partition_splits_its_budget() {
        let rules = rules(json!([{
            "id": "5e7f1b6b", "limitType": "cost", "limit": 100, "window": 604800, "technique": "sliding",
            "model": { "mode": "filter", "values": ["openai/gpt-5.5"] },
            "provider": { "mode": "filter", "values": ["openai"] },
            "metadata": { "team": { "mode": "partition" }, "env": { "mode": "filter", "values": ["prod"] } }
        }]));
        let of = |team, env| metadata(&[("team", team), ("env", env)]);
        let a = marks(&rules, "openai", "gpt-5.5", &of("a", "prod"));
        assert_eq!(a.len(), 1);
        assert_eq!(a, marks(&rules, "openai", "gpt-5.5", &of("a", "prod")));
        assert_ne!(a, marks(&rules, "openai", "gpt-5.5", &of("b", "prod")));
        assert_eq!(marks(&rules, "openai", "gpt-5.5", &metadata(&[("env", "prod")])).len(), 1);
        for (provider, model, env) in
            [("anthropic", "gpt-5.5", "prod"), ("openai", "gpt-5", "prod"), ("openai", "gpt-5.5", "test")]
        {
            assert!(marks(&rules, provider, model, &of("a", env)).is_empty(), "{provider} {model} {env}");
        }
        assert!(marks(&rules, "openai", "gpt-5.5", &metadata(&[("team", "a")])).is_empty());
    }

    #[test]
    fn another_limit_or_id_is_the_same_budget_and_another_window_is_not() {
        let mark = |rule: Value| marks(&rules(json!([rule])), "openai", "m", &Metadata::default());
        let first = mark(json!({ "id": "a", "limit": 1, "window": 60 }));
        assert_eq!(first, mark(json!({ "id": "b", "limit": 2.5, "window": 60 })));
        assert_ne!(first, mark(json!({ "id": "a", "limit": 1, "window": 61 })));
        assert_ne!(first, mark(json!({ "id": "a", "limit": 1, "window": 60, "technique": "fixed" })));
    }

    /// Terraform sends the same id for each.
    #[test]
    fn the_same_rule_twice_has_two_budgets() {
        let rule = json!({ "id": "6fb25042", "limit": 1, "window": 60 });
        let both = marks(&rules(json!([rule, rule])), "openai", "m", &Metadata::default());
        assert!(both.len() == 2 && both[0] != both[1]);
    }

    #[test]
    fn what_is_switched_off_does_not_count() {
        let rule = json!({ "id": "a", "limit": 1, "window": 60 });
        let off = json!({ "id": "b", "limit": 1, "window": 60, "enabled": false });
        assert_eq!(rules(json!([rule, off])).all().len(), 1);
        let setting = json!({ "enabled": false, "rules": [rule] });
        assert!(Rules::compile(&["g"], Some(&setting)).unwrap().is_empty());
        assert!(Rules::compile(&["g"], None).unwrap().is_empty());
    }

    #[test]
    fn the_refusal_is_the_original_s_to_the_letter() {
        let rules = rules(json!([{ "id": "5e7f1b6b", "limit": 0.25, "window": 3600 }]));
        let spender = Spender { provider: "openai", model: "gpt-5.5", token: "", metadata: &Metadata::default() };
        assert_eq!(
            rules.all()[0].refusal(spender),
            "Spend limit exceeded: rule '5e7f1b6b' (cost limit 0.25 per 3600s, sliding) for openai openai/gpt-5.5"
        );
    }
}
