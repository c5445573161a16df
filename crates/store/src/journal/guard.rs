//! One process per data directory.
//!
//! Enters: the journal's directory. Leaves: a lock that lives as long as the value, and no longer than the process.
//! Never: waits for the other process.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::failure::{Failure, StoreError};
use crate::place;

/// The kernel releases the lock when the process ends, however it ends: there is no stale lock to clean up after `kill -9`.
#[derive(Debug)]
pub(crate) struct Guard(File);

/// Said, not left to closing the file: a child process that was just forked may still have it open.
impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

pub(crate) fn lock(dir: &Path) -> Result<Guard, StoreError> {
    let path = dir.join("lock");
    let doing = || format!("locking {}", path.display());
    let opened = place::options().create(true).truncate(false).write(true).open(&path);
    let file = opened.map_err(|cause| StoreError::io(doing(), cause))?;
    match file.try_lock() {
        Ok(()) => Ok(Guard(file)),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::new(Failure::Busy, format!("{}: another tollgate uses this data directory", doing())))
        }
        Err(TryLockError::Error(cause)) => Err(StoreError::io(doing(), cause)),
    }
}
