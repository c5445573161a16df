//! What every response cache promises. A new backend adds one line at the end.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tollgate_store::answers::{AnswerKey, Answers, CachedAnswer, Frame, Lookup, Purge};
use tollgate_store::embedded::{DiskAnswers, DiskAnswersOptions};

use crate::sample::Dice;

const NOW_MS: u64 = 1_795_000_000_000;

type Open<'a> = &'a dyn Fn() -> Box<dyn Answers>;

fn key(number: u64) -> AnswerKey {
    let mut dice = Dice(number);
    AnswerKey(std::array::from_fn(|_| dice.roll(256) as u8))
}

fn answer(gateway: &str, model: &str, size: usize) -> Arc<CachedAnswer> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    Arc::new(CachedAnswer {
        status: 200,
        headers,
        body: Bytes::from(vec![b'x'; size]),
        frames: vec![Frame { offset_us: 7, len: size as u32 }],
        provider: "openai".into(),
        model: model.into(),
        scope: "account".into(),
        gateway: gateway.into(),
        usage: None,
        print: None,
        stored_ms: NOW_MS,
        expires_ms: NOW_MS + 60_000,
    })
}

/// Looks until it is certain.
fn find(store: &dyn Answers, key: &AnswerKey, now_ms: u64) -> Option<Arc<CachedAnswer>> {
    match store.get(key, now_ms) {
        Lookup::Hit(answer) => Some(answer),
        Lookup::Elsewhere(fetch) => block_on(fetch),
        Lookup::Miss => None,
    }
}

/// A purge of nothing waits behind all that was asked for before: what was put is as far as it gets, and the index is read.
fn settle(store: &dyn Answers) {
    let nothing = Purge { gateway: Some("no such gateway".into()), ..Purge::default() };
    assert_eq!(block_on(store.purge(nothing)).unwrap(), 0);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn what_was_put_is_found_until_it_expires(open: Open<'_>) {
    let store = open();
    assert!(find(&*store, &key(1), NOW_MS).is_none());
    store.put(key(1), answer("default", "m", 100), NOW_MS);
    assert_eq!(find(&*store, &key(1), NOW_MS + 59_999), Some(answer("default", "m", 100)));
    assert!(find(&*store, &key(2), NOW_MS).is_none());
    assert!(find(&*store, &key(1), NOW_MS + 60_000).is_none());
}

fn an_expired_answer_is_not_put(open: Open<'_>) {
    let store = open();
    store.put(key(1), answer("default", "m", 100), NOW_MS + 60_000);
    settle(&*store);
    assert!(find(&*store, &key(1), NOW_MS).is_none());
}

fn a_restart_keeps_it(open: Open<'_>) {
    let store = open();
    store.put(key(1), answer("default", "old", 10), NOW_MS);
    store.put(key(1), answer("default", "new", 5_000_000), NOW_MS);
    store.put(key(2), answer("default", "m", 0), NOW_MS);
    drop(store);
    let store = open();
    settle(&*store);
    assert_eq!(find(&*store, &key(1), NOW_MS), Some(answer("default", "new", 5_000_000)));
    assert_eq!(find(&*store, &key(2), NOW_MS), Some(answer("default", "m", 0)));
    assert!(find(&*store, &key(2), NOW_MS + 60_000).is_none());
}

fn a_purge_takes_what_matches_and_nothing_else(open: Open<'_>) {
    let fill = |store: &dyn Answers| {
        for (number, (gateway, model)) in [("a", "x"), ("a", "y"), ("b", "x")].into_iter().enumerate() {
            store.put(key(number as u64), answer(gateway, model, 64), NOW_MS);
        }
    };
    let purges = [
        (Purge::of_gateway("account", "a"), [false, false, true]),
        (Purge { model: Some("x".into()), ..Purge::of_gateway("account", "a") }, [false, true, true]),
        (Purge { model: Some("x".into()), ..Purge::default() }, [false, true, false]),
        (Purge::of_gateway("somebody else", "a"), [true, true, true]),
        (Purge::of_key(key(2)), [true, true, false]),
        (Purge { key: Some(key(2)), ..Purge::of_gateway("account", "a") }, [true, true, true]),
        (Purge::default(), [false, false, false]),
    ];
    for (what, left) in purges {
        let mut store = open();
        fill(&*store);
        block_on(store.purge(what.clone())).unwrap();
        for _ in 0..2 {
            let found: Vec<_> = (0..3).map(|number| find(&*store, &key(number), NOW_MS).is_some()).collect();
            assert_eq!(found, left, "{what:?}");
            // The same after a restart: it is gone from the disk, too.
            drop(store);
            store = open();
            settle(&*store);
        }
    }
}

macro_rules! answers_conformance {
    ($backend:ident, $open:expr) => {
        mod $backend {
            use super::*;
            answers_conformance!(@laws $open, what_was_put_is_found_until_it_expires, an_expired_answer_is_not_put, a_restart_keeps_it,
                a_purge_takes_what_matches_and_nothing_else);
        }
    };
    (@laws $open:expr, $($law:ident),*) => {
        $(#[test]
        fn $law() {
            let dir = tempfile::tempdir().unwrap();
            super::$law(&|| Box::new($open(dir.path())));
        })*
    };
}

fn embedded(dir: &Path) -> DiskAnswers {
    DiskAnswers::open(&dir.join("cache.db"), DiskAnswersOptions::default(), Arc::default()).unwrap()
}

/// Every answer has to come from disk: memory is too small for any.
fn hardly_any_memory(dir: &Path) -> DiskAnswers {
    let options = DiskAnswersOptions { memory_bytes: 16, ..DiskAnswersOptions::default() };
    DiskAnswers::open(&dir.join("cache.db"), options, Arc::default()).unwrap()
}

answers_conformance!(memory_over_disk, embedded);

#[test]
fn what_memory_cannot_hold_comes_from_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = hardly_any_memory(dir.path());
    store.put(key(1), answer("default", "m", 100), NOW_MS);
    settle(&store);
    assert!(matches!(store.get(&key(1), NOW_MS), Lookup::Elsewhere(_)));
    assert_eq!(find(&store, &key(1), NOW_MS), Some(answer("default", "m", 100)));
    assert!(matches!(store.get(&key(2), NOW_MS), Lookup::Miss));
}

