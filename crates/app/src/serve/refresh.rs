//! Keeps the snapshot in step with the documents, which other processes may write.
//!
//! Enters: a look now and then, and a wish when a request names something unknown. Leaves: a swapped pointer.
//! Never: replaces a snapshot that serves by one that does not compile, or looks more often than a flood of unknown names should make it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tollgate_control::desk::Desk;
use tollgate_engine::{Refresh, Wish};
use tollgate_model::{Clock, Moment};
use tollgate_rules::snapshot::Snapshot;

use super::{Base, DESK_PATIENCE, compile};

pub(crate) struct Refresher {
    desk: Arc<Desk>,
    base: Arc<ArcSwap<Base>>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    handle: Handle,
    last: Mutex<Option<Moment>>,
}

/// What requests hold: the engine asks through it.
pub(crate) struct Asker(pub(crate) Arc<Refresher>);

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks that requests asked for.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

impl Refresher {
    pub(crate) fn new(desk: Arc<Desk>, base: Arc<ArcSwap<Base>>, snapshot: Arc<ArcSwap<Snapshot>>, handle: Handle) -> Arc<Self> {
        Arc::new(Self { desk, base, snapshot, handle, last: Mutex::default() })
    }

    pub(crate) async fn watch(self: Arc<Self>) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            self.clone().look(false).await;
        }
    }

    pub(crate) async fn force(self: &Arc<Self>) {
        self.clone().look(true).await;
    }

    async fn look(self: Arc<Self>, always: bool) {
        let handle = self.handle.clone();
        let work = handle.spawn_blocking(move || self.reload(always));
        match tokio::time::timeout(DESK_PATIENCE, work).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(problem))) => tracing::error!("the settings documents cannot be used, the old ones stay in force: {problem:#}"),
            Ok(Err(cause)) => tracing::error!(%cause, "reading the settings documents failed"),
            Err(_) => tracing::error!("reading the settings documents takes too long"),
        }
    }

    fn reload(&self, always: bool) -> anyhow::Result<()> {
        if always || self.desk.changed()? {
            self.snapshot.store(Arc::new(compile(&self.desk, &self.base.load())?));
        }
        Ok(())
    }

    fn is_due(&self) -> bool {
        let now = Clock::System.now();
        let mut last = self.last.lock();
        let due = last.is_none_or(|last| now.since(last) >= LOOK_PAUSE);
        if due {
            *last = Some(now);
        }
        due
    }
}

impl Refresh for Asker {
    fn refresh(&self, wish: Wish) -> BoxFuture<'static, ()> {
        let refresher = self.0.clone();
        Box::pin(async move {
            match wish {
                Wish::CreateDefault => {
                    let desk = refresher.desk.clone();
                    let created = refresher.handle.spawn_blocking(move || desk.create_default()).await;
                    if let Ok(Err(problem)) = created {
                        tracing::error!("the default gateway cannot be created: {problem:#}");
                    }
                    refresher.look(false).await;
                }
                Wish::Look if refresher.is_due() => refresher.look(false).await,
                Wish::Look => {}
            }
        })
    }
}
