//! Tells that a frame is like the last dull one in everything but its text.
//!
//! Enters: a frame that was found dull, then frames after it. Leaves: the bytes of text of those that are like it.
//! Never: says so of a frame with one other byte outside of the text, so what was found of the first holds for them all.
//!
//! A stream repeats its envelope of 200 to 300 bytes around every token. Comparing it takes a third of the time that
//! searching it for each name takes.

use super::scan::{Scanner, text_length};

/// OpenAI pads its frames with a string of random length under this name, last in the frame.
const PADDING: &[u8] = b"\"obfuscation\":\"";

#[derive(Debug, Default)]
pub(crate) struct Likeness {
    /// All up to the text, its opening quote included. Empty when there is nothing to be like.
    before: Vec<u8>,
    /// From the text's closing quote to the end, or to the padding.
    after: Vec<u8>,
    padded: bool,
}

// === impl Likeness ===

impl Likeness {
    pub(crate) fn learn(&mut self, dull: &[u8], scanner: &Scanner) {
        self.before.clear();
        self.after.clear();
        let Some(text) = scanner.frame_text(dull) else { return };
        let after = &dull[text.end..];
        let padding = memchr::memmem::find(after, PADDING);
        let kept = padding.map_or(after.len(), |at| at + PADDING.len());
        self.before.extend_from_slice(&dull[..text.start]);
        self.after.extend_from_slice(&after[..kept]);
        self.padded = padding.is_some();
    }

    /// How much text the frame has, if it is like the one learned.
    pub(crate) fn text_bytes(&self, frame: &[u8]) -> Option<u64> {
        let text = frame.strip_prefix(self.before.as_slice()).filter(|_| !self.before.is_empty())?;
        let (bytes, end) = text_length(text)?;
        let rest = text[end..].strip_prefix(self.after.as_slice())?;
        let ends_alike = match self.padded {
            false => rest.is_empty(),
            true => text_length(rest).is_some_and(|(_, end)| &rest[end..] == b"\"}"),
        };
        ends_alike.then_some(bytes)
    }
}
