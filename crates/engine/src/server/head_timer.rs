//! hyper's time-out for request heads, kept in the timer wheel from one head to the next.
//!
//! Enters: a deadline for each head of one connection. Leaves: futures that are ready when it has passed. Never: fires early.
//!
//! hyper asks for a new timer for every head and drops it when the head has come. All of a connection's share one alarm here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
// tidy-allow(banned): hyper's trait names it; what time it is, tokio's clock says
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;

use crate::alarm::Alarm;

/// One for each connection.
#[derive(Clone, Default)]
pub(super) struct HeadTimer(Arc<Mutex<Alarm>>);

struct HeadSleep {
    alarm: Arc<Mutex<Alarm>>,
    until: tokio::time::Instant,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep { alarm: self.0.clone(), until: deadline.into() })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.alarm.lock().poll(cx, self.until)
    }
}

impl Sleep for HeadSleep {}
