//! A value that must never be printed.
//!
//! Enters: keys and tokens. Leaves: `***`, except through [`Secret::expose`].
//! Never: implements `Display`, `Serialize` or a `Debug` that shows it; its memory is wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// Stands for a value that is not shown. Said back it means the value that is there; kept, it means that nobody has given one yet.
pub const HIDDEN: &str = "***";

#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The one door. Every use is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new("sk-not-a-real-key");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "*** Some(***)");
    }
}
