//! What every record store promises. A new backend adds one line at the end.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use tollgate_model::{Id, Ids, Record};
use tollgate_store::embedded::{DayRecords, DayRecordsOptions};
use tollgate_store::records::{Encoded, Entry, Filter, Order, OrderBy, Page, Ranges, Records, Which};

use crate::sample::{Dice, record, varied};

pub const DAY_MS: u64 = 86_400_000;
pub const MIDNIGHT_MS: u64 = 20_775 * DAY_MS;

type Open<'a> = &'a dyn Fn() -> Box<dyn Records>;

pub fn append(store: &dyn Records, records: &[Record]) {
    let lines: Vec<_> = records.iter().map(Encoded::of).collect();
    let entries: Vec<_> = lines.iter().map(|line| Entry { line: line.line(), request: b"", response: b"" }).collect();
    store.append(&entries).unwrap();
}

fn ids_of(records: &[Record]) -> Vec<Id> {
    records.iter().map(|record| record.id).collect()
}

fn what_went_in_comes_out(open: Open<'_>) {
    let (store, ids, mut dice) = (open(), Ids::new(), Dice(1));
    let records: Vec<_> = (0..50).map(|at| varied(&ids, &mut dice, MIDNIGHT_MS + at)).collect();
    append(&*store, &records);
    for record in &records {
        assert_eq!(store.get(record.id).unwrap().as_ref(), Some(record));
        assert_eq!(store.body(record.id, Which::Request).unwrap(), None);
    }
    let neighbour = Id::from_parts(records[0].id.key(), records[0].id.noise() ^ 1);
    assert_eq!(store.get(neighbour).unwrap(), None);
    assert_eq!(store.get(ids.next(MIDNIGHT_MS + 5 * DAY_MS)).unwrap(), None);
}

fn bodies_of_all_sizes_come_back(open: Open<'_>) {
    let (store, ids) = (open(), Ids::new());
    let records: Vec<_> = (0..8).map(|at| record(&ids, MIDNIGHT_MS + at)).collect();
    let sizes = [0, 1, 1_000, 300_000, 2, 700_000, 0, 40];
    let body = |at: usize, seed: u64| -> Vec<u8> {
        let mut dice = Dice(seed + at as u64);
        (0..sizes[at]).map(|_| dice.roll(200) as u8).collect()
    };
    let bodies: Vec<_> = (0..8).map(|at| (body(at, 10), body(7 - at, 90))).collect();
    let lines: Vec<_> = records.iter().map(Encoded::of).collect();
    let entries: Vec<_> = lines
        .iter()
        .zip(&bodies)
        .map(|(line, (request, response))| Entry { line: line.line(), request, response })
        .collect();
    store.append(&entries).unwrap();
    for (record, (request, response)) in records.iter().zip(&bodies) {
        for (which, bytes) in [(Which::Request, request), (Which::Response, response)] {
            let found = store.body(record.id, which).unwrap();
            assert_eq!(found.as_ref().map(|body| &body.bytes[..]), (!bytes.is_empty()).then_some(&bytes[..]));
            assert!(found.is_none_or(|body| body.content_type.as_deref() == Some("application/json")));
        }
    }
}