#[test]
fn the_disk_stays_within_its_bound_and_drops_the_oldest() {
    let dir = tempfile::tempdir().unwrap();
    let metrics = Arc::<tollgate_store::Metrics>::default();
    let options = DiskAnswersOptions { memory_bytes: 16, disk_bytes: 100_000, ..DiskAnswersOptions::default() };
    let store = DiskAnswers::open(&dir.path().join("cache.db"), options, metrics.clone()).unwrap();
    for number in 0..30 {
        store.put(key(number), answer("default", "m", 10_000), NOW_MS);
        settle(&store);
    }
    let left: Vec<_> = (0..30).filter(|number| find(&store, &key(*number), NOW_MS).is_some()).collect();
    assert_eq!(left, (21..30).collect::<Vec<_>>());
    assert!(metrics.answers.disk_bytes.get() <= 100_000);
    assert_eq!((metrics.answers.disk_entries.get(), metrics.answers.disk_evictions.get()), (9, 21));
    // One that would push everything else out, and itself, is not taken.
    store.put(key(99), answer("default", "m", 100_001), NOW_MS);
    settle(&store);
    assert_eq!(metrics.answers.disk_entries.get(), 9);
}

#[test]
fn memory_stays_within_its_bound() {
    let metrics = Arc::<tollgate_store::Metrics>::default();
    let options = DiskAnswersOptions { memory_bytes: 200_000, disk_bytes: 0, ..DiskAnswersOptions::default() };
    let store = DiskAnswers::open(Path::new("unused"), options, metrics.clone()).unwrap();
    for number in 0..1_000 {
        store.put(key(number), answer("default", "m", 10_000), NOW_MS);
        assert!(metrics.answers.memory_bytes.get() <= 200_000);
    }
    assert!(metrics.answers.memory_entries.get() > 10);
}

#[test]
fn a_damaged_file_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("cache.db"), vec![7; 10_000]).unwrap();
    let store = embedded(dir.path());
    store.put(key(1), answer("default", "m", 10), NOW_MS);
    drop(store);
    let store = embedded(dir.path());
    settle(&store);
    assert!(find(&store, &key(1), NOW_MS).is_some());
}

#[test]
fn without_a_disk_that_works_memory_still_does() {
    let dir = tempfile::tempdir().unwrap();
    let metrics = Arc::<tollgate_store::Metrics>::default();
    let path = dir.path().join("no such directory").join("cache.db");
    let store = DiskAnswers::open(&path, DiskAnswersOptions::default(), metrics.clone()).unwrap();
    store.put(key(1), answer("default", "m", 10), NOW_MS);
    settle(&store);
    assert!(find(&store, &key(1), NOW_MS).is_some());
    assert_eq!(metrics.answers.disk_failures.get(), 1);
}
