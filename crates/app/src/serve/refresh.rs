//! Keeps the snapshot in step with the documents, which other processes may write.
//!
//! Enters: a look now and then, and a wish when a request names something unknown. Leaves: a swapped pointer (the desk publishes it).
//! Never: looks more often than a flood of unknown names should make it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tollgate_control::desk::{Desk, DeskError};
use tollgate_engine::{Refresh, Wish};
use tollgate_model::{Clock, Moment};

#[derive(Clone)]
pub(crate) struct Refresher(Arc<Inner>);

struct Inner {
    desk: Arc<Desk>,
    handle: Handle,
    last: Mutex<Option<Moment>>,
}

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Between two looks that requests asked for.
const LOOK_PAUSE: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(10);

impl Refresher {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Self(Arc::new(Inner { desk, handle: Handle::current(), last: Mutex::default() }))
    }

    pub(crate) async fn watch(self) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        loop {
            every.tick().await;
            self.clone().work(Desk::current).await;
        }
    }

    async fn work<T: Send + 'static>(self, work: impl FnOnce(&Desk) -> Result<T, DeskError> + Send + 'static) {
        let desk = self.0.desk.clone();
        let working = self.0.handle.spawn_blocking(move || work(&desk));
        match tokio::time::timeout(PATIENCE, working).await {
            Ok(Ok(Ok(_))) => {}
            Ok(Ok(Err(problem))) => {
                tracing::error!("the settings documents cannot be used, the old ones stay in force: {problem}")
            }
            Ok(Err(cause)) => tracing::error!(%cause, "reading the settings documents failed"),
            Err(_) => tracing::error!("reading the settings documents takes too long"),
        }
    }

    fn is_due(&self) -> bool {
        let now = Clock::System.now();
        let mut last = self.0.last.lock();
        let due = last.is_none_or(|last| now.since(last) >= LOOK_PAUSE);
        if due {
            *last = Some(now);
        }
        due
    }
}

impl Refresh for Refresher {
    fn refresh(&self, wish: Wish) -> BoxFuture<'static, ()> {
        let refresher = self.clone();
        Box::pin(async move {
            match wish {
                Wish::CreateDefault => refresher.work(Desk::create_default).await,
                Wish::Look if refresher.is_due() => refresher.work(Desk::current).await,
                Wish::Look => {}
            }
        })
    }
}
