//! Requests that carry an idempotency key: which are under way, and what the others were answered.
//!
//! Enters: a key's name and a print of what was asked. Leaves: the claim to carry it out, or the answer that was given. Never: lets two at once have a
//! claim to one key, or keeps an answer that broke off.
//!
//! Answers lie in a room like the response cache's, with a bound and a disk of its own, so that answers worth a few minutes do not push them out.

use std::sync::Arc;
use std::time::Duration;

use ahash::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use parking_lot::Mutex;
use tollgate_rules::cache_key::Key;
use tollgate_rules::idempotency::Print;
use tollgate_store::answers::{AnswerKey, Answers, CachedAnswer, Lookup};

/// Requests with keys under way at a time; more are refused.
const OPEN_MAX: usize = 16_384;
/// The disk is waited for before the last byte of an answer goes out, but no longer.
const SETTLE_PATIENCE: Duration = Duration::from_secs(1);

pub struct Once {
    answers: Arc<dyn Answers>,
    ttl_ms: u64,
    open: Mutex<HashMap<Key, Print, RandomState>>,
}

/// The right to carry a request out. Dropped, the key is free again.
pub(crate) struct Claim {
    once: Arc<Once>,
    key: Key,
    print: Print,
}

pub(crate) enum Claimed {
    First(Claim),
    Told(Arc<CachedAnswer>),
}

/// Why a request is neither carried out nor answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clash {
    /// The first one with this key has not ended.
    UnderWay,
    /// The key belongs to another request.
    Other,
    Full,
}

// === impl Once ===

impl Once {
    /// With a time to live of zero, keys are not looked at.
    pub fn new(answers: Arc<dyn Answers>, ttl: Duration) -> Self {
        Self { answers, ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX), open: Mutex::default() }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.ttl_ms > 0
    }

    /// Requests that have a claim right now.
    pub fn open(&self) -> usize {
        self.open.lock().len()
    }

    pub(crate) async fn claim(self: &Arc<Self>, key: Key, print: Print, now_ms: u64) -> Result<Claimed, Clash> {
        if let Some(told) = self.told(&key, &print, now_ms).await? {
            return Ok(Claimed::Told(told));
        }
        let claim = self.enter(key, print)?;
        // The one before may have ended between the look and the entering.
        Ok(match self.told(&key, &print, now_ms).await? {
            Some(told) => Claimed::Told(told),
            None => Claimed::First(claim),
        })
    }

    async fn told(&self, key: &Key, print: &Print, now_ms: u64) -> Result<Option<Arc<CachedAnswer>>, Clash> {
        let found = match self.answers.get(&AnswerKey(*key), now_ms) {
            Lookup::Hit(answer) => Some(answer),
            Lookup::Miss => None,
            Lookup::Elsewhere(fetch) => fetch.await,
        };
        match found {
            Some(answer) if answer.print.as_ref() != Some(print) => Err(Clash::Other),
            found => Ok(found),
        }
    }

    fn enter(self: &Arc<Self>, key: Key, print: Print) -> Result<Claim, Clash> {
        let mut open = self.open.lock();
        let is_full = open.len() >= OPEN_MAX;
        match open.entry(key) {
            Entry::Occupied(there) if *there.get() == print => Err(Clash::UnderWay),
            Entry::Occupied(_) => Err(Clash::Other),
            Entry::Vacant(_) if is_full => Err(Clash::Full),
            Entry::Vacant(place) => {
                place.insert(print);
                Ok(Claim { once: self.clone(), key, print })
            }
        }
    }
}

// === impl Claim ===

impl Claim {
    /// The answer is what later tries hear. Resolves when it is where a killed process cannot lose it.
    pub(crate) async fn keep(self, mut answer: CachedAnswer) {
        let now_ms = answer.stored_ms;
        answer.print = Some(self.print);
        answer.expires_ms = now_ms.saturating_add(self.once.ttl_ms);
        self.once.answers.put(AnswerKey(self.key), Arc::new(answer), now_ms);
        if tokio::time::timeout(SETTLE_PATIENCE, self.once.answers.settle()).await.is_err() {
            tracing::warn!("an answer for its idempotency key is in memory only: the disk is too slow");
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.once.open.lock().remove(&self.key);
    }
}
