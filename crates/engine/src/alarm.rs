//! A deadline that costs nothing while it is not near.
//!
//! Enters: a moment and a future. Leaves: the future's output, or nothing when the moment came first. Never: fires early.
//!
//! Every wait has a deadline seconds or minutes away, and nearly every one is over in milliseconds. Putting a timer into the runtime's wheel and
//! taking it out again for each of them costs more than the rest of a deadline. This one stays in the wheel from one wait to the next, and is moved
//! only when it fires too early, or when a deadline is nearer than it stands.

use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

/// Alarms that nobody needs just now, of one worker.
#[derive(Default)]
pub(crate) struct Alarms(Mutex<Vec<Alarm>>);

/// An alarm that goes back when it is not needed any more.
pub(crate) struct Lent<'a> {
    alarm: Alarm,
    home: &'a Alarms,
}

/// More than this are not kept.
const KEPT_MAX: usize = 1_024;

// === impl Alarm ===

impl Alarm {
    /// Ready from that moment on.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(until);
        }
    }

    pub(crate) async fn unless<F: Future>(&mut self, until: Instant, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.poll(cx, until).map(|()| None),
        })
        .await
    }

    /// The same with a deadline that begins to run, and looks at the clock, only if there is something to wait for.
    pub(crate) async fn within<F: Future>(&mut self, patience: Duration, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut until = None;
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => {
                let until = *until.get_or_insert_with(|| Instant::now() + patience);
                self.poll(cx, until).map(|()| None)
            }
        })
        .await
    }
}

// === impl Alarms ===

impl Alarms {
    pub(crate) fn lend(&self) -> Lent<'_> {
        Lent { alarm: self.0.lock().pop().unwrap_or_default(), home: self }
    }
}

impl Deref for Lent<'_> {
    type Target = Alarm;

    fn deref(&self) -> &Alarm {
        &self.alarm
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Alarm {
        &mut self.alarm
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut kept = self.home.0.lock();
        if self.alarm.0.is_some() && kept.len() < KEPT_MAX {
            kept.push(std::mem::take(&mut self.alarm));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_fires_at_its_moment_whatever_it_was_set_to_before() {
        let alarms = Alarms::default();
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(alarms.lend().unless(begun + second * 10, async { 7 }).await, Some(7));
        assert_eq!(alarms.lend().unless(begun + second * 5, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), second * 5);
        assert_eq!(alarms.lend().unless(begun + second * 30, tokio::time::sleep(second * 20)).await, Some(()));
        assert_eq!(alarms.lend().unless(begun + second * 30, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), second * 30);
        assert_eq!(alarms.lend().within(second, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), second * 31);
        assert_eq!(alarms.0.lock().len(), 1);
    }
}
