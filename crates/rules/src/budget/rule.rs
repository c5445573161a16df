//! The rules of a gateway's `spend_limits` (data-plane specification, section 5.3).
//!
//! Enters: the setting, as it was saved; provider, model and metadata of a request. Leaves: the claims of all rules that apply to it.
//! Never: lets the same rule with another limit begin anew: a budget is known by what it is for.

use serde::Deserialize;
use serde_json::Value;
use tollgate_model::gateway::Technique;
use tollgate_model::token::SpendLimit;
use tollgate_model::{Metadata, Money};

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
    provider: Option<Dimension>,
    model: Option<Dimension>,
    metadata: Vec<(String, Dimension)>,
    /// Of what the budget is for.
    name: String,
    /// Of the budget when nothing splits it.
    mark: Mark,
}

/// What a request is to a rule.
#[derive(Clone, Copy, Debug)]
pub struct Spender<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    pub metadata: &'a Metadata,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
enum Dimension {
    /// One budget for each value.
    Partition,
    /// Only these values.
    Filter { values: Vec<String> },
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
    provider: Option<Dimension>,
    model: Option<Dimension>,
    #[serde(default)]
    metadata: Option<std::collections::BTreeMap<String, Dimension>>,
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

    /// One claim for each rule that applies, and which rule that is.
    pub fn claims<'a>(&'a self, spender: Spender<'a>, amount: Money) -> impl Iterator<Item = (&'a Rule, Claim)> {
        self.0.iter().filter_map(move |rule| Some((rule, rule.claim(spender, amount)?)))
    }
}

// === impl Rule ===

impl Rule {
    fn new(owner: &[&str], said: Said, before: &[Rule]) -> Result<Self, String> {
        let metadata = said.metadata.unwrap_or_default().into_iter().collect();
        let mut rule = Self {
            id: said.id,
            limit: dollars(&said.limit)?,
            window_s: said.window,
            technique: said.technique,
            provider: said.provider,
            model: said.model,
            metadata,
            name: String::new(),
            mark: Mark::of(&[]),
        };
        // Without its id, which a client need not send; and without its limit. The same rule twice has two budgets.
        let what = (&rule.provider, &rule.model, &rule.metadata, rule.window_s, rule.technique);
        let name = format!("spend {} {what:?}", owner.join("/"));
        let namesakes = before.iter().filter(|other| other.name.starts_with(&name)).count();
        rule.name = format!("{name} {namesakes}");
        rule.mark = Mark::of(&[&rule.name]);
        Ok(rule)
    }

    fn claim(&self, spender: Spender<'_>, amount: Money) -> Option<Claim> {
        let mark = match self.values(spender)? {
            values if values.is_empty() => self.mark,
            values => {
                let mut parts = vec![self.name.as_str()];
                parts.extend(values.iter().map(|value| &**value));
                Mark::of(&parts)
            }
        };
        Some(Claim {
            mark,
            shared: self.mark,
            span: self.span(),
            unit: Unit::Nanos,
            limit: u64::try_from(self.limit.nanos()).unwrap_or(0),
            amount: u64::try_from(amount.nanos()).unwrap_or(0),
        })
    }

    fn span(&self) -> Span {
        let window_ms = self.window_s.saturating_mul(1_000);
        match self.technique {
            Technique::Fixed => Span::Fixed(window_ms),
            Technique::Sliding => Span::Sliding(window_ms),
        }
    }

    /// The values that split this rule's budget; `None` when it does not apply.
    fn values<'a>(&self, spender: Spender<'a>) -> Option<Vec<std::borrow::Cow<'a, str>>> {
        let mut values = Vec::new();
        match &self.provider {
            None => {}
            Some(Dimension::Partition) => values.push(spender.provider.into()),
            Some(Dimension::Filter { values }) => {
                values.iter().find(|value| *value == spender.provider)?;
            }
        }
        match &self.model {
            None => {}
            Some(Dimension::Partition) => values.push(spender.model.into()),
            Some(Dimension::Filter { values }) => {
                values.iter().find(|value| spender.is_model(value))?;
            }
        }
        for (key, dimension) in &self.metadata {
            let value = spender.metadata.get(key).map(|value| value.as_text());
            match dimension {
                // Requests without the key share one budget.
                Dimension::Partition => values.push(value.unwrap_or_default()),
                Dimension::Filter { values } => {
                    let value = value?;
                    values.iter().find(|each| **each == value)?;
                }
            }
        }
        Some(values)
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
    fn is_model(&self, name: &str) -> bool {
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
        let spender = Spender { provider, model, metadata };
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
        let spender = Spender { provider: "openai", model: "gpt-5.5", metadata: &Metadata::default() };
        assert_eq!(
            rules.all()[0].refusal(spender),
            "Spend limit exceeded: rule '5e7f1b6b' (cost limit 0.25 per 3600s, sliding) for openai openai/gpt-5.5"
        );
    }
}
