//! Records that are changed, deleted, or too many.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tollgate_model::record::Rating;
use tollgate_model::{Ids, Meta, Metadata, Record};
use tollgate_store::records::{
    AtTheCap, Cap, Condition, Encoded, Entry, Field, Filter, Operator, Order, OrderBy, Page, Patch, Records, Value,
    Which,
};

use crate::records_suite::{DAY_MS, MIDNIGHT_MS, append, embedded};
use crate::sample::{Dice, record, varied};

const OLDEST_FIRST: Order = Order { by: OrderBy::CreatedAt, descending: false };

fn with_bodies(store: &dyn Records, records: &[Record]) {
    let lines: Vec<_> = records.iter().map(Encoded::of).collect();
    let entry = |line| Entry { line, request: b"asked", response: b"answered" };
    store.append(&lines.iter().map(|line| entry(line.line())).collect::<Vec<_>>()).unwrap();
}

fn all(store: &dyn Records) -> Vec<Record> {
    let page = Page { order: OLDEST_FIRST, ..Page::newest(1_000) };
    store.list(&Filter::default(), &page).unwrap().records
}

fn is(field: Field, value: Value) -> Filter {
    Filter {
        conditions: vec![Condition { field, operator: Operator::Eq, values: vec![value] }],
        ..Filter::of_gateway("default")
    }
}

#[test]
fn a_patch_survives_a_restart_and_is_found_by_filters() {
    let (dir, ids, mut dice) = (tempfile::tempdir().unwrap(), Ids::new(), Dice(5));
    let store = embedded(dir.path());
    let mut records: Vec<_> = (0..6).map(|at| varied(&ids, &mut dice, MIDNIGHT_MS + at)).collect();
    records.iter_mut().for_each(|record| record.gateway = "default".into());
    append(&store, &records);
    let metadata = Metadata(vec![("team".into(), Meta::Text("zebra".into())), ("n".into(), Meta::Number("7".into()))]);
    let patch = Patch { feedback: Some(Some(-1)), score: Some(Some(87.5)), metadata: Some(metadata.clone()) };
    assert!(store.patch(records[2].id, &patch).unwrap());
    records[2].rating = Rating { feedback: Some(-1), score: Some(87.5) };
    records[2].metadata = metadata;
    drop(store);
    let store = embedded(dir.path());
    assert_eq!(all(&store), records, "all else is as it was");
    for filter in [
        is(Field::Feedback, Value::Number(-1.0)),
        is(Field::Score, Value::Number(87.5)),
        is(Field::MetadataValue(Some("team".into())), Value::Text("zebra".into())),
        Filter { search: Some("zeb".into()), ..Filter::default() },
    ] {
        let listed = store.list(&filter, &Page::newest(10)).unwrap();
        assert_eq!(listed.records, [records[2].clone()], "{filter:?}");
    }
    let back = Patch { feedback: Some(None), score: None, metadata: Some(Metadata::default()) };
    assert!(store.patch(records[2].id, &back).unwrap());
    records[2].rating.feedback = None;
    records[2].metadata = Metadata::default();
    assert_eq!(store.get(records[2].id).unwrap().as_ref(), Some(&records[2]));
    assert!(!store.patch(ids.next(MIDNIGHT_MS), &back).unwrap());
}

#[test]
fn what_is_removed_is_nowhere_and_does_not_come_back() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let store = embedded(dir.path());
    let records: Vec<_> = (0..30).map(|at| record(&ids, MIDNIGHT_MS + at * DAY_MS / 10)).collect();
    with_bodies(&store, &records);
    assert_eq!(store.remove(&Filter::of_gateway("default"), OLDEST_FIRST, 12).unwrap(), 12);
    // The last one, so that no key of the day is higher than one that is gone.
    assert_eq!(store.remove(&is(Field::Id, Value::Text(records[29].id.to_string())), OLDEST_FIRST, 1).unwrap(), 1);
    let gone = |store: &dyn Records| {
        let there = all(store);
        assert_eq!(there, records[12..29], "in lists");
        for (at, record) in records.iter().enumerate() {
            let kept = (12..29).contains(&at);
            assert_eq!(store.get(record.id).unwrap().is_some(), kept);
            assert_eq!(store.body(record.id, Which::Request).unwrap().is_some(), kept);
        }
        assert_eq!(store.rows("default").unwrap(), 17);
    };
    gone(&store);
    with_bodies(&store, &records);
    gone(&store);
    drop(store);
    let store = embedded(dir.path());
    with_bodies(&store, &records);
    gone(&store);
    let costliest = Order { by: OrderBy::Cost, descending: true };
    assert_eq!(store.remove(&Filter::default(), costliest, 1_000_000).unwrap(), 17);
    assert_eq!(store.list(&Filter::default(), &Page::newest(9)).unwrap().total, 0);
}

