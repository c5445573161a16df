//! How usage is written down, so that what was written before there were this many classes is still read.
//!
//! Enters: usage. Leaves: the ten counts and the source, as they have always been written; behind the source, what is newer and rare.
//! Never: takes a byte for a class that was not used.

use serde::{Deserialize, Serialize};

use super::{Terms, Usage, UsageSource};

#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    input: u64,
    cache_read: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
    audio_in: u64,
    output: u64,
    reasoning: u64,
    audio_out: u64,
    searches: u64,
    images: u64,
    source: Source,
}

/// The first two are those of [`UsageSource`], under the same numbers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Provider,
    Estimated,
    ProviderAnd(Box<More>),
    EstimatedAnd(Box<More>),
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
struct More {
    cache_read_audio: u64,
    cache_read_image: u64,
    image_in: u64,
    image_out: u64,
    seconds: u64,
    characters: u64,
    terms: Terms,
}

impl From<Usage> for Stored {
    fn from(usage: Usage) -> Self {
        let more = More {
            cache_read_audio: usage.cache_read_audio,
            cache_read_image: usage.cache_read_image,
            image_in: usage.image_in,
            image_out: usage.image_out,
            seconds: usage.seconds,
            characters: usage.characters,
            terms: usage.terms,
        };
        let source = match (usage.source, more == More::default()) {
            (UsageSource::Provider, true) => Source::Provider,
            (UsageSource::Estimated, true) => Source::Estimated,
            (UsageSource::Provider, false) => Source::ProviderAnd(Box::new(more)),
            (UsageSource::Estimated, false) => Source::EstimatedAnd(Box::new(more)),
        };
        Self {
            input: usage.input,
            cache_read: usage.cache_read,
            cache_write_5m: usage.cache_write_5m,
            cache_write_1h: usage.cache_write_1h,
            audio_in: usage.audio_in,
            output: usage.output,
            reasoning: usage.reasoning,
            audio_out: usage.audio_out,
            searches: usage.searches,
            images: usage.images,
            source,
        }
    }
}

impl From<Stored> for Usage {
    fn from(stored: Stored) -> Self {
        let (source, more) = match stored.source {
            Source::Provider => (UsageSource::Provider, More::default()),
            Source::Estimated => (UsageSource::Estimated, More::default()),
            Source::ProviderAnd(more) => (UsageSource::Provider, *more),
            Source::EstimatedAnd(more) => (UsageSource::Estimated, *more),
        };
        Self {
            input: stored.input,
            cache_read: stored.cache_read,
            cache_read_audio: more.cache_read_audio,
            cache_read_image: more.cache_read_image,
            cache_write_5m: stored.cache_write_5m,
            cache_write_1h: stored.cache_write_1h,
            audio_in: stored.audio_in,
            image_in: more.image_in,
            output: stored.output,
            reasoning: stored.reasoning,
            audio_out: stored.audio_out,
            image_out: more.image_out,
            searches: stored.searches,
            images: stored.images,
            seconds: more.seconds,
            characters: more.characters,
            terms: more.terms,
            source,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::usage::Term;

    /// What journals and logs hold that were written before: ten counts, then 0 or 1.
    #[test]
    fn what_was_written_before_is_read_and_written_alike() {
        let old = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1];
        let usage: Usage = postcard::from_bytes(&old).unwrap();
        let expected = Usage {
            input: 1,
            cache_read: 2,
            cache_write_5m: 3,
            cache_write_1h: 4,
            audio_in: 5,
            output: 6,
            reasoning: 7,
            audio_out: 8,
            searches: 9,
            images: 10,
            source: UsageSource::Estimated,
            ..Usage::default()
        };
        assert_eq!(usage, expected);
        assert_eq!(postcard::to_stdvec(&usage).unwrap(), old);
    }

    #[test]
    fn what_is_newer_comes_back() {
        let mut usage = Usage { image_out: 1_290, seconds: 61, cache_read_audio: 3, ..Usage::default() };
        usage.terms.note(Term::Tier, "flex");
        for source in [UsageSource::Provider, UsageSource::Estimated] {
            let usage = Usage { source, ..usage.clone() };
            let bytes = postcard::to_stdvec(&usage).unwrap();
            assert_eq!(postcard::from_bytes::<Usage>(&bytes).unwrap(), usage);
            let text = serde_json::to_string(&usage).unwrap();
            assert_eq!(serde_json::from_str::<Usage>(&text).unwrap(), usage);
        }
    }
}
