//! When each token was used last.
//!
//! Enters: a token's id and a time, from the request path. Leaves: the same, after a restart too. Never: makes a request wait for a disk: what is noted here
//! is written later, and a crash loses what was noted since.

use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::entries::{Draft, Entries, PAGE_MAX, Span};
use crate::failure::StoreError;

const KIND: &str = "token_use";
/// Finer is of no use to anybody, and this keeps threads from writing the same line of memory with every request.
const GRAIN_MS: u64 = 1_000;

#[derive(Debug, Default)]
pub struct Uses(RwLock<HashMap<String, Use>>);

#[derive(Debug, Default)]
struct Use {
    at_ms: AtomicU64,
    /// What the store has, and under which version; 0: nothing.
    stored_ms: u64,
    version: u64,
}

// === impl Uses ===

impl Uses {
    /// With what was written before.
    pub fn load(entries: &dyn Entries) -> Result<Self, StoreError> {
        let (mut all, mut span) = (HashMap::new(), Span::newest(PAGE_MAX));
        loop {
            let page = entries.list(KIND, "", span)?;
            let Some(last) = page.last() else { break };
            span.behind = Some(last.place());
            for entry in page {
                let at_ms = entry.body.parse().unwrap_or(entry.at_ms);
                let read = Use { at_ms: AtomicU64::new(at_ms), stored_ms: at_ms, version: entry.version };
                all.insert(entry.id, read);
            }
        }
        Ok(Self(RwLock::new(all)))
    }

    pub fn note(&self, token: &str, now_ms: u64) {
        if let Some(found) = self.0.read().get(token) {
            if found.at_ms.load(Ordering::Relaxed) + GRAIN_MS <= now_ms {
                found.at_ms.store(now_ms, Ordering::Relaxed);
            }
            return;
        }
        self.0.write().entry_ref(token).or_default().at_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    pub fn last(&self, token: &str) -> Option<u64> {
        self.0.read().get(token).map(|found| found.at_ms.load(Ordering::Relaxed))
    }

    /// Writes what changed since the last time, and drops tokens that are gone. Waits for a disk.
    pub fn write(&self, entries: &dyn Entries, is_there: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        let all = self.0.read();
        let gone: Vec<String> = all.keys().filter(|id| !is_there(id)).cloned().collect();
        let changed = all.iter().map(|(id, found)| (id, found.at_ms.load(Ordering::Relaxed), found));
        let changed: Vec<(String, u64, u64)> = changed
            .filter(|(id, at_ms, found)| *at_ms != found.stored_ms && !gone.contains(id))
            .map(|(id, at_ms, found)| (id.clone(), at_ms, found.version))
            .collect();
        drop(all);
        for (id, at_ms, version) in changed {
            let version = put(entries, &id, at_ms, version)?;
            if let Some(found) = self.0.write().get_mut(&id) {
                (found.stored_ms, found.version) = (at_ms, version);
            }
        }
        for id in gone {
            entries.delete(KIND, "", Some(&id))?;
            self.0.write().remove(&id);
        }
        Ok(())
    }
}

fn put(entries: &dyn Entries, id: &str, at_ms: u64, version: u64) -> Result<u64, StoreError> {
    let body = at_ms.to_string();
    if version > 0 {
        return entries.replace(KIND, "", id, version, &body);
    }
    entries.append(&[Draft { kind: KIND, parent: "", id, at_ms, body: &body }])?;
    Ok(1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::embedded::FileEntries;

    #[test]
    fn the_last_use_outlives_a_restart_and_goes_with_its_token() {
        let dir = tempfile::tempdir().unwrap();
        let entries = FileEntries::open(&dir.path().join("e.db")).unwrap();
        let uses = Uses::default();
        assert_eq!(uses.last("a"), None);
        uses.note("a", 1_000);
        uses.note("a", 1_999);
        assert_eq!(uses.last("a"), Some(1_000));
        uses.note("a", 2_000);
        uses.note("b", 5_000);
        uses.write(&entries, |_| true).unwrap();
        uses.note("a", 9_000);
        uses.write(&entries, |id| id == "a").unwrap();
        let read = Uses::load(&entries).unwrap();
        assert_eq!((read.last("a"), read.last("b")), (Some(9_000), None));
        read.note("a", 12_000);
        read.write(&entries, |_| true).unwrap();
        assert_eq!(Uses::load(&entries).unwrap().last("a"), Some(12_000));
        assert_eq!(entries.count(KIND, "", 0, u64::MAX).unwrap(), 1);
    }
}
