//! A fault in a settings file: where, what, and what was probably meant.
//!
//! Enters: byte offsets and messages of the TOML reader. Leaves: `file:line:column: what`. Never: stops at the first one when there are more.

use std::fmt;
use std::ops::Range;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// From 1; `None` for what does not stand in a file.
    pub(crate) place: Option<(usize, usize)>,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn at(text: &str, span: Option<Range<usize>>, what: impl Into<String>) -> Self {
        Self { place: span.map(|span| place(text, span.start)), what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{line}:{column}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// All faults of one source as one error, a line each.
pub(crate) fn all(source: &str, faults: &[Fault]) -> anyhow::Error {
    let lines: Vec<String> = faults.iter().map(|fault| format!("{source}:{fault}")).collect();
    anyhow::anyhow!("{}", lines.join("\n"))
}

fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// The known word that is closest to what was written, if any is close.
pub(crate) fn suggestion<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |word: &str| strsim::damerau_levenshtein(written, word);
    known
        .map(|word| (distance(word), word))
        .filter(|(far, word)| *far <= 2.max(word.len() / 4))
        .min()
        .map(|(_, word)| word)
}
