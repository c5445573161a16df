//! `tollgate serve`: puts the rooms together and runs them.
//!
//! Enters: settings. Leaves: when told to, after streams had time to end. Never: starts half: what cannot be opened is said, with what to do.

mod alerts;
mod drawer;
mod fallback;
mod follow;
mod ledger;
mod people;
mod refresh;
mod reload;
mod retention;
mod stores;
mod tls;
mod uses;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tollgate_control::audit::{Actor, Audit};
use tollgate_control::config;
use tollgate_control::dashboard::Door;
use tollgate_control::desk::Desk;
use tollgate_dial::Client;
use tollgate_engine::keys::Keys;
use tollgate_engine::metrics::Metrics;
use tollgate_engine::server::{self, Serving};
use tollgate_engine::{Limits, Once, Parts, Shared};
use tollgate_model::{Clock, Money, Secret};
use tollgate_rules::auto::Pool;
use tollgate_rules::egress::Egress;
use tollgate_rules::naming::Aliases;
use tollgate_rules::options::Manners;
use tollgate_rules::proxy::Proxies;
use tollgate_rules::snapshot::{Documents, Snapshot};
use tollgate_store::Answers;
use tollgate_testkit::Sandbox;
use tollgate_wire::provider::Providers;

use crate::banner::Banner;
use crate::settings::{self, Layers, Settings};
use crate::{place, vault};
use alerts::Guard;
use follow::Follower;
use refresh::Refresher;
use reload::Reloader;
use stores::Stores;

const SETTLE_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn run(layers: &Layers, json: bool) -> anyhow::Result<()> {
    let settings = settings::resolve(layers)?;
    log_to_stderr(&settings);
    // One crypto provider in the whole process.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("TLS is set up already"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("tollgate-desk")
        .enable_all()
        .build()?;
    runtime.block_on(serve(settings, layers.clone(), json))
}

async fn serve(settings: Settings, layers: Layers, json: bool) -> anyhow::Result<()> {
    place::prepare(&settings.data_dir)?;
    let stores = Stores::open(&settings)?;
    // A key that was answered before the restart is answered again, not carried out again. A disk that is too slow for that is no reason to stay down.
    if tokio::time::timeout(SETTLE_PATIENCE, stores.told.settle()).await.is_err() {
        tracing::warn!("answers to idempotency keys are not read yet: the disk is slow");
    }
    let base = Arc::new(ArcSwap::from_pointee(base(&settings)?));
    let snapshot = Arc::new(ArcSwap::from_pointee(
        Snapshot::compile(0, base.load().documents()).map_err(|_| anyhow::anyhow!("the settings do not compile"))?,
    ));
    let desk = desk(&stores, &base, &snapshot);
    let vault = vault::open(&settings, &desk)?;
    let desk = Arc::new(desk.with_vault(Arc::new(vault)));
    desk.ensure_store()?;
    // Before a file is followed: what an older program kept plain is sealed whoever may change settings.
    match desk.seal_settings()? {
        0 => {}
        count => tracing::info!(count, "settings with secrets that stood plain, or under an older key, are sealed now"),
    }
    config::states::hide_secrets(&desk, &*stores.entries)?;
    let is_local = settings.listen.ip().is_loopback();
    let followed =
        settings.config_file.as_deref().map(|file| Follower::start(file, &desk, &stores.entries)).transpose()?;
    // Where a file is the truth, it declares gateways and tokens.
    let admin = match &followed {
        Some(_) => None,
        None => {
            desk.seed_default(is_local)?;
            desk.seed_admin()?
        }
    };
    desk.refresh()?;
    if let Some(credits) = &stores.credits {
        let cents = tollgate_control::credits::paid(&*stores.entries, &snapshot.load().account)?;
        credits.paid(money(cents));
    }
    refuse_strangers(&settings, &snapshot.load())?;
    let refresher = Refresher::new(desk.clone());
    let used = desk.clone();
    let reloader = Arc::new(Reloader { layers, base, desk: desk.clone(), entries: stores.entries.clone() });

    let listener = TcpListener::bind(settings.listen).await;
    let listener = listener.with_context(|| {
        format!("cannot listen on {}: is something else there? choose with --listen ADDR:PORT", settings.listen)
    })?;
    let address = listener.local_addr()?;
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let draining = Arc::new(AtomicBool::new(false));
    let shared = Arc::new(shared(&settings, &stores, snapshot, &refresher)?);
    let (door, code) = door(is_local)?;
    let people = people::of(&settings, &desk, &stores);
    let serving = serving(&settings)?;
    let client = Client::new(serving.egress.clone(), serving.roots.clone(), serving.resolver.clone());
    let guard = Guard::new(&settings, &stores, &desk, client);
    let fallback = fallback::build(fallback::Parts {
        desk,
        courier: guard.courier.clone(),
        stores: &stores,
        shared: shared.clone(),
        door: Arc::new(door),
        people,
        draining: draining.clone(),
        reloader: reloader.clone(),
        is_local,
        url: settings.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}")),
    });
    // Before anybody is told that the process is there: whoever then wants it to end must be heard.
    let signals = Signals::hear().context("cannot hear signals")?;
    Banner::new(scheme, address, code.as_ref(), &shared, &settings).with_admin(admin).print(json)?;

    let (stop, drain) = watch::channel(false);
    tokio::spawn(signals.heed(stop, draining, reloader));
    tokio::spawn(refresher.watch());
    if let Some(follower) = followed {
        tokio::spawn(follower.watch());
    }
    let uses = uses::Keeper { uses: stores.uses.clone(), entries: stores.entries.clone(), desk: used };
    tokio::spawn(uses.clone().keep());
    tokio::spawn(ledger::keep(stores.till.clone()));
    guard.start(stores.till.crossings());
    if let Some(credits) = &stores.credits {
        tokio::spawn(ledger::keep_credits(credits.clone()));
    }
    tokio::spawn(retention::trim(stores.records.clone()));
    tokio::spawn(retention::keep(stores.records.clone(), settings.log_retention_days));
    tokio::spawn(retention::keep_audit(stores.entries.clone(), settings.audit_retention_days));
    let ended = server::run(listener, shared, &stores.journal, fallback, serving, drain, settings.drain).await;
    tokio::task::block_in_place(|| {
        uses.write();
        guard.save();
        stores.close();
    });
    Ok(ended?)
}

