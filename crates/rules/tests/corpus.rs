//! The corpus of usage and cost: what providers answer, what must be read of it, and what it costs at prices typed apart from ours.
//!
//! Each line of `corpus/*.toml` is one usage object as a provider documents it, the classes that must be read, the sum written out and its result in
//! nano-dollars. No number here was made by the code under test; `tests/prices/check.py` does the sums again from `tests/prices/published.toml`, which says
//! how far its prices were looked up on the providers' pages. Most were not yet.
//!
//! The laws: every way in which a provider sends an answer tells the same usage and costs the same; so do its members in any order; the parts of
//! a cost sum to the whole; the difference to the sum written out is 0 nano-dollars.

#![allow(clippy::unwrap_used, unreachable_pub)]

#[path = "corpus/page.rs"]
mod page;
#[path = "corpus/shapes.rs"]
mod shapes;

use std::collections::BTreeSet;

use page::{Line, Page};
use shapes::Told;
use tollgate_model::Usage;
use tollgate_model::usage::{Term, Terms};
use tollgate_rules::catalog::Catalog;
use tollgate_rules::cost;
use tollgate_wire::peek::peek;

const LINES_MIN: usize = 300;

fn all() -> Vec<(Page, Line)> {
    let pages = page::read_all();
    pages.into_iter().flat_map(|page| page.lines.clone().into_iter().map(move |line| (page.clone(), line))).collect()
}

/// Every way in which the answer can come, read and priced: what is wrong.
fn wrong(page: &Page, line: &Line) -> Option<String> {
    shapes::tellings(line).iter().find_map(|told| {
        let case = format!("{}: {} {} ({})", page.file, line.model, line.usage, told.how);
        judge(page, line, told.read()).err().map(|problem| format!("{case}:\n  {problem}"))
    })
}

fn judge(page: &Page, line: &Line, usage: Option<Usage>) -> Result<(), String> {
    let usage = with_terms(usage.ok_or("no usage")?, line);
    let counted = Usage { terms: Terms::default(), ..usage.clone() };
    if counted != line.reads() {
        return Err(format!("{usage:?}"));
    }
    let provider = line.provider.as_ref().unwrap_or(&page.provider);
    let catalog = Catalog::builtin();
    let found = catalog.find(provider, &line.model, line.at_ms()).ok_or("no price")?;
    let ledger = cost::of(&usage, found.price).ok_or("unknown cost")?;
    let parts: i64 = ledger.lines.iter().map(|line| line.amount.nanos()).sum();
    match (parts, ledger.total.nanos()) {
        (parts, total) if parts != total => Err(format!("the parts sum to {parts}, the total is {total}")),
        (_, total) if total != line.nanos => {
            Err(format!("{total} and not {} = {}: {:?}", line.nanos, line.sum, ledger.lines))
        }
        _ => Ok(()),
    }
}

/// As the gateway does: what the request asks for, what its address says, and then what the answer says.
fn with_terms(usage: Usage, line: &Line) -> Usage {
    let mut terms = line.asks.as_ref().map(|asks| peek(asks.as_bytes()).unwrap().terms).unwrap_or_default();
    if let Some(region) = line.path.as_ref().and_then(|path| cost::region(path)) {
        terms.note(Term::Region, region);
    }
    terms.overlay(usage.terms.clone());
    Usage { terms, ..usage }
}

fn check(lines: impl IntoIterator<Item = (Page, Line)>) {
    let wrong: Vec<String> = lines.into_iter().filter_map(|(page, line)| wrong(&page, &line)).collect();
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_line_is_read_and_priced_as_by_hand() {
    let lines = all();
    assert!(lines.len() >= LINES_MIN, "only {} lines", lines.len());
    check(lines);
}

#[test]
fn no_line_is_there_twice_and_every_one_names_its_page() {
    let mut seen = BTreeSet::new();
    for (page, line) in all() {
        let source = line.source.as_ref().unwrap_or(&page.source);
        assert!(source.starts_with("https://"), "{}: {}", page.file, line.model);
        let provider = line.provider.as_ref().unwrap_or(&page.provider);
        let key = format!(
            "{provider} {} {} {} {:?}",
            line.model,
            line.shape,
            line.usage,
            (line.at, &line.tier, &line.asks, &line.path)
        );
        assert!(seen.insert(key), "{}: {} {} is there twice", page.file, line.model, line.usage);
    }
}

/// The one who reads may not depend on the order in which a provider's serializer writes.
#[test]
fn the_order_of_members_and_of_details_does_not_matter() {
    let turned = |(page, line): (Page, Line)| (page, Line { usage: shapes::reversed(&line.usage), ..line });
    check(all().into_iter().map(turned));
}

/// A stream that was cut elsewhere on its way is the same stream.
#[test]
fn where_a_stream_is_cut_does_not_matter() {
    for (page, line) in all() {
        let streams = shapes::tellings(&line).into_iter().filter(Told::is_stream);
        for told in streams {
            let usages: Vec<Option<Usage>> = [1, 7, 64, 4096].into_iter().map(|size| told.read_in(size)).collect();
            assert!(usages.windows(2).all(|pair| pair[0] == pair[1]), "{}: {} {}", page.file, line.model, told.how);
        }
    }
}
