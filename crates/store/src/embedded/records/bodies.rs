//! The bodies of a day: one file of compressed blocks.
//!
//! Enters: bodies of a batch, or the place of one. Leaves: places for the rows, or bytes. Never: changes what was written: a block whose rows never
//! came (the process was killed in between) is dead weight until the day is forgotten.
//!
//! Bodies are compressed many at a time because they resemble each other. A large one has a block to itself.
//!
//! ```text
//! "TGb1" | raw length u32 | packed length u32 | crc32 of all but itself and the magic u32 | zstd frame
//! ```

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use bytes::Bytes;
use zstd::bulk::{Compressor, Decompressor};

use crate::place;
use crate::records::{Entry, Which};

const MAGIC: [u8; 4] = *b"TGb1";
const HEADER: usize = 16;
/// A block is closed once it holds this much.
const BLOCK: usize = 256 << 10;
/// Larger than any body the log keeps: a block that says more is damaged.
const RAW_MAX: usize = 96 << 20;

/// Where a record's bodies are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Offset of the block in the file.
    pub(super) block: u64,
    /// Offset in the block, unpacked. The response follows the request.
    pub(super) at: u32,
    pub(super) request_len: u32,
    pub(super) response_len: u32,
}

/// The end of the file that is written to.
pub(super) struct BodyWriter {
    file: File,
    len: u64,
    compressor: Compressor<'static>,
    raw: Vec<u8>,
    packed: Vec<u8>,
}

// === impl BodyWriter ===

impl BodyWriter {
    pub(super) fn open(path: &Path, level: i32) -> io::Result<Self> {
        let file = place::options().create(true).truncate(false).read(true).write(true).open(path)?;
        let len = file.metadata()?.len();
        let compressor = Compressor::new(level)?;
        Ok(Self { file, len, compressor, raw: Vec::new(), packed: Vec::new() })
    }

    /// Writes the bodies of the entries; the places are in their order. Nothing is kept of a batch that fails.
    pub(super) fn write(&mut self, entries: &[&Entry<'_>]) -> io::Result<Vec<Option<Place>>> {
        self.packed.clear();
        self.raw.clear();
        let mut places = Vec::with_capacity(entries.len());
        for entry in entries {
            let size = entry.request.len() + entry.response.len();
            if !self.raw.is_empty() && self.raw.len() + size > BLOCK {
                self.close_block()?;
            }
            places.push(self.add(entry));
        }
        self.close_block()?;
        if !self.packed.is_empty() {
            self.file.write_all_at(&self.packed, self.len)?;
            self.len += self.packed.len() as u64;
        }
        self.shrink();
        Ok(places)
    }

    fn add(&mut self, entry: &Entry<'_>) -> Option<Place> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).ok();
        let (request_len, response_len) = (length(entry.request)?, length(entry.response)?);
        if request_len == 0 && response_len == 0 {
            return None;
        }
        let (block, at) = (self.len + self.packed.len() as u64, length(&self.raw)?);
        self.raw.extend_from_slice(entry.request);
        self.raw.extend_from_slice(entry.response);
        Some(Place { block, at, request_len, response_len })
    }

    fn close_block(&mut self) -> io::Result<()> {
        if self.raw.is_empty() {
            return Ok(());
        }
        let start = self.packed.len();
        let bound = zstd::zstd_safe::compress_bound(self.raw.len());
        self.packed.resize(start + HEADER + bound, 0);
        let (head, body) = self.packed[start..].split_at_mut(HEADER);
        let packed_len = self.compressor.compress_to_buffer(&self.raw, body)?;
        head[..4].copy_from_slice(&MAGIC);
        head[4..8].copy_from_slice(&(self.raw.len() as u32).to_le_bytes());
        head[8..12].copy_from_slice(&(packed_len as u32).to_le_bytes());
        let sum = checksum(&head[4..12], &body[..packed_len]);
        head[12..].copy_from_slice(&sum.to_le_bytes());
        self.packed.truncate(start + HEADER + packed_len);
        self.raw.clear();
        Ok(())
    }

    /// After a large body the buffers are given back.
    fn shrink(&mut self) {
        self.raw.clear();
        self.packed.clear();
        self.raw.shrink_to(2 * BLOCK);
        self.packed.shrink_to(4 * BLOCK);
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Reads one body. The block around it is read and checked as a whole.
pub(super) fn read(path: &Path, place: Place, which: Which) -> io::Result<Bytes> {
    let block = read_block(&File::open(path)?, place.block)?;
    let middle = place.at as usize + place.request_len as usize;
    let range = match which {
        Which::Request => place.at as usize..middle,
        Which::Response => middle..middle + place.response_len as usize,
    };
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
