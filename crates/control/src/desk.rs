//! The one place where settings change.
//!
//! Enters: wishes of the REST API and of the command line. Leaves: documents, and the snapshot compiled from all of them.
//! Never: commits a document that would not serve: the whole installation is compiled with it first.
//!
//! Several processes may work on the same documents: the server, and a `tollgate token create` beside it. Each change names the version it was made
//! from, and is made again on what is there now when someone else was faster. All methods may wait for a disk.

use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, RwLock};
use tollgate_model::Clock;
use tollgate_rules::snapshot::{Documents, Snapshot};
use tollgate_store::documents::Document;

use self::read::read_all;
use self::wishes::Forget;

pub use self::error::DeskError;
pub(crate) use self::secret::new_code;

pub use self::routes::{ROUTE, Saved, VERSION};
pub use self::tokens::{Made, Wanted};

mod error;
mod gateways;
mod installation;
mod read;
mod routes;
mod secret;
mod tokens;
mod wishes;

/// What settings and catalog contribute to a snapshot; the desk adds gateways, tokens and routes.
pub type Base = Box<dyn Fn() -> Documents + Send + Sync>;
/// Called with every new snapshot.
pub type Publish = Box<dyn Fn(Arc<Snapshot>) + Send + Sync>;

/// A change is tried this often when others change the same document at the same time.
const TRIES_MAX: usize = 8;

pub struct Desk {
    documents: Arc<dyn tollgate_store::Documents>,
    clock: Clock,
    base: Base,
    publish: Publish,
    forget: OnceLock<Forget>,
    current: RwLock<Option<Current>>,
    /// One change at a time in this process; other processes are met by versions.
    changing: Mutex<()>,
}

struct Current {
    /// The change counter of the documents it was made from.
    changes: u64,
    snapshot: Arc<Snapshot>,
}

// === impl Desk ===

impl Desk {
    pub fn new(documents: Arc<dyn tollgate_store::Documents>, clock: Clock, base: Base) -> Self {
        Self {
            documents,
            clock,
            base,
            publish: Box::new(|_| {}),
            forget: OnceLock::new(),
            current: RwLock::default(),
            changing: Mutex::default(),
        }
    }

    /// `publish` hears of every new snapshot, in order, from the moment of this call.
    pub fn publishing(mut self, publish: Publish) -> Self {
        self.publish = publish;
        self
    }

    /// All settings as they are now, compiled afresh.
    pub fn snapshot(&self) -> Result<Snapshot, DeskError> {
        let (stored, changes) = self.documents.all()?;
        self.compile(&stored, changes)
    }

    /// Whether documents changed since the current snapshot was made, here or in another process. Cheap.
    pub fn changed(&self) -> Result<bool, DeskError> {
        let changes = self.documents.changes()?;
        Ok(self.current.read().as_ref().is_none_or(|current| current.changes != changes))
    }

    /// The current snapshot: the last one, unless documents changed since. Publishes a new one.
    pub fn current(&self) -> Result<Arc<Snapshot>, DeskError> {
        let changes = self.documents.changes()?;
        if let Some(current) = self.current.read().as_ref().filter(|current| current.changes == changes) {
            return Ok(current.snapshot.clone());
        }
        self.refresh()
    }

    /// Compiles and publishes whether or not documents changed: settings files may have. On failure the last snapshot stays in force.
    pub fn refresh(&self) -> Result<Arc<Snapshot>, DeskError> {
        let mut current = self.current.write();
        let (stored, changes) = self.documents.all()?;
        let snapshot = Arc::new(self.compile(&stored, changes)?);
        let before = current.replace(Current { changes, snapshot: snapshot.clone() });
        if let Some(before) = before {
            self.tell_outdated(&before.snapshot, &snapshot);
        }
        self.tell_wishes(&stored, &snapshot.account);
        // Still under the lock, so that an older snapshot cannot be published after a newer one.
        (self.publish)(snapshot.clone());
        Ok(snapshot)
    }

    pub fn now_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    fn compile(&self, stored: &[Document], changes: u64) -> Result<Snapshot, DeskError> {
        let mut documents = (self.base)();
        if documents.account.is_empty() {
            documents.account = match documents.accounts.first() {
                Some(first) => first.clone(),
                None => self.account()?,
            };
        }
        read_all(stored, &mut documents)?;
        Snapshot::compile(changes, documents).map_err(DeskError::Problems)
    }

    /// Puts a document if the installation compiles with it. `make` sees the document's version and body of now, and decides.
    fn change<T>(
        &self,
        kind: &'static str,
        id: &str,
        make: impl Fn(Option<&Document>) -> Result<Change<T>, DeskError>,
    ) -> Result<T, DeskError> {
        let _one_at_a_time = self.changing.lock();
        for _ in 0..TRIES_MAX {
            let (mut stored, changes) = self.documents.all()?;
            let place = stored.iter().position(|document| document.kind == kind && document.id == id);
            let before = place.map(|at| stored.swap_remove(at));
            let change = make(before.as_ref())?;
            let parent = before.as_ref().map(|document| document.parent.clone()).unwrap_or_default();
            let expected = before.map_or(0, |document| document.version);
            stored.extend(change.after.clone());
            self.compile(&stored, changes)?;
            match self.commit(kind, &parent, id, change.after, expected) {
                Err(DeskError::Store(cause)) if cause.kind() == tollgate_store::Failure::Conflict => continue,
                Err(cause) => return Err(cause),
                Ok(()) => {}
            }
            self.current()?;
            return Ok(change.result);
        }
        Err(DeskError::Contended)
    }

    fn commit(
        &self,
        kind: &str,
        parent: &str,
        id: &str,
        after: Option<Document>,
        expected: u64,
    ) -> Result<(), DeskError> {
        match after {
            Some(document) => drop(self.documents.put(read::draft(&document), Some(expected))?),
            None => drop(self.documents.delete(kind, parent, id, Some(expected))?),
        }
        Ok(())
    }
}

/// What a document becomes; `None`: it goes.
struct Change<T> {
    after: Option<Document>,
    result: T,
}

impl<T> Change<T> {
    fn to(document: Document, result: T) -> Self {
        Self { after: Some(document), result }
    }

    fn gone(result: T) -> Self {
        Self { after: None, result }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
