//! Carries messages to webhooks: signed, again and again until they are taken, and no faster than a receiver bears.
//!
//! Enters: findings. Leaves: deliveries, and what became of them. Never: follows a redirect, connects to an address that egress does not permit, tries
//! for ever, or keeps one receiver waiting for another.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use tollgate_dial::{Client, Limits};
use tollgate_model::Alert;
use tollgate_store::{Entries, StoreError};

use super::book::{Book, Delivery, State, Versioned};
use super::{Finding, sign};
use crate::desk::{Desk, DeskError};

/// Tries in all: about seven hours.
pub(crate) const ATTEMPTS_MAX: u32 = 8;
const FIRST_PAUSE_MS: u64 = 5_000;
const PAUSE_MAX_MS: u64 = 4 * 3_600_000;
/// For one exchange; a longer answer than this is none.
const LIMITS: Limits = Limits { total: Duration::from_secs(15), body_bytes_max: 64 * 1024 };
/// Messages under way at a time.
const AT_ONCE: usize = 8;
/// Messages of one round.
const ROUND: usize = 64;
const ERROR_CHARS_MAX: usize = 300;

pub struct Courier {
    desk: Arc<Desk>,
    entries: Arc<dyn Entries>,
    client: Client,
}

/// How an attempt ended.
#[derive(Debug)]
enum Ended {
    Taken(StatusCode),
    /// The receiver wants none of them any more.
    Unwanted(StatusCode),
    /// When it said to come back.
    Not(Option<StatusCode>, String, Option<Duration>),
}

// === impl Courier ===

impl Courier {
    pub fn new(desk: Arc<Desk>, entries: Arc<dyn Entries>, client: Client) -> Self {
        Self { desk, entries, client }
    }

    /// Puts into the queue what was not told before. Returns how many that were. Waits for a disk.
    pub fn queue(&self, findings: &[Finding]) -> Result<usize, StoreError> {
        let (mut count, now_ms) = (0, self.desk.now_ms());
        for finding in findings {
            count += usize::from(Book(&*self.entries).add(&Delivery::new(finding, now_ms))?);
        }
        Ok(count)
    }

    /// Sends what is due. Returns how many that were.
    pub async fn round(self: &Arc<Self>) -> Result<usize, StoreError> {
        let mine = self.clone();
        let due = blocking(move || Book(&*mine.entries).due(mine.desk.now_ms(), ROUND)).await?;
        let count = due.len();
        let sending = stream::iter(due).map(|each| self.clone().carry(each)).buffer_unordered(AT_ONCE);
        let done: Vec<Result<(), StoreError>> = sending.collect().await;
        done.into_iter().collect::<Result<(), _>>()?;
        Ok(count)
    }

    async fn carry(self: Arc<Self>, mut versioned: Versioned) -> Result<(), StoreError> {
        let mine = self.clone();
        let alert_id = versioned.delivery.alert_id.clone();
        let ready = blocking(move || Ok(mine.ready(&alert_id))).await?;
        let ended = match ready {
            Ok((alert, key)) => self.send(&alert, &key, &versioned.delivery).await,
            Err(why) => Ended::Not(None, why, None),
        };
        note(&mut versioned.delivery, ended, self.desk.now_ms());
        blocking(move || Book(&*self.entries).save(&versioned)).await
    }

    /// The alert as it is now, and its key: who mends an address mends what waits for it too.
    fn ready(&self, alert_id: &str) -> Result<(Alert, Vec<u8>), String> {
        let alert = self.desk.alert(alert_id).map_err(|cause| cause.to_string())?;
        let key = self.key(&alert)?;
        Ok((alert, key))
    }

    fn key(&self, alert: &Alert) -> Result<Vec<u8>, String> {
        let gone = || "the webhook's secret is gone from the secrets store: set a new one".to_owned();
        let secret = self.desk.resolve(&alert.webhook.secret_id).map_err(|cause: DeskError| cause.to_string())?;
        sign::key(secret.ok_or_else(gone)?.expose()).ok_or_else(|| format!("the webhook's secret: {}", sign::EXPECTED))
    }

