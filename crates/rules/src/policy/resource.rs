//! What a policy is about: all models, some models, some providers, or some models of some providers.
//!
//! Enters: the member `resource`; a provider and a model. Leaves: whether it covers them. Never: lets a `*` cross a `/`, or stand in a provider.

use serde_json::Value;

use super::Fault;

const VALUES_MAX: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// `None`: any.
    providers: Option<Vec<String>>,
    models: Option<Vec<String>>,
    name: String,
}

impl Resource {
    pub(super) fn read(said: &Value) -> Result<Self, Fault> {
        if said.as_str() == Some("*") {
            return Ok(Self { providers: None, models: None, name: "*".to_owned() });
        }
        let Some(members) = said.as_object() else {
            return Err(fault(None, "Expected \"*\" or an object of model and provider"));
        };
        let (providers, models) =
            (values(members.get("provider"), "provider")?, values(members.get("model"), "model")?);
        if providers.is_none() && models.is_none() {
            return Err(fault(None, "Expected \"*\" or an object of model and provider"));
        }
        if providers.iter().flatten().any(|provider| provider.contains('*')) {
            return Err(fault(Some("provider"), "Invalid: a provider has no wildcard"));
        }
        let part = |values: &Option<Vec<String>>| values.as_ref().map(|values| values.join(","));
        let name = [part(&providers), part(&models)].into_iter().flatten().collect::<Vec<_>>().join("|");
        Ok(Self { providers, models, name })
    }

    /// The same for the same resource, whatever the order it was written in.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn covers(&self, provider: &str, model: &str) -> bool {
        let of_provider = |providers: &Vec<String>| providers.iter().any(|each| each == provider);
        let is_model = |models: &Vec<String>| models.iter().any(|pattern| names(pattern, provider, model));
        self.providers.as_ref().is_none_or(of_provider) && self.models.as_ref().is_none_or(is_model)
    }
}

/// `author/model`, or the model's own name.
fn names(pattern: &str, provider: &str, model: &str) -> bool {
    let whole = pattern.strip_prefix(provider).and_then(|rest| rest.strip_prefix('/'));
    fits(pattern.as_bytes(), model.as_bytes())
        || whole.is_some_and(|pattern| fits(pattern.as_bytes(), model.as_bytes()))
        || pattern.split_once('/').is_some_and(|(author, rest)| {
            fits(author.as_bytes(), provider.as_bytes()) && fits(rest.as_bytes(), model.as_bytes())
        })
}

/// A `*` stands for anything but a `/`. Goes back to the last `*` alone, so it takes at most the product of both lengths.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, from));
                at += 1;
            }
            Some(byte) if *byte == text[from] => (at, from) = (at + 1, from + 1),
            _ => match star {
                Some((after, begun)) if text[begun] != b'/' => {
                    star = Some((after, begun + 1));
                    (at, from) = (after, begun + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// Sorted, each once.
fn values(said: Option<&Value>, member: &'static str) -> Result<Option<Vec<String>>, Fault> {
    let wrong = || fault(Some(member), "Expected a string or an array of strings");
    let mut values = match said {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => {
            many.iter().map(|each| each.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>().ok_or_else(wrong)?
        }
        Some(_) => return Err(wrong()),
    };
    if values.is_empty()
        || values.len() > VALUES_MAX
        || values.iter().any(|value| value.is_empty() || value.len() > 256)
    {
        return Err(fault(Some(member), "Expected 1 to 256 names of 1 to 256 characters"));
    }
    values.sort_unstable();
    values.dedup();
    Ok(Some(values))
}

fn fault(member: Option<&str>, said: &str) -> Fault {
    let member = std::iter::once("resource").chain(member).map(str::to_owned).collect();
    Fault { member, said: said.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_covers_what_it_names() {
        let covers = |said: Value, provider: &str, model: &str| Resource::read(&said).unwrap().covers(provider, model);
        for (said, provider, model, covered) in [
            (json!("*"), "openai", "gpt-5.5", true),
            (json!({ "provider": "openai" }), "openai", "gpt-5.5", true),
            (json!({ "provider": ["anthropic", "openai"] }), "openai", "x", true),
            (json!({ "provider": "anthropic" }), "openai", "gpt-5.5", false),
            (json!({ "model": "openai/gpt-5.5" }), "openai", "gpt-5.5", true),
            (json!({ "model": "gpt-5.5" }), "azure-openai", "gpt-5.5", true),
            (json!({ "model": "openai/*" }), "openai", "gpt-5.5", true),
            (json!({ "model": "openai/gpt-*" }), "openai", "o4", false),
            (json!({ "model": "anthropic/*" }), "openai", "gpt-5.5", false),
            (json!({ "model": "*" }), "openrouter", "meta/llama", false),
            (json!({ "model": "*/*" }), "openrouter", "meta/llama", true),
            (json!({ "model": "openrouter/*" }), "openrouter", "meta/llama", false),
            (json!({ "model": "openrouter/meta/*" }), "openrouter", "meta/llama", true),
            (json!({ "model": "gpt-*-mini" }), "openai", "gpt-5-mini-mini", true),
            (json!({ "provider": "openai", "model": "gpt-5*" }), "azure-openai", "gpt-5", false),
        ] {
            assert_eq!(covers(said.clone(), provider, model), covered, "{said} {provider} {model}");
        }
    }

    #[test]
    fn what_is_no_resource_is_told_with_its_place() {
        for (said, member) in [
            (json!("openai"), vec!["resource"]),
            (json!({}), vec!["resource"]),
            (json!({ "provider": "open*" }), vec!["resource", "provider"]),
            (json!({ "model": [] }), vec!["resource", "model"]),
            (json!({ "model": [1] }), vec!["resource", "model"]),
        ] {
            assert_eq!(Resource::read(&said).unwrap_err().member, member, "{said}");
        }
    }

    #[test]
    fn the_order_of_its_values_makes_no_other_resource() {
        let name = |said: Value| Resource::read(&said).unwrap().name().to_owned();
        assert_eq!(name(json!({ "model": ["b", "a"] })), name(json!({ "model": ["a", "b", "a"] })));
    }
}
