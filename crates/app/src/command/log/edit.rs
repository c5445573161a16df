//! `tollgate log list|patch|delete`: the log asked in one line, rated, thinned out.
//!
//! Enters: a question as `?q=` takes it, or an id with what was thought of it. Leaves: rows, or how many are gone. Never: deletes without a question: who
//! means everything says `--all`.

use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use tollgate_control::log::{ask, read_patch, row};
use tollgate_model::{Clock, Id};
use tollgate_store::Records;
use tollgate_store::records::{Filter, Order, OrderBy, Page};

use super::line;
use crate::command::show;

#[derive(Args, Debug)]
pub(crate) struct List {
    /// Such as 'status:>=400 model:gpt-5* since:24h'; docs/logs.md has all of it
    query: Option<String>,
    /// Only this gateway's
    #[arg(long)]
    gateway: Option<String>,
    /// How many, the newest
    #[arg(short = 'n', default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    count: u32,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Patch {
    /// As the line shows it; also the answer's header cf-aig-log-id
    id: String,
    /// -1 thumbs down, 0 neither, 1 thumbs up, null takes it back
    #[arg(long, allow_hyphen_values = true, value_name = "-1|0|1|null")]
    feedback: Option<String>,
    /// 0 to 100, null takes it back
    #[arg(long, value_name = "0-100|null")]
    score: Option<String>,
    /// Flat JSON object in place of all there is
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// The record as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Delete {
    /// Which records, such as 'meta.user:42'
    query: Option<String>,
    /// All records of the gateway
    #[arg(long, conflicts_with = "query")]
    all: bool,
    /// Only this gateway's
    #[arg(long, required = true)]
    gateway: String,
    /// How many became none, as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self, records: &Arc<dyn Records>) -> anyhow::Result<()> {
        let mut filter = Filter { gateway: self.gateway.clone(), ..Filter::default() };
        question(self.query.as_deref(), &mut filter)?;
        for record in records.list(&filter, &Page::newest(self.count))?.records {
            match self.json {
                true => show::json(&row(&record))?,
                false => show::text(&line::of(&record))?,
            }
        }
        Ok(())
    }
}

impl Patch {
    pub(super) fn run(&self, records: &Arc<dyn Records>) -> anyhow::Result<()> {
        let id: Id = self.id.parse().with_context(|| format!("{:?} is not a log id", self.id))?;
        let mut body = json!({});
        for (name, text) in [("feedback", &self.feedback), ("score", &self.score), ("metadata", &self.metadata)] {
            if let Some(text) = text {
                body[name] = serde_json::from_str::<Value>(text).with_context(|| format!("--{name} {text}"))?;
            }
        }
        let patch = read_patch(&body)
            .map_err(|faults| anyhow::anyhow!(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?;
        anyhow::ensure!(records.patch(id, &patch)?, "no record {id}; it may have been declined, or be past its time");
        let record = records.get(id)?.with_context(|| format!("record {id} was deleted meanwhile"))?;
        if self.json { show::json(&row(&record)) } else { show::text(&line::of(&record)) }
    }
}

impl Delete {
    /// Bounded steps, until nothing matches.
    pub(super) fn run(&self, records: &Arc<dyn Records>) -> anyhow::Result<()> {
        let is_said = self.query.is_some() || self.all;
        anyhow::ensure!(is_said, "say which records, such as 'meta.user:42', or --all for every record of the gateway");
        let mut filter = Filter::of_gateway(&*self.gateway);
        question(self.query.as_deref(), &mut filter)?;
        // What comes in while it works is not meant.
        filter.to_ms = Some(filter.to_ms.unwrap_or(u64::MAX).min(Clock::System.unix_ms()));
        let oldest = Order { by: OrderBy::CreatedAt, descending: false };
        let mut removed = 0;
        loop {
            match records.remove(&filter, oldest, u64::MAX)? {
                0 => break,
                more => removed += more,
            }
        }
        if self.json {
            show::json(&json!({ "deleted": removed }))
        } else {
            show::text(&format!("deleted {removed} records\n"))
        }
    }
}

fn question(query: Option<&str>, filter: &mut Filter) -> anyhow::Result<()> {
    let Some(text) = query else { return Ok(()) };
    ask(text, Clock::System.unix_ms(), filter).map_err(|message| anyhow::anyhow!(message))
}
