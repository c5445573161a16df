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
use tollgate_store::Failure;
use tollgate_store::StoreError;
use tollgate_store::documents::{Document, Write};

use self::open::Opened;
use self::wishes::Forget;
use self::world::{Edit, World};
use crate::audit::{Action, Audit, Deed};
use crate::config::{enter_all, is_managed, is_same_in_file};
use crate::vault::{Stamp, Vault};

pub use self::alerts::{ALERT, SavedAlert};
pub use self::custom::{CUSTOM_DOMAIN, CUSTOM_PROVIDER, DOMAIN};
pub use self::datasets::DATASET;
pub use self::error::{DeskError, SecretsFault};
pub use self::policies::{Failed, MEMBERS as POLICY_MEMBERS, POLICY};
pub use self::provider_configs::{Configured, PROVIDER_CONFIG};
pub use self::routes::{ROUTE, Saved, VERSION};
pub(crate) use self::secret::new_code;
pub use self::secrets::{NewSecret, SCOPES, SECRETS_MAX, SecretChange};
pub use self::tokens::{By, GRACE_MS_MAX, Made, Wanted};

pub(crate) use self::routes::faults as faults_of;

pub(crate) mod alerts;
pub(crate) mod custom;
mod datasets;
mod error;
mod gateways;
mod installation;
pub(crate) mod open;
pub(crate) mod policies;
pub(crate) mod provider_configs;
pub(crate) mod read;
mod routes;
pub(crate) mod secret;
pub(crate) mod secrets;
pub(crate) mod stores;
mod tokens;
pub(crate) mod veil;
mod wishes;
pub(crate) mod world;

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
    audit: Option<Audit>,
    /// Without one, secrets stay closed: who only lists gateways needs no master key.
    vault: Option<Arc<Vault>>,
    opened: Mutex<Opened>,
    file: OnceLock<std::path::PathBuf>,
    current: RwLock<Option<Current>>,
    /// One change at a time in this process; other processes are met by versions.
    changing: Mutex<()>,
    took: Mutex<Took>,
}

/// How long the last change took in this process.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Took {
    /// Compiling everything that is in force then, before anything is written.
    pub compiled_us: u64,
    /// From the moment the change was written to that in which requests met it.
    pub swapped_us: u64,
}

type Stamps = Vec<(std::path::PathBuf, Option<Stamp>)>;

#[derive(Clone)]
pub(crate) struct Current {
    /// The documents that it was made from.
    pub(crate) world: Arc<World>,
    pub(crate) snapshot: Arc<Snapshot>,
    /// Files that secrets refer to, as they looked before they were read.
    files: Arc<Stamps>,
}

