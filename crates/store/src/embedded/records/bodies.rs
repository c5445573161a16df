//! The bodies of a day: one file of compressed blocks.
//!
//! Enters: bodies of a batch, or the place of one. Leaves: places for the rows, or bytes. Never: changes what was written: a block whose rows never
//! came (the process was killed in between) is dead weight until the day is forgotten.
//!
//! Bodies are compressed many at a time because they resemble each other. A large one has a block to itself. A body that was written a moment ago,
//! byte for byte, is not written again: its place is given out once more. Of one that has long strings in common with those before, as each turn of a
//! conversation has, only the rest is written, with the places of those strings.
//!
//! ```text
//! "TGb2" | raw length u32 | packed length u32 | crc32 of all but itself and the magic u32 | zstd frame
//! ```

mod pieces;
mod recent;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};

use self::recent::{Key, Recent};
use crate::place;

const MAGIC: [u8; 4] = *b"TGb2";
const HEADER: usize = 16;
/// A block is closed once it holds this much.
const BLOCK: usize = 64 << 10;
/// So many bits of a place are the offset in the block: what lies further behind in a large block cannot be pointed to, and is not.
const OFFSET_BITS: u32 = 20;
/// Larger than any body the log keeps: a block that says more is damaged.
const RAW_MAX: usize = 96 << 20;

/// Where a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The offset of its block in the file, and its own in the unpacked block.
    at: i64,
    /// How long it is there.
    len: u32,
    /// What is there are pieces, not the body itself.
    pieces: bool,
}

/// The end of the file that is written to.
pub(super) struct BodyWriter {
    file: File,
    len: u64,
    compressor: Compressor<'static>,
    recent: Recent,
    /// Closed blocks that are still to be written.
    packed: Vec<u8>,
    scratch: Vec<u8>,
}

// === impl Place ===

impl Place {
    fn plain(block: u64, offset: usize, len: usize) -> Option<Self> {
        let within = offset < 1 << OFFSET_BITS && block < 1 << (63 - OFFSET_BITS);
        let at = ((block << OFFSET_BITS) | offset as u64) as i64;
        Some(Self { at, len: u32::try_from(len).ok()?, pieces: false }).filter(|_| within)
    }

    fn block(self) -> u64 {
        self.at.unsigned_abs() >> OFFSET_BITS
    }

    fn offset(self) -> usize {
        (self.at & ((1 << OFFSET_BITS) - 1)) as usize
    }

    /// As a row has it: the length is negative for pieces.
    pub(super) fn columns(self) -> (i64, i64) {
        let len = i64::from(self.len);
        (self.at, if self.pieces { -len } else { len })
    }

    pub(super) fn of_columns(at: i64, len: i64) -> Self {
        Self { at, len: u32::try_from(len.unsigned_abs()).unwrap_or(u32::MAX), pieces: len < 0 }
    }
}

// === impl BodyWriter ===

impl BodyWriter {
    pub(super) fn open(path: &Path, level: i32) -> io::Result<Self> {
        let file = place::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let len = file.metadata()?.len();
        let (compressor, recent) = (Compressor::new(level)?, Recent::new(len));
        Ok(Self { file, len, compressor, recent, packed: Vec::new(), scratch: Vec::new() })
    }

    /// Takes a body. Its place holds once [`BodyWriter::flush`] has returned.
    pub(super) fn add(&mut self, body: &[u8]) -> io::Result<Option<Place>> {
        if body.is_empty() {
            return Ok(None);
        }
        let key = self.recent.key(body);
        if let Some(place) = self.recent.find(key, body) {
            return Ok(Some(place));
        }
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for part in pieces::strings(body) {
            let string = &body[part.clone()];
            let key = self.recent.key(string);
            match self.recent.find(key, string) {
                Some(place) => known.push((part, place)),
                None => new.push((key, part)),
            }
        }
        match known.is_empty() {
            true => self.add_whole(key, body, new).map(Some),
            false => self.add_pieces(body, &known, new).map(Some),
        }
    }

    fn add_whole(&mut self, key: Key, body: &[u8], new: Vec<(Key, Range<usize>)>) -> io::Result<Place> {
        let (place, start) = self.push(body)?;
        self.recent.remember(key, start..start + body.len());
        for (key, part) in new {
            self.recent.remember(key, start + part.start..start + part.end);
        }
        Ok(place)
    }

