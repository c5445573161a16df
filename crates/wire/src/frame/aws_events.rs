//! Cuts a byte stream into messages of Amazon's event stream encoding.
//!
//! Enters: bytes, split anywhere. Leaves: messages whose checksums are right, by their type.
//! Never: trusts a length whose checksum is wrong: after that the stream is lost, and no more is read of it.
//!
//! A message is: total length, length of headers, checksum of these two; headers; payload; checksum of all before. Numbers are
//! four bytes, big end first (<https://smithy.io/2.0/aws/amazon-eventstream.html>).

mod write;

use super::{FRAME_BYTES_MAX, Frame};

pub use write::{Message, write_message};

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

#[derive(Debug, Default)]
pub struct AwsEvents {
    carried: Vec<u8>,
    /// What is left of a message that is too long to keep.
    passing: usize,
    lost: bool,
}

struct Prelude {
    total: usize,
    headers: usize,
}

// === impl AwsEvents ===

impl AwsEvents {
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Frame<'_>)) {
        while !bytes.is_empty() && !self.lost {
            bytes = if self.passing > 0 {
                let passed = self.passing.min(bytes.len());
                self.passing -= passed;
                &bytes[passed..]
            } else if self.carried.is_empty() {
                self.take(bytes, &mut each)
            } else {
                self.gather(bytes, &mut each)
            };
        }
    }

    /// Nothing can be made of half a message.
    pub fn finish(&mut self, mut each: impl FnMut(Frame<'_>)) {
        if !self.carried.is_empty() || self.passing > 0 {
            each(Frame::Broken);
        }
        *self = Self { lost: true, ..Self::default() };
    }

    /// Reads a message that begins here, or carries what there is of it.
    fn take<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(Frame<'_>)) -> &'a [u8] {
        let Some(prelude) = bytes.get(..PRELUDE) else {
            self.carried.extend_from_slice(bytes);
            return b"";
        };
        let Some(prelude) = Prelude::read(prelude) else {
            self.lost = true;
            each(Frame::Broken);
            return b"";
        };
        if prelude.total > FRAME_BYTES_MAX {
            self.passing = prelude.total;
            each(Frame::Tail { kind: b"", data: b"" });
            return bytes;
        }
        let Some((message, rest)) = bytes.split_at_checked(prelude.total) else {
            self.carried.extend_from_slice(bytes);
            return b"";
        };
        each(frame(message, prelude.headers));
        rest
    }

    /// Adds to what is carried no more than it lacks, then reads that.
    fn gather<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(Frame<'_>)) -> &'a [u8] {
        let wanted = self.carried.get(..PRELUDE).and_then(Prelude::read).map_or(PRELUDE, |prelude| prelude.total);
        let (more, rest) = bytes.split_at(wanted.saturating_sub(self.carried.len()).min(bytes.len()));
        let mut carried = std::mem::take(&mut self.carried);
        carried.extend_from_slice(more);
        if carried.len() < wanted {
            self.carried = carried;
            return rest;
        }
        self.take(&carried, each);
        if self.passing > 0 {
            self.passing -= carried.len();
        }
        rest
    }
}

fn frame(message: &[u8], headers: usize) -> Frame<'_> {
    let (checked, checksum) = message.split_at(message.len() - CHECKSUM);
    if number(checksum) != Some(crc32fast::hash(checked)) {
        return Frame::Broken;
    }
    let (headers, data) = checked[PRELUDE..].split_at(headers);
    let mut kind: &[u8] = b"";
    let mut fault = false;
    for (name, value) in Headers(headers) {
        match name {
            b":event-type" | b":exception-type" | b":error-code" => kind = value,
            b":message-type" => fault = value != b"event",
            _ => {}
        }
    }
    if fault { Frame::Fault { kind, data } } else { Frame::Whole { kind, data } }
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

// === impl Prelude ===

impl Prelude {
    /// `None` unless the checksum is right and the lengths make sense.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (total, headers) = (number(bytes)? as usize, number(&bytes[4..])? as usize);
        let right = number(&bytes[8..]) == Some(crc32fast::hash(&bytes[..8]));
        let fits = total >= PRELUDE + CHECKSUM && headers <= total - PRELUDE - CHECKSUM;
        (right && fits).then_some(Self { total, headers })
    }
}

/// Names and values of the headers that are text; the others are stepped over, and what makes no sense ends them.
struct Headers<'a>(&'a [u8]);

// === impl Headers ===

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const TEXT: u8 = 7;
        loop {
            let (length, rest) = self.0.split_first()?;
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let (kind, rest) = rest.split_first()?;
            let (length, rest) = match kind {
                0 | 1 => (0, rest),
                2 => (1, rest),
                3 => (2, rest),
                4 => (4, rest),
                5 | 8 => (8, rest),
                6 | 7 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), &rest[2..]),
                9 => (16, rest),
                _ => return None,
            };
            let (value, rest) = rest.split_at_checked(length)?;
            self.0 = rest;
            if *kind == TEXT {
                return Some((name, value));
            }
        }
    }
}
