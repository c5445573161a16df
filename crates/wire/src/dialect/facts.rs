//! What is looked for in answers, and what was found.
//!
//! Enters: the dialects' tables are written in these words. Leaves: [`Facts`], one for each document.
//! Never: reads JSON; the walker does.

use tollgate_model::usage::{Term, Terms};

use super::counts::{Counts, Slot};

pub(crate) type Members = &'static [(&'static str, Want)];
pub(crate) type Signs = &'static [(&'static str, Sign)];

/// What to do with a member's value. A value of another type than expected is passed over.
#[derive(Debug)]
pub(crate) enum Want {
    /// Go on inside this object, or inside each object of this array.
    Inside(Members),
    /// This number.
    Count(Slot),
    /// The sum of such numbers in one document.
    Sum(Slot),
    /// How many elements this array has.
    Length(Slot),
    /// One more for each such member that is not null.
    Piece(Slot),
    /// A word that says where to add the [`Want::Tagged`] number of the same object; other words say nowhere.
    Tag(&'static [(&'static str, Slot)]),
    Tagged,
    /// One more of these for such a word.
    Each(&'static [(&'static str, Slot)]),
    /// The characters of a text.
    Letters,
    /// A word that says in which way the request is served.
    Term(Term),
    /// An amount of money: this number times so many powers of ten are nano-dollars. Or an object that has it.
    Money(Slot, i32, Members),
    Model,
    /// The provider's word for why it stopped, unless it says that it has not.
    Finish,
    /// The same, and nothing follows it.
    FinishAndEnd,
    /// Anything here but null, false or emptiness is an error report.
    Error,
    /// `false` here is an error report.
    Success,
    /// The frame's kind, and what kinds mean.
    Kind(Signs),
    /// Being there ends the stream, unless it is null or false.
    End,
    /// The same, in a frame that repeats the whole text.
    Recap,
    /// A boolean.
    Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// The last word. Such frames may repeat the whole text, so theirs is not counted.
    End,
    /// The last word, and it is an error.
    EndFailed,
    /// An error, after which more may come.
    Failed,
}

/// Everything the tables can find in one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) counts: Counts,
    pub(crate) terms: Terms,
    pub(crate) model: Option<String>,
    pub(crate) finish: Option<String>,
    pub(crate) failed: bool,
    pub(crate) ended: bool,
    /// A frame whose kind says that it recapitulates.
    pub(crate) recap: bool,
    pub(crate) stream: bool,
    pub(crate) letters: u64,
    /// The halves of a pair, while its object is being read.
    pub(super) tag: Option<Slot>,
    pub(super) tagged: Option<u64>,
}

// === impl Facts ===

impl Facts {
    /// What a frame's kind says where it stands outside the JSON. A server-sent `error` is one in every dialect.
    pub(crate) fn of_kind(kind: &[u8], signs: Signs) -> Self {
        let mut facts = Self { failed: kind == b"error", ..Self::default() };
        facts.note_kind(std::str::from_utf8(kind).unwrap_or_default(), signs);
        facts
    }

    pub(super) fn note_kind(&mut self, kind: &str, signs: Signs) {
        if let Some(sign) = find(signs, kind) {
            self.ended |= sign != Sign::Failed;
            self.recap |= sign == Sign::End;
            self.failed |= sign != Sign::End;
        }
    }

    /// An object has ended that may have held both halves.
    pub(super) fn close_pair(&mut self) {
        if let (Some(slot), Some(number)) = (self.tag.take(), self.tagged.take()) {
            self.counts.add(slot, number);
        }
    }
}

pub(super) fn find<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|(_, found)| *found)
}
