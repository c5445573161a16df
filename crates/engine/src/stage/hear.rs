//! Hears the caller out: reads the body of a request.
//!
//! Enters: a body as it arrives. Leaves: bytes that can be sent again, or, when they are too many to hold, what came so far and the rest.
//! Never: waits for ever, or holds more than its bounds.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tollgate_model::{Moment, Refusal};

use crate::alarm::Lent;
use crate::body::{self, Outgoing};
use crate::books::Books;
use crate::gate::Gate;
use crate::tally::declared_length;

/// A body that is still to be heard, or was: what has an idempotency key is read before it is known whether anything is to be done.
pub(crate) enum Coming {
    Wire(Incoming),
    Held(Bytes),
}

pub(crate) enum Heard {
    Held(Bytes),
    Flow(Outgoing),
}

/// Slower than this on average, after the first half minute, is an attack.
const BYTES_PER_SECOND_MIN: u64 = 4 * 1024;

pub(crate) async fn body(
    gate: &Gate,
    headers: &HeaderMap,
    coming: Coming,
    books: &mut Books,
) -> Result<Heard, Refusal> {
    let mut incoming = match coming {
        Coming::Wire(incoming) => incoming,
        Coming::Held(bytes) => return Ok(Heard::Held(bytes)),
    };
    let limits = gate.shared.limits;
    let length = declared_length(headers);
    if length.is_some_and(|length| length > limits.body_bytes_max) {
        return Err(too_large(limits.body_bytes_max));
    }
    if incoming.is_end_stream() {
        return Ok(Heard::Held(Bytes::new()));
    }
    let mut pace = Pace::new(gate, books.started());
    let mut read = BytesMut::new();
    while let Some(piece) = pace.next(&mut incoming, read.len()).await? {
        if !books.hold(piece.len()) {
            return Err(Refusal::unavailable(
                "the gateway holds too many request bodies at once",
                Duration::from_secs(1),
            ));
        }
        if (read.len() + piece.len()) as u64 > limits.body_bytes_max {
            return Err(too_large(limits.body_bytes_max));
        }
        if read.is_empty() && length == Some(piece.len() as u64) {
            return Ok(Heard::Held(piece));
        }
        if read.len() + piece.len() > limits.hold_bytes_max {
            let read = VecDeque::from([read.freeze(), piece]);
            return Ok(Heard::Flow(Outgoing::Flow { read, rest: incoming, length, left_max: limits.body_bytes_max }));
        }
        read.extend_from_slice(&piece);
    }
    Ok(Heard::Held(read.freeze()))
}

/// Waits for the next piece, but neither for ever nor for one that is always just on its way.
struct Pace<'a> {
    gate: &'a Gate,
    alarm: Lent<'a>,
    begun: Moment,
    /// Nothing came yet, so nobody has been slow yet: most bodies come in one piece, and never look at the clock.
    is_first: bool,
}

impl<'a> Pace<'a> {
    fn new(gate: &'a Gate, begun: Moment) -> Self {
        Self { gate, alarm: gate.alarms.lend(), begun, is_first: true }
    }

    async fn next(&mut self, incoming: &mut Incoming, read: usize) -> Result<Option<Bytes>, Refusal> {
        let idle = self.gate.shared.limits.body_idle;
        loop {
            if !std::mem::take(&mut self.is_first) && self.is_too_slow(read) {
                return Err(slow());
            }
            let frame = self.alarm.within(idle, incoming.frame()).await.ok_or_else(slow)?;
            let Some(frame) = frame else { return Ok(None) };
            if let Ok(bytes) = frame.map_err(broken)?.into_data() {
                return Ok(Some(bytes));
            }
        }
    }

    fn is_too_slow(&self, read: usize) -> bool {
        let spent = self.gate.shared.clock.now().since(self.begun);
        let past_idle = spent.saturating_sub(self.gate.shared.limits.body_idle);
        (read as u64) < BYTES_PER_SECOND_MIN * past_idle.as_secs()
    }
}

fn broken(cause: hyper::Error) -> Refusal {
    let refusal = if body::is_gone(&cause) {
        Refusal::caller_left()
    } else {
        Refusal::bad_request("the request body is not framed as HTTP").close()
    };
    refusal.because(cause)
}

fn slow() -> Refusal {
    Refusal::slow_caller("the request body did not arrive in time")
}

fn too_large(bytes_max: u64) -> Refusal {
    Refusal::too_large(format!("the request body is larger than {bytes_max} bytes"))
}
