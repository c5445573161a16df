//! What is particular to the embedded log: its files, and what happens when they are damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tollgate_model::{Ids, Record};
use tollgate_store::embedded::{DayRecords, DayRecordsOptions};
use tollgate_store::records::{Condition, Encoded, Entry, Field, Filter, Operator, Page, Records, Value, Which};
use tollgate_store::{Failure, Metrics};

use crate::records_suite::{DAY_MS, MIDNIGHT_MS, append, embedded};
use crate::sample::{Dice, record};

fn open(dir: &Path, metrics: &Arc<Metrics>) -> DayRecords {
    DayRecords::open(dir, DayRecordsOptions::default(), metrics.clone()).unwrap()
}

fn with_bodies(store: &dyn Records, record: &Record) {
    let line = Encoded::of(record);
    store.append(&[Entry { line: line.line(), request: b"asked", response: b"answered" }]).unwrap();
}

fn file(dir: &Path, suffix: &str) -> PathBuf {
    let found = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    found.into_iter().find(|path| path.to_str().unwrap().ends_with(suffix)).unwrap()
}

#[test]
fn a_damaged_day_is_moved_aside_and_a_new_one_begun() {
    let (dir, ids, metrics) = (tempfile::tempdir().unwrap(), Ids::new(), Arc::<Metrics>::default());
    for round in 1..=2_u64 {
        let (lost, kept) = (record(&ids, MIDNIGHT_MS), record(&ids, MIDNIGHT_MS + 1));
        let store = open(dir.path(), &metrics);
        with_bodies(&store, &lost);
        drop(store);
        fs::write(file(dir.path(), ".db"), vec![7; 100_000]).unwrap();
        let store = open(dir.path(), &metrics);
        with_bodies(&store, &kept);
        assert_eq!(metrics.ingest.files_moved_aside.get(), round);
        assert_eq!(store.get(kept.id).unwrap().as_ref(), Some(&kept));
        assert_eq!(store.get(lost.id).unwrap(), None);
        assert_eq!(fs::read(file(dir.path(), &format!(".db.damaged-{round}"))).unwrap().len(), 100_000);
        assert!(file(dir.path(), &format!(".bodies.damaged-{round}")).exists());
    }
}

#[test]
fn a_list_goes_on_without_a_damaged_day_and_says_so() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let store = embedded(dir.path());
    append(&store, &[record(&ids, MIDNIGHT_MS)]);
    drop(store);
    fs::write(file(dir.path(), ".db"), vec![7; 100_000]).unwrap();
    let store = embedded(dir.path());
    let good = record(&ids, MIDNIGHT_MS + DAY_MS);
    append(&store, std::slice::from_ref(&good));
    let listed = store.list(&Filter::default(), &Page::newest(10)).unwrap();
    assert_eq!((listed.records, listed.total_exact), (vec![good], false));
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    append(&embedded(dir.path()), &[record(&ids, MIDNIGHT_MS)]);
    let path = file(dir.path(), ".db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let line = Encoded::of(&record(&ids, MIDNIGHT_MS));
    let entry = Entry { line: line.line(), request: b"", response: b"" };
    let refused = embedded(dir.path()).append(&[entry]).unwrap_err();
    assert_eq!(refused.kind(), Failure::Unavailable);
    assert!(refused.to_string().contains("newer tollgate"), "{refused}");
}

#[test]
fn a_damaged_body_is_an_error_and_the_record_stays() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let (store, kept) = (embedded(dir.path()), record(&ids, MIDNIGHT_MS));
    with_bodies(&store, &kept);
    let path = file(dir.path(), ".bodies");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert_eq!(store.body(kept.id, Which::Request).unwrap_err().kind(), Failure::Damaged, "at {at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(store.body(kept.id, Which::Response).unwrap_err().kind(), Failure::Damaged, "cut at {at}");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(&store.body(kept.id, Which::Response).unwrap().unwrap().bytes[..], b"answered");
    assert_eq!(store.get(kept.id).unwrap(), Some(kept));
}

/// A conversation of so many turns repeats all turns before at each of them.
fn conversation(turns: u64) -> Vec<(String, String)> {
    let said = |turn: u64| -> String {
        let mut dice = Dice(turn);
        (0..1_500).map(|_| char::from(b'a' + dice.roll(26) as u8)).collect()
    };
    let message = |turn: u64| format!("{{\"role\":\"user\",\"content\":\"{}\"}}", said(turn));
    let asked = |turn: u64| format!("[{}]", (0..=turn).map(message).collect::<Vec<_>>().join(","));
    (0..turns).map(|turn| (asked(turn), format!("{{\"content\":\"{}\"}}", said(turn + 1_000)))).collect()
}

