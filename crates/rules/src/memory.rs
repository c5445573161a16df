//! Remembers choices, so that a user or a session meets the same model again.
//!
//! Enters: a mark, a choice, `now`. Leaves: the choice made last, while it is fresh. Never: grows past its bound, or keeps the name of a user:
//! a mark is a digest.
//!
//! Two generations, each at most as large as the bound: when the young one is full it becomes the old one, and what was looked up or
//! learnt since moves along. So the least recently used half is what is forgotten, without a list to keep in order.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::facts::Facts;
use crate::route::Route;
use crate::walk::Walk;

/// A digest of what something is remembered by. 128 bits: nobody finds two names with one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark(u128);

/// A map of bounded size that forgets what was not used for longest.
#[derive(Debug)]
pub struct Recent<V> {
    young: HashMap<Mark, V, ahash::RandomState>,
    old: HashMap<Mark, V, ahash::RandomState>,
    places: usize,
}

#[derive(Debug)]
pub struct Memory {
    choices: Recent<Choice>,
    keep_ms: u64,
}

#[derive(Debug)]
struct Choice {
    what: Arc<str>,
    until_ms: u64,
}

/// Choices kept when the operator says nothing: about 12 MB when full.
pub const PLACES: usize = 50_000;
/// A session that was silent for an hour has lost its provider's prompt cache as well.
pub const KEEP_MS: u64 = 3_600_000;

// === impl Mark ===

impl Mark {
    /// The parts are told apart: `["ab", "c"]` is not `["a", "bc"]`.
    pub fn of(parts: &[&str]) -> Self {
        // In one piece: each call into the library costs more than it takes to digest such a text.
        let mut text = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
        for part in parts {
            text.extend_from_slice(&(part.len() as u64).to_le_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_ref()[..16]);
        Self(u128::from_le_bytes(bytes))
    }

    /// To be written down, and read back by a later process.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    pub const fn bits(self) -> u128 {
        self.0
    }

    /// 64 of its bits, evenly spread: a draw that is the same for the same mark.
    pub fn draw(self) -> u64 {
        self.0 as u64
    }
}

// === impl Recent ===

impl<V> Recent<V> {
    /// Holds between `places` and twice as many.
    pub fn new(places: usize) -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), places: places.max(1) }
    }

    pub fn get_mut(&mut self, mark: Mark) -> Option<&mut V> {
        if let Some(value) = self.old.remove(&mark) {
            self.insert(mark, value);
        }
        self.young.get_mut(&mark)
    }

    pub fn insert(&mut self, mark: Mark, value: V) {
        self.old.remove(&mark);
        if self.young.len() >= self.places && !self.young.contains_key(&mark) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(mark, value);
    }

    pub fn remove(&mut self, mark: Mark) {
        self.young.remove(&mark);
        self.old.remove(&mark);
    }

    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

// === impl Memory ===

impl Memory {
    pub fn new(places: usize, keep_ms: u64) -> Self {
        Self { choices: Recent::new(places), keep_ms }
    }

    pub fn recall(&mut self, mark: Mark, now_ms: u64) -> Option<Arc<str>> {
        let choice = self.choices.get_mut(mark)?;
        if choice.until_ms <= now_ms {
            self.choices.remove(mark);
            return None;
        }
        Some(choice.what.clone())
    }

    pub fn learn(&mut self, mark: Mark, what: Arc<str>, now_ms: u64) {
        let until_ms = now_ms.saturating_add(self.keep_ms);
        self.choices.insert(mark, Choice { what, until_ms });
    }

    /// Puts into the facts what earlier walks of this route chose for the same user or session.
    pub fn remind(&mut self, route: &Route, facts: &mut Facts, now_ms: u64) {
        for mark in route.marks(facts) {
            if let Some(what) = self.recall(mark, now_ms) {
                facts.remembered.push((mark, what));
            }
        }
    }

    /// To be called when the walk has its answer.
    pub fn learn_from(&mut self, walk: &Walk, now_ms: u64) {
        if let Some((mark, what)) = walk.kept() {
            self.learn(mark, what, now_ms);
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(PLACES, KEEP_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(n: usize) -> Mark {
        Mark::of(&[&n.to_string()])
    }

    #[test]
    fn the_parts_of_a_mark_are_told_apart() {
        assert_ne!(Mark::of(&["ab", "c"]), Mark::of(&["a", "bc"]));
        assert_eq!(Mark::of(&["ab", "c"]), Mark::of(&["ab", "c"]));
    }

    #[test]
    fn a_choice_is_remembered_until_it_is_stale() {
        let mut memory = Memory::new(10, 1_000);
        memory.learn(mark(1), "m".into(), 5_000);
        assert_eq!(memory.recall(mark(1), 5_999).as_deref(), Some("m"));
        assert_eq!(memory.recall(mark(1), 6_000), None);
        assert_eq!(memory.recall(mark(2), 5_000), None);
    }

    #[test]
    fn it_is_bounded_and_forgets_what_was_not_used() {
        let mut recent = Recent::new(100);
        for n in 0..10_000 {
            recent.insert(mark(n), n);
            // The first one is asked for all along.
            assert_eq!(recent.get_mut(mark(0)), Some(&mut 0), "after {n}");
            assert!(recent.len() <= 200);
        }
        assert!(recent.get_mut(mark(9_999)).is_some() && recent.get_mut(mark(5)).is_none());
    }
}