fn money(cents: i64) -> Money {
    Money::from_nanos(cents.saturating_mul(10_000_000))
}

/// Settings change at the desk, and every change is published by swapping one pointer.
fn desk(stores: &Stores, base: &Arc<ArcSwap<Base>>, snapshot: &Arc<ArcSwap<Snapshot>>) -> Desk {
    let (base, snapshot, records) = (base.clone(), snapshot.clone(), stores.records.clone());
    let desk = Desk::new(stores.documents.clone(), Clock::System, Box::new(move || base.load().documents()));
    let gateway = Actor { name: "tollgate".to_owned(), ..Actor::default() };
    desk.audited(Audit::new(stores.entries.clone(), gateway)).publishing(Box::new(move |fresh| {
        records.cap(retention::caps(&fresh));
        snapshot.store(fresh);
    }))
}

/// What a snapshot is made of besides the documents.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    pub(crate) accounts: Vec<String>,
    pub(crate) manners: Manners,
    pub(crate) providers: Arc<Providers>,
    pub(crate) aliases: Arc<Aliases>,
    pub(crate) auto: Arc<Pool>,
    /// As at the start: connections are judged by that until a restart.
    pub(crate) egress: Arc<Egress>,
}

pub(crate) fn base(settings: &Settings) -> anyhow::Result<Base> {
    let mut providers = (**Providers::builtin()).clone();
    for (segment, url) in &settings.base_urls {
        providers = providers.with_base_url(segment, url).with_context(|| format!("providers.{segment}.base_url"))?;
    }
    let said = |segment: &str, name: &str| settings.values.get(segment)?.get(name).cloned();
    let found = |env: &[String]| env.iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()));
    let providers = providers
        .with_values(|segment, name, env| said(segment, name).or_else(|| found(env)))
        .context("values of providers")?;
    let manners =
        Manners { ttl_enables_cache: settings.cache_ttl_header_enables, stream_cache: settings.cache_streams };
    let auto = Arc::new(settings.auto.clone());
    let aliases = Arc::new(settings.aliases.clone());
    let egress = Arc::new(Egress { allow_private: settings.allow_private.clone() });
    Ok(Base { accounts: settings.accounts.clone(), manners, providers: Arc::new(providers), aliases, auto, egress })
}

