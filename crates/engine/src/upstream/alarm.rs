//! A deadline that costs nothing while it is not near.
//!
//! Enters: a moment and a future. Leaves: the future's output, or nothing when the moment came first. Never: fires early.
//!
//! Every request to a provider has a deadline minutes away, and nearly every answer comes in milliseconds. Putting a timer into the runtime's wheel and
//! taking it out again for each of them costs more than the rest of a deadline. This one stays in the wheel from one request on its connection to
//! the next, and is moved only when it fires too early, or when a deadline is nearer than it stands.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::time::{Instant, Sleep, sleep_until};

#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    pub(super) async fn unless<F: Future>(&mut self, until: Instant, future: F) -> Option<F::Output> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
        }
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            while sleep.as_mut().poll(cx).is_ready() {
                if Instant::now() >= until {
                    return Poll::Ready(None);
                }
                sleep.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn it_fires_at_its_moment_whatever_it_was_set_to_before() {
        let mut alarm = Alarm::default();
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(alarm.unless(begun + second * 10, async { 7 }).await, Some(7));
        assert_eq!(alarm.unless(begun + second * 5, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), second * 5);
        assert_eq!(alarm.unless(begun + second * 30, tokio::time::sleep(second * 20)).await, Some(()));
        assert_eq!(alarm.unless(begun + second * 30, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), second * 30);
    }
}
