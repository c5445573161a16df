//! What went wrong in a store, as those above need to know it: try again, tell the caller, or call the operator.
//!
//! Enters: errors of files and of SQLite. Leaves: one struct with a kind to decide by and a sentence to log.
//! Never: is matched on beyond its kind.

use std::fmt;
use std::io;

use rusqlite::ErrorCode;

/// What can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// Out of space, or over a size limit. Passes when space is freed.
    Full,
    /// The place may be read but not written.
    ReadOnly,
    /// Someone else holds it. Passes by itself.
    Busy,
    /// What is there is not what was written.
    Damaged,
    /// Someone changed it since it was read.
    Conflict,
    /// Anything else: the place cannot be reached now.
    Unavailable,
}

#[derive(Debug)]
pub struct StoreError {
    kind: Failure,
    doing: String,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

// === impl StoreError ===

impl StoreError {
    pub fn new(kind: Failure, doing: impl Into<String>) -> Self {
        Self { kind, doing: doing.into(), cause: None }
    }

    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    pub(crate) fn io(doing: impl Into<String>, cause: io::Error) -> Self {
        Self::new(of_io(&cause), doing).because(cause)
    }

    pub(crate) fn sqlite(doing: impl Into<String>, cause: rusqlite::Error) -> Self {
        Self::new(of_sqlite(&cause), doing).because(cause)
    }

    pub fn kind(&self) -> Failure {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

fn of_io(cause: &io::Error) -> Failure {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Failure::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Failure::ReadOnly,
        io::ErrorKind::WouldBlock => Failure::Busy,
        io::ErrorKind::InvalidData => Failure::Damaged,
        _ => Failure::Unavailable,
    }
}

fn of_sqlite(cause: &rusqlite::Error) -> Failure {
    match cause.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Failure::Full,
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Failure::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failure::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Failure::Damaged,
        _ => Failure::Unavailable,
    }
}
