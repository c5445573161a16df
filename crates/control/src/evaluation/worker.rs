//! The one thread that evaluates.
//!
//! Enters: a nudge after something was queued, or at the start. Leaves: an empty queue. Never: exists while there is nothing to do, nor twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use parking_lot::{Mutex, MutexGuard};

use super::book::Book;
use super::run::run_queued;
use crate::router::Parts;

#[derive(Debug, Default)]
pub struct Worker {
    busy: AtomicBool,
    adding: Mutex<()>,
}

// === impl Worker ===

impl Worker {
    /// Sees to it that somebody works on the queue.
    pub(crate) fn nudge(parts: &Arc<Parts>) {
        if parts.evaluations.busy.swap(true, Ordering::SeqCst) {
            return;
        }
        let mine = parts.clone();
        let started = thread::Builder::new().name("evaluations".to_owned()).spawn(move || work(&mine));
        if let Err(cause) = started {
            parts.evaluations.busy.store(false, Ordering::SeqCst);
            tracing::error!(%cause, "the evaluations' thread cannot be started: they wait");
        }
    }

    /// Held from the look at the names there are until the new one is there.
    pub(crate) fn adding(&self) -> MutexGuard<'_, ()> {
        self.adding.lock()
    }
}

fn work(parts: &Arc<Parts>) {
    let now_ms = || parts.desk.now_ms();
    let worked = || run_queued(&*parts.entries, &*parts.records, &now_ms);
    let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(worked));
    parts.evaluations.busy.store(false, Ordering::SeqCst);
    match worked {
        // Something may have been queued after the last look and before the flag fell.
        Ok(Ok(())) => {
            if Book(&*parts.entries).next().is_ok_and(|next| next.is_some()) {
                Worker::nudge(parts);
            }
        }
        Ok(Err(cause)) => tracing::error!(%cause, "the queue of evaluations cannot be worked on: it waits"),
        Err(_) => tracing::error!("an evaluation panicked: it waits"),
    }
}
