//! Cuts a byte stream into lines of JSON.
//!
//! Enters: bytes, split anywhere. Leaves: lines that are not blank, in order.
//! Never: looks inside a line. JSON escapes line ends in its strings, so a line end is always one.

use super::{
    Frame,
    lines::{Line, Lines},
};

#[derive(Debug, Default)]
pub struct Ndjson {
    lines: Lines,
}

// === impl Ndjson ===

impl Ndjson {
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(Frame<'_>)) {
        self.lines.push(bytes, |line| take(line, &mut each));
    }

    pub fn finish(&mut self, mut each: impl FnMut(Frame<'_>)) {
        self.lines.finish(|line| take(line, &mut each));
    }
}

fn take(line: Line<'_>, each: &mut impl FnMut(Frame<'_>)) {
    match line {
        Line::Whole(data) if data.trim_ascii().is_empty() => {}
        Line::Whole(data) => each(Frame::Whole { kind: b"", data }),
        Line::Long { tail, .. } => each(Frame::Tail { kind: b"", data: tail }),
    }
}
