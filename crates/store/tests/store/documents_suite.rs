//! What every document store promises. A new backend adds one line at the end.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Barrier};

use tollgate_store::Failure;
use tollgate_store::documents::{Document, Documents, Draft, Write, Written};
use tollgate_store::embedded::FileDocuments;

type Open<'a> = &'a dyn Fn() -> Box<dyn Documents>;

fn draft<'a>(id: &'a str, body: &'a str) -> Draft<'a> {
    Draft { kind: "gateway", parent: "", id, name: "A name", body }
}

fn versions_grow_and_a_restart_keeps_them(open: Open<'_>) {
    let store = open();
    assert_eq!(store.get("gateway", "", "a").unwrap(), None);
    assert_eq!(store.put(draft("a", "{}"), None).unwrap(), 1);
    assert_eq!(store.put(draft("a", r#"{"b":1}"#), None).unwrap(), 2);
    drop(store);
    let found = open().get("gateway", "", "a").unwrap().unwrap();
    let expected = Document {
        kind: "gateway".into(),
        parent: "".into(),
        id: "a".into(),
        name: "A name".into(),
        version: 2,
        body: r#"{"b":1}"#.into(),
    };
    assert_eq!(found, expected);
}

fn an_expected_version_is_insisted_upon(open: Open<'_>) {
    let store = open();
    let refused = |done: Result<u64, tollgate_store::StoreError>| done.unwrap_err().kind() == Failure::Conflict;
    assert!(refused(store.put(draft("a", "1"), Some(1))));
    assert_eq!(store.put(draft("a", "1"), Some(0)).unwrap(), 1);
    assert!(refused(store.put(draft("a", "2"), Some(0))));
    assert_eq!(store.put(draft("a", "2"), Some(1)).unwrap(), 2);
    assert_eq!(store.delete("gateway", "", "a", Some(1)).unwrap_err().kind(), Failure::Conflict);
    assert!(store.delete("gateway", "", "a", Some(2)).unwrap());
    assert!(!store.delete("gateway", "", "a", None).unwrap());
}

fn lists_are_of_one_kind_and_parent(open: Open<'_>) {
    let store = open();
    for (kind, parent, id) in [("route", "g2", "a"), ("route", "g1", "b"), ("route", "g1", "a"), ("token", "g1", "c")] {
        store.put(Draft { kind, parent, id, name: "", body: "{}" }, None).unwrap();
    }
    let ids: Vec<_> = store.list("route", "g1").unwrap().into_iter().map(|document| document.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(store.all().unwrap().0.len(), 4);
}

fn another_opener_sees_that_something_changed(open: Open<'_>) {
    let (one, other) = (open(), open());
    let mut before = one.changes().unwrap();
    let mut moved = || {
        let now = one.changes().unwrap();
        std::mem::replace(&mut before, now) != now
    };
    assert!(!moved());
    other.put(draft("a", "1"), None).unwrap();
    assert!(moved());
    other.put(draft("a", "2"), None).unwrap();
    assert!(moved());
    one.put(draft("b", "2"), None).unwrap();
    assert!(moved());
    other.delete("gateway", "", "a", None).unwrap();
    assert!(moved());
    other.settle_constant("account", "x").unwrap();
    assert!(other.put(draft("b", "3"), Some(7)).is_err());
    assert!(!moved());
    assert_eq!(one.all().unwrap().1, one.changes().unwrap());
}

fn a_group_of_writes_happens_whole_or_not_at_all(open: Open<'_>) {
    let store = open();
    store.put(draft("a", "1"), None).unwrap();
    store.put(draft("b", "1"), None).unwrap();
    let put = |id, body, expected| Write::Put { draft: draft(id, body), expected };
    let gone = |id, expected| Write::Delete { kind: "gateway", parent: "", id, expected };
    let written = store.write_all(&[put("a", "2", Some(1)), put("c", "1", Some(0)), gone("b", Some(1))]).unwrap();
    assert_eq!(written, Written { before: 2, after: 5 });
    assert_eq!(written.after, store.changes().unwrap());
    let bodies =
        || -> Vec<_> { store.all().unwrap().0.into_iter().map(|each| (each.id, each.version, each.body)).collect() };
    let now = [("a".to_owned(), 2, "2".to_owned()), ("c".to_owned(), 1, "1".to_owned())];
    assert_eq!(bodies(), now);
    // The last one of each group is refused, so the others did not happen.
    for refused in [put("c", "2", Some(0)), gone("c", Some(7)), gone("d", Some(1))] {
        let failed = store.write_all(&[put("a", "3", None), gone("a", None), refused]).unwrap_err();
        assert_eq!(failed.kind(), Failure::Conflict);
        assert_eq!(bodies(), now);
    }
    assert_eq!(store.write_all(&[]).unwrap(), Written { before: 5, after: 5 });
}

fn of_writers_that_race_one_wins(open: Open<'_>) {
    let (stores, start) = ([open(), open()], Arc::new(Barrier::new(2)));
    let race = |store: &dyn Documents| {
        start.wait();
        (0..50_u64).filter(|version| store.put(draft("a", "{}"), Some(*version)).is_ok()).count()
    };
    let wins = std::thread::scope(|scope| {
        let other = scope.spawn(|| race(&*stores[0]));
        race(&*stores[1]) + other.join().unwrap()
    });
    let version = stores[0].get("gateway", "", "a").unwrap().unwrap().version;
    assert_eq!(wins as u64, version);
}

fn the_first_to_settle_a_constant_wins(open: Open<'_>) {
    let (one, other) = (open(), open());
    assert_eq!(one.constant("account").unwrap(), None);
    assert_eq!(one.settle_constant("account", "first").unwrap(), "first");
    assert_eq!(other.settle_constant("account", "second").unwrap(), "first");
    assert_eq!(other.constant("account").unwrap().as_deref(), Some("first"));
}

macro_rules! documents_conformance {
    ($backend:ident, $open:expr) => {
        mod $backend {
            use super::*;
            documents_conformance!(@laws $open, versions_grow_and_a_restart_keeps_them, an_expected_version_is_insisted_upon,
                lists_are_of_one_kind_and_parent, another_opener_sees_that_something_changed,
                a_group_of_writes_happens_whole_or_not_at_all, of_writers_that_race_one_wins,
                the_first_to_settle_a_constant_wins);
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

fn embedded(dir: &Path) -> FileDocuments {
    FileDocuments::open(&dir.join("data").join("tollgate.db")).unwrap()
}

documents_conformance!(one_file, embedded);

#[test]
fn only_the_owner_may_look() {
    let dir = tempfile::tempdir().unwrap();
    let store = embedded(dir.path());
    store.put(draft("a", "{}"), None).unwrap();
    let mode = |path: &str| dir.path().join(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("data/tollgate.db"), 0o600);
    assert_eq!(mode("data/tollgate.db-wal"), 0o600);
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..4).map(|_| scope.spawn(|| embedded(dir.path()).changes().unwrap())).collect();
        opened.into_iter().for_each(|each| assert_eq!(each.join().unwrap(), 0));
    });
}