#[test]
fn a_day_of_which_nothing_is_left_takes_no_room() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let store = embedded(dir.path());
    let old: Vec<_> = (0..2_000).map(|at| record(&ids, MIDNIGHT_MS + at)).collect();
    with_bodies(&store, &old);
    drop(store);
    let store = embedded(dir.path());
    let before = file(dir.path(), ".db").metadata().unwrap().len();
    assert_eq!(store.remove(&Filter::default(), OLDEST_FIRST, 10_000).unwrap(), 2_000);
    drop(store);
    assert!(file(dir.path(), ".db").metadata().unwrap().len() < before / 4);
    assert!(!dir.path().join("2026-11-18.bodies").exists());
}

#[test]
fn another_process_that_deletes_is_noticed() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let (server, other) = (embedded(dir.path()), embedded(dir.path()));
    append(&server, &(0..10).map(|at| record(&ids, MIDNIGHT_MS + at)).collect::<Vec<_>>());
    assert_eq!(server.rows("default").unwrap(), 10);
    assert_eq!(other.remove(&Filter::default(), OLDEST_FIRST, 4).unwrap(), 4);
    assert_eq!(server.rows("default").unwrap(), 6);
    append(&server, &[record(&ids, MIDNIGHT_MS + 20)]);
    assert_eq!((server.rows("default").unwrap(), all(&server).len()), (7, 7));
}

#[test]
fn a_full_gateway_leaves_out_what_comes_and_counts_it() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let store = embedded(dir.path());
    store.cap(HashMap::from([("default".to_owned(), Cap { rows: 25, then: AtTheCap::LeaveOut })]));
    let records: Vec<_> = (0..40).map(|at| record(&ids, MIDNIGHT_MS + at * DAY_MS / 20)).collect();
    let others: Vec<_> =
        (0..40).map(|at| Record { gateway: "other".into(), ..record(&ids, MIDNIGHT_MS + at) }).collect();
    records.chunks(7).for_each(|some| append(&store, some));
    append(&store, &others);
    assert_eq!(store.rows("default").unwrap(), 25);
    assert_eq!((store.left_out("default").unwrap(), store.left_out("other").unwrap()), (15, 0));
    assert_eq!(store.rows("other").unwrap(), 40);
    drop(store);
    let store = embedded(dir.path());
    assert_eq!(store.left_out("default").unwrap(), 15, "also after a restart");
    // A higher cap is in force at once.
    store.cap(HashMap::from([("default".to_owned(), Cap { rows: 26, then: AtTheCap::LeaveOut })]));
    append(&store, &[record(&ids, MIDNIGHT_MS + 3 * DAY_MS), record(&ids, MIDNIGHT_MS + 3 * DAY_MS)]);
    assert_eq!((store.rows("default").unwrap(), store.left_out("default").unwrap()), (26, 16));
}

#[test]
fn a_full_gateway_loses_its_oldest() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let store = embedded(dir.path());
    let then = AtTheCap::RemoveOldest;
    store.cap(HashMap::from([("default".to_owned(), Cap { rows: 25, then })]));
    let records: Vec<_> = (0..60).map(|at| record(&ids, MIDNIGHT_MS + at * DAY_MS / 20)).collect();
    for (at, some) in records.chunks(6).enumerate() {
        append(&store, some);
        let there = all(&store);
        let newest = &records[(6 * (at + 1)).saturating_sub(25)..6 * (at + 1)];
        assert_eq!(there, newest);
    }
    assert_eq!(store.left_out("default").unwrap(), 0);
    // A lower cap is in force at once, and met without new records, bit by bit.
    store.cap(HashMap::from([("default".to_owned(), Cap { rows: 10, then })]));
    assert_eq!((store.trim().unwrap(), store.trim().unwrap()), (15, 0));
    assert_eq!(all(&store), records[50..]);
}

#[test]
fn a_day_of_the_version_before_is_brought_up_to_date() {
    let (dir, ids) = (tempfile::tempdir().unwrap(), Ids::new());
    let records: Vec<_> = (0..5).map(|at| record(&ids, MIDNIGHT_MS + at)).collect();
    with_bodies(&embedded(dir.path()), &records);
    let back = "DROP INDEX log_by_feedback; DROP INDEX log_by_score; DROP TABLE gone; ALTER TABLE log DROP COLUMN feedback; \
        ALTER TABLE log DROP COLUMN score; ALTER TABLE gateway DROP COLUMN left_out; PRAGMA user_version = 2;";
    rusqlite::Connection::open(file(dir.path(), ".db")).unwrap().execute_batch(back).unwrap();
    let store = embedded(dir.path());
    assert_eq!(all(&store), records, "by who reads");
    assert!(store.patch(records[0].id, &Patch { score: Some(Some(1.0)), ..Patch::default() }).unwrap());
    rusqlite::Connection::open(file(dir.path(), ".db")).unwrap().execute_batch(back).unwrap();
    let store = embedded(dir.path());
    with_bodies(&store, &[record(&ids, MIDNIGHT_MS + 9)]);
    assert_eq!(store.rows("default").unwrap(), 6, "by who writes");
}

fn file(dir: &Path, suffix: &str) -> PathBuf {
    let found = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    found.into_iter().find(|path| path.to_str().unwrap().ends_with(suffix)).unwrap()
}
