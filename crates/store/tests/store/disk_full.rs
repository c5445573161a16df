//! When nothing more can be written, records are lost and counted, what was written stays, and it goes on by itself once there is room.

use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tollgate_model::{Clock, Ids, Record};
use tollgate_store::journal::JournalWriter;
use tollgate_store::records::{Filter, Page, Records};
use tollgate_store::{Ingest, Journal, JournalOptions, Metrics};

use crate::pipeline::{PATIENCE, quick};
use crate::records_suite::{MIDNIGHT_MS, embedded};
use crate::sample::record;

const CHILD: &str = "TOLLGATE_STORE_TEST_FULL";

/// A limit on the size of files stands in for a full disk: it needs no privilege, and write(2) fails in the middle of a frame in the same way. The
/// signal that comes with it has to be ignored, which a shell can do for the process it becomes.
#[test]
fn a_full_disk_loses_what_does_not_fit_and_nothing_else() {
    if let Some(dir) = env::var_os(CHILD) {
        return fill_up(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "disk_full::a_full_disk_loses_what_does_not_fit_and_nothing_else", "--nocapture"])
        .env(CHILD, dir.path())
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(String::from_utf8_lossy(&child.stdout).contains("filled up and recovered"));
}

fn limit_file_size(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum }).unwrap();
}

fn try_append(writer: &JournalWriter, record: &Record) -> bool {
    let body = [Bytes::from(vec![b'x'; 5_000])];
    let written = writer.append(record, &body, &[]);
    writer.flush();
    written.outcome().unwrap().is_ok()
}

fn fill_up(dir: &Path) {
    let (ids, metrics) = (Ids::new(), Arc::<Metrics>::default());
    let (clock, hand) = Clock::manual(MIDNIGHT_MS);
    let options = JournalOptions { clock, ..JournalOptions::default() };
    let journal = Arc::new(Journal::open(&dir.join("journal"), options, metrics.clone()).unwrap());
    let writer = journal.writer(0).unwrap();
    limit_file_size(Some(100_000));
    let (mut kept, mut lost) = (Vec::new(), 0);
    for at in 0..30 {
        let record = record(&ids, MIDNIGHT_MS + at);
        if try_append(&writer, &record) { kept.push(record.id) } else { lost += 1 }
    }
    // The clock stands still: after the first refusal the disk is not asked again.
    assert!((15..20).contains(&kept.len()), "{}", kept.len());
    assert_eq!(metrics.journal.lost.get(), lost);

    // The log does not fit either: what is in the journal waits there.
    limit_file_size(Some(4_096));
    let store = Arc::new(embedded(&dir.join("logs")));
    let ingest = Ingest::start(journal.clone(), store.clone(), quick()).unwrap();
    assert!(!ingest.catch_up(PATIENCE));
    assert!(metrics.ingest.failures.get() > 0);

    limit_file_size(None);
    hand.advance(std::time::Duration::from_secs(1));
    let after = record(&ids, MIDNIGHT_MS + 100);
    assert!(try_append(&writer, &after));
    kept.push(after.id);
    while !ingest.catch_up(PATIENCE) {}
    let listed = store.list(&Filter::default(), &Page::newest(100)).unwrap();
    let mut found: Vec<_> = listed.records.iter().map(|record| record.id).collect();
    found.sort();
    assert_eq!(found, kept);
    println!("filled up and recovered");
}
