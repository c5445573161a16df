//! The API on a data directory, without a server.
//!
//! Enters: settings. Leaves: the rows' answers. Never: needs a running server, or disturbs one: the two meet in the files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::runtime::Runtime;
use tollgate_control::alert::Courier;
use tollgate_control::dashboard::Door;
use tollgate_control::drawer::NoDrawer;
use tollgate_control::evaluation::Worker;
use tollgate_control::local::Local;
use tollgate_control::router::{Parts, Public};
use tollgate_control::row::{Access, Needs, Row};
use tollgate_dial::{Client, Resolver, TlsRoots};
use tollgate_rules::egress::Egress;
use tollgate_store::answers::{Lookup, Purge, Purging, Settling};
use tollgate_store::embedded::FileEntries;
use tollgate_store::{AnswerKey, Answers, CachedAnswer, Entries, Failure, StoreError, Uses};

use super::Pairs;
use crate::command::{cache, log, open_desk_for, operator};
use crate::place::ENTRIES_FILE;
use crate::settings::Settings;

pub(crate) struct Here {
    local: Local,
    runtime: Runtime,
    account: String,
    /// What was drawn is in a ledger that only a server opens.
    credits_are_served: bool,
}

// === impl Here ===

impl Here {
    /// The master key is only looked for where secrets are.
    pub(crate) fn open(settings: &Settings, row: Option<&Row>) -> anyhow::Result<Self> {
        let dir = settings.data_dir.clone();
        let desk = Arc::new(open_desk_for(settings, row.is_some_and(has_secrets))?);
        let account = desk.current()?.account.to_string();
        let entries =
            FileEntries::open(&dir.join(ENTRIES_FILE)).context("cannot open the entries; is --data-dir right?")?;
        let uses = Arc::new(Uses::load(&entries)?);
        let records = log::records(&dir)?;
        let caught = records.clone();
        let log_dir = dir.clone();
        let entries: Arc<dyn Entries> = Arc::new(entries);
        let egress = Arc::new(Egress { allow_private: settings.allow_private.clone() });
        let client = Client::new(egress, TlsRoots::System, Resolver::System);
        let parts = Parts {
            courier: Arc::new(Courier::new(desk.clone(), entries.clone(), client)),
            desk,
            records,
            answers: Arc::new(Cache(dir)),
            entries,
            evaluations: Worker::default(),
            // What is held and drawn is in the head of a server: rows that tell it are asked there.
            budgets: Box::new(NoDrawer),
            draws: None,
            people: None,
            reload: Box::new(|| Err("no server is asked; `tollgate reload` asks one".to_owned())),
            uses,
            public: Public {
                url: settings.public_url.clone().unwrap_or_else(|| format!("http://{}", settings.listen)),
                loopback: true,
                ready: Box::new(|| true),
                metrics: Box::new(String::new),
            },
            door: Arc::new(Door::closed()),
            catch_up: Box::new(move |_| log::catch_up(&log_dir, &caught).is_ok()),
        };
        let local = Local::new(parts, operator()).map_err(|why| anyhow::anyhow!(why))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { local, runtime, account, credits_are_served: settings.credits })
    }

    pub(super) fn ask(
        &self,
        row: &'static Row,
        path: &Pairs,
        query: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, String)> {
        anyhow::ensure!(
            !(self.credits_are_served && row.path.contains("/ai-gateway/billing/")),
            "credits are switched on, and what was drawn is known to the server alone: ask it with --url (or TOLLGATE_URL)"
        );
        let mut params = path.clone();
        params.push(("account".to_owned(), self.account.clone()));
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let (status, bytes) = self.runtime.block_on(self.local.ask(row, params, query, body));
        Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// What seals or opens a secret: rows of secrets themselves, and changes of what has secrets in it.
fn has_secrets(row: &Row) -> bool {
    let needs =
        matches!(row.access, Access::Guarded(Needs::WriteAndSecrets | Needs::SecretsRead | Needs::SecretsWrite, _));
    let holds = [
        "/gateways",
        "/gateways/{gateway}",
        "/custom-providers",
        "/{custom_provider}",
        "/alerts",
        "/{alert}",
        "/{alert}/test",
    ];
    let changes = row.method != Method::GET && holds.iter().any(|end| row.path.ends_with(end));
    needs || changes || row.path.contains("provider_configs")
}

/// The cache on disk, while no server has it. One that runs notices changed gateways by itself, and is asked for the rest (`cache`).
struct Cache(PathBuf);

impl Answers for Cache {
    fn get(&self, _: &AnswerKey, _: u64) -> Lookup {
        Lookup::Miss
    }

    fn put(&self, _: AnswerKey, _: Arc<CachedAnswer>, _: u64) {}

    fn settle(&self) -> Settling {
        Box::pin(std::future::ready(()))
    }

    fn purge(&self, what: Purge) -> Purging {
        let dir = self.0.clone();
        Box::pin(async move { purge(&dir, what).await })
    }
}

async fn purge(dir: &Path, what: Purge) -> Result<u64, StoreError> {
    let failed =
        |cause: anyhow::Error| StoreError::new(Failure::Unavailable, "purging the cache").because(cause.to_string());
    Ok(cache::forget(dir, vec![what]).await.map_err(failed)?.unwrap_or_default())
}
