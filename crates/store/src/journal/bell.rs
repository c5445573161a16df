//! Wakes a thread that looks after something, at most once per round of its work.
//!
//! Enters: rings from threads that serve. Leaves: one waking. Never: costs a system call while the thread is already awake.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    lock: Mutex<()>,
    heard: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // Without the lock the ring could fall between the sleeper's last look and its sleep.
            drop(self.lock.lock());
            self.heard.notify_all();
        }
    }

    /// Returns once it was rung since the last time, or when the time is over.
    pub(crate) fn wait(&self, at_most: Option<Duration>) {
        let mut guard = self.lock.lock();
        while !self.rung.swap(false, Ordering::SeqCst) {
            match at_most {
                None => self.heard.wait(&mut guard),
                Some(time) if self.heard.wait_for(&mut guard, time).timed_out() => return,
                Some(_) => {}
            }
        }
    }
}
