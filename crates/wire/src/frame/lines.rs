//! Cuts bytes into lines that end with CR, LF or both.
//!
//! Enters: bytes, split anywhere. Leaves: lines without their ends.
//! Never: copies a line that came in one piece, or decodes text.

use memchr::memchr2;

use super::{
    FRAME_BYTES_MAX,
    bounded::{Bounded, tail},
};

/// Enough of a line that is too long to tell which field it is.
const HEAD_BYTES: usize = 16;

#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    Long { head: &'a [u8], tail: &'a [u8] },
}

#[derive(Debug, Default)]
pub(super) struct Lines {
    head: Vec<u8>,
    carried: Bounded,
    /// A line ended with CR, and an LF that comes next belongs to the same end.
    after_cr: bool,
}

// === impl Lines ===

impl Lines {
    pub(super) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line<'_>)) {
        loop {
            if self.after_cr && !bytes.is_empty() {
                self.after_cr = false;
                bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else { break };
            let line = &bytes[..end];
            if self.carried.is_empty() {
                each(Line::of(line));
            } else {
                self.carry(line);
                self.flush(&mut each);
            }
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
        }
        self.carry(bytes);
    }

    /// Does the next byte begin a line, whatever it is?
    pub(super) fn is_between(&self) -> bool {
        self.carried.is_empty() && !self.after_cr
    }

    /// The last line may have no end.
    pub(super) fn finish(&mut self, mut each: impl FnMut(Line<'_>)) {
        if !self.carried.is_empty() {
            self.flush(&mut each);
        }
    }

    fn carry(&mut self, bytes: &[u8]) {
        let room = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.carried.push(bytes);
    }

    fn flush(&mut self, each: &mut impl FnMut(Line<'_>)) {
        each(match self.carried.is_over() {
            false => Line::Whole(self.carried.bytes()),
            true => Line::Long { head: &self.head, tail: self.carried.bytes() },
        });
        self.carried.clear();
        self.head.clear();
    }
}

// === impl Line ===

impl<'a> Line<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        if bytes.len() > FRAME_BYTES_MAX {
            Self::Long { head: &bytes[..HEAD_BYTES], tail: tail(bytes) }
        } else {
            Self::Whole(bytes)
        }
    }
}
