//! Files and directories that only their owner may look into: they hold prompts, answers and digests of tokens.
//!
//! Enters: paths. Leaves: the same, existing, with mode 0700 or 0600.
//! Never: widens the mode of something that exists.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::failure::StoreError;

/// Makes a directory, with its parents, if it is missing.
pub(crate) fn private_dir(path: &Path) -> Result<(), StoreError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|cause| StoreError::io(format!("making the directory {}", path.display()), cause))
}

/// Makes an empty file if it is missing. SQLite gives its side files the mode of the main one.
pub(crate) fn private_file(path: &Path) -> Result<(), StoreError> {
    match options().write(true).create_new(true).open(path) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => Err(StoreError::io(format!("making the file {}", path.display()), cause)),
    }
}

pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// A new name in a directory survives a loss of power only once the directory itself was synced.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
