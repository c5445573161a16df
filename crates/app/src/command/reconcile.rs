//! `tollgate reconcile FILE`
//!
//! Enters: a provider's own export of usage or costs. Leaves: the gap between it and the log, by day and model. Never: changes anything; holds more of either
//! than sums; passes over a line that it cannot read without saying which.

mod csv;
mod ours;
mod sums;
mod table;
mod theirs;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tollgate_rules::catalog::Catalog;

use super::{log, show};

/// Unreadable lines that are shown; all are counted.
const FAULTS_SHOWN: usize = 20;

#[derive(Args, Debug)]
#[command(after_help = "Formats, told apart by what is in them:
  OpenAI     usage and costs of the API (organization/usage/..., organization/costs: pages of JSON), and the CSV exports of the dashboard
  Anthropic  usage_report/messages and cost_report of the Admin API (pages of JSON), and the CSV exports of the console

Examples:
  tollgate reconcile openai-costs.csv
  tollgate reconcile usage.json --gateway my-app --json
  curl .../v1/organization/costs?... | tollgate reconcile -")]
pub(crate) struct Reconcile {
    /// The export; `-` reads standard input
    file: PathBuf,
    /// Our name for the provider, when it is not the one that the format is of
    #[arg(long)]
    provider: Option<String>,
    /// Only this gateway's requests
    #[arg(long)]
    gateway: Option<String>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// A line, or a result of a page, that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Reconcile {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let read: Box<dyn Read> = match self.file.as_os_str() == "-" {
            true => Box::new(io::stdin().lock()),
            false => Box::new(File::open(&self.file).with_context(|| format!("cannot open {}", self.file.display()))?),
        };
        let catalog = Catalog::builtin();
        let theirs = theirs::read(BufReader::new(read), self.provider.as_deref(), &catalog)?;
        self.tell(&theirs.unread);
        let records = log::open(data_dir)?;
        let ours = ours::read(&*records, &theirs, self.gateway.as_deref(), &catalog)?;
        if !ours.complete {
            say("the log could not be read as a whole: ours may be too low");
        }
        let gaps = table::gaps(&theirs, &ours.sums);
        if self.json { show::json(&table::json(&theirs, &gaps)) } else { table::print(&theirs, &gaps) }
    }

    fn tell(&self, unread: &[Unread]) {
        for Unread { line, why } in unread.iter().take(FAULTS_SHOWN) {
            say(&format!("{}:{line}: {why}", self.file.display()));
        }
        if !unread.is_empty() {
            say(&format!("{} lines could not be read and are not in the sums", unread.len()));
        }
    }
}

/// Beside the result, which is for other programs.
#[allow(clippy::print_stderr)]
fn say(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
