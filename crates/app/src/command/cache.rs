//! `tollgate cache ...`
//!
//! Enters: which answers to forget. Leaves: a cache without them. Never: purges the disk behind the back of a server that has the same answers in
//! memory: it leaves that server a wish.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use tollgate_control::desk::Desk;
use tollgate_control::purge;
use tollgate_store::answers::Purge;
use tollgate_store::embedded::{DiskAnswers, DiskAnswersOptions};
use tollgate_store::{Answers, Metrics};

use super::reach::Reach;
use super::{journal_unless_served, open_desk, show};
use crate::place::ANSWERS_FILE;

const PAUSE: Duration = Duration::from_millis(50);
const LOOKS_MAX: u32 = 200;

/// The server's bounds are not known here, and nothing but what was asked for shall go.
const UNBOUNDED: DiskAnswersOptions =
    DiskAnswersOptions { memory_bytes: 1 << 20, disk_bytes: 1 << 62, queued_bytes: 1 << 20 };

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate cache purge my-app
  tollgate cache purge my-app --model gpt-5.5
  tollgate cache purge my-app --key greeting")]
pub(crate) enum Cache {
    /// Forget cached answers of a gateway
    Purge(What),
}

#[derive(Args, Debug)]
pub(crate) struct What {
    /// The gateway whose answers are forgotten
    gateway: String,
    /// Only those of this model
    #[arg(long)]
    model: Option<String>,
    /// Only the one under this key, as requests named it in cf-aig-cache-key
    #[arg(long)]
    key: Option<String>,
    /// How many there were, as JSON
    #[arg(long)]
    json: bool,
}

impl Cache {
    pub(crate) fn run(self, data_dir: impl FnOnce() -> anyhow::Result<PathBuf>, reach: &Reach) -> anyhow::Result<()> {
        let Self::Purge(what) = self;
        let purged = match reach {
            Reach::Here(_) => purge_here(&data_dir()?, &what)?,
            there => what.ask(there)?,
        };
        if what.json {
            return show::json(&json!({ "purged": purged }));
        }
        show::text(&format!("forgot {purged} cached answer(s) of gateway {}\n", what.gateway))
    }
}

impl What {
    fn ask(&self, reach: &Reach) -> anyhow::Result<u64> {
        let said = [("model", &self.model), ("key", &self.key)];
        let query: Vec<(&str, &str)> =
            said.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect();
        let purged = reach.result("tollgate-purge-cache", &[("gateway", &self.gateway)], &query, None)?;
        Ok(purged["purged"].as_u64().unwrap_or_default())
    }
}

fn purge_here(data_dir: &Path, what: &What) -> anyhow::Result<u64> {
    let desk = open_desk(data_dir)?;
    let known = desk.gateway(&what.gateway)?.is_some();
    anyhow::ensure!(known, "no gateway {:?}; `tollgate gateway list` shows those there are", what.gateway);
    match purge_disk(data_dir, &desk, what)? {
        Some(purged) => Ok(purged),
        None => ask_server(&desk, what),
    }
}

/// For a custom provider that was changed or removed here: a server that runs notices by itself, but one that starts later would find the old answers.
pub(crate) fn purge_provider_unless_served(data_dir: &Path, desk: &Desk, segment: &str) -> anyhow::Result<()> {
    let account = desk.current()?.account.clone();
    wait(forget(data_dir, vec![Purge::of_provider(account, segment)])).map(drop)
}

fn purge_disk(data_dir: &Path, desk: &Desk, what: &What) -> anyhow::Result<Option<u64>> {
    let account = desk.current()?.account.clone();
    wait(forget(data_dir, purge::named(&account, &what.gateway, what.model.as_deref(), what.key.as_deref())))
}

fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().build()?.block_on(work)
}

/// `None` while a server has the cache.
pub(super) async fn forget(data_dir: &Path, purges: Vec<Purge>) -> anyhow::Result<Option<u64>> {
    let metrics = Arc::new(Metrics::default());
    // Held to the end: no server starts on a cache that is being purged.
    let Some(_lock) = journal_unless_served(data_dir, &metrics)? else { return Ok(None) };
    let path = data_dir.join(ANSWERS_FILE);
    if !path.exists() {
        return Ok(Some(0));
    }
    let answers = DiskAnswers::open(&path, UNBOUNDED, metrics)?;
    let mut purged = 0;
    for purge in purges {
        purged += answers.purge(purge).await?;
    }
    Ok(Some(purged))
}

/// The server looks at its settings a few times a second, and there finds what is asked of it.
fn ask_server(desk: &Desk, what: &What) -> anyhow::Result<u64> {
    let wish = desk.wish_purge(&what.gateway, what.model.as_deref(), what.key.as_deref())?;
    let mut purged = None;
    for _ in 0..LOOKS_MAX {
        purged = desk.wish_met(&wish)?;
        if purged.is_some() {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    desk.drop_wish(&wish)?;
    purged.context("the server on this data directory did not purge its cache within ten seconds; does it still run, or is it stopped?")
}
