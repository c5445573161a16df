//! The numbers an answer states, before they are made disjoint.
//!
//! Enters: numbers in the provider's own meaning, one slot each. Leaves: [`Usage`], whose classes never overlap.
//! Never: knows how a provider spells a field. That stands in the dialect's table.
//!
//! Some providers count cached tokens inside the input, some beside it. The slots say which, so one function can
//! settle every dialect, and a dialect is no more than a table.

use tollgate_model::{Usage, usage::UsageSource};

/// What a number means where the provider wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Input,
    Output,
    /// Input and output together: used only to tell whether reasoning is inside the output.
    Total,
    /// Counted inside `Input`.
    CachedInside,
    WrittenInside,
    AudioInside,
    /// Audio that was also cached: inside `AudioInside` and `CachedInside`.
    CachedAudioInside,
    /// Tokens of pictures, likewise.
    ImageInside,
    CachedImageInside,
    /// Inside `Output` with most, beside it with some: see `Counts::reasoning_is_beside`.
    ReasoningUnclear,
    AudioOutInside,
    ImageOutInside,
    /// Counted beside `Input`.
    CacheRead,
    /// Both write classes together.
    CacheWrite,
    CacheWrite5m,
    CacheWrite1h,
    /// Input that `Input` does not include, at the same price.
    MoreInput,
    /// Counted beside `Output`.
    Reasoning,
    Searches,
    Images,
    /// Of audio, where no tokens were counted.
    Seconds,
    /// Second choice, where `Input` or `Output` is missing.
    InputElse,
    OutputElse,
    CacheReadElse,
    CacheWriteElse,
    /// Pieces to charge for where no tokens were counted.
    ImagesElse,
    /// What the provider says it charged, in nano-dollars.
    Charged,
    /// What another provider charged besides, when it was asked with the caller's own key.
    ChargedBeside,
    CallersKey,
}

const SLOTS: usize = Slot::CallersKey as usize + 1;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts([Option<u64>; SLOTS]);

// === impl Counts ===

impl Counts {
    pub(crate) fn get(&self, slot: Slot) -> Option<u64> {
        self.0[slot as usize]
    }

    pub(crate) fn set(&mut self, slot: Slot, count: u64) {
        self.0[slot as usize] = Some(count);
    }

    pub(crate) fn add(&mut self, slot: Slot, count: u64) {
        self.set(slot, self.at(slot).saturating_add(count));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What `later` says replaces what was said before; what it is silent about stays.
    pub(crate) fn overlay(&mut self, later: &Self) {
        for (held, new) in self.0.iter_mut().zip(later.0) {
            *held = new.or(*held);
        }
    }

    /// Splits what was said into disjoint classes. `None` when nothing was counted, or the output alone: half a count would
    /// look like a whole one.
    pub(crate) fn usage(&self) -> Option<Usage> {
        const SUFFICIENT: [Slot; 7] = [
            Slot::Input,
            Slot::InputElse,
            Slot::CacheRead,
            Slot::Searches,
            Slot::Images,
            Slot::ImagesElse,
            Slot::Seconds,
        ];
        if SUFFICIENT.iter().all(|slot| self.get(*slot).is_none()) {
            return None;
        }
        let mut usage = Usage { source: UsageSource::Provider, ..Usage::default() };
        self.split_input(&mut usage);
        self.split_output(&mut usage);
        usage.searches = self.at(Slot::Searches);
        usage.seconds = self.at(Slot::Seconds);
        let counted_tokens = usage.total() > 0;
        usage.images = self.get(Slot::Images).unwrap_or(if counted_tokens { 0 } else { self.at(Slot::ImagesElse) });
        Some(usage)
    }

    /// What the provider says the request cost, in nano-dollars.
    pub(crate) fn charged(&self) -> Option<u64> {
        let beside = if self.at(Slot::CallersKey) > 0 { self.at(Slot::ChargedBeside) } else { 0 };
        self.get(Slot::Charged)?.checked_add(beside)
    }

    /// Parts are taken off one after the other and never more than is left, so that they sum to the provider's count
    /// even where its details contradict it.
    fn split_input(&self, usage: &mut Usage) {
        let mut rest = self.first(Slot::Input, Slot::InputElse);
        let mut cached = take(&mut rest, self.at(Slot::CachedInside));
        usage.cache_read_audio = take(&mut cached, self.at(Slot::CachedAudioInside));
        usage.cache_read_image = take(&mut cached, self.at(Slot::CachedImageInside));
        let written = take(&mut rest, self.at(Slot::WrittenInside));
        let fresh_audio = self.at(Slot::AudioInside).saturating_sub(self.at(Slot::CachedAudioInside));
        usage.audio_in = take(&mut rest, fresh_audio);
        let fresh_image = self.at(Slot::ImageInside).saturating_sub(self.at(Slot::CachedImageInside));
        usage.image_in = take(&mut rest, fresh_image);
        usage.input = rest.saturating_add(self.at(Slot::MoreInput));
        usage.cache_read = cached.saturating_add(self.first(Slot::CacheRead, Slot::CacheReadElse));

        usage.cache_write_1h = self.at(Slot::CacheWrite1h);
        let total = self.get(Slot::CacheWrite).or(self.get(Slot::CacheWriteElse));
        let short_lived = match total {
            Some(total) => {
                usage.cache_write_1h = usage.cache_write_1h.min(total);
                total - usage.cache_write_1h
            }
            None => self.at(Slot::CacheWrite5m),
        };
        usage.cache_write_5m = written.saturating_add(short_lived);
    }

    fn split_output(&self, usage: &mut Usage) {
        let mut rest = self.first(Slot::Output, Slot::OutputElse);
        let unclear = self.at(Slot::ReasoningUnclear);
        let reasoning = if self.reasoning_is_beside(unclear) { unclear } else { take(&mut rest, unclear) };
        usage.reasoning = reasoning.saturating_add(self.at(Slot::Reasoning));
        usage.audio_out = take(&mut rest, self.at(Slot::AudioOutInside));
        usage.image_out = take(&mut rest, self.at(Slot::ImageOutInside));
        usage.output = rest;
    }

    /// OpenAI counts reasoning inside the completion; xAI and Perplexity count it beside, under the same names. The
    /// total tells, and so does reasoning that is more than there was output.
    fn reasoning_is_beside(&self, reasoning: u64) -> bool {
        let (input, output) = (self.at(Slot::Input), self.at(Slot::Output));
        let beside = input.saturating_add(output).saturating_add(reasoning);
        reasoning > output || (reasoning > 0 && self.get(Slot::Total) == Some(beside))
    }

    fn at(&self, slot: Slot) -> u64 {
        self.get(slot).unwrap_or(0)
    }

    fn first(&self, slot: Slot, second: Slot) -> u64 {
        self.get(slot).unwrap_or_else(|| self.at(second))
    }
}

fn take(rest: &mut u64, wanted: u64) -> u64 {
    let part = wanted.min(*rest);
    *rest -= part;
    part
}
