//! `tollgate prices reprice`
//!
//! Enters: the log of some days. Leaves: what was charged, and what today's prices would charge, by model and day. Never: changes a record.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use tollgate_model::{Money, Record};
use tollgate_rules::catalog::Catalog;
use tollgate_rules::catalog::layers::Asker;
use tollgate_rules::cost;
use tollgate_store::records::{Filter, Walk};

use super::{catalog, now_ms, show};
use crate::command::log;

const BATCH: u32 = 500;

#[derive(Args, Debug)]
pub(crate) struct Reprice {
    /// The first day, UTC
    #[arg(long, value_name = "DAY")]
    from: String,
    /// The day behind the last
    #[arg(long, value_name = "DAY")]
    to: String,
    /// Only this gateway's
    #[arg(long)]
    gateway: Option<String>,
    /// One JSON array
    #[arg(long)]
    json: bool,
}

/// Of one model on one day.
#[derive(Default)]
struct Sum {
    requests: u64,
    old: Money,
    new: Money,
    /// Without a cost then, or without one now.
    unknown_then: u64,
    unknown_now: u64,
}

impl Reprice {
    pub(super) fn run(&self, data_dir: &Path) -> anyhow::Result<()> {
        let day = |flag: &str, text: &str| {
            let read = tollgate_control::time::read(&format!("{text}T00:00:00Z"));
            read.with_context(|| format!("--{flag}: expected a day such as 2026-12-01, found {text:?}"))
        };
        let (from_ms, to_ms) = (day("from", &self.from)?, day("to", &self.to)?);
        anyhow::ensure!(from_ms < to_ms, "--to: expected a day after --from");
        let (catalog, records) = (catalog(data_dir)?, log::open(data_dir)?);
        let filter = Filter {
            gateway: self.gateway.clone(),
            from_ms: Some(from_ms),
            to_ms: Some(to_ms - 1),
            ..Filter::default()
        };
        let (mut sums, mut walk, now_ms) = (BTreeMap::new(), Walk::default(), now_ms());
        loop {
            let walked = records.walk(&filter, walk, BATCH)?;
            anyhow::ensure!(walked.complete, "part of the log cannot be read, so no sum would be right");
            walked.records.iter().for_each(|record| add(&mut sums, record, &catalog, now_ms));
            walk.behind = walked.next;
            if walk.behind.is_none() {
                return self.show(&sums);
            }
        }
    }

    fn show(&self, sums: &BTreeMap<[String; 3], Sum>) -> anyhow::Result<()> {
        if self.json {
            let rows = sums.iter().map(|([day, provider, model], sum)| {
                json!({
                    "day": day, "provider": provider, "model": model, "requests": sum.requests,
                    "old": sum.old.to_string(), "new": sum.new.to_string(), "difference": (sum.new - sum.old).to_string(),
                    "unknown_then": sum.unknown_then, "unknown_now": sum.unknown_now,
                })
            });
            return show::json(&rows.collect());
        }
        let mut rows: Vec<[String; 7]> = Vec::new();
        for ([day, provider, model], sum) in sums {
            rows.push([
                day.clone(),
                format!("{provider}/{model}"),
                sum.requests.to_string(),
                sum.old.to_string(),
                sum.new.to_string(),
                (sum.new - sum.old).to_string(),
                sum.note(),
            ]);
        }
        show::table(["DAY", "MODEL", "REQUESTS", "OLD $", "NEW $", "DIFFERENCE $", "NOTE"], &rows)
    }
}

/// What the caller or the provider set as the price is no matter of the list, and is left out; so is what came from the cache.
fn add(sums: &mut BTreeMap<[String; 3], Sum>, record: &Record, catalog: &Catalog, now_ms: u64) {
    let custom = record.cost.as_ref().is_some_and(|cost| cost.custom);
    let Some(usage) = record.usage.as_ref().filter(|_| !record.cached && !custom) else { return };
    let asker = Asker { gateway: &record.gateway, token: record.token_id.as_deref() };
    let names = [Some(record.model.as_str()), record.answered_model.as_deref()];
    let find = |name| catalog.find_for(asker, &record.provider, name, now_ms);
    let found = names.into_iter().flatten().find_map(find);
    let new = found.and_then(|found| cost::charge(usage, found.price)).map(|(amount, _)| amount);
    let old = record.cost.as_ref().map(|cost| cost.amount);
    let day = tollgate_control::time::text(record.created_ms)[..10].to_owned();
    let sum = sums.entry([day, record.provider.to_string(), record.model.clone()]).or_default();
    sum.requests += 1;
    sum.unknown_then += u64::from(old.is_none());
    sum.unknown_now += u64::from(new.is_none());
    // A request counts on both sides or on none.
    if let (Some(old), Some(new)) = (old, new) {
        (sum.old, sum.new) = (sum.old + old, sum.new + new);
    }
}

impl Sum {
    fn note(&self) -> String {
        let parts = [(self.unknown_then, "had no price then"), (self.unknown_now, "have none now")];
        let said = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        said.collect::<Vec<_>>().join(", ")
    }
}
