//! What was spent, so that it outlives the process: a file that only grows, and now and then a sum of it.
//!
//! Enters: amounts by budget, as requests end. Leaves: the same after a restart, each exactly once, however the last process ended.
//! Never: knows what a budget is, keeps what is only held, or waits for a disk: a line is in the operating system's hands when `append` returns.
//!
//! ```text
//! <dir>/00000007.lines     "TGm1" | count u32 | crc32 u32 | count times: budget u128, from u64, until u64, amount u64
//! <dir>/sum                the same, once: all that the files before a number held, behind that number
//! ```
//! The sum names the first file that it does not hold. Whatever of making a new one a crash cuts off, the old sum and all files behind it are still
//! there. A process never writes to a file of an earlier one: what follows a torn line could not be told apart.

mod files;
mod line;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failure::StoreError;
use crate::place;

/// An amount that was spent of one budget, in a part of its window (unix milliseconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub budget: u128,
    pub from_ms: u64,
    pub until_ms: u64,
    pub amount: u64,
}

/// The open ledger of one data directory. Only one process may have it open; the journal's lock sees to that.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    number: u64,
    file: Arc<File>,
    end: u64,
    buffer: Vec<u8>,
    /// The last write failed, so memory knows more than the file: only a new sum makes it whole.
    broken: bool,
}

/// What was appended so far, and may still be in memory alone.
#[derive(Debug)]
pub struct Pages(Arc<File>);

/// A sum under way: everything before `next` goes into it.
#[derive(Debug)]
#[must_use]
pub struct Cut {
    dir: PathBuf,
    next: u64,
}

// === impl Ledger ===

impl Ledger {
    /// Opens it, and hands out what earlier processes had spent.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Line>), StoreError> {
        place::private_dir(dir)?;
        let doing = |cause| StoreError::io(format!("reading the ledger in {}", dir.display()), cause);
        let (first, mut lines) = files::sum(dir).map_err(doing)?;
        let numbers = files::numbers(dir).map_err(doing)?;
        for number in numbers.iter().filter(|number| **number >= first) {
            lines.extend(files::lines(dir, *number).map_err(doing)?);
        }
        let number = numbers.last().map_or(first, |last| first.max(last + 1)).max(1);
        let file = Arc::new(files::create(dir, number).map_err(doing)?);
        Ok((Self { dir: dir.to_owned(), number, file, end: 0, buffer: Vec::new(), broken: false }, lines))
    }

    /// Lines that belong together: after a crash all of them are there, or none.
    pub fn append(&mut self, lines: &[Line]) {
        if lines.is_empty() {
            return;
        }
        self.buffer.clear();
        line::encode(lines, &mut self.buffer);
        match files::write(&self.file, &self.buffer, self.end) {
            Ok(()) => self.end += self.buffer.len() as u64,
            Err(cause) if !self.broken => {
                tracing::error!(%cause, "the ledger of budgets cannot be written: what is spent now is known to this process alone until it can");
                self.broken = true;
            }
            Err(_) => {}
        }
    }

    /// How large the file at hand is: when it is worth a new sum.
    pub fn bytes(&self) -> u64 {
        self.end
    }

    /// Something was not written; a new sum would mend that.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// For syncing, without holding up those who append.
    pub fn pages(&self) -> Pages {
        Pages(self.file.clone())
    }

    /// Goes on in a new file. To be called while nothing can be appended, together with reading the sum of all there is.
    pub fn cut(&mut self) -> Result<Cut, StoreError> {
        let next = self.number + 1;
        let file = files::create(&self.dir, next);
        let file =
            file.map_err(|cause| StoreError::io(format!("beginning a ledger in {}", self.dir.display()), cause))?;
        (self.number, self.file, self.end) = (next, Arc::new(file), 0);
        self.broken = false;
        Ok(Cut { dir: self.dir.clone(), next })
    }
}

// === impl Pages ===

impl Pages {
    /// Waits for the disk.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.0.sync_data().map_err(|cause| StoreError::io("syncing the ledger of budgets", cause))
    }
}

// === impl Cut ===

impl Cut {
    /// Writes the sum and lets the files go that it holds. Waits for the disk.
    pub fn finish(self, sum: &[Line]) -> Result<(), StoreError> {
        let doing = |cause| StoreError::io(format!("summing the ledger up in {}", self.dir.display()), cause);
        files::put_sum(&self.dir, self.next, sum).map_err(doing)?;
        for number in files::numbers(&self.dir).map_err(doing)?.into_iter().filter(|number| *number < self.next) {
            files::remove(&self.dir, number).map_err(doing)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
