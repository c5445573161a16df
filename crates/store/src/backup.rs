//! A copy of a data directory, taken while a server may be writing to it.
//!
//! Enters: a directory in use. Leaves: another one of the same form, as of the moment the copy began or a little later. Never: locks anything, stops the
//! writer, or reads a file before those that would make up for what changes meanwhile.
//!
//! The order is what makes it whole. The journal goes first: what ingest moves into the log after that is in both, and a record that is read again is
//! found to be there already. The ledger's lines go before their sum: whichever sum is then found, the lines that it does not hold were copied. Bodies go
//! after the rows that point at them: that file only grows.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::embedded;
use crate::failure::StoreError;
use crate::place;

/// What a running server writes anew by itself, or what belongs to a process and not to the data.
const LEFT_OUT: [&str; 3] = ["lock", "checkpoint", "sum.new"];

/// Copies everything of `from`, but for names that `skip` knows, and returns the copied files, relative to `into`.
pub fn copy(from: &Path, into: &Path, skip: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    find(from, Path::new(""), &mut files)?;
    files.retain(|file| !skip(file));
    files.sort_by_key(|file| (turn(file), file.clone()));
    let mut copied = Vec::new();
    for file in files {
        let (source, target) = (from.join(&file), into.join(&file));
        place::private_dir(target.parent().unwrap_or(into))?;
        let there = match is_database(&file) {
            true => embedded::copy_database(&source, &target),
            false => copy_bytes(&source, &target),
        }?;
        copied.extend(there.then_some(file));
    }
    Ok(copied)
}

/// Whether a copied file is what it should be: of a database every page is looked at.
pub fn check(file: &Path) -> Result<(), StoreError> {
    if is_database(file) { embedded::check_database(file) } else { Ok(()) }
}

/// Lower goes first.
fn turn(file: &Path) -> u8 {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("wal") => 0,
        Some("lines") => 1,
        Some("bodies") => 4,
        _ if is_database(file) => 3,
        _ => 2,
    }
}

fn is_database(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "db")
}

/// SQLite's side files are part of their database, and are read through it.
fn is_left_out(name: &str) -> bool {
    LEFT_OUT.contains(&name) || name.ends_with("-wal") || name.ends_with("-shm") || name.starts_with("spare-")
}

fn find(root: &Path, within: &Path, files: &mut Vec<PathBuf>) -> Result<(), StoreError> {
    let dir = root.join(within);
    let doing = |cause| StoreError::io(format!("reading the directory {}", dir.display()), cause);
    for entry in fs::read_dir(&dir).map_err(doing)? {
        let entry = entry.map_err(doing)?;
        let (name, kind) = (entry.file_name(), entry.file_type().map_err(doing)?);
        let path = within.join(&name);
        if kind.is_dir() {
            find(root, &path, files)?;
        } else if kind.is_file() && !name.to_str().is_some_and(is_left_out) {
            files.push(path);
        }
    }
    Ok(())
}

/// `false` when it is gone: a day whose retention ended, or a file whose content is elsewhere by now.
fn copy_bytes(source: &Path, target: &Path) -> Result<bool, StoreError> {
    let doing = |cause| StoreError::io(format!("copying {}", source.display()), cause);
    let mut from = match File::open(source) {
        Ok(from) => from,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(doing(cause)),
    };
    let mut to = place::options().write(true).create_new(true).open(target).map_err(doing)?;
    io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(doing)?;
    Ok(true)
}