    async fn send(&self, alert: &Alert, key: &[u8], delivery: &Delivery) -> Ended {
        let now_s = self.desk.now_ms() / 1_000;
        let request = Request::post(&alert.webhook.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &delivery.id)
            .header("webhook-timestamp", now_s)
            .header("webhook-signature", sign::signature(key, &delivery.id, now_s, &delivery.payload))
            .body(Bytes::from(delivery.payload.clone()));
        let request = match request {
            Ok(request) => request,
            Err(cause) => return Ended::Not(None, cause.to_string(), None),
        };
        match self.client.send(request, LIMITS).await {
            Ok(answer) => judged(&answer),
            Err(cause) => Ended::Not(None, cause.to_string(), None),
        }
    }

    /// Sends one message now, once, and keeps what became of it.
    pub(crate) async fn try_now(&self, alert: &Alert, finding: &Finding) -> Result<Delivery, StoreError> {
        let mut delivery = Delivery::new(finding, self.desk.now_ms());
        let ended = match self.key(alert) {
            Ok(key) => self.send(alert, &key, &delivery).await,
            Err(why) => Ended::Not(None, why, None),
        };
        note(&mut delivery, ended, self.desk.now_ms());
        if delivery.state == State::Pending {
            (delivery.state, delivery.next_at) = (State::Failed, None);
        }
        Book(&*self.entries).add_ended(&delivery)?;
        Ok(delivery)
    }
}

impl std::fmt::Debug for Courier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Courier").finish_non_exhaustive()
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(cause) => {
            Err(StoreError::new(tollgate_store::Failure::Unavailable, "a delivery's thread ended").because(cause))
        }
    }
}

fn judged(answer: &Response<Bytes>) -> Ended {
    let status = answer.status();
    if status.is_success() {
        return Ended::Taken(status);
    }
    if status == StatusCode::GONE {
        return Ended::Unwanted(status);
    }
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let said = match status.is_redirection() {
        true => format!("{status}: redirects are not followed"),
        false => status.to_string(),
    };
    Ended::Not(Some(status), said, seconds.map(Duration::from_secs))
}

fn note(delivery: &mut Delivery, ended: Ended, now_ms: u64) {
    delivery.attempts += 1;
    delivery.attempted_at = Some(now_ms);
    (delivery.next_at, delivery.last_error) = (None, None);
    match ended {
        Ended::Taken(status) => {
            (delivery.state, delivery.last_status) = (State::Delivered, Some(status.as_u16()));
        }
        Ended::Unwanted(status) => {
            (delivery.state, delivery.last_status) = (State::Failed, Some(status.as_u16()));
            delivery.last_error = Some(format!("{status}: the receiver wants no more"));
        }
        Ended::Not(status, why, after) => {
            delivery.last_status = status.map(|status| status.as_u16());
            delivery.last_error = Some(why.chars().take(ERROR_CHARS_MAX).collect());
            if delivery.attempts >= ATTEMPTS_MAX {
                delivery.state = State::Failed;
            } else {
                let after_ms = after.map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
                let pause_ms = pause_ms(&delivery.id, delivery.attempts).max(after_ms.min(PAUSE_MAX_MS));
                delivery.next_at = Some(now_ms + pause_ms);
            }
        }
    }
}

/// Four times as long each time, and up to a fifth more, so that messages that failed together do not come back together. The share is drawn from
/// the message's own name: the same each time it is asked for.
fn pause_ms(id: &str, attempts: u32) -> u64 {
    let pause = FIRST_PAUSE_MS.saturating_mul(4_u64.saturating_pow(attempts.saturating_sub(1))).min(PAUSE_MAX_MS);
    let drawn = id.bytes().fold(u64::from(attempts), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    pause + pause / 5 * (drawn % 1_000) / 1_000
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<u64> = (1..ATTEMPTS_MAX).map(|attempts| pause_ms("msg_1", attempts)).collect();
        assert!(pauses.windows(2).all(|two| two[0] < two[1]), "{pauses:?}");
        assert!((5_000..=6_000).contains(&pauses[0]) && pauses.iter().all(|pause| *pause <= PAUSE_MAX_MS / 5 * 6));
        let total: u64 = pauses.iter().sum();
        assert!((5 * 3_600_000..8 * 3_600_000).contains(&total), "{total}");
        assert_ne!(pause_ms("msg_1", 3), pause_ms("msg_2", 3));
    }
}
