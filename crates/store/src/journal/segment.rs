//! The series of files of one worker.
//!
//! Enters: whole frames, many at a time. Leaves: how many of their bytes the operating system took.
//! Never: writes to a segment after a write to it failed, or to one that an earlier process wrote: what follows a torn frame could not be told apart.
//!
//! A file whose records are all safe in the log is not removed but used again, for a segment with another number and another salt: writing over pages
//! that the kernel has costs it a fifth of what new pages do (measured: 0.3 microseconds for 2.7 KB, 1.7 in a new file, another 0.3 to remove it).

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tollgate_model::Moment;

use super::frame;
use crate::place;

const MAGIC: [u8; 8] = *b"TGwal\0\0\x02";
/// Magic, salt, checksum of both.
pub(crate) const HEADER: usize = 16;
/// While the disk refuses, it is asked again this often and not once a request.
const RETRY: Duration = Duration::from_millis(250);
/// At most so many files of a series wait to be used again.
const SPARES: usize = 2;

/// The files of one worker, of which at most the last is written to.
#[derive(Debug)]
pub(crate) struct Series {
    dir: PathBuf,
    next: u64,
    open: Option<Segment>,
    /// Files that were filled and not yet synced.
    filled: Vec<(u64, Arc<File>)>,
    segment_bytes: u64,
    failed_at: Option<Moment>,
}

#[derive(Debug)]
struct Segment {
    file: Arc<File>,
    salt: u32,
    end: Position,
}

/// A place in a series: everything before it is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// What became of a write.
#[derive(Debug)]
pub(crate) struct Accepted {
    /// Bytes of whole frames, and how many frames that are.
    pub(crate) bytes: usize,
    pub(crate) frames: u64,
    /// Where the last of them ends; `None` when nothing was accepted.
    pub(crate) end: Option<Position>,
    pub(crate) failure: Option<io::Error>,
}

// === impl Series ===

impl Series {
    pub(crate) fn new(dir: PathBuf, next: u64, segment_bytes: u64) -> Self {
        Self { dir, next, open: None, filled: Vec::new(), segment_bytes, failed_at: None }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where this series will begin: nothing of it can be read yet.
    pub(crate) fn start(&self) -> Position {
        Position { segment: self.next, offset: 0 }
    }

    /// One write(2) when all goes well. The frames are sealed on the way.
    pub(crate) fn write(&mut self, frames: &mut [u8], now: Moment) -> Accepted {
        if self.failed_at.is_some_and(|then| now.since(then) < RETRY) {
            return Accepted { bytes: 0, frames: 0, end: None, failure: None };
        }
        let (taken, failure) = match self.try_write(frames) {
            Ok(()) => (frames.len(), None),
            Err((taken, cause)) => (taken, Some(cause)),
        };
        self.failed_at = failure.is_some().then_some(now);
        let (count, bytes) = frame::whole(frames, taken);
        let end = self.open.as_mut().map(|segment| segment.grow(bytes));
        if failure.is_some() {
            self.abandon();
        }
        Accepted { bytes, frames: count, end: end.filter(|_| bytes > 0), failure }
    }

    fn try_write(&mut self, frames: &mut [u8]) -> Result<(), (usize, io::Error)> {
        let limit = self.segment_bytes.saturating_sub(frames.len() as u64).max(HEADER as u64);
        if let Some(full) = self.open.take_if(|segment| segment.end.offset > limit) {
            full.cut();
            self.filled.push((full.end.segment, full.file));
        }
        let segment = self.segment().map_err(|cause| (0, cause))?;
        frame::seal(frames, segment.salt);
        let mut taken = 0;
        while taken < frames.len() {
            match segment.file.write_at(&frames[taken..], segment.end.offset + taken as u64) {
                Ok(0) => return Err((taken, io::ErrorKind::WriteZero.into())),
                Ok(more) => taken += more,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err((taken, cause)),
            }
        }
        Ok(())
    }

    fn segment(&mut self) -> io::Result<&Segment> {
        if let Some(segment) = self.open.take() {
            return Ok(self.open.insert(segment));
        }
        let made = Segment::create(&self.dir, self.next, self.segment_bytes)?;
        self.next += 1;
        Ok(self.open.insert(made))
    }

    /// Leaves the file for good.
    fn abandon(&mut self) {
        if let Some(segment) = self.open.take() {
            segment.cut();
        }
    }

    /// Its data may not have reached the disk (a sync failed): nothing more goes into this file.
    pub(crate) fn leave(&mut self, number: u64) {
        if self.open.as_ref().is_some_and(|segment| segment.end.segment == number) {
            self.abandon();
        }
    }

    /// The files that were written to since they were last asked for, numbered.
    pub(crate) fn unsynced(&mut self) -> Vec<(u64, Arc<File>)> {
        let mut files = std::mem::take(&mut self.filled);
        files.extend(self.open.as_ref().map(|segment| (segment.end.segment, segment.file.clone())));
        files
    }
}

/// Nobody writes any more: readers need not look at what the file held before.
impl Drop for Series {
    fn drop(&mut self) {
        self.abandon();
    }
}

// === impl Segment ===

impl Segment {
    fn create(dir: &Path, number: u64, segment_bytes: u64) -> io::Result<Self> {
        let path = path_of(dir, number);
        let file = match reuse(dir, &path, segment_bytes) {
            Some(file) => file,
            None => place::options().write(true).create_new(true).open(&path)?,
        };
        // Only has to differ from what a stranger can know, and from before: std seeds its hash tables from the kernel, and each differently.
        let salt = RandomState::new().build_hasher().finish() as u32;
        if let Err(cause) = file.write_all_at(&header(salt), 0) {
            // Else the number would be taken, and every later try would fail for that reason.
            let _ = fs::remove_file(&path);
            return Err(cause);
        }
        let end = Position { segment: number, offset: HEADER as u64 };
        Ok(Self { file: Arc::new(file), salt, end })
    }

