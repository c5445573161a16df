//! How far a series was read, remembered beside it.
//!
//! Enters: a place before which every record is a durable row. Leaves: the same, after a restart.
//! Never: must be right: when it is missing, damaged or old, records are read again and found to be there already.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::segment::Position;
use crate::place;

const SIZE: usize = 20;

pub(crate) fn load(dir: &Path) -> Option<Position> {
    let bytes: [u8; SIZE] = fs::read(dir.join("checkpoint")).ok()?.try_into().ok()?;
    let (numbers, sum) = bytes.split_at(16);
    let (segment, offset) = numbers.split_at(8);
    let whole = crc32fast::hash(numbers).to_le_bytes() == sum;
    let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
    Some(Position { segment: number(segment)?, offset: number(offset)? }).filter(|_| whole)
}

/// One small write in place: torn, it fails its checksum.
pub(crate) fn store(dir: &Path, at: Position) -> io::Result<()> {
    let mut bytes = [0; SIZE];
    bytes[..8].copy_from_slice(&at.segment.to_le_bytes());
    bytes[8..16].copy_from_slice(&at.offset.to_le_bytes());
    let sum = crc32fast::hash(&bytes[..16]);
    bytes[16..].copy_from_slice(&sum.to_le_bytes());
    let file = place::options().create(true).truncate(false).write(true).open(dir.join("checkpoint"))?;
    file.write_all_at(&bytes, 0)
}