#[test]
fn a_conversation_takes_the_room_of_its_strings() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let (store, turns) = (embedded(dir.path()), conversation(40));
    let records: Vec<_> = (0..40).map(|at| record(&ids, MIDNIGHT_MS + at)).collect();
    for repetition in 0..3 {
        for (record, (asked, said)) in records.iter().zip(&turns) {
            let record = Record { id: ids.next(MIDNIGHT_MS), ..record.clone() };
            let line = Encoded::of(&record);
            let entry = Entry { line: line.line(), request: asked.as_bytes(), response: said.as_bytes() };
            store.append(&[entry]).unwrap();
            let body = |which| store.body(record.id, which).unwrap().unwrap().bytes;
            assert!(body(Which::Request) == asked.as_bytes() && body(Which::Response) == said.as_bytes());
        }
        let written = fs::metadata(file(dir.path(), ".bodies")).unwrap().len();
        // 80 strings of 1.5 KB, of letters in no order; all turns together say 1.3 MB.
        assert!(written < 150_000 + repetition * 60_000, "{written}");
    }
}

/// Bytes of a block that several bodies share are damaged: all of them say so, and none is taken for whole.
#[test]
fn damage_to_what_bodies_share_is_noticed_by_each() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let store = embedded(dir.path());
    let turns = conversation(3);
    let kept: Vec<_> = (0..3).map(|at| record(&ids, MIDNIGHT_MS + at)).collect();
    let mut ends = Vec::new();
    for (record, (asked, said)) in kept.iter().zip(&turns) {
        let line = Encoded::of(record);
        let entry = Entry { line: line.line(), request: asked.as_bytes(), response: said.as_bytes() };
        store.append(&[entry]).unwrap();
        ends.push(fs::metadata(file(dir.path(), ".bodies")).unwrap().len() as usize);
    }
    let path = file(dir.path(), ".bodies");
    let whole = fs::read(&path).unwrap();
    let damage = |at: usize| {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, &damaged).unwrap();
        let whole = |record: &Record| match store.body(record.id, Which::Request) {
            Ok(_) => true,
            Err(cause) => {
                assert_eq!(cause.kind(), Failure::Damaged);
                false
            }
        };
        kept.iter().map(whole).collect::<Vec<_>>()
    };
    assert_eq!(damage(ends[0] / 2), [false, false, false]);
    assert_eq!(damage(ends[0] + 40), [true, false, false]);
    assert_eq!(damage(ends[1] + 40), [true, true, false]);
}

#[test]
fn a_day_of_an_older_format_is_moved_aside() {
    let (dir, ids, metrics) = (tempfile::tempdir().unwrap(), Ids::new(), Arc::<Metrics>::default());
    append(&open(dir.path(), &metrics), &[record(&ids, MIDNIGHT_MS)]);
    let path = file(dir.path(), ".db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    let (store, good) = (open(dir.path(), &metrics), record(&ids, MIDNIGHT_MS + 1));
    assert!(!store.list(&Filter::default(), &Page::newest(10)).unwrap().total_exact);
    append(&store, std::slice::from_ref(&good));
    assert_eq!(metrics.ingest.files_moved_aside.get(), 1);
    let listed = store.list(&Filter::default(), &Page::newest(10)).unwrap();
    assert_eq!((listed.records, listed.total_exact), (vec![good], true));
}

#[test]
fn a_list_that_would_cost_too_much_is_cut_and_says_so() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    append(&embedded(dir.path()), &(0..5_000).map(|at| record(&ids, MIDNIGHT_MS + at)).collect::<Vec<_>>());
    let costly = Condition { field: Field::Id, operator: Operator::Contains, values: vec![Value::Text("-".into())] };
    let filter = Filter { conditions: vec![costly], ..Filter::of_gateway("default") };
    for (list_steps_max, exact) in [(10_000, false), (100_000_000, true)] {
        let options = DayRecordsOptions { list_steps_max, ..DayRecordsOptions::default() };
        let store = DayRecords::open(dir.path(), options, Arc::default()).unwrap();
        let listed = store.list(&filter, &Page::newest(10)).unwrap();
        assert_eq!(listed.total_exact, exact);
        assert_eq!((listed.records.len(), listed.total == 5_000), (10, exact));
    }
}

#[test]
fn only_the_owner_may_look() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let logs = dir.path().join("logs");
    let store = embedded(&logs);
    with_bodies(&store, &record(&ids, MIDNIGHT_MS));
    assert_eq!(logs.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for suffix in [".db", ".db-wal", ".db-shm", ".bodies"] {
        assert_eq!(file(&logs, suffix).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{suffix}");
    }
}
