//! How hard a model thinks, in words and in tokens.
//!
//! Enters: one of the two. Leaves: the other, by one table for all dialects. Never: pretends that it is exact: who uses it notes a loss.
//!
//! The figures are those that Google publishes for its OpenAI-compatible API (<https://ai.google.dev/gemini-api/docs/openai>); the ends of the scale,
//! which that page does not give, continue them.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    /// `xhigh` at OpenAI.
    Higher,
    /// `max` at Anthropic.
    Max,
}

const TABLE: [(Effort, &str, u64); 7] = [
    (Effort::None, "none", 0),
    (Effort::Minimal, "minimal", 512),
    (Effort::Low, "low", 1_024),
    (Effort::Medium, "medium", 8_192),
    (Effort::High, "high", 24_576),
    (Effort::Higher, "xhigh", 32_768),
    (Effort::Max, "max", 65_536),
];

/// As many tokens as this effort usually takes.
pub fn budget_of(effort: Effort) -> u64 {
    TABLE[effort as usize].2
}

/// The smallest effort whose budget covers this many tokens.
pub fn effort_of(budget: u64) -> Effort {
    TABLE.iter().find(|(_, _, tokens)| budget <= *tokens).map_or(Effort::Max, |(effort, _, _)| *effort)
}

// === impl Effort ===

impl Effort {
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|(_, known, _)| *known == name).map(|(effort, _, _)| *effort)
    }

    pub fn name(self) -> &'static str {
        TABLE[self as usize].1
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn table_is_in_order_and_goes_both_ways() {
        for (at, (effort, name, tokens)) in TABLE.into_iter().enumerate() {
            assert_eq!(effort as usize, at);
            assert_eq!(Effort::from_name(name).unwrap(), effort);
            assert_eq!(effort_of(tokens), effort);
        }
        assert_eq!(effort_of(1), Effort::Minimal);
        assert_eq!(effort_of(u64::MAX), Effort::Max);
    }
}
