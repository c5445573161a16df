//! The response cache: what it promises, and what an answer is.
//!
//! Enters: whole answers with their expiry. Leaves: the same answer, or a miss.
//! Never: decides what may be cached or how a key is made (that is `rules`), and never fails a request: a cache that cannot be read is a miss.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use tollgate_model::Usage;

use crate::failure::StoreError;

/// Made by `rules` with the tenant in it, so that two tenants cannot share an answer by construction. Uniformly distributed: a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnswerKey(pub [u8; 32]);

#[derive(Clone, Debug, PartialEq)]
pub struct CachedAnswer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How a streamed answer came: replayed with or without its gaps. Empty when it was not a stream.
    pub frames: Vec<Frame>,
    pub provider: Arc<str>,
    pub model: Arc<str>,
    /// The tenant.
    pub scope: Arc<str>,
    pub gateway: Arc<str>,
    /// What it took to make the answer; telling it again takes nothing.
    pub usage: Option<Usage>,
    /// Of the request that it answers, where the key does not say all of it.
    pub print: Option<[u8; 32]>,
    /// Unix milliseconds.
    pub stored_ms: u64,
    pub expires_ms: u64,
}

/// A piece of a streamed body, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// When it came, in microseconds since the answer began.
    pub offset_us: u64,
    pub len: u32,
}

/// What is known at once about a key.
pub enum Lookup {
    Hit(Arc<CachedAnswer>),
    /// Somewhere slower than memory. Resolves to `None` when it was not there after all.
    Elsewhere(Fetch),
    Miss,
}

pub type Fetch = Pin<Box<dyn Future<Output = Option<Arc<CachedAnswer>>> + Send>>;
pub type Settling = Pin<Box<dyn Future<Output = ()> + Send>>;
pub type Purging = Pin<Box<dyn Future<Output = Result<u64, StoreError>> + Send>>;

/// Which answers to forget: those that match every part that is given. Nothing given means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purge {
    pub scope: Option<Arc<str>>,
    pub gateway: Option<Arc<str>>,
    pub provider: Option<Arc<str>>,
    pub model: Option<Arc<str>>,
    pub key: Option<AnswerKey>,
}

/// Keeps answers within a bound of bytes. `get` and `put` never wait: they may be called while serving.
pub trait Answers: Send + Sync {
    /// Never leaves an expired answer, and never touches a disk to find out that there is none.
    fn get(&self, key: &AnswerKey, now_ms: u64) -> Lookup;

    /// Keeps an answer until it expires or its room is needed. Best effort: it may be gone at once.
    fn put(&self, key: AnswerKey, answer: Arc<CachedAnswer>, now_ms: u64);

    /// Resolves when what was put before is where a killed process cannot lose it, as far as it will ever get there, and what an earlier process put
    /// is found.
    fn settle(&self) -> Settling;

    /// Once this resolves, no answer that was put before the call and matches is found again. Resolves to how many there were on disk.
    fn purge(&self, what: Purge) -> Purging;
}

// === impl Purge ===

impl Purge {
    pub fn of_gateway(scope: impl Into<Arc<str>>, gateway: impl Into<Arc<str>>) -> Self {
        Self { scope: Some(scope.into()), gateway: Some(gateway.into()), ..Self::default() }
    }

    /// In whichever gateway: the provider is another one than before.
    pub fn of_provider(scope: impl Into<Arc<str>>, provider: impl Into<Arc<str>>) -> Self {
        Self { scope: Some(scope.into()), provider: Some(provider.into()), ..Self::default() }
    }

    pub fn of_key(key: AnswerKey) -> Self {
        Self { key: Some(key), ..Self::default() }
    }

    pub(crate) fn matches(&self, key: &AnswerKey, answer: &CachedAnswer) -> bool {
        let same = |wanted: &Option<Arc<str>>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.key.is_none_or(|wanted| wanted == *key)
            && same(&self.scope, &answer.scope)
            && same(&self.gateway, &answer.gateway)
            && same(&self.provider, &answer.provider)
            && same(&self.model, &answer.model)
    }
}

// === impl CachedAnswer ===

impl CachedAnswer {
    pub fn expired(&self, now_ms: u64) -> bool {
        self.expires_ms <= now_ms
    }

    /// What it costs to keep, roughly: bytes of the body and of the headers, and a fixed part.
    pub fn weight(&self) -> u64 {
        let headers: usize = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum();
        let frames = self.frames.len() * size_of::<Frame>();
        (self.body.len() + headers + frames + size_of::<Self>() + 128) as u64
    }
}
