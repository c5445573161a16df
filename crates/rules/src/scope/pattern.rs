//! A model's name with holes.
//!
//! Enters: `gpt-4o*`, `openai/*`. Leaves: whether a model is meant. Never: takes more steps than the name has bytes, times the pieces between holes.
//!
//! With a slash the pattern is of `provider/model`: models of aggregators have slashes in their names, and `openai/*` shall not mean what an aggregator
//! sells under that name.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
    names_provider: bool,
}

// === impl Pattern ===

impl Pattern {
    pub fn new(text: &str) -> Self {
        Self { pieces: text.split('*').map(str::to_owned).collect(), names_provider: text.contains('/') }
    }

    pub fn matches(&self, provider: &str, model: &str) -> bool {
        match self.names_provider {
            true => self.is_of(&format!("{provider}/{model}")),
            false => self.is_of(model),
        }
    }

    fn is_of(&self, name: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.pieces.first().is_some_and(|only| only == name);
        };
        let Some(rest) = name.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for piece in middle {
            let Some(at) = rest.find(piece.as_str()) else { return false };
            rest = &rest[at + piece.len()..];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_stand_for_anything() {
        for (pattern, provider, model, expected) in [
            ("gpt-4o", "openai", "gpt-4o", true),
            ("gpt-4o", "openai", "gpt-4o-mini", false),
            ("gpt-4o*", "openai", "gpt-4o-mini", true),
            ("*mini", "openai", "gpt-4o-mini", true),
            ("g*4*i", "openai", "gpt-4o-mini", true),
            ("a*a", "openai", "a", false),
            ("*", "openai", "anything/at-all", true),
            ("openai/*", "openai", "gpt-4o", true),
            ("openai/*", "openrouter", "openai/gpt-4o", false),
            ("openrouter/openai/*", "openrouter", "openai/gpt-4o", true),
            ("*/gpt-4o", "azure", "gpt-4o", true),
            ("", "openai", "gpt-4o", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(provider, model), expected, "{pattern} {provider} {model}");
        }
    }
}
