//! The bodies of a day: one file of compressed blocks.
//!
//! Enters: bodies of a batch, or the place of one. Leaves: places for the rows, or bytes. Never: changes what was written: a block whose rows never
//! came (the process was killed in between) is dead weight until the day is forgotten.
//!
//! Bodies are compressed many at a time because they resemble each other. A large one has a block to itself. One that was written a moment ago, byte
//! for byte, is not written again: its place is given out once more.
//!
//! ```text
//! "TGb2" | raw length u32 | packed length u32 | crc32 of all but itself and the magic u32 | zstd frame
//! ```

mod recent;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, ParamSwitch};

use self::recent::Recent;
use crate::place;

const MAGIC: [u8; 4] = *b"TGb2";
const HEADER: usize = 16;
/// A block is closed once it holds this much.
const BLOCK: usize = 64 << 10;
/// So many bits of a place are the offset in the block. A body that would make it more than a block begins a new one.
const OFFSET_BITS: u32 = 16;
/// Larger than any body the log keeps: a block that says more is damaged.
const RAW_MAX: usize = 96 << 20;

/// Where a body is: the offset of its block in the file, and its own in the unpacked block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: i64,
    pub(super) len: u32,
}

/// The end of the file that is written to.
pub(super) struct BodyWriter {
    file: File,
    len: u64,
    compressor: Compressor<'static>,
    recent: Recent,
    /// Closed blocks that are still to be written.
    packed: Vec<u8>,
}

// === impl Place ===

impl Place {
    fn new(block: u64, offset: usize, len: usize) -> io::Result<Self> {
        let at = i64::try_from((block << OFFSET_BITS) | offset as u64).ok().zip(u32::try_from(len).ok());
        let (at, len) = at.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(Self { at, len })
    }

    fn block(self) -> u64 {
        self.at.unsigned_abs() >> OFFSET_BITS
    }

    fn offset(self) -> usize {
        (self.at & ((1 << OFFSET_BITS) - 1)) as usize
    }
}

// === impl BodyWriter ===

impl BodyWriter {
    pub(super) fn open(path: &Path, level: i32) -> io::Result<Self> {
        let file = place::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let len = file.metadata()?.len();
        let mut compressor = Compressor::new(level)?;
        compressor.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
        Ok(Self { file, len, compressor, recent: Recent::new(), packed: Vec::new() })
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
        if !self.recent.current().is_empty() && self.recent.current().len() + body.len() > BLOCK {
            self.close_block()?;
        }
        let block = self.len + self.packed.len() as u64;
        let place = Place::new(block, self.recent.current().len(), body.len())?;
        self.recent.push(key, body, place);
        Ok(Some(place))
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
        self.recent.next_block();
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Reads one body. The block around it is read and checked as a whole.
pub(super) fn read(path: &Path, place: Place) -> io::Result<Bytes> {
    let block = read_block(&File::open(path)?, place.block())?;
    let range = place.offset()..place.offset() + place.len as usize;
    let body = block.get(range).ok_or_else(|| damaged("a body reaches beyond its block"))?;
    Ok(Bytes::copy_from_slice(body))
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
