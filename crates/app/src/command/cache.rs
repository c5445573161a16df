//! `tollgate cache ...`
//!
//! Enters: which answers to forget. Leaves: a cache without them. Never: purges the disk behind the back of a server that has the same answers in
//! memory: it asks that server.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tollgate_control::desk::{Desk, Wanted};
use tollgate_control::purge;
use tollgate_model::token::Permission;
use tollgate_store::embedded::{DiskAnswers, DiskAnswersOptions};
use tollgate_store::{Answers, Metrics};

use super::{client, journal_unless_served, open_desk, show};
use crate::place::ANSWERS_FILE;

/// How long the token lives that is made for one question.
const TOKEN_LIVES_MS: u64 = 60_000;

/// The server's bounds are not known here, and nothing but what was asked for shall go.
const UNBOUNDED: DiskAnswersOptions =
    DiskAnswersOptions { memory_bytes: 1 << 20, disk_bytes: 1 << 62, queued_bytes: 1 << 20 };

#[derive(Subcommand, Debug)]
#[command(after_help = "Examples:
  tollgate cache purge my-app
  tollgate cache purge my-app --model gpt-5.5
  tollgate cache purge my-app --key greeting --url http://127.0.0.1:9000")]
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
    /// Where the server runs, if one does on this data directory
    #[arg(long, default_value = "http://127.0.0.1:8787")]
    url: String,
    /// How many there were, as JSON
    #[arg(long)]
    json: bool,
}

impl Cache {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let Self::Purge(what) = self;
        let desk = open_desk(data_dir)?;
        let known = desk.gateway(&what.gateway)?.is_some();
        anyhow::ensure!(known, "no gateway {:?}; `tollgate gateway list` shows those there are", what.gateway);
        let purged = match purge_disk(data_dir, &desk, &what)? {
            Some(purged) => purged,
            None => ask_server(&desk, &what)?,
        };
        if what.json {
            return show::json(&json!({ "purged": purged }));
        }
        show::text(&format!("forgot {purged} cached answer(s) of gateway {}\n", what.gateway))
    }
}

/// For a gateway that was changed or deleted here: a server that runs notices by itself, but one that starts later would find the old answers.
pub(crate) fn purge_unless_served(data_dir: &Path, desk: &Desk, gateway: &str) -> anyhow::Result<()> {
    let what = What { gateway: gateway.to_owned(), model: None, key: None, url: String::new(), json: false };
    purge_disk(data_dir, desk, &what).map(drop)
}

/// `None` while a server has the cache.
fn purge_disk(data_dir: &Path, desk: &Desk, what: &What) -> anyhow::Result<Option<u64>> {
    let metrics = Arc::new(Metrics::default());
    // Held to the end: no server starts on a cache that is being purged.
    let Some(_lock) = journal_unless_served(data_dir, &metrics)? else { return Ok(None) };
    let path = data_dir.join(ANSWERS_FILE);
    if !path.exists() {
        return Ok(Some(0));
    }
    let answers = DiskAnswers::open(&path, UNBOUNDED, metrics)?;
    let account = desk.current()?.account.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut purged = 0;
    for purge in purge::named(&account, &what.gateway, what.model.as_deref(), what.key.as_deref()) {
        purged += runtime.block_on(answers.purge(purge))?;
    }
    Ok(Some(purged))
}

/// With a token made for this question: who may write the data directory may ask.
fn ask_server(desk: &Desk, what: &What) -> anyhow::Result<u64> {
    let wanted =
        Wanted { name: "cache purge".into(), permissions: vec![Permission::Write], lives_ms: Some(TOKEN_LIVES_MS) };
    let made = desk.create_token(wanted)?;
    let asked = client::ask(Method::DELETE, &address(desk, what)?, &made.secret);
    desk.delete_token(&made.token.id)?;
    let result: Value =
        asked.context("a server runs on this data directory; say where with --url (its first line of output told)")?;
    Ok(result["purged"].as_u64().unwrap_or_default())
}

fn address(desk: &Desk, what: &What) -> anyhow::Result<String> {
    let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<String> = [("model", &what.model), ("key", &what.key)]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={}", quoted(value))))
        .collect();
    let (url, account) = (what.url.trim_end_matches('/'), desk.current()?.account.clone());
    let path = format!("client/v4/accounts/{account}/ai-gateway/gateways/{}/cache", what.gateway);
    Ok(format!("{url}/{path}?{}", query.join("&")))
}
