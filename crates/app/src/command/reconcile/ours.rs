//! What the log says of the same days.
//!
//! Enters: the record store, and what the provider said. Leaves: sums of the same shape. Never: counts an answer from the cache, or a request that went to nobody;
//! holds more than a page of records.

use tollgate_model::{Record, Usage};
use tollgate_rules::catalog::Catalog;
use tollgate_store::Records;
use tollgate_store::records::{Condition, Field, Filter, Operator, Value, Walk};

use super::sums::{DAY_MS, Sum, Sums, model};
use super::theirs::Theirs;

const PAGE: u32 = 500;
/// A request belongs to the day on which it began; its record is of when it ended.
const LASTING_MS: u64 = 3_600_000;

pub(super) struct Ours {
    pub(super) sums: Sums,
    pub(super) complete: bool,
}

pub(super) fn read(
    records: &dyn Records,
    theirs: &Theirs,
    gateway: Option<&str>,
    catalog: &Catalog,
) -> anyhow::Result<Ours> {
    let mut ours = Ours { sums: Sums::default(), complete: true };
    let Some((first, last)) = theirs.days() else { return Ok(ours) };
    let by_model = theirs.is_by_model();
    let filter = filter(&theirs.provider, gateway, first, last);
    let mut walk = Walk::default();
    loop {
        let walked = records.walk(&filter, walk, PAGE)?;
        ours.complete &= walked.complete;
        for record in walked.records.iter().filter(|record| was_sent(record)) {
            let day = began_ms(record) / DAY_MS;
            if (first..=last).contains(&day) {
                let name = if by_model { model_of(record, catalog) } else { String::new() };
                ours.sums.add((day, name), &sum(record))?;
            }
        }
        match walked.next {
            Some(_) if walked.next != walk.behind => walk.behind = walked.next,
            _ => return Ok(ours),
        }
    }
}

fn filter(provider: &str, gateway: Option<&str>, first: u64, last: u64) -> Filter {
    let is_theirs =
        Condition { field: Field::Provider, operator: Operator::Eq, values: vec![Value::Text(provider.to_owned())] };
    Filter {
        gateway: gateway.map(str::to_owned),
        from_ms: Some(first * DAY_MS),
        to_ms: Some((last + 1) * DAY_MS + LASTING_MS),
        conditions: vec![is_theirs],
        ..Filter::default()
    }
}

fn was_sent(record: &Record) -> bool {
    !record.cached && !record.attempts.is_empty()
}

fn began_ms(record: &Record) -> u64 {
    record.created_ms.saturating_sub(record.duration_us() / 1_000)
}

fn model_of(record: &Record, catalog: &Catalog) -> String {
    let mut known = [Some(&record.model), record.answered_model.as_ref()].into_iter().flatten();
    let found = known.find(|name| catalog.model(&record.provider, name).is_some());
    model(catalog, &record.provider, found.unwrap_or(&record.model))
}

fn sum(record: &Record) -> Sum {
    let tokens = |usage: &Usage| (usage.tokens_in(), usage.tokens_out());
    Sum::of_ours(record.usage.as_ref().map(tokens), record.cost.as_ref().map(|cost| cost.amount))
}
