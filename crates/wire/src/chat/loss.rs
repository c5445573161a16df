//! The ledger of what a translation could not carry.
//!
//! Enters: a place and what became of it. Leaves: entries, in order, a bounded number of them and a count of the rest. Never: a value of the
//! caller's: paths and reasons only, so that it may stand in a header and in a log without payloads.

use std::borrow::Cow;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub place: Place,
    pub kind: LossKind,
    /// Why, or what it became: short, for people.
    pub note: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LossKind {
    Dropped,
    /// Said in other words that do not mean quite the same.
    Approximated,
    /// A number moved into the target's range.
    Clamped,
    /// The same under another name than it was given: tool names that the target does not allow.
    Renamed,
    /// Without it this would be another request: it must not be sent.
    Refused,
}

/// Where in a request or an answer. The origin's dialect spells it (`Chat::place`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Setting(Field),
    /// A top-level member the form does not know.
    Extra(String),
    Tool(u32),
    /// By [`super::Turn::at`].
    Turn(u32),
    /// Turn, and the block's number in it.
    Block(u32, u32),
    /// Something of the answer: a name in the answer's form.
    Answer(&'static str),
}

/// The settings of the form, each of which every dialect has its own name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    StreamUsage,
    MaxTokens,
    Temperature,
    TopP,
    TopK,
    FrequencyPenalty,
    PresencePenalty,
    Seed,
    N,
    Stop,
    Logprobs,
    TopLogprobs,
    LogitBias,
    ToolChoice,
    ParallelTools,
    Format,
    Reasoning,
    Verbosity,
    ServiceTier,
    User,
    CacheKey,
    Modalities,
}

/// More than these are counted, not kept.
pub const LOSSES_MAX: usize = 100;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    entries: Vec<Loss>,
    more: u32,
}

// === impl Field ===

impl Field {
    pub const ALL: [Self; 22] = [
        Self::StreamUsage,
        Self::MaxTokens,
        Self::Temperature,
        Self::TopP,
        Self::TopK,
        Self::FrequencyPenalty,
        Self::PresencePenalty,
        Self::Seed,
        Self::N,
        Self::Stop,
        Self::Logprobs,
        Self::TopLogprobs,
        Self::LogitBias,
        Self::ToolChoice,
        Self::ParallelTools,
        Self::Format,
        Self::Reasoning,
        Self::Verbosity,
        Self::ServiceTier,
        Self::User,
        Self::CacheKey,
        Self::Modalities,
    ];
}

// === impl LossKind ===

impl LossKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Approximated => "approximated",
            Self::Clamped => "clamped",
            Self::Renamed => "renamed",
            Self::Refused => "refused",
        }
    }
}

// === impl Losses ===

impl Losses {
    pub fn add(&mut self, place: Place, kind: LossKind, note: impl Into<Cow<'static, str>>) {
        // A refusal is never among those that are only counted; a request has a handful of them at most.
        if self.entries.len() < LOSSES_MAX || (kind == LossKind::Refused && self.refusal().is_none()) {
            self.entries.push(Loss { place, kind, note: note.into() });
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    pub fn dropped(&mut self, place: Place, note: impl Into<Cow<'static, str>>) {
        self.add(place, LossKind::Dropped, note);
    }

    pub fn approximated(&mut self, place: Place, note: impl Into<Cow<'static, str>>) {
        self.add(place, LossKind::Approximated, note);
    }

    pub fn clamped(&mut self, place: Place, note: impl Into<Cow<'static, str>>) {
        self.add(place, LossKind::Clamped, note);
    }

    /// Why the request must not be sent, if so.
    pub fn refusal(&self) -> Option<&Loss> {
        self.entries.iter().find(|loss| loss.kind == LossKind::Refused)
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn entries(&self) -> &[Loss] {
        &self.entries
    }

    /// How many did not fit.
    pub fn more(&self) -> u32 {
        self.more
    }

    pub fn append(&mut self, other: Self) {
        for Loss { place, kind, note } in other.entries {
            self.add(place, kind, note);
        }
        self.more = self.more.saturating_add(other.more);
    }
}
