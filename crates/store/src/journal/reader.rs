//! Reads a worker's series in order, as far as it is whole.
//!
//! Enters: files, one of which may still grow. Leaves: batches of entries, and the place after each batch.
//! Never: stops for damage: what cannot be read is skipped to the next frame whose checksum holds, and counted.
//!
//! Normal operation and recovery after a crash are this one path: the only difference is whether the series still has a writer.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::frame::{self, Unread};
use super::segment::{self, HEADER, Position};
use crate::records::Entry;

/// How much is read, and thus handed on, at once, unless a single frame is larger.
const CHUNK: usize = 1 << 20;

/// Reads one series.
#[derive(Debug)]
pub(crate) struct Reader {
    dir: PathBuf,
    at: Position,
    open: Option<Open>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    file: File,
    salt: Option<u32>,
}

/// Entries that were read together.
#[derive(Debug, Default)]
pub(crate) struct Chunk<'a> {
    pub(crate) entries: Vec<Entry<'a>>,
    /// The place after them, to be handed to [`Reader::advance`] when they are safe.
    pub(crate) next: Position,
    /// Unreadable bytes between or after them.
    pub(crate) skipped: u64,
}

// === impl Reader ===

impl Reader {
    pub(crate) fn new(dir: &Path, at: Position) -> Self {
        Self { dir: dir.to_owned(), at, open: None, buffer: Vec::new() }
    }

    pub(crate) fn at(&self) -> Position {
        self.at
    }

    /// The next entries before `end`, where the writer is, or left off. `None`: all was read.
    pub(crate) fn read(&mut self, end: Position) -> io::Result<Option<Chunk<'_>>> {
        loop {
            let Some(limit) = self.limit(end)? else { return Ok(None) };
            if self.at.offset >= limit {
                if end.segment == self.at.segment {
                    return Ok(None);
                }
                self.open = None;
                self.at = Position { segment: self.at.segment + 1, offset: 0 };
                continue;
            }
            return self.chunk(limit).map(Some);
        }
    }

    pub(crate) fn advance(&mut self, next: Position) {
        self.at = next;
    }

    /// How many bytes are still to be read.
    pub(crate) fn backlog(&self, end: Position) -> io::Result<u64> {
        if end.segment == self.at.segment {
            return Ok(end.offset.saturating_sub(self.at.offset));
        }
        let mut sum = 0;
        for number in segment::numbers(&self.dir)?.into_iter().filter(|number| *number >= self.at.segment) {
            let len = match number == end.segment {
                true => end.offset,
                false => fs::metadata(segment::path_of(&self.dir, number))?.len(),
            };
            sum += if number == self.at.segment { len.saturating_sub(self.at.offset) } else { len };
        }
        Ok(sum)
    }

    /// Gives back the files that lie wholly before the place reached: to the writer if the series is `live`.
    pub(crate) fn retire_before(&self, at: Position, live: bool) -> io::Result<()> {
        let numbers = segment::numbers(&self.dir)?.into_iter().filter(|number| *number < at.segment);
        numbers.into_iter().try_for_each(|number| segment::retire(&self.dir, number, live))
    }

    /// How far the segment at hand may be read; opens it, or the next one there is, if need be.
    fn limit(&mut self, end: Position) -> io::Result<Option<u64>> {
        if self.at >= end {
            return Ok(None);
        }
        if self.open.is_none() && !self.open_next(end)? {
            return Ok(None);
        }
        let Some(open) = &self.open else { return Ok(None) };
        if end.segment == self.at.segment {
            return Ok(Some(end.offset));
        }
        open.file.metadata().map(|found| Some(if open.salt.is_some() { found.len() } else { 0 }))
    }

    /// A file that its writer is just making is left alone: its header may not be there yet, and would be missed for good.
    fn open_next(&mut self, end: Position) -> io::Result<bool> {
        let wanted = self.at.segment;
        let begun = |number: u64| Position { segment: number, offset: 0 } < end;
        let next = segment::numbers(&self.dir)?.into_iter().find(|number| *number >= wanted && begun(*number));
        let Some(number) = next else { return Ok(false) };
        let offset = if number == wanted { self.at.offset.max(HEADER as u64) } else { HEADER as u64 };
        let file = File::open(segment::path_of(&self.dir, number))?;
        let mut header = [0; HEADER];
        let salt = file.read_exact_at(&mut header, 0).ok().and_then(|()| segment::salt_of(&header));
        self.at = Position { segment: number, offset };
        self.open = Some(Open { file, salt });
        Ok(true)
    }

    fn chunk(&mut self, limit: u64) -> io::Result<Chunk<'_>> {
        let salt = self.open.as_ref().and_then(|open| open.salt).unwrap_or_default();
        let mut wanted = CHUNK;
        loop {
            self.fill(limit, wanted)?;
            let remaining = limit - self.at.offset;
            match frame::need(&self.buffer) {
                // A frame larger than a chunk: read all of it, if there is that much.
                Some(need) if need > self.buffer.len() && need as u64 <= remaining => wanted = need,
                _ => break,
            }
        }
        let last = self.at.offset + self.buffer.len() as u64 >= limit;
        let (entries, used, skipped) = parse(&self.buffer, salt, last);
        let next = Position { segment: self.at.segment, offset: self.at.offset + used as u64 };
        Ok(Chunk { entries, next, skipped: skipped as u64 })
    }

    fn fill(&mut self, limit: u64, wanted: usize) -> io::Result<()> {
        let len = usize::try_from(limit - self.at.offset).unwrap_or(usize::MAX).min(wanted);
        if self.buffer.capacity() > CHUNK && len <= CHUNK {
            self.buffer = Vec::new();
        }
        self.buffer.resize(len, 0);
        match &self.open {
            Some(open) => open.file.read_exact_at(&mut self.buffer, self.at.offset),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// All whole frames in `bytes`, how far they reach, and how much between them made no sense. What the file held before does not count, nor the rest of
/// a frame of that time whose beginning was written over. With `last`, nothing follows: a cut frame is damage too.
fn parse(bytes: &[u8], salt: u32, last: bool) -> (Vec<Entry<'_>>, usize, usize) {
    let (mut entries, mut at, mut skipped, mut unclear) = (Vec::new(), 0, 0, 0);
    while at < bytes.len() {
        match frame::decode(&bytes[at..], salt) {
            Ok(frame) => {
                at += frame.len;
                skipped += std::mem::take(&mut unclear);
                entries.push(frame.entry);
            }
            Err(Unread::Short) if !last && at > 0 => break,
            Err(unread) => {
                // The first bytes of a magic may be the last ones here, when more follows.
                let rest = (bytes.len() - at).saturating_sub(if last { 0 } else { 3 }).max(1);
                let found = next_magic(&bytes[at + 1..]).map_or(rest, |more| more + 1);
                at += found;
                unclear = if matches!(unread, Unread::Stale) { 0 } else { unclear + found };
            }
        }
    }
    (entries, at, skipped + unclear)
}

fn next_magic(bytes: &[u8]) -> Option<usize> {
    bytes.windows(frame::MAGIC.len()).position(|window| window == frame::MAGIC)
}

#[cfg(test)]
mod tests;
