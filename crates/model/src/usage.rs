//! How much of a model was used, split the way prices are split.
//!
//! Enters: counts read from a provider's answer by `wire`. Leaves: disjoint classes, so that parts always sum to the total.
//! Never: guesses silently: `source` says whether the provider counted or we estimated.

use serde::{Deserialize, Serialize};

mod stored;
mod terms;

pub use terms::{Term, Terms};

/// Disjoint token classes. Providers that report inclusive counts (cached tokens inside the input) are split by the dialect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "stored::Stored", into = "stored::Stored")]
pub struct Usage {
    /// Input the provider read afresh: neither cached, audio nor image.
    pub input: u64,
    /// Cached text, and cached input of which nobody said what it is.
    pub cache_read: u64,
    pub cache_read_audio: u64,
    pub cache_read_image: u64,
    /// Written to the provider's prompt cache for five minutes (or a provider's only write class).
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    pub audio_in: u64,
    pub image_in: u64,
    /// Output that is neither reasoning, audio nor image.
    pub output: u64,
    pub reasoning: u64,
    pub audio_out: u64,
    pub image_out: u64,
    /// Web searches, documents ranked, images made: what providers bill by the piece.
    pub searches: u64,
    pub images: u64,
    /// Of audio heard, and characters read aloud, where these are billed instead of tokens.
    pub seconds: u64,
    pub characters: u64,
    /// In which way it was served, as far as that can move the price.
    pub terms: Terms,
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
        let kept = [self.cached(), self.cache_write_5m, self.cache_write_1h];
        kept.iter().fold(self.fresh(), |sum, part| sum.saturating_add(*part))
    }

    /// Input that was in the provider's cache.
    pub fn cached(&self) -> u64 {
        self.cache_read.saturating_add(self.cache_read_audio).saturating_add(self.cache_read_image)
    }

    /// Input that the provider read afresh and did not keep.
    pub fn fresh(&self) -> u64 {
        self.input.saturating_add(self.audio_in).saturating_add(self.image_in)
    }

    /// Everything that came out, reasoning included.
    pub fn tokens_out(&self) -> u64 {
        let special = [self.reasoning, self.audio_out, self.image_out];
        special.iter().fold(self.output, |sum, part| sum.saturating_add(*part))
    }

    pub fn total(&self) -> u64 {
        self.tokens_in().saturating_add(self.tokens_out())
    }
}