/// Strings of all lengths that come again and again, in ever new company, a whole body now and then: what a store may be tempted to keep once.
fn bodies_that_resemble_each_other_come_back(open: Open<'_>) {
    let (mut store, ids, mut dice) = (open(), Ids::new(), Dice(11));
    let sizes = [10, 255, 256, 257, 3_000, 70_000, 600_000];
    let strings: Vec<String> = (0..40_u64).map(|at| word(&mut dice, sizes[at as usize % sizes.len()])).collect();
    let mut kept: Vec<(Record, String, String)> = Vec::new();
    for batch in 0..12 {
        let mut entries = Vec::new();
        for at in 0..20 {
            let record = record(&ids, MIDNIGHT_MS + (batch % 3) * DAY_MS + batch * 100 + at);
            let request = match kept.last().filter(|_| dice.roll(4) == 0) {
                Some((_, before, _)) => before.clone(),
                None => body(&mut dice, &strings),
            };
            let answer = if dice.roll(4) == 0 { request.clone() } else { body(&mut dice, &strings) };
            kept.push((record.clone(), request.clone(), answer.clone()));
            entries.push((Encoded::of(&record), request, answer));
        }
        let batch_of: Vec<_> = entries
            .iter()
            .map(|(line, request, answer)| Entry {
                line: line.line(),
                request: request.as_bytes(),
                response: answer.as_bytes(),
            })
            .collect();
        store.append(&batch_of).unwrap();
        if batch % 5 == 4 {
            drop(store);
            store = open();
        }
    }
    // What another day held is not needed.
    assert_eq!(store.forget_before(MIDNIGHT_MS + DAY_MS).unwrap(), 1);
    for (record, request, answer) in &kept {
        let there = record.created_ms >= MIDNIGHT_MS + DAY_MS;
        for (which, body) in [(Which::Request, request), (Which::Response, answer)] {
            let found = store.body(record.id, which).unwrap().map(|body| body.bytes);
            assert!(found.as_deref() == there.then_some(body.as_bytes()), "{which:?} of {}", record.id);
        }
    }
}

fn word(dice: &mut Dice, len: usize) -> String {
    (0..len).map(|_| char::from(b'a' + dice.roll(26) as u8)).collect()
}

fn body(dice: &mut Dice, strings: &[String]) -> String {
    let turns = dice.roll(6);
    let turn = |_| format!("{{\"role\":\"user\",\"content\":\"{}\"}}", dice.pick(strings));
    let turns: Vec<String> = (0..turns).map(turn).collect();
    format!("{{\"messages\":[{}],\"user\":\"caller-{}\"}}", turns.join(","), dice.roll(1_000))
}

fn a_record_is_kept_once(open: Open<'_>) {
    let (store, ids) = (open(), Ids::new());
    let records: Vec<_> = (0..10).map(|at| record(&ids, MIDNIGHT_MS - 5 + at)).collect();
    append(&*store, &records[..6]);
    append(&*store, &records);
    drop(store);
    let store = open();
    append(&*store, &records);
    let listed = store.list(&Filter::default(), &Page::newest(50)).unwrap();
    assert_eq!((listed.total, listed.records.len(), listed.total_exact), (10, 10, true));
    assert_eq!(store.rows("default").unwrap(), 10);
    assert_eq!(store.rows("other").unwrap(), 0);
}

fn pages_show_each_record_once_in_order(open: Open<'_>) {
    let (store, ids, mut dice) = (open(), Ids::new(), Dice(3));
    let mut records: Vec<_> = (0..120).map(|at| varied(&ids, &mut dice, MIDNIGHT_MS + at * DAY_MS / 40)).collect();
    append(&*store, &records);
    records.retain(|record| &*record.gateway == "default");
    for by in [OrderBy::CreatedAt, OrderBy::Model, OrderBy::Cost, OrderBy::Duration, OrderBy::Feedback] {
        for descending in [false, true] {
            let mut seen = Vec::new();
            for skip in (0..120).step_by(7) {
                let page = Page { skip, size: 7, order: Order { by, descending }, ranges: false };
                let listed = store.list(&Filter::of_gateway("default"), &page).unwrap();
                assert_eq!(listed.total, records.len() as u64);
                seen.extend(ids_of(&listed.records));
            }
            assert_eq!(seen.len(), records.len(), "{by:?}");
            assert_eq!(seen.iter().collect::<HashSet<_>>().len(), records.len(), "{by:?}");
            if by == OrderBy::CreatedAt {
                let mut expected = ids_of(&records);
                if descending {
                    expected.reverse();
                }
                assert_eq!(seen, expected);
            }
        }
    }
}

