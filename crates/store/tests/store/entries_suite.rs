//! What every store of entries promises. A new backend adds one line at the end.

use std::path::Path;

use tollgate_store::Failure;
use tollgate_store::embedded::FileEntries;
use tollgate_store::entries::{Draft, Entries, Entry, PAGE_MAX, Place, Span};

type Open<'a> = &'a dyn Fn() -> Box<dyn Entries>;

fn draft(id: &str, at_ms: u64) -> Draft<'_> {
    Draft { kind: "audit", parent: "", id, at_ms, body: "{}" }
}

fn ids(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

fn a_restart_keeps_them(open: Open<'_>) {
    let store = open();
    store.append(&[Draft { body: r#"{"a":1}"#, ..draft("a", 7) }]).unwrap();
    drop(store);
    let found = open().get("audit", "", "a").unwrap().unwrap();
    assert_eq!((found.id.as_str(), found.at_ms, found.version, found.body.as_str()), ("a", 7, 1, r#"{"a":1}"#));
    assert_eq!(open().get("audit", "other", "a").unwrap(), None);
}

fn all_of_a_batch_or_none(open: Open<'_>) {
    let store = open();
    store.append(&[draft("a", 1), draft("b", 1)]).unwrap();
    assert_eq!(store.append(&[draft("c", 2), draft("a", 2)]).unwrap_err().kind(), Failure::Conflict);
    assert_eq!(store.get("audit", "", "c").unwrap(), None);
    // The same id below another parent or kind is another entry.
    store.append(&[Draft { parent: "g", ..draft("a", 2) }, Draft { kind: "line", ..draft("a", 2) }]).unwrap();
    assert_eq!(store.count("audit", "", 0, u64::MAX).unwrap(), 2);
}

fn lists_are_by_time_then_arrival(open: Open<'_>) {
    let store = open();
    store.append(&[draft("late", 9), draft("b", 5), draft("a", 5), draft("early", 1)]).unwrap();
    store.append(&[Draft { parent: "g", ..draft("elsewhere", 5) }]).unwrap();
    let newest = Span::newest(10);
    let list = |span| store.list("audit", "", span).unwrap();
    assert_eq!(ids(&list(newest)), ["late", "a", "b", "early"]);
    assert_eq!(ids(&list(Span { oldest_first: true, ..newest })), ["early", "b", "a", "late"]);
    assert_eq!(ids(&list(Span { from_ms: 5, to_ms: 9, ..newest })), ["a", "b"]);
    assert_eq!(ids(&list(Span { skip: 1, limit: 2, ..newest })), ["a", "b"]);
    assert_eq!(store.count("audit", "", 5, 9).unwrap(), 2);
}

fn a_cursor_neither_repeats_nor_skips(open: Open<'_>) {
    let store = open();
    let names: Vec<String> = (0..25).map(|n| format!("e{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        store.append(&[draft(name, n as u64 / 4)]).unwrap();
    }
    for oldest_first in [true, false] {
        let (mut seen, mut behind): (Vec<String>, Option<Place>) = (Vec::new(), None);
        loop {
            let page = store.list("audit", "", Span { oldest_first, behind, ..Span::newest(4) }).unwrap();
            let Some(last) = page.last() else { break };
            behind = Some(last.place());
            seen.extend(page.into_iter().map(|entry| entry.id));
            // Whoever reads from the newest is not shown what comes meanwhile.
            if !oldest_first && seen.len() == 8 {
                store.append(&[draft("newer", 100)]).unwrap();
            }
        }
        if !oldest_first {
            seen.reverse();
        }
        assert_eq!(seen, names);
    }
}

fn a_page_has_a_bound(open: Open<'_>) {
    let store = open();
    let names: Vec<String> = (0..=PAGE_MAX).map(|n| n.to_string()).collect();
    store.append(&names.iter().map(|name| draft(name, 1)).collect::<Vec<_>>()).unwrap();
    assert_eq!(store.list("audit", "", Span::newest(usize::MAX)).unwrap().len(), PAGE_MAX);
}

fn an_expected_version_is_insisted_upon(open: Open<'_>) {
    let store = open();
    store.append(&[draft("a", 1)]).unwrap();
    assert_eq!(store.replace("audit", "", "a", 1, "[1]").unwrap(), 2);
    assert_eq!(store.replace("audit", "", "a", 1, "[2]").unwrap_err().kind(), Failure::Conflict);
    assert_eq!(store.replace("audit", "", "none", 1, "[2]").unwrap_err().kind(), Failure::Conflict);
    let found = store.get("audit", "", "a").unwrap().unwrap();
    assert_eq!((found.version, found.at_ms, found.body.as_str()), (2, 1, "[1]"));
}

fn what_is_old_goes_the_oldest_first(open: Open<'_>) {
    let store = open();
    store.append(&[draft("a", 3), draft("b", 1), draft("c", 2), Draft { parent: "g", ..draft("d", 1) }]).unwrap();
    store.append(&[Draft { kind: "line", ..draft("e", 1) }]).unwrap();
    assert_eq!(store.delete_older_than("audit", 3, 2).unwrap(), 2);
    assert_eq!(ids(&store.list("audit", "", Span::newest(9)).unwrap()), ["a", "c"]);
    assert_eq!(store.delete_older_than("audit", 3, 9).unwrap(), 1);
    assert_eq!(store.delete_older_than("audit", 3, 9).unwrap(), 0);
    assert!(store.get("line", "", "e").unwrap().is_some());
}

fn one_goes_or_all_below_a_parent(open: Open<'_>) {
    let store = open();
    store.append(&[draft("a", 1), draft("b", 1), draft("c", 1), Draft { parent: "g", ..draft("a", 1) }]).unwrap();
    let last = store.get("audit", "", "c").unwrap().unwrap().seq;
    assert_eq!(store.delete("audit", "", Some("a")).unwrap(), 1);
    assert_eq!(store.delete("audit", "", Some("a")).unwrap(), 0);
    assert_eq!(store.delete("audit", "", None).unwrap(), 2);
    assert_eq!(store.count("audit", "g", 0, u64::MAX).unwrap(), 1);
    // The number of one that went is not given to another: a cursor would point at it.
    store.append(&[draft("d", 1)]).unwrap();
    assert!(store.get("audit", "", "d").unwrap().unwrap().seq > last);
}

macro_rules! entries_conformance {
    ($backend:ident, $open:expr) => {
        mod $backend {
            use super::*;
            entries_conformance!(@laws $open, a_restart_keeps_them, all_of_a_batch_or_none, lists_are_by_time_then_arrival,
                a_cursor_neither_repeats_nor_skips, a_page_has_a_bound, an_expected_version_is_insisted_upon,
                what_is_old_goes_the_oldest_first, one_goes_or_all_below_a_parent);
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

fn embedded(dir: &Path) -> FileEntries {
    FileEntries::open(&dir.join("data").join("entries.db")).unwrap()
}

entries_conformance!(one_file, embedded);