    fn add_pieces(
        &mut self,
        body: &[u8],
        known: &[(Range<usize>, Place)],
        new: Vec<(Key, Range<usize>)>,
    ) -> io::Result<Place> {
        let mut written = std::mem::take(&mut self.scratch);
        let literals_at = pieces::write(body, known, &mut written)?;
        let (place, start) = self.push(&written)?;
        self.scratch = written;
        self.scratch.shrink_to(2 * BLOCK);
        let (mut before, mut known) = (0, known.iter().peekable());
        for (key, part) in new {
            // Its bytes are further ahead by those of the parts that are elsewhere.
            while let Some((elsewhere, _)) = known.next_if(|(elsewhere, _)| elsewhere.start < part.start) {
                before += elsewhere.len();
            }
            let at = start + literals_at + part.start - before;
            self.recent.remember(key, at..at + part.len());
        }
        Ok(Place { pieces: true, ..place })
    }

    /// Adds bytes to the block at hand, or to the next. Says where they are, in the file and in the block.
    fn push(&mut self, bytes: &[u8]) -> io::Result<(Place, usize)> {
        if !self.recent.current().is_empty() && self.recent.current().len() + bytes.len() > BLOCK {
            self.close_block()?;
        }
        let start = self.recent.current().len();
        let place = self.recent.push(bytes).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok((place, start))
    }

    /// Writes what was added since. Nothing is kept of a batch that fails.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.close_block()?;
        self.file.write_all_at(&self.packed, self.len)?;
        self.len += self.packed.len() as u64;
        self.packed.clear();
        // After a large body the buffer is given back.
        self.packed.shrink_to(16 * BLOCK);
        Ok(())
    }

    fn close_block(&mut self) -> io::Result<()> {
        let raw = self.recent.current();
        if raw.is_empty() {
            return Ok(());
        }
        let start = self.packed.len();
        let bound = zstd::zstd_safe::compress_bound(raw.len());
        self.packed.resize(start + HEADER + bound, 0);
        let (head, body) = self.packed[start..].split_at_mut(HEADER);
        let packed_len = self.compressor.compress_to_buffer(raw, body)?;
        head[..4].copy_from_slice(&MAGIC);
        head[4..8].copy_from_slice(&(raw.len() as u32).to_le_bytes());
        head[8..12].copy_from_slice(&(packed_len as u32).to_le_bytes());
        let sum = checksum(&head[4..12], &body[..packed_len]);
        head[12..].copy_from_slice(&sum.to_le_bytes());
        self.packed.truncate(start + HEADER + packed_len);
        self.recent.next_block(self.len + self.packed.len() as u64);
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Reads one body. The blocks that hold parts of it are read and checked as a whole, each once.
pub(super) fn read(path: &Path, place: Place) -> io::Result<Bytes> {
    let file = File::open(path)?;
    let mut blocks = HashMap::new();
    let mut body = Vec::new();
    fetch(&file, &mut blocks, place, &mut body)?;
    if place.pieces {
        body = pieces::read(&body, |place, into| fetch(&file, &mut blocks, place, into))?;
    }
    Ok(body.into())
}

/// Blocks that were read for a body, by their places.
type Blocks = HashMap<u64, Vec<u8>>;

fn fetch(file: &File, blocks: &mut Blocks, place: Place, into: &mut Vec<u8>) -> io::Result<()> {
    let block = match blocks.entry(place.block()) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => new.insert(read_block(file, place.block())?),
    };
    let part = block.get(place.offset()..place.offset() + place.len as usize);
    into.extend_from_slice(part.ok_or_else(|| damaged("a body reaches beyond its block"))?);
    Ok(())
}

fn read_block(file: &File, at: u64) -> io::Result<Vec<u8>> {
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, at).map_err(|_| damaged("a block is cut"))?;
    let number = |at: usize| header[at..at + 4].iter().rev().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let (raw_len, packed_len) = (number(4), number(8));
    if header[..4] != MAGIC || raw_len > RAW_MAX || packed_len > RAW_MAX {
        return Err(damaged("there is no block"));
    }
    let mut packed = vec![0; packed_len];
    file.read_exact_at(&mut packed, at + HEADER as u64).map_err(|_| damaged("a block is cut"))?;
    if checksum(&header[4..12], &packed) as usize != number(12) {
        return Err(damaged("a block's checksum does not hold"));
    }
    Decompressor::new()?.decompress(&packed, raw_len)
}

fn checksum(lengths: &[u8], packed: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(lengths);
    hasher.update(packed);
    hasher.finalize()
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
