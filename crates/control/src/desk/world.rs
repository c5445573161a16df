//! All documents as the desk last saw them, and what they were read as.
//!
//! Enters: everything the store has, or the few documents of one change. Leaves: the next world. Never: parses a text twice.
//!
//! An installation may have ten thousand routes and as many tokens. A change of one of them reads, parses and compiles that one.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use tollgate_store::documents::Document;

use super::DeskError;
use super::read::{GATEWAY, read};
use crate::config::kinds_below;

/// Kind, id, parent: a document is mostly looked for without its parent.
type Key = (String, String, String);

#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// The change counter of this moment.
    pub(crate) changes: u64,
    /// Keys are shared by all worlds that hold the document: a change copies no text.
    held: BTreeMap<Arc<Key>, Arc<Held>>,
}

/// A document, and the value it was read as once somebody had asked.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) document: Document,
    value: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// What becomes of one document; `after` is `None` when it goes. At least one of the two is there.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) before: Option<Document>,
    pub(crate) after: Option<Document>,
}

// === impl World ===

impl World {
    /// Everything there is, with what this world has read already where the text is the same.
    pub(crate) fn renewed(&self, stored: Vec<Document>, changes: u64) -> Self {
        let keep = |document: Document| {
            let key = key(&document);
            match self.held.get(&key).filter(|held| held.document == document) {
                Some(held) => (Arc::new(key), held.clone()),
                None => (Arc::new(key), Held::new(document)),
            }
        };
        Self { changes, held: stored.into_iter().map(keep).collect() }
    }

    /// This world after some edits, at versions that the store will give them.
    pub(crate) fn with(&self, edits: &[Edit]) -> Self {
        let mut next = self.clone();
        for edit in edits {
            let before = edit.before.as_ref().map(|before| (key(before), before.version));
            if let Some((before, _)) = &before {
                next.held.remove(before);
            }
            if let Some(after) = &edit.after {
                let version = before.filter(|(place, _)| *place == key(after)).map_or(0, |(_, version)| version);
                let after = Document { version: version + 1, ..after.clone() };
                next.held.insert(Arc::new(key(&after)), Held::new(after));
            }
        }
        next
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Held> {
        self.held.values().map(|held| &**held)
    }

    /// In order of their ids.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Held> {
        let first = (kind.to_owned(), String::new(), String::new());
        let kind = first.0.clone();
        self.held.range::<Key, _>(first..).take_while(move |(key, _)| key.0 == kind).map(|(_, held)| &**held)
    }

    /// What belongs to a gateway.
    pub(crate) fn below(&self, gateway: &str) -> impl Iterator<Item = &Held> {
        let kinds = kinds_below(GATEWAY).flat_map(|kind| self.of_kind(kind));
        kinds.filter(move |held| held.document.parent == gateway)
    }

    /// Whatever it belongs to.
    pub(crate) fn find(&self, kind: &str, id: &str) -> Option<&Document> {
        let first = (kind.to_owned(), id.to_owned(), String::new());
        let (key, held) = self.held.range::<Key, _>(first..).next()?;
        (key.0 == kind && key.1 == id).then_some(&held.document)
    }
}

fn key(document: &Document) -> Key {
    (document.kind.clone(), document.id.clone(), document.parent.clone())
}

// === impl Held ===

impl Held {
    fn new(document: Document) -> Arc<Self> {
        Arc::new(Self { document, value: OnceLock::new() })
    }

    /// The document as a value; the same one each time.
    pub(crate) fn read<T: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<Arc<T>, DeskError> {
        if let Some(value) = self.value.get().and_then(|value| value.clone().downcast().ok()) {
            return Ok(value);
        }
        let value: Arc<T> = Arc::new(read(&self.document)?);
        drop(self.value.set(value.clone()));
        Ok(value)
    }
}
