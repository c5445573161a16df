//! What a model's name means on the unified surfaces.
//!
//! Enters: a name as a caller wrote it, the rows of providers, the operator's aliases. Leaves: a provider and its own name for the model, a route,
//! or the auto router. Never: guesses: a prefix that no row claims means nothing.
//!
//! Only the first slash parts the provider from the model. Which words may stand before it depends on the surface (data-plane specification,
//! sections 1.4 and 1.5): compat calls providers by their prefix, the REST API by their author.

use std::collections::BTreeMap;
use std::sync::Arc;

use tollgate_wire::provider::{ProviderRow, Providers};

/// Whose words a surface uses for providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    Compat,
    Rest,
}

#[derive(Clone, Debug)]
pub enum Named {
    Model {
        row: Arc<ProviderRow>,
        /// As the provider spells it.
        model: String,
    },
    /// `dynamic/{route}`.
    Route(String),
    /// `cloudflare/auto`.
    Auto,
}

/// Other names that the operator gave: the name, and what it means in either surface's words.
pub type Aliases = BTreeMap<String, String>;

pub const ROUTE_PREFIX: &str = "dynamic";
pub const AUTO: &str = "cloudflare/auto";

/// `None`: nothing is called that.
pub fn resolve(providers: &Providers, aliases: &Aliases, naming: Naming, name: &str) -> Option<Named> {
    match aliases.get(name) {
        // Once: an alias of an alias could go round in circles.
        Some(target) => plain(providers, naming, target).or_else(|| plain(providers, naming.other(), target)),
        None => plain(providers, naming, name),
    }
}

fn plain(providers: &Providers, naming: Naming, name: &str) -> Option<Named> {
    if name == AUTO {
        return Some(Named::Auto);
    }
    let bare = || providers.by_bare_model(name).filter(|_| naming == Naming::Rest);
    if let Some(row) = bare() {
        return Some(Named::Model { row: row.clone(), model: name.to_owned() });
    }
    let (prefix, model) = name.split_once('/').filter(|(_, model)| !model.is_empty())?;
    if prefix == ROUTE_PREFIX {
        return Some(Named::Route(model.to_owned()));
    }
    let row = match naming {
        Naming::Compat => providers.by_compat_prefix(prefix),
        // Those that REST does not know by an author are called as compat calls them.
        Naming::Rest => providers.by_rest_author(prefix).or_else(|| providers.by_compat_prefix(prefix)),
    }?;
    Some(Named::Model { row: row.clone(), model: row.own_model_name(model) })
}

// === impl Naming ===

impl Naming {
    fn other(self) -> Self {
        match self {
            Self::Compat => Self::Rest,
            Self::Rest => Self::Compat,
        }
    }

    /// What stands before a model of this provider.
    pub fn prefix(self, row: &ProviderRow) -> &str {
        let compat = || row.compat_prefix().unwrap_or(row.segment());
        match self {
            Self::Compat => compat(),
            Self::Rest => row.rest_author().unwrap_or_else(compat),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(naming: Naming, name: &str) -> String {
        let aliases = [("fast", "xai/grok-4"), ("loop", "fast"), ("way", "dynamic/r")];
        let aliases = aliases.map(|(name, target)| (name.to_owned(), target.to_owned())).into();
        match resolve(Providers::builtin(), &aliases, naming, name) {
            None => "nothing".to_owned(),
            Some(Named::Auto) => "auto".to_owned(),
            Some(Named::Route(name)) => format!("route {name}"),
            Some(Named::Model { row, model }) => format!("{} {model}", row.segment()),
        }
    }

    #[test]
    fn names_mean_what_the_surface_says() {
        for (name, compat, rest) in [
            ("openai/gpt-5-mini", "openai gpt-5-mini", "openai gpt-5-mini"),
            (
                "google-ai-studio/gemini-2.5-flash",
                "google-ai-studio gemini-2.5-flash",
                "google-ai-studio gemini-2.5-flash",
            ),
            ("google/gemini-2.5-flash", "nothing", "google-ai-studio gemini-2.5-flash"),
            ("xai/grok-4.3", "nothing", "grok grok-4.3"),
            ("perplexity/sonar", "perplexity-ai sonar", "perplexity-ai sonar"),
            ("perplexity-ai/sonar", "nothing", "nothing"),
            ("anthropic/claude-haiku-4.5", "anthropic claude-haiku-4-5", "anthropic claude-haiku-4-5"),
            (
                "google-vertex-ai/google/gemini-2.5-pro",
                "google-vertex-ai google/gemini-2.5-pro",
                "google-vertex-ai google/gemini-2.5-pro",
            ),
            ("workers-ai/@cf/meta/llama", "workers-ai @cf/meta/llama", "workers-ai @cf/meta/llama"),
            ("@cf/meta/llama", "nothing", "workers-ai @cf/meta/llama"),
            ("openrouter/a/b", "openrouter a/b", "openrouter a/b"),
            ("gpt-5-mini", "nothing", "nothing"),
            ("openai/", "nothing", "nothing"),
            ("nobody/x", "nothing", "nothing"),
            ("custom-acme/x", "nothing", "nothing"),
            ("dynamic/support", "route support", "route support"),
            ("cloudflare/auto", "auto", "auto"),
            ("fast", "grok grok-4", "grok grok-4"),
            ("way", "route r", "route r"),
            ("loop", "nothing", "nothing"),
        ] {
            assert_eq!((told(Naming::Compat, name), told(Naming::Rest, name)), (compat.into(), rest.into()), "{name}");
        }
    }

    #[test]
    fn a_custom_provider_is_called_by_its_slug() {
        let (segment, raw) = tollgate_wire::provider::RawRow::custom("acme", "https://h.example/p");
        let row = ProviderRow::compile(&segment, &raw).unwrap();
        let providers = (**Providers::builtin()).clone().with(row);
        for naming in [Naming::Compat, Naming::Rest] {
            let named = resolve(&providers, &Aliases::new(), naming, "custom-acme/a/b");
            assert!(
                matches!(named, Some(Named::Model { row, model }) if row.segment() == "custom-acme" && model == "a/b")
            );
        }
    }

    #[test]
    fn a_listed_name_finds_its_provider_again() {
        let providers = Providers::builtin();
        for row in providers.all() {
            for naming in [Naming::Compat, Naming::Rest] {
                let name = format!("{}/m", naming.prefix(row));
                let named = resolve(providers, &Aliases::new(), naming, &name);
                assert!(
                    matches!(named, Some(Named::Model { row: found, .. }) if found.segment() == row.segment()),
                    "{name}"
                );
            }
        }
    }
}
