//! The worker threads.
//!
//! Enters: accepted connections. Leaves: threads that end when their connections have. Never: shares a runtime with anything that blocks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::task::TaskTracker;
use tollgate_dial::Speaks;
use tollgate_rules::egress::Egress;
use tollgate_store::journal::{Journal, JournalWriter};

use super::connection::{self, Context};
use super::{Admitted, Fallback, Serving};
use crate::gate::{Gate, Shared};
use crate::upstream::{Dialer, Upstream};

pub struct Workers(Vec<Worker>);

struct Worker {
    give: mpsc::Sender<Admitted>,
    connections: Arc<AtomicUsize>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

/// Connections that wait to be picked up by one worker; past it they are closed.
const WAITING_MAX: usize = 1_024;
const SWEEP_EVERY: Duration = Duration::from_secs(15);

impl Workers {
    pub(super) fn start(
        shared: &Arc<Shared>,
        journal: &Journal,
        fallback: &Arc<dyn Fallback>,
        serving: &Serving,
        drain: &watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let start = |index| {
            let journal = journal.writer(index).map_err(io::Error::other)?;
            Worker::start(index, shared, journal, fallback, serving, drain)
        };
        (0..serving.workers.max(1)).map(start).collect::<io::Result<_>>().map(Self)
    }

    /// To the worker with the fewest connections.
    pub(super) fn give(&self, admitted: Admitted) {
        let least = self.0.iter().min_by_key(|worker| worker.connections.load(Ordering::Relaxed));
        if let Some(worker) = least {
            worker.connections.fetch_add(1, Ordering::Relaxed);
            if worker.give.try_send(admitted).is_err() {
                worker.connections.fetch_sub(1, Ordering::Relaxed);
                tracing::warn!("a worker does not keep up: connection closed");
            }
        }
    }

    /// Streams in flight may end, within `patience`.
    pub(super) async fn finish(self, patience: Duration) {
        let until = tokio::time::Instant::now() + patience;
        while self.0.iter().any(|worker| worker.connections.load(Ordering::Relaxed) > 0)
            && tokio::time::Instant::now() < until
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for worker in self.0 {
            worker.stop.send_replace(true);
            let joined = tokio::task::spawn_blocking(|| worker.thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("a worker thread did not end cleanly");
            }
        }
    }
}

impl Worker {
    fn start(
        index: usize,
        shared: &Arc<Shared>,
        journal: JournalWriter,
        fallback: &Arc<dyn Fallback>,
        serving: &Serving,
        drain: &watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let (give, admitted) = mpsc::channel(WAITING_MAX);
        let (stop, stopped) = watch::channel(false);
        let connections = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let dialer = |egress: &Arc<Egress>| {
            let connect = serving.upstream.connect;
            let (roots, resolver) = (serving.roots.clone(), serving.resolver.clone());
            let net = tollgate_dial::Dialer::new(egress.clone(), roots, resolver, Speaks::Both, connect);
            Dialer::new(net, serving.sandbox.clone())
        };
        let upstream = Upstream::new(dialer(&serving.egress), serving.upstream, shared.clock.clone());
        let outside = Upstream::new(dialer(&serving.outside), serving.upstream, shared.clock.clone());
        let (roots, resolver) = (serving.roots.clone(), serving.resolver.clone());
        let client = tollgate_dial::Client::new(serving.egress.clone(), roots, resolver);
        let gate = Arc::new(Gate::new(shared.clone(), upstream, outside, client, journal));
        let context = Context {
            gate,
            fallback: fallback.clone(),
            serving: serving.clone(),
            drain: drain.clone(),
            connections: connections.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("tollgate-{index}"))
            .spawn(move || runtime.block_on(work(context, admitted, stopped)))?;
        Ok(Self { give, connections, stop, thread })
    }
}

async fn work(context: Context, mut admitted: mpsc::Receiver<Admitted>, mut stopped: watch::Receiver<bool>) {
    let context = Arc::new(context);
    let tasks = TaskTracker::new();
    let writer = tokio::spawn(context.gate.journal.clone().run());
    let sweeper = tokio::spawn(sweep(context.gate.clone()));
    loop {
        tokio::select! {
            Some(connection) = admitted.recv() => drop(tasks.spawn(connection::serve(context.clone(), connection))),
            _ = stopped.wait_for(|stop| *stop) => break,
        }
    }
    sweeper.abort();
    // Connections that outlived the drain are dropped with the runtime; what their books say is written first.
    tasks.close();
    context.gate.journal.flush();
    writer.abort();
}

async fn sweep(gate: Arc<Gate>) {
    let mut every = tokio::time::interval(SWEEP_EVERY);
    loop {
        every.tick().await;
        gate.upstream.sweep();
        gate.outside.sweep();
    }
}
