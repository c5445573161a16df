//! Where others ask the ingest thread for something.
//!
//! Enters: wishes to catch up, and to stop. Leaves: when they were met. Never: does the work.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::journal::Bell;

#[derive(Debug)]
pub(super) struct Desk {
    /// Rung by the journal's writers too.
    work: Arc<Bell>,
    hurry: Bell,
    wishes: Mutex<Wishes>,
    met: Condvar,
}

/// Wishes are numbered; a round of work meets all that were made before it began.
#[derive(Debug, Default)]
struct Wishes {
    made: u64,
    met: u64,
    refused: u64,
    closed: bool,
}

// === impl Desk ===

impl Desk {
    pub(super) fn new(work: Arc<Bell>) -> Self {
        Self { work, hurry: Bell::default(), wishes: Mutex::default(), met: Condvar::new() }
    }

    pub(super) fn ask_and_wait(&self, at_most: Duration) -> bool {
        let mut wishes = self.wishes.lock();
        wishes.made += 1;
        let mine = wishes.made;
        self.ring();
        let waiting = |wishes: &mut Wishes| wishes.met < mine && wishes.refused < mine;
        let _ = self.met.wait_while_for(&mut wishes, waiting, at_most);
        wishes.met >= mine
    }

    pub(super) fn close(&self) {
        self.wishes.lock().closed = true;
        self.ring();
    }

    fn ring(&self) {
        self.hurry.ring();
        self.work.ring();
    }

    /// Sleeps until there is work, at most for `idle`, and then until enough has gathered or someone waits for it.
    pub(super) fn wait(&self, idle: Option<Duration>, gather: Duration) {
        self.work.wait(idle);
        self.hurry.wait(Some(gather));
    }

    /// The number of the last wish, for [`Desk::answer`]; and whether to stop after this round.
    pub(super) fn look(&self) -> (u64, bool) {
        let wishes = self.wishes.lock();
        (wishes.made, wishes.closed)
    }

    pub(super) fn answer(&self, up_to: u64, met: bool) {
        let mut wishes = self.wishes.lock();
        let field = if met { &mut wishes.met } else { &mut wishes.refused };
        *field = up_to;
        self.met.notify_all();
    }
}
