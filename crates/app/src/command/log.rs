//! `tollgate logs ...`
//!
//! Enters: what to look for. Leaves: lines as requests went by, or one record whole. Never: needs the server, nor disturbs it.
//!
//! The log's files can be read while a server writes them. What it has journaled a moment ago is in them within two of its rounds, so we
//! wait that long before the first look. When no server runs, what the last one left in the journal is moved first.

mod edit;
mod follow;
mod line;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use tollgate_control::log;
use tollgate_model::{Id, Record};
use tollgate_store::embedded::{DayRecords, DayRecordsOptions};
use tollgate_store::ingest::IngestOptions;
use tollgate_store::records::{Filter, Page, Which};
use tollgate_store::{Ingest, Metrics, Records};

use super::{journal_unless_served, show};
use crate::place::LOGS_DIR;

const CATCH_UP_AT_MOST: Duration = Duration::from_secs(30);

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate logs tail
  tollgate logs tail --gateway my-app -n 100
  tollgate logs tail --follow --json | jq .cost
  tollgate logs list 'status:>=400 model:gpt-5* since:24h'
  tollgate logs patch 0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00 --feedback -1
  tollgate logs delete 'meta.user:42' --gateway my-app
  tollgate logs show 0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00")]
pub(crate) enum Logs {
    /// The last requests, the newest at the bottom
    Tail(Tail),
    /// The newest records that match a question
    List(edit::List),
    /// Say what you thought of an answer
    Patch(edit::Patch),
    /// Delete records; their room comes back with the day
    Delete(edit::Delete),
    /// Everything about one request, bodies included
    Show {
        /// As the line shows it; also the answer's header cf-aig-log-id
        id: String,
        /// One line of JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Tail {
    /// Only this gateway's
    #[arg(long)]
    gateway: Option<String>,
    /// Go on as requests come in, until interrupted
    #[arg(long, short)]
    follow: bool,
    /// How many to begin with
    #[arg(short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    count: u32,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

impl Logs {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let records = open(data_dir)?;
        match self {
            Self::Tail(tail) => tail.run(&records),
            Self::List(list) => list.run(&records),
            Self::Patch(patch) => patch.run(&records),
            Self::Delete(delete) => delete.run(&records),
            Self::Show { id, json } => show_one(&records, &id, json),
        }
    }
}

/// The log with everything that was journaled before this call.
pub(super) fn open(data_dir: &Path) -> anyhow::Result<Arc<dyn Records>> {
    let metrics = Arc::new(Metrics::default());
    let dir = data_dir.join(LOGS_DIR);
    let records = DayRecords::open(&dir, DayRecordsOptions::default(), metrics.clone());
    let records: Arc<dyn Records> = Arc::new(records.context("cannot open the log; is --data-dir right?")?);
    match journal_unless_served(data_dir, &metrics)? {
        Some(journal) => {
            let ingest = Ingest::start(journal, records.clone(), IngestOptions::default())?;
            anyhow::ensure!(
                ingest.catch_up(CATCH_UP_AT_MOST),
                "the journal cannot be moved to the log; is the disk full?"
            );
            ingest.stop();
        }
        None => std::thread::sleep(2 * IngestOptions::default().gather),
    }
    Ok(records)
}

impl Tail {
    fn run(&self, records: &Arc<dyn Records>) -> anyhow::Result<()> {
        let filter = Filter { gateway: self.gateway.clone(), ..Filter::default() };
        let mut newest = match self.count {
            0 => Vec::new(),
            count => records.list(&filter, &Page::newest(count))?.records,
        };
        newest.reverse();
        for record in &newest {
            self.show(record)?;
        }
        if self.follow { follow::run(&**records, &filter, &newest, |record| self.show(record)) } else { Ok(()) }
    }

    fn show(&self, record: &Record) -> anyhow::Result<()> {
        if self.json { show::json(&log::row(record)) } else { show::text(&line::of(record)) }
    }
}

fn show_one(records: &Arc<dyn Records>, id: &str, json: bool) -> anyhow::Result<()> {
    let id: Id = id.parse().with_context(|| format!("{id:?} is not a log id; `tollgate logs tail` shows them"))?;
    let record =
        records.get(id)?.with_context(|| format!("no record {id}; it may have been declined, or be past its time"))?;
    let bodies = [records.body(id, Which::Request)?, records.body(id, Which::Response)?];
    let detail = log::detail(&record, Some(bodies));
    if json { show::json(&detail) } else { show::pretty(&detail) }
}