/// Edits that may be committed, and what is in force then.
pub(crate) struct Prepared {
    pub(crate) edits: Vec<Edit>,
    pub(crate) world: World,
    pub(crate) snapshot: Snapshot,
    files: Arc<Stamps>,
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
            audit: None,
            vault: None,
            opened: Mutex::default(),
            file: OnceLock::new(),
            current: RwLock::default(),
            changing: Mutex::default(),
            took: Mutex::default(),
        }
    }

    /// `publish` hears of every new snapshot, in order, from the moment of this call.
    pub fn publishing(mut self, publish: Publish) -> Self {
        self.publish = publish;
        self
    }

    /// Writes every change down, in the name of who is acting.
    pub fn audited(mut self, audit: Audit) -> Self {
        self.audit = Some(audit);
        self
    }

    /// Writes down what leaves no document behind: that somebody looked at something, or logged in.
    pub fn note(&self, action: Action, resource: &str, id: &str) -> Result<(), DeskError> {
        let Some(audit) = &self.audit else { return Ok(()) };
        let deed = Deed::of_event(action, resource, id, audit.actor());
        audit.write(&[deed], self.now_ms(), secret::new_uuid).map(drop)
    }

    /// Writes down who was turned away, and why.
    pub(crate) fn note_refused(
        &self,
        action: Action,
        resource: &str,
        actor: crate::audit::Actor,
        why: &str,
    ) -> Result<(), DeskError> {
        let Some(audit) = &self.audit else { return Ok(()) };
        let deed = Deed { refused: Some(why.to_owned()), ..Deed::of_event(action, resource, "", actor) };
        audit.write(&[deed], self.now_ms(), secret::new_uuid).map(drop)
    }

    /// Writes down what was done to something that is no document: `what` it was done with, or what of it is gone.
    pub(crate) fn note_deed(
        &self,
        action: Action,
        (resource, id): (&str, &str),
        gateway: Option<&str>,
        what: serde_json::Value,
    ) -> Result<(), DeskError> {
        let Some(audit) = &self.audit else { return Ok(()) };
        let event = Deed::of_event(action, resource, id, audit.actor());
        let deed = Deed { gateway: gateway.map(str::to_owned), after: crate::audit::bounded(what), ..event };
        audit.write(&[deed], self.now_ms(), secret::new_uuid).map(drop)
    }

    /// Opens and seals secrets with this vault.
    pub fn with_vault(mut self, vault: Arc<Vault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// All settings as they are now, compiled afresh.
    pub fn snapshot(&self) -> Result<Snapshot, DeskError> {
        let (stored, changes) = self.stored()?;
        self.compile(&World::default().renewed(stored, changes), None)
    }

    /// Whether documents changed since the current snapshot was made, here or in another process. Cheap.
    pub fn changed(&self) -> Result<bool, DeskError> {
        let changes = self.documents.changes()?;
        Ok(self.current.read().as_ref().is_none_or(|current| !current.is_of(changes)))
    }

    /// The current snapshot: the last one, unless documents changed since. Publishes a new one.
    pub fn current(&self) -> Result<Arc<Snapshot>, DeskError> {
        Ok(self.now()?.snapshot)
    }

    /// Compiles and publishes whether or not documents changed: settings files may have. On failure the last snapshot stays in force.
    pub fn refresh(&self) -> Result<Arc<Snapshot>, DeskError> {
        // A change that began before would publish what it compiled from the older settings.
        let _one_at_a_time = self.changing.lock();
        Ok(self.look()?.snapshot)
    }

    /// For what is made here and kept elsewhere.
    pub(crate) fn new_uuid(&self) -> Result<String, DeskError> {
        secret::new_uuid()
    }

    pub fn now_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// Whether something that this installation needs only once was done.
    pub(crate) fn is_done(&self, what: &str) -> Result<bool, StoreError> {
        Ok(self.documents.constant(what)?.is_some())
    }

    pub(crate) fn note_done(&self, what: &str) -> Result<(), StoreError> {
        self.documents.settle_constant(what, "done").map(drop)
    }

    pub(crate) fn now(&self) -> Result<Current, DeskError> {
        let changes = self.documents.changes()?;
        if let Some(current) = self.current.read().as_ref().filter(|current| current.is_of(changes)) {
            return Ok(current.clone());
        }
        self.look()
    }

    /// Reads everything, and compiles what is new.
    fn look(&self) -> Result<Current, DeskError> {
        let mut current = self.current.write();
        let (stored, changes) = self.stored()?;
        let world = current.as_ref().map_or_else(World::default, |current| World::clone(&current.world));
        let world = Arc::new(world.renewed(stored, changes));
        let last = current.as_ref().map(|current| &*current.snapshot);
        let files = Arc::new(self.stamps(&world)?);
        let snapshot = Arc::new(self.compile(&world, last)?);
        Ok(self.install(&mut current, Current { world, snapshot, files }))
    }

    /// Everything there is, with its secrets open.
    fn stored(&self) -> Result<(Vec<Document>, u64), DeskError> {
        let (stored, changes) = self.documents.all()?;
        Ok((self.opened(stored)?, changes))
    }

    /// Under the lock, so that an older snapshot cannot be published after a newer one.
    fn install(&self, current: &mut Option<Current>, fresh: Current) -> Current {
        if let Some(before) = current.replace(fresh.clone()) {
            self.tell_outdated(&before.snapshot, &fresh.snapshot);
        }
        self.tell_wishes(&fresh.world, &fresh.snapshot.account);
        (self.publish)(fresh.snapshot.clone());
        fresh
    }

    fn compile(&self, world: &World, last: Option<&Snapshot>) -> Result<Snapshot, DeskError> {
        let mut documents = (self.base)();
        if documents.account.is_empty() {
            documents.account = match documents.accounts.first() {
                Some(first) => first.clone(),
                None => self.account()?,
            };
        }
        enter_all(world, &mut documents)?;
        documents.secrets = self.open_all(world)?;
        Snapshot::compile_after(last, world.changes, documents).map_err(DeskError::Problems)
    }

    /// From now on settings come from this file alone: whoever else wants to change one is told so.
    pub fn follow_file(&self, file: &std::path::Path) {
        drop(self.file.set(file.to_owned()));
    }

    /// The file that settings come from, if they come from one.
    pub fn file(&self) -> Option<&std::path::Path> {
        self.file.get().map(std::path::PathBuf::as_path)
    }

    /// What a file cannot say may change all the same: values of secrets, which are stored over the API wherever settings come from.
    fn refuse_read_only(&self, world: &World, edits: &[Edit]) -> Result<(), DeskError> {
        let Some(file) = self.file() else { return Ok(()) };
        let may_be = |edit: &Edit| match (&edit.before, &edit.after) {
            (Some(before), Some(after)) => {
                is_same_in_file(before, after, world) && veil::is_of_secrets(before, after).unwrap_or(false)
            }
            _ => false,
        };
        match edits.iter().any(|edit| !may_be(edit)) {
            true => Err(DeskError::ReadOnly(file.display().to_string())),
            false => Ok(()),
        }
    }

    /// Puts a document if the installation compiles with it. `make` sees the document's version and body of now, and decides.
    fn change<T>(
        &self,
        kind: &'static str,
        id: &str,
        make: impl Fn(Option<&Document>) -> Result<Change<T>, DeskError>,
    ) -> Result<T, DeskError> {
        self.change_many(|world| {
            let before = world.find(kind, id);
            let Change { after, result } = make(before)?;
            Ok((vec![Edit { before: before.cloned(), after }], result))
        })
    }

    /// Several documents in one step: all of them, or none.
    fn change_many<T>(&self, make: impl Fn(&World) -> Result<(Vec<Edit>, T), DeskError>) -> Result<T, DeskError> {
        self.change_any(|current| {
            let (edits, result) = make(&current.world)?;
            self.refuse_read_only(&current.world, &edits)?;
            Ok((self.prepare(current, edits)?, result))
        })
    }

    /// Made again on what is there now when another process was faster. Whether settings may be changed from here is the caller's to ask.
    pub(crate) fn change_any<T, E: From<DeskError>>(
        &self,
        make: impl Fn(&Current) -> Result<(Prepared, T), E>,
    ) -> Result<T, E> {
        let _one_at_a_time = self.changing.lock();
        for _ in 0..TRIES_MAX {
            let current = self.now()?;
            let (prepared, result) = make(&current)?;
            match self.commit(&current, prepared) {
                Err(DeskError::Store(cause)) if cause.kind() == Failure::Conflict => {}
                Err(cause) => return Err(cause.into()),
                Ok(()) => return Ok(result),
            }
        }
        Err(DeskError::Contended.into())
    }

    /// Compiles what would be in force after some edits: what would not serve is not written.
    pub(crate) fn prepare(&self, current: &Current, edits: Vec<Edit>) -> Result<Prepared, DeskError> {
        // A kind that the table of settings does not name would be in no export and no snapshot.
        let mut documents = edits.iter().filter_map(|edit| edit.after.as_ref());
        if let Some(stranger) = documents.find(|document| !is_managed(&document.kind)) {
            return Err(DeskError::Unlisted(stranger.kind.clone()));
        }
        let world = current.world.with(&edits);
        let files = Arc::new(self.stamps(&world)?);
        let began = self.clock.now();
        let snapshot = self.compile(&world, Some(&current.snapshot))?;
        self.took.lock().compiled_us = self.clock.now().micros_since(began);
        Ok(Prepared { edits, world, snapshot, files })
    }

    pub(crate) fn took(&self) -> Took {
        *self.took.lock()
    }

    /// One transaction, then one pointer.
    fn commit(&self, current: &Current, prepared: Prepared) -> Result<(), DeskError> {
        let Prepared { edits, mut world, mut snapshot, files } = prepared;
        let after = |edit: &Edit| edit.after.as_ref().map_or(Ok(None), |after| self.sealed(after));
        let sealed = edits.iter().map(after).collect::<Result<Vec<_>, _>>()?;
        let writes: Vec<Write<'_>> =
            edits.iter().zip(&sealed).flat_map(|(edit, sealed)| writes(edit, sealed.as_ref())).collect();
        // Before it happens: what cannot be written down does not happen.
        let noted = self.write_down(&edits)?;
        let written = self.documents.write_all(&writes).inspect_err(|_| self.strike_out(&noted))?;
        let began = self.clock.now();
        if written.before != current.world.changes {
            // Another process wrote other documents meanwhile.
            return self.look().map(drop);
        }
        (world.changes, snapshot.version) = (written.after, written.after);
        let mut place = self.current.write();
        // Who looked since the commit has published it already.
        if place.as_ref().is_none_or(|now| now.world.changes < written.after) {
            self.install(&mut place, Current { world: Arc::new(world), snapshot: Arc::new(snapshot), files });
        }
        self.took.lock().swapped_us = self.clock.now().micros_since(began);
        Ok(())
    }
}

