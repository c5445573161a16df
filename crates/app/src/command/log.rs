//! `tollgate logs ...`
//!
//! Enters: what to look for. Leaves: lines as requests went by, or one record whole. Never: needs the server, nor disturbs it.
//!
//! The log's files can be read while a server writes them. What it has journaled a moment ago is in them within two of its rounds, so we
//! wait that long before the first look. When no server runs, what the last one left in the journal is moved first.

mod edit;
mod far;
mod follow;
mod line;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use tollgate_control::log;
use tollgate_model::Record;
use tollgate_store::embedded::{DayRecords, DayRecordsOptions};
use tollgate_store::ingest::IngestOptions;
use tollgate_store::records::{Filter, Page};
use tollgate_store::{Ingest, Metrics, Records};

use super::reach::Reach;
use super::{journal_unless_served, show};
use crate::place::LOGS_DIR;

const CATCH_UP_AT_MOST: Duration = Duration::from_secs(30);

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate log tail
  tollgate log tail --gateway my-app -n 100
  tollgate log tail --follow --json | jq .cost
  tollgate log list 'status:>=400 model:gpt-5* since:24h'
  tollgate log patch 0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00 --feedback -1
  tollgate log delete 'meta.user:42' --gateway my-app
  tollgate log show 0199b7c2-6c1e-7d41-9a55-0c3f6f2a1b00")]
pub(crate) enum Logs {
    /// The last requests, the newest at the bottom
    Tail(Tail),
    /// Delete records; their room comes back with the day
    Delete(edit::Delete),
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
    pub(crate) fn run(
        self,
        data_dir: impl FnOnce() -> anyhow::Result<PathBuf>,
        reach: impl FnOnce() -> anyhow::Result<Reach>,
    ) -> anyhow::Result<()> {
        match (self, reach()?) {
            (Self::Delete(delete), reach) => delete.run(&reach),
            (Self::Tail(tail), Reach::Here(_)) => tail.run(&open(&data_dir()?)?),
            (Self::Tail(tail), reach) => far::tail(&reach, &tail),
        }
    }
}

/// The log with everything that was journaled before this call.
pub(super) fn open(data_dir: &Path) -> anyhow::Result<Arc<dyn Records>> {
    let records = records(data_dir)?;
    catch_up(data_dir, &records)?;
    Ok(records)
}

/// The log as it lies there.
pub(super) fn records(data_dir: &Path) -> anyhow::Result<Arc<dyn Records>> {
    let records = DayRecords::open(&data_dir.join(LOGS_DIR), DayRecordsOptions::default(), Arc::default());
    Ok(Arc::new(records.context("cannot open the log; is --data-dir right?")?))
}

/// What was journaled so far is in it when this returns.
pub(super) fn catch_up(data_dir: &Path, records: &Arc<dyn Records>) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::default());
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
    Ok(())
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
