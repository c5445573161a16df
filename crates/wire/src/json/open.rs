//! The brackets that are open around a place in a JSON text.
//!
//! Enters: brackets. Leaves: which kind has to be closed next. Never: grows: nesting is bounded.

/// The brackets that are open: a bit for each.
#[derive(Default)]
pub(super) struct Open {
    objects: [u64; Self::DEPTH_MAX / 64],
    depth: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    Object,
    Array,
}

// === impl Open ===

impl Open {
    pub(super) const DEPTH_MAX: usize = 1024;

    pub(super) fn push(&mut self, bracket: Bracket) -> bool {
        let Some(word) = self.objects.get_mut(self.depth / 64) else { return false };
        let bit = 1 << (self.depth % 64);
        *word = if bracket == Bracket::Object { *word | bit } else { *word & !bit };
        self.depth += 1;
        true
    }

    /// Whether any are left.
    pub(super) fn close(&mut self) -> bool {
        self.depth -= 1;
        self.depth > 0
    }

    pub(super) fn innermost(&self) -> Bracket {
        let at = self.depth - 1;
        if self.objects[at / 64] >> (at % 64) & 1 == 1 { Bracket::Object } else { Bracket::Array }
    }
}
