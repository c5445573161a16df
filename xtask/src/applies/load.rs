//! Callers and open streams, for as long as they are wanted.
//!
//! Enters: where the gateway is. Leaves: how many requests and streams were answered, and how many were not as they should be. Never: gives up at a failure.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::Method;
use serde_json::json;

use crate::gateway::{ACCOUNT, Caller};

const CALLERS: usize = 2;
const STREAMS: usize = 8;

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    count: Arc<Count>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

#[derive(Default)]
struct Count {
    answered: AtomicUsize,
    streams: AtomicUsize,
    failed: AtomicUsize,
}

// === impl Load ===

impl Load {
    pub(super) fn start(url: &str) -> Self {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(Count::default()));
        let caller = Caller::new();
        let url = format!("{url}/v1/{ACCOUNT}/default/sandbox/v1/chat/completions");
        let one =
            |index: usize| tokio::spawn(ask(caller.clone(), url.clone(), index < STREAMS, stop.clone(), count.clone()));
        let tasks = (0..STREAMS + CALLERS).map(one).collect();
        Self { stop, count, tasks }
    }

    /// Requests, streams, failures; after the last stream has ended.
    pub(super) async fn finish(self) -> (usize, usize, usize) {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            if task.await.is_err() {
                self.count.failed.fetch_add(1, Ordering::SeqCst);
            }
        }
        let Count { answered, streams, failed } = &*self.count;
        (answered.load(Ordering::SeqCst), streams.load(Ordering::SeqCst), failed.load(Ordering::SeqCst))
    }
}

/// A stream stands open for two seconds, which is over many changes.
async fn ask(caller: Caller, url: String, stream: bool, stop: Arc<AtomicBool>, count: Arc<Count>) {
    let model = if stream { "sandbox-1:gap=20,chunks=100,tokens=100" } else { "sandbox-1:latency=5,tokens=5" };
    let body = json!({ "model": model, "stream": stream, "messages": [{ "role": "user", "content": "hello" }] });
    let body = Bytes::from(body.to_string());
    while !stop.load(Ordering::SeqCst) {
        let heard = caller.send(Method::POST, &url, &[("content-type", "application/json")], body.clone()).await;
        let is_whole = heard.is_ok_and(|heard| {
            heard.status == 200 && (!stream || heard.body.windows(12).any(|bytes| bytes == b"data: [DONE]"))
        });
        match (is_whole, stream) {
            (false, _) => count.failed.fetch_add(1, Ordering::SeqCst),
            (true, true) => count.streams.fetch_add(1, Ordering::SeqCst),
            (true, false) => count.answered.fetch_add(1, Ordering::SeqCst),
        };
    }
}
