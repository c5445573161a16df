//! Settings documents: what their store promises.
//!
//! Enters: JSON texts by kind, parent and id. Leaves: the same with a version, and a counter that moves whenever anything changed.
//! Never: looks inside a document. What it means is compiled above.

use crate::failure::StoreError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is: `gateway`, `token`, ...
    pub kind: String,
    /// What it belongs to, or empty.
    pub parent: String,
    pub id: String,
    pub name: String,
    /// Grows by one with each change of this document, from 1. Starts again when it was deleted and made anew.
    pub version: u64,
    /// JSON text.
    pub body: String,
}

/// A document as it goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draft<'a> {
    pub kind: &'a str,
    pub parent: &'a str,
    pub id: &'a str,
    pub name: &'a str,
    pub body: &'a str,
}

/// One of several writes that happen together. `expected` as with [`Documents::put`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write<'a> {
    Put { draft: Draft<'a>, expected: Option<u64> },
    Delete { kind: &'a str, parent: &'a str, id: &'a str, expected: Option<u64> },
}

/// The change counter before and after a group of writes. Who knew the documents of `before` knows those of `after` without reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub before: u64,
    pub after: u64,
}

/// Keeps documents. All methods may wait for a disk: not to be called on a thread that serves traffic.
pub trait Documents: Send + Sync {
    /// Writes a document and returns its new version. With `expected`, only if that is the version now (0: only if there is none), else
    /// [`crate::Failure::Conflict`]. Durable once it returns.
    fn put(&self, draft: Draft<'_>, expected: Option<u64>) -> Result<u64, StoreError>;

    fn get(&self, kind: &str, parent: &str, id: &str) -> Result<Option<Document>, StoreError>;

    /// All of a kind under a parent, in order of their ids.
    fn list(&self, kind: &str, parent: &str) -> Result<Vec<Document>, StoreError>;

    /// Whether there was one. With `expected`, only if that is its version, else [`crate::Failure::Conflict`].
    fn delete(&self, kind: &str, parent: &str, id: &str, expected: Option<u64>) -> Result<bool, StoreError>;

    /// All of these writes in their order, or none. Nobody sees some of them without the others. Durable once it returns.
    fn write_all(&self, writes: &[Write<'_>]) -> Result<Written, StoreError>;

    /// Everything, from one moment, with the change counter of that moment.
    fn all(&self) -> Result<(Vec<Document>, u64), StoreError>;

    /// Moves whenever any document was changed, by this process or another. Cheap enough to look at several times a second.
    fn changes(&self) -> Result<u64, StoreError>;

    /// Leaves no trace of what was overwritten or deleted, in the file or beside it. Takes as long as writing everything anew.
    fn scrub(&self) -> Result<(), StoreError>;

    /// Constants of the installation, such as its account id. Not counted as changes.
    fn constant(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Sets a constant unless it is set, and returns what it is now: of two processes that start together, both get the first one's.
    fn settle_constant(&self, name: &str, value: &str) -> Result<String, StoreError>;
}