    /// Cuts off what is behind the last whole frame: one that was torn, or what the file held before. If the disk does not let us, the reader skips it.
    fn cut(&self) {
        let _ = self.file.set_len(self.end.offset);
    }

    fn grow(&mut self, bytes: usize) -> Position {
        self.end.offset += bytes as u64;
        self.end
    }
}

/// A spare file under its new name. Until the header is written it still looks like the segment it was, whose records are known and not kept twice.
fn reuse(dir: &Path, path: &Path, segment_bytes: u64) -> Option<File> {
    let spare = (0..SPARES).map(|slot| spare(dir, slot)).find(|spare| fs::rename(spare, path).is_ok())?;
    let file = place::options().write(true).open(path).ok();
    // One frame can be larger than a segment: such a file is not carried along.
    let kept = file.filter(|file| file.metadata().is_ok_and(|found| found.len() <= 2 * segment_bytes));
    if kept.is_none() {
        tracing::debug!(file = %spare.display(), "a file of the journal is not used again");
        let _ = fs::remove_file(path);
    }
    kept
}

fn spare(dir: &Path, slot: usize) -> PathBuf {
    dir.join(format!("spare-{slot}"))
}

/// All records of the segment are safe elsewhere: its file may be used again, if the series is `live`, or goes.
pub(crate) fn retire(dir: &Path, number: u64, live: bool) -> io::Result<()> {
    let path = path_of(dir, number);
    match (0..SPARES).map(|slot| spare(dir, slot)).find(|spare| live && !spare.exists()) {
        Some(spare) => fs::rename(path, spare),
        None => fs::remove_file(path),
    }
}

/// Spares of an earlier process.
pub(crate) fn remove_spares(dir: &Path) -> io::Result<()> {
    for slot in 0..SPARES {
        match fs::remove_file(spare(dir, slot)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
    }
    Ok(())
}

fn header(salt: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&salt.to_le_bytes());
    let sum = crc32fast::hash(&header[..12]);
    header[12..].copy_from_slice(&sum.to_le_bytes());
    header
}

/// The salt of a segment; `None` when it is not one of ours, or was cut before its header was whole.
pub(crate) fn salt_of(header: &[u8; HEADER]) -> Option<u32> {
    let (head, sum) = header.split_at(12);
    let whole = head[..8] == MAGIC && crc32fast::hash(head).to_le_bytes() == sum;
    let salt: [u8; 4] = head[8..].try_into().ok()?;
    whole.then_some(u32::from_le_bytes(salt))
}

pub(crate) fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}.wal"))
}

/// The numbers of all segments in a worker's directory, oldest first.
pub(crate) fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".wal")).and_then(|stem| stem.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}