fn ranges_are_of_all_that_match(open: Open<'_>) {
    let (store, ids, mut dice) = (open(), Ids::new(), Dice(4));
    let records: Vec<_> = (0..60).map(|at| varied(&ids, &mut dice, MIDNIGHT_MS + at * DAY_MS / 20)).collect();
    append(&*store, &records);
    let page = Page { size: 1, ranges: true, ..Page::newest(1) };
    let ranges = store.list(&Filter::default(), &page).unwrap().ranges.unwrap();
    let costs: Vec<_> = records.iter().filter_map(|record| Some(record.cost.as_ref()?.amount.nanos())).collect();
    let totals: Vec<_> = records.iter().filter_map(|record| Some(record.usage.as_ref()?.total())).collect();
    assert_eq!(ranges.cost_nanos, costs.iter().min().copied().zip(costs.iter().max().copied()));
    assert_eq!(ranges.total_tokens, totals.iter().min().copied().zip(totals.iter().max().copied()));
    let nothing = store.list(&Filter::of_gateway("nobody"), &page).unwrap();
    assert_eq!((nothing.total, nothing.ranges), (0, Some(Ranges::default())));
}

fn the_tail_shows_what_arrives(open: Open<'_>) {
    let (store, ids) = (open(), Ids::new());
    let start = store.tail(u64::MAX, 10).unwrap().next;
    // The first to arrive is not the first by its time.
    let records: Vec<_> = [30, 10, 20].map(|at| record(&ids, MIDNIGHT_MS + at)).into();
    append(&*store, &records);
    let tail = store.tail(start, 2).unwrap();
    assert_eq!(tail.records.iter().map(|record| record.id).collect::<Vec<_>>(), ids_of(&records[..2]));
    let rest = store.tail(tail.next, 10).unwrap();
    assert_eq!((rest.records.len(), rest.missed), (1, 0));
    assert!(store.tail(rest.next, 10).unwrap().records.is_empty());
    let many: Vec<_> = (0..10_000).map(|at| record(&ids, MIDNIGHT_MS + at)).collect();
    append(&*store, &many);
    let late = store.tail(rest.next, 1).unwrap();
    assert_eq!(late.next - rest.next, late.missed + 1);
}

fn whole_days_are_forgotten(open: Open<'_>) {
    let (store, ids) = (open(), Ids::new());
    let records: Vec<_> = (0..4).map(|day| record(&ids, MIDNIGHT_MS + day * DAY_MS)).collect();
    append(&*store, &records);
    assert_eq!(store.rows("default").unwrap(), 4);
    assert_eq!(store.forget_before(MIDNIGHT_MS + 2 * DAY_MS + 1).unwrap(), 2);
    assert_eq!(store.rows("default").unwrap(), 2);
    assert_eq!(store.get(records[1].id).unwrap(), None);
    assert!(store.get(records[2].id).unwrap().is_some());
    assert_eq!(store.forget_before(MIDNIGHT_MS).unwrap(), 0);
}

fn a_request_that_lasted_past_midnight_is_found(open: Open<'_>) {
    let (store, ids) = (open(), Ids::new());
    let mut late = record(&ids, MIDNIGHT_MS - 1);
    late.created_ms = MIDNIGHT_MS + 5;
    let mut set_back = record(&ids, MIDNIGHT_MS + 3);
    set_back.created_ms = MIDNIGHT_MS - 10;
    append(&*store, &[late.clone(), set_back.clone()]);
    assert_eq!(store.get(late.id).unwrap(), Some(late));
    assert_eq!(store.get(set_back.id).unwrap(), Some(set_back));
}

macro_rules! records_conformance {
    ($backend:ident, $open:expr) => {
        mod $backend {
            use super::*;
            records_conformance!(@laws $open, what_went_in_comes_out, bodies_of_all_sizes_come_back,
                bodies_that_resemble_each_other_come_back, a_record_is_kept_once,
                pages_show_each_record_once_in_order, ranges_are_of_all_that_match, the_tail_shows_what_arrives,
                whole_days_are_forgotten, a_request_that_lasted_past_midnight_is_found);
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

pub fn embedded(dir: &Path) -> DayRecords {
    DayRecords::open(dir, DayRecordsOptions::default(), Arc::default()).unwrap()
}

records_conformance!(day_files, embedded);