impl Desk {
    fn write_down(&self, edits: &[Edit]) -> Result<Vec<String>, DeskError> {
        let Some(audit) = &self.audit else { return Ok(Vec::new()) };
        let actor = audit.actor();
        let deed = |edit: &Edit| Deed::of_change(edit.before.as_ref(), edit.after.as_ref(), &actor);
        let deeds: Vec<Deed> = edits.iter().filter_map(deed).collect();
        audit.write(&deeds, self.now_ms(), secret::new_uuid)
    }

    fn strike_out(&self, noted: &[String]) {
        if let Some(audit) = &self.audit {
            audit.undo(noted);
        }
    }
}

// === impl Current ===

impl Current {
    /// Whether it is still what documents and files say.
    fn is_of(&self, changes: u64) -> bool {
        self.world.changes == changes && self.files.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)
    }
}

/// `sealed`: what comes after as it is kept, where that is another text.
fn writes<'a>(edit: &'a Edit, sealed: Option<&'a Document>) -> impl Iterator<Item = Write<'a>> {
    let before = edit.before.as_ref();
    let is_same = |before: &Document, after: &Document| before.id == after.id && before.parent == after.parent;
    let stays = before.zip(edit.after.as_ref()).is_some_and(|(before, after)| is_same(before, after));
    // Under another id it is another document to the store.
    let goes = before.filter(|_| !stays).map(|Document { kind, parent, id, version, .. }| Write::Delete {
        kind,
        parent,
        id,
        expected: Some(*version),
    });
    let expected = Some(before.filter(|_| stays).map_or(0, |before| before.version));
    let after = sealed.or(edit.after.as_ref());
    goes.into_iter().chain(after.map(|after| Write::Put { draft: read::draft(after), expected }))
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
