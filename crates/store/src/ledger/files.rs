//! The files of the ledger.
//!
//! Enters: bytes and numbers. Leaves: the same, from files that may have been cut anywhere. Never: puts a sum in place before it is whole on the disk.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{Line, line};
use crate::place;

const SUM: &str = "sum";
const EXTENSION: &str = ".lines";

pub(super) fn create(dir: &Path, number: u64) -> io::Result<File> {
    place::options().write(true).create_new(true).open(path(dir, number))
}

pub(super) fn remove(dir: &Path, number: u64) -> io::Result<()> {
    fs::remove_file(path(dir, number))
}

/// All of it or, for a reader, nothing: what a failed write left behind is written over by the next one.
pub(super) fn write(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_all_at(bytes, at)
}

pub(super) fn lines(dir: &Path, number: u64) -> io::Result<Vec<Line>> {
    fs::read(path(dir, number)).map(|bytes| line::decode(&bytes))
}

/// The numbers of all files, oldest first.
pub(super) fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(EXTENSION));
        numbers.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The first file that the sum does not hold, and the sum. Nothing of either when there is none.
pub(super) fn sum(dir: &Path) -> io::Result<(u64, Vec<Line>)> {
    let bytes = match fs::read(dir.join(SUM)) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok((0, Vec::new())),
        Err(cause) => return Err(cause),
    };
    let damaged = || {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "the sum of the ledger is damaged: without it budgets would begin at nothing; move it away to let them",
        )
    };
    let (number, rest) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
    // It was put in place whole; anything else is the disk's doing, and not to be passed over.
    let (lines, sum) = rest.split_last_chunk::<4>().ok_or_else(damaged)?;
    if crc32fast::hash(&bytes[..8 + lines.len()]).to_le_bytes() != *sum {
        return Err(damaged());
    }
    Ok((u64::from_le_bytes(*number), line::decode(lines)))
}

pub(super) fn put_sum(dir: &Path, next: u64, lines: &[Line]) -> io::Result<()> {
    let mut bytes = next.to_le_bytes().to_vec();
    line::encode(lines, &mut bytes);
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    let (fresh, place) = (dir.join("sum.new"), dir.join(SUM));
    let file = place::options().write(true).create(true).truncate(true).open(&fresh)?;
    file.write_all_at(&bytes, 0)?;
    file.sync_all()?;
    fs::rename(fresh, place)?;
    place::sync_dir(dir)
}

fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}{EXTENSION}"))
}
