//! Sessions: what the gateway knows of somebody who has signed in.
//!
//! Enters: a person, later the secret of their cookie. Leaves: the person again, until they leave, are idle too long, or have been there long enough.
//! Never: stores the secret: an entry is found by its digest, so who reads the database cannot sign in with what it finds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tollgate_model::Secret;
use tollgate_rules::token::{LEN_MAX, digest};
use tollgate_store::Entries;
use tollgate_store::entries::{Draft, Entry, PAGE_MAX, Span};

use super::Person;
use crate::DeskError;
use crate::desk::secret::{hex, new_code};

pub(crate) const KIND: &str = "session";
/// More than one installation has people at work. The oldest session gives way.
const SESSIONS_MAX: usize = 10_000;
/// How exactly it is known when somebody was there last: each note is a write.
const NOTED_EVERY_MS: u64 = 60_000;

pub(crate) struct Sessions {
    entries: Arc<dyn Entries>,
    idle_ms: u64,
    absolute_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The digest of its secret: enough to name it, too little to use it.
    pub id: String,
    pub person: Person,
    pub opened_ms: u64,
    pub seen_ms: u64,
    pub ends_ms: u64,
    /// What the issuer wants to see at the end, sealed.
    pub(super) id_token: Option<String>,
}

/// Makes what is kept of the issuer's token, for the session of this id.
type Seal<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// As it is stored.
#[derive(Deserialize, Serialize)]
struct Stored {
    person: Person,
    seen_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

// === impl Sessions ===

impl Sessions {
    pub(crate) fn new(entries: Arc<dyn Entries>, idle_ms: u64, absolute_ms: u64) -> Self {
        Self { entries, idle_ms, absolute_ms }
    }

    pub(crate) fn open(
        &self,
        person: Person,
        seal: Option<&Seal<'_>>,
        now_ms: u64,
    ) -> Result<(Secret, Session), DeskError> {
        self.make_room(now_ms)?;
        let secret = new_code()?;
        let id = id_of(secret.expose());
        let stored = Stored { person, seen_ms: now_ms, id_token: seal.and_then(|seal| seal(&id)) };
        let body = serde_json::to_string(&stored).unwrap_or_default();
        self.entries.append(&[Draft { kind: KIND, parent: "", id: &id, at_ms: now_ms, body: &body }])?;
        Ok((secret, self.session(id, now_ms, stored)))
    }

    pub(crate) fn find(&self, secret: &str, now_ms: u64) -> Result<Option<Session>, DeskError> {
        if secret.is_empty() || secret.len() > LEN_MAX {
            return Ok(None);
        }
        let Some(entry) = self.entries.get(KIND, "", &id_of(secret))? else { return Ok(None) };
        let Some(session) = self.read(&entry, now_ms) else {
            self.entries.delete(KIND, "", Some(&entry.id))?;
            return Ok(None);
        };
        if now_ms.saturating_sub(session.seen_ms) >= NOTED_EVERY_MS {
            let stored = Stored { person: session.person.clone(), seen_ms: now_ms, id_token: session.id_token.clone() };
            let body = serde_json::to_string(&stored).unwrap_or_default();
            // Another request of the same page may have noted it, or a sign-out have ended it.
            drop(self.entries.replace(KIND, "", &entry.id, entry.version, &body));
        }
        Ok(Some(session))
    }

    pub(crate) fn close(&self, id: &str, now_ms: u64) -> Result<Option<Session>, DeskError> {
        let Some(entry) = self.entries.get(KIND, "", id)? else { return Ok(None) };
        let gone = self.entries.delete(KIND, "", Some(id))?;
        Ok(self.read(&entry, now_ms).filter(|_| gone > 0))
    }

    /// Those that are good now, the newest first.
    pub(crate) fn all(&self, now_ms: u64) -> Result<Vec<Session>, DeskError> {
        let mut found = Vec::new();
        let mut span = Span::newest(PAGE_MAX);
        while found.len() < SESSIONS_MAX {
            let page = self.entries.list(KIND, "", span)?;
            span.behind = page.last().map(Entry::place);
            found.extend(page.iter().filter_map(|entry| self.read(entry, now_ms)));
            if page.len() < PAGE_MAX {
                break;
            }
        }
        Ok(found)
    }

    fn make_room(&self, now_ms: u64) -> Result<(), DeskError> {
        self.entries.delete_older_than(KIND, now_ms.saturating_sub(self.absolute_ms), PAGE_MAX)?;
        if self.entries.count(KIND, "", 0, u64::MAX)? >= SESSIONS_MAX as u64 {
            let oldest = self.entries.list(KIND, "", Span { oldest_first: true, ..Span::newest(1) })?;
            for entry in oldest {
                self.entries.delete(KIND, "", Some(&entry.id))?;
            }
        }
        Ok(())
    }

    /// `None` when it has ended.
    fn read(&self, entry: &Entry, now_ms: u64) -> Option<Session> {
        let stored: Stored = serde_json::from_str(&entry.body).ok()?;
        let is_idle = now_ms.saturating_sub(stored.seen_ms) >= self.idle_ms;
        let session = self.session(entry.id.clone(), entry.at_ms, stored);
        (!is_idle && now_ms < session.ends_ms).then_some(session)
    }

    fn session(&self, id: String, opened_ms: u64, stored: Stored) -> Session {
        let Stored { person, seen_ms, id_token } = stored;
        Session { id, person, opened_ms, seen_ms, ends_ms: opened_ms.saturating_add(self.absolute_ms), id_token }
    }
}

fn id_of(secret: &str) -> String {
    hex(&digest(secret))
}
