//! How much of a model was used, split the way prices are split.
//!
//! Enters: counts read from a provider's answer by `wire`. Leaves: disjoint classes, so that parts always sum to the total.
//! Never: guesses silently: `source` says whether the provider counted or we estimated.

use serde::{Deserialize, Serialize};

/// Disjoint token classes. Providers that report inclusive counts (cached tokens inside the input) are split by the dialect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input the provider read afresh: neither cached nor audio.
    pub input: u64,
    pub cache_read: u64,
    /// Written to the provider's prompt cache for five minutes (or a provider's only write class).
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub audio_in: u64,
    /// Output that is neither reasoning nor audio.
    pub output: u64,
    pub reasoning: u64,
    pub audio_out: u64,
    /// Web searches, documents ranked, images made: what providers bill by the piece.
    pub searches: u64,
    pub images: u64,
    pub source: UsageSource,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// Counted by the provider.
    #[default]
    Provider,
    /// Our estimate, because the answer carried no count.
    Estimated,
}

impl Usage {
    /// Everything that went in, cached or not. Saturates, because the numbers are someone else's.
    pub fn tokens_in(&self) -> u64 {
        [self.cache_read, self.cache_write_5m, self.cache_write_1h, self.audio_in]
            .iter()
            .fold(self.input, |sum, part| sum.saturating_add(*part))
    }

    /// Everything that came out, reasoning included.
    pub fn tokens_out(&self) -> u64 {
        self.output.saturating_add(self.reasoning).saturating_add(self.audio_out)
    }

    pub fn total(&self) -> u64 {
        self.tokens_in().saturating_add(self.tokens_out())
    }
}
