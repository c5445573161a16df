//! Goes on showing records as they come.
//!
//! Enters: the log and what was shown already. Leaves: each further record once, in the order of their ends. Never: ends by itself, or remembers
//! without bound.
//!
//! Records become readable a little after they ended, and not strictly in that order: each look goes back a little further than the last one's newest,
//! and leaves out what was shown. Of a flood it shows the newest thousand at each look: nobody reads faster.

use std::collections::HashMap;
use std::time::Duration;

use tollgate_model::{Clock, Id, Record};
use tollgate_store::records::{Filter, Page};
use tollgate_store::{Records, StoreError};

const PAUSE: Duration = Duration::from_millis(250);
const LOOK_BACK_MS: u64 = 5_000;

pub(super) fn run(
    records: &dyn Records,
    filter: &Filter,
    shown: &[Record],
    show: impl Fn(&Record) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut followed = Followed::after(shown);
    loop {
        followed.look(records, filter)?.iter().try_for_each(&show)?;
        std::thread::sleep(PAUSE);
    }
}

/// What was shown of the last moments, and when the newest of it ended.
struct Followed {
    newest_ms: u64,
    seen: HashMap<Id, u64>,
}

// === impl Followed ===

impl Followed {
    fn after(shown: &[Record]) -> Self {
        let newest_ms = shown.iter().map(|record| record.created_ms).max().unwrap_or_else(|| Clock::System.unix_ms());
        Self { newest_ms, seen: shown.iter().map(|record| (record.id, record.created_ms)).collect() }
    }

    /// What was not shown yet, oldest first.
    fn look(&mut self, records: &dyn Records, filter: &Filter) -> Result<Vec<Record>, StoreError> {
        let from_ms = self.newest_ms.saturating_sub(LOOK_BACK_MS);
        let since = Filter { from_ms: Some(from_ms), ..filter.clone() };
        let mut fresh = records.list(&since, &Page::newest(Page::SIZE_MAX))?.records;
        fresh.retain(|record| !self.seen.contains_key(&record.id));
        fresh.reverse();
        self.seen.retain(|_, created_ms| *created_ms >= from_ms);
        for record in &fresh {
            self.newest_ms = self.newest_ms.max(record.created_ms);
            self.seen.insert(record.id, record.created_ms);
        }
        Ok(fresh)
    }
}
