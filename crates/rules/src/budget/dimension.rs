//! What a rule applies to, and what splits its budget.
//!
//! Enters: dimensions as they were saved; provider, model, token and metadata of a request. Leaves: the mark of the budget it draws on, or that the
//! rule does not apply. Never: lets the same rule with another limit begin anew: a budget is known by what it is for.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::rule::Spender;
use crate::memory::Mark;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub(crate) enum Dimension {
    /// One budget for each value.
    Partition,
    /// Only these values.
    Filter { values: Vec<String> },
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Dimensions {
    pub(crate) provider: Option<Dimension>,
    pub(crate) model: Option<Dimension>,
    /// Ids.
    pub(crate) token: Option<Dimension>,
    pub(crate) metadata: Option<BTreeMap<String, Dimension>>,
}

/// All dimensions of a rule, and the mark of what they split.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    provider: Option<Dimension>,
    model: Option<Dimension>,
    token: Option<Dimension>,
    metadata: Vec<(String, Dimension)>,
    /// Of what the budget is for.
    name: String,
    /// Of the budget when nothing splits it.
    whole: Mark,
}

// === impl Split ===

impl Split {
    /// The same rule twice has two budgets: `before` are the names of those that stand before it.
    pub(crate) fn new<'a>(what: &str, said: Dimensions, before: impl Iterator<Item = &'a str>) -> Self {
        let metadata = said.metadata.unwrap_or_default().into_iter().collect();
        let namesakes = before.filter(|other| other.starts_with(what)).count();
        let name = format!("{what} {namesakes}");
        let whole = Mark::of(&[&name]);
        Self { provider: said.provider, model: said.model, token: said.token, metadata, name, whole }
    }

    pub(crate) fn read<'a>(
        what: &str,
        said: Value,
        before: impl Iterator<Item = &'a str>,
    ) -> Result<Self, serde_json::Error> {
        let said = Dimensions::deserialize(said)?;
        let what = format!("{what} {said:?}");
        Ok(Self::new(&what, said, before))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The budget that nothing splits, or that takes the claims of values for which there is no place.
    pub(crate) fn whole(&self) -> Mark {
        self.whole
    }

    /// `None` when the rule does not apply.
    pub(crate) fn mark(&self, spender: Spender<'_>) -> Option<Mark> {
        let values = self.values(spender)?;
        if values.is_empty() {
            return Some(self.whole);
        }
        let mut parts = vec![self.name.as_str()];
        parts.extend(values.iter().map(|value| &**value));
        Some(Mark::of(&parts))
    }

    /// Which budget this is drawn from, for people: `team=red`. Empty when nothing splits it; `None` when the rule does not apply.
    pub(crate) fn bucket(&self, spender: Spender<'_>) -> Option<String> {
        let split = self.named().filter(|(_, dimension)| **dimension == Dimension::Partition);
        let pairs: Vec<String> =
            split.zip(self.values(spender)?).map(|((name, _), value)| format!("{name}={value}")).collect();
        Some(pairs.join(" "))
    }

    /// Whether there is a budget for each value of something.
    pub(crate) fn is_split(&self) -> bool {
        self.named().any(|(_, dimension)| *dimension == Dimension::Partition)
    }

    /// Whether the model or its provider matters.
    pub(crate) fn is_of_target(&self) -> bool {
        self.provider.is_some() || self.model.is_some()
    }

    /// In the order of [`Split::values`].
    fn named(&self) -> impl Iterator<Item = (&str, &Dimension)> {
        let fixed = [("provider", &self.provider), ("model", &self.model), ("token", &self.token)];
        let fixed = fixed.into_iter().filter_map(|(name, dimension)| Some((name, dimension.as_ref()?)));
        fixed.chain(self.metadata.iter().map(|(key, dimension)| (key.as_str(), dimension)))
    }

    /// The values that split the budget; `None` when the rule does not apply.
    fn values<'a>(&self, spender: Spender<'a>) -> Option<Vec<Cow<'a, str>>> {
        let mut values: Vec<Cow<'a, str>> = Vec::new();
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
        match &self.token {
            None => {}
            // Callers without a token share one budget.
            Some(Dimension::Partition) => values.push(spender.token.into()),
            Some(Dimension::Filter { values }) => {
                values.iter().find(|value| *value == spender.token)?;
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
}
