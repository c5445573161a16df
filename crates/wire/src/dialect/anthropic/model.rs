//! What Claude models of different generations accept: settings came and went, and each wrong one is a refusal.
//!
//! Enters: a model's name, as any host spells it. Leaves: what may be said to it. Never: needed for requests in Anthropic's own words: whoever wrote
//! those knows the model.
//!
//! After Anthropic's migration guides: manual thinking budgets and sampling parameters ended with generation 4.6, adaptive thinking began with it;
//! structured output and strict tools began with 4.5. Hosts that speak this dialect for models of their own take what was there from the start.

/// A generation, when the name tells one: `claude-opus-4-6`, `anthropic.claude-3-7-sonnet-20250219-v1:0`, `claude-sonnet-4.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claude(Option<(u32, u32)>);

// === impl Claude ===

impl Claude {
    pub(crate) fn of(model: &str) -> Self {
        let name = model.to_ascii_lowercase();
        let Some((_, after)) = name.split_once("claude") else { return Self(None) };
        let mut parts =
            after.split(|letter: char| !letter.is_ascii_alphanumeric()).skip_while(|part| number(part).is_none());
        let major = parts.next().and_then(number);
        let minor = parts.next().and_then(number).unwrap_or(0);
        Self(major.map(|major| (major, minor)))
    }

    /// `thinking: { type: "enabled", budget_tokens }`.
    pub(crate) fn takes_budget(self) -> bool {
        self.0.is_none_or(|generation| generation <= (4, 6))
    }

    /// `thinking: { type: "adaptive" }` with `output_config.effort`.
    pub(crate) fn takes_adaptive(self) -> bool {
        self.0.is_some_and(|generation| generation >= (4, 6))
    }

    /// `xhigh` came a generation later than the other words.
    pub(crate) fn takes_xhigh(self) -> bool {
        self.0.is_some_and(|generation| generation >= (4, 7))
    }

    /// `temperature`, `top_p`, `top_k`.
    pub(crate) fn takes_sampling(self) -> bool {
        self.0.is_none_or(|generation| generation <= (4, 6))
    }

    /// One of `temperature` and `top_p`, not both.
    pub(crate) fn takes_one_of_sampling(self) -> bool {
        self.0.is_some_and(|generation| generation >= (4, 1))
    }

    pub(crate) fn takes_schema(self) -> bool {
        self.0.is_none_or(|generation| generation >= (4, 5))
    }

    /// Anthropic demands a limit where others have none. What a caller who set none gets is below what every model of its generation can write, and
    /// enough for an answer that is not a book.
    pub(crate) fn max_tokens(self) -> u64 {
        match self.0 {
            Some(generation) if generation >= (3, 7) => 16_384,
            _ => 4_096,
        }
    }
}

/// Of one or two digits: longer ones are dates.
fn number(part: &str) -> Option<u32> {
    if part.len() > 2 { None } else { part.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generation_is_found_in_every_spelling() {
        for (name, generation) in [
            ("claude-opus-4-6", Some((4, 6))),
            ("anthropic/claude-sonnet-4.5", Some((4, 5))),
            ("anthropic/claude-4.7-opus", Some((4, 7))),
            ("claude-sonnet-4-20250514", Some((4, 0))),
            ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", Some((3, 7))),
            ("anthropic.claude-opus-4-20250514-v1:0", Some((4, 0))),
            ("claude-3-5-haiku@20241022", Some((3, 5))),
            ("claude-opus-5", Some((5, 0))),
            ("claude-instant", None),
            ("kimi-k2", None),
        ] {
            assert_eq!(Claude::of(name).0, generation, "{name}");
        }
        let old = Claude::of("claude-opus-4-5");
        assert!(old.takes_budget() && !old.takes_adaptive() && old.takes_sampling());
        let new = Claude::of("claude-opus-4-7");
        assert!(!new.takes_budget() && new.takes_adaptive() && !new.takes_sampling());
    }
}
