//! In which way a request was served, where providers have another price for it.
//!
//! Enters: words of a request and of its answer. Leaves: the same words, the answer's before the request's.
//! Never: knows what a word costs. The price list does.

use serde::{Deserialize, Serialize};

/// What a price may depend on besides quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Service tier: `batch`, `flex`, `priority`, `fast`.
    Tier,
    /// Where it was computed.
    Region,
    /// Of an image: `1024x1792`.
    Size,
    Quality,
    /// How much a search read: `low`, `medium`, `high`.
    Depth,
}

/// As they were written, in lower case. `None` is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub tier: Option<Box<str>>,
    pub region: Option<Box<str>>,
    pub size: Option<Box<str>>,
    pub quality: Option<Box<str>>,
    pub depth: Option<Box<str>>,
}

/// Words by which providers say that nothing is special.
const USUAL: [&str; 9] =
    ["", "default", "standard", "standard_only", "auto", "on_demand", "on-demand", "not_available", "global"];
/// Longer words are none of a price list.
const WORD_BYTES_MAX: usize = 64;

// === impl Terms ===

impl Terms {
    /// The word that matters, if there is one: `None` also where the usual way was named.
    pub fn special(&self, term: Term) -> Option<&str> {
        self.slot(term).as_deref().filter(|word| !is_usual(word))
    }

    /// Within one document a special word stands, whatever else the document says of the same: its members have no order.
    pub fn note(&mut self, term: Term, word: &str) {
        let stands = self.special(term).is_some() && is_usual(word);
        if word.len() <= WORD_BYTES_MAX && !stands {
            *self.slot_mut(term) = Some(word.to_ascii_lowercase().into());
        }
    }

    /// What was said later replaces what was said before: an answer its request, the end of a stream its beginning.
    pub fn overlay(&mut self, later: Terms) {
        for (term, word) in
            Term::ALL.into_iter().zip([later.tier, later.region, later.size, later.quality, later.depth])
        {
            if word.is_some() {
                *self.slot_mut(term) = word;
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        Term::ALL.into_iter().all(|term| self.slot(term).is_none())
    }

    fn slot(&self, term: Term) -> &Option<Box<str>> {
        match term {
            Term::Tier => &self.tier,
            Term::Region => &self.region,
            Term::Size => &self.size,
            Term::Quality => &self.quality,
            Term::Depth => &self.depth,
        }
    }

    fn slot_mut(&mut self, term: Term) -> &mut Option<Box<str>> {
        match term {
            Term::Tier => &mut self.tier,
            Term::Region => &mut self.region,
            Term::Size => &mut self.size,
            Term::Quality => &mut self.quality,
            Term::Depth => &mut self.depth,
        }
    }
}

impl Term {
    pub const ALL: [Term; 5] = [Term::Tier, Term::Region, Term::Size, Term::Quality, Term::Depth];
}

fn is_usual(word: &str) -> bool {
    USUAL.iter().any(|usual| word.eq_ignore_ascii_case(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_decides_and_within_it_the_special_word() {
        let mut asked = Terms::default();
        asked.note(Term::Tier, "Flex");
        assert_eq!(asked.special(Term::Tier), Some("flex"));
        let mut said = Terms::default();
        said.note(Term::Tier, "fast");
        said.note(Term::Tier, "standard");
        assert_eq!(said.special(Term::Tier), Some("fast"));
        let mut both = asked.clone();
        both.overlay(said);
        assert_eq!(both.special(Term::Tier), Some("fast"));
        let mut refused = Terms::default();
        refused.note(Term::Tier, "default");
        both.overlay(refused);
        assert_eq!((both.special(Term::Tier), both.is_empty()), (None, false));
        both.note(Term::Size, &"x".repeat(65));
        assert_eq!(both.size, None);
    }
}