impl Base {
    pub(crate) fn documents(&self) -> Documents {
        Documents {
            accounts: self.accounts.clone(),
            manners: self.manners,
            providers: self.providers.clone(),
            aliases: self.aliases.clone(),
            auto: self.auto.clone(),
            egress: self.egress.clone(),
            ..Documents::default()
        }
    }
}

/// Who starts the process on their own machine may sign in by the link that the banner shows.
fn door(is_local: bool) -> anyhow::Result<(Door, Option<Secret>)> {
    if !is_local {
        return Ok((Door::closed(), None));
    }
    let (door, code) = Door::open_once()?;
    Ok((door, Some(code)))
}

/// Beyond loopback anybody could use what the operator pays for.
fn refuse_strangers(settings: &Settings, snapshot: &Snapshot) -> anyhow::Result<()> {
    if settings.listen.ip().is_loopback() || settings.allow_unauthenticated {
        return Ok(());
    }
    let open: Vec<&str> =
        snapshot.gateways().filter(|gateway| !gateway.settings.authentication).map(|gateway| &*gateway.id).collect();
    anyhow::ensure!(
        open.is_empty(),
        "{} is beyond loopback, and these gateways let anybody in: {}. Switch their authentication on \
         (tollgate gateway create ID --authentication true), or say --allow-unauthenticated if that is what you want",
        settings.listen,
        open.join(", ")
    );
    Ok(())
}

fn shared(
    settings: &Settings,
    stores: &Stores,
    snapshot: Arc<ArcSwap<Snapshot>>,
    refresher: &Refresher,
) -> anyhow::Result<Shared> {
    let limits = Limits {
        body_bytes_max: settings.body_bytes_max,
        first_byte: settings.first_byte,
        answer_idle: settings.answer_idle,
        ..Limits::default()
    };
    let rows = snapshot.load().providers.clone();
    let mut metrics = Metrics::default();
    stores.register(metrics.registry());
    Ok(Shared::new(Parts {
        snapshot,
        clock: Clock::System,
        catalog: crate::command::prices::catalog(&settings.data_dir)?,
        answers: stores.answers.clone(),
        keys: Keys::find(rows.all().map(|row| &**row), |name| std::env::var(name).ok()),
        metrics,
        limits,
        uses: stores.uses.clone(),
        refresh: Arc::new(refresher.clone()),
        till: stores.till.clone(),
        credits: stores.credits.clone(),
        once: Arc::new(Once::new(stores.told.clone(), settings.idempotency_ttl)),
    }))
}

fn serving(settings: &Settings) -> anyhow::Result<Serving> {
    let mut serving = Serving::new(Sandbox::new());
    if let Some(workers) = settings.workers {
        serving.workers = workers;
    }
    serving.connections_max = settings.connections_max;
    serving.proxies = Proxies::new(settings.trusted_proxies.clone());
    serving.egress = Arc::new(Egress { allow_private: settings.allow_private.clone() });
    serving.tls = settings.tls.as_ref().map(|(certificate, key)| tls::acceptor(certificate, key)).transpose()?;
    Ok(serving)
}

/// What the operator says to the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

// === impl Signals ===

impl Signals {
    fn hear() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// SIGTERM and SIGINT drain, a second one ends at once; SIGHUP reads the settings again.
    async fn heed(mut self, stop: watch::Sender<bool>, draining: Arc<AtomicBool>, reloader: Arc<Reloader>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
                _ = self.hangup.recv() => {
                    let reloader = reloader.clone();
                    drop(tokio::task::spawn_blocking(move || reloader.log()).await);
                    continue;
                }
            }
            if draining.swap(true, Ordering::SeqCst) {
                tracing::warn!("second signal: ending at once");
                std::process::exit(130);
            }
            tracing::info!("draining: no new connections, open answers may end");
            stop.send_replace(true);
        }
    }
}

fn log_to_stderr(settings: &Settings) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_new(&settings.log_filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let outcome = if settings.log_json { builder.json().try_init() } else { builder.try_init() };
    drop(outcome);
}
