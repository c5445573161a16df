//! The list of dials. One row: its name, what it takes, what it does, and how it is turned.
//!
//! Enters: nothing. Leaves: `TABLE`. Never: has a dial that the manual does not show, for the manual is this table.

use std::time::Duration;

use super::{Dial, WrongLength};
use crate::faults::Fault;

pub(super) const WAIT_MAX: Duration = Duration::from_secs(60);

pub(super) const TABLE: &[Dial] = &[
    Dial {
        name: "latency",
        takes: "milliseconds, or 2s, 500us; at most 60 s",
        says: "waits this long before the first byte",
        set: |dials, value| wait(value).map(|set| dials.latency = set),
    },
    Dial {
        name: "tps",
        takes: "0.1 to 100,000",
        says: "speaks this many tokens a second; an answer that is not streamed comes when it would be complete",
        set: |dials, value| rate(value).map(|set| dials.tps = Some(set)),
    },
    Dial {
        name: "gap",
        takes: "milliseconds, or 2s, 500us; at most 60 s",
        says: "waits this long between two pieces of a stream",
        set: |dials, value| wait(value).map(|set| dials.gap = set),
    },
    Dial {
        name: "tokens",
        takes: "0 to 100,000",
        says: "answers with exactly this many tokens (words)",
        set: |dials, value| number(value, 0, 100_000).map(|set| dials.tokens = Some(set)),
    },
    Dial {
        name: "chunks",
        takes: "1 to 100,000",
        says: "streams the text in this many pieces",
        set: |dials, value| number(value, 1, 100_000).map(|set| dials.chunks = Some(set)),
    },
    Dial {
        name: "status",
        takes: "400 to 599",
        says: "refuses with this status, in the error shape of the API asked",
        set: |dials, value| number(value, 400, 599).map(|set| dials.status = Some(set as u16)),
    },
    Dial {
        name: "retry_after",
        takes: "seconds up to 1000000000, or past, future, garbage",
        says: "adds `retry-after` to a refusal: a number, an HTTP date, or nonsense",
        set: |dials, value| retry_after(value).map(|set| dials.retry_after = Some(set)),
    },
    Dial {
        name: "fail",
        takes: "0 to 1,000",
        says: "goes wrong only the first times that the same request comes: by the other dials, else by status 500",
        set: |dials, value| number(value, 0, 1_000).map(|set| dials.fail = Some(set)),
    },
    Dial {
        name: "key",
        takes: "a word of up to 64 letters",
        says: "counts `fail` under this word instead of by the request's bytes; a new word starts anew",
        set: |dials, value| word(value).map(|set| dials.key = Some(set)),
    },
    Dial {
        name: "cut",
        takes: "0 to 1,000,000",
        says: "closes the connection after this many events (of an answer that is not streamed: bytes)",
        set: |dials, value| number(value, 0, 1_000_000).map(|set| dials.cut = Some(set)),
    },
    Dial {
        name: "stall",
        takes: "0 to 1,000,000",
        says: "falls silent after this many events (or bytes), for ten minutes at most",
        set: |dials, value| number(value, 0, 1_000_000).map(|set| dials.stall = Some(set)),
    },
    Dial {
        name: "error",
        takes: "0 to 1,000,000",
        says: "ends with an error event after this many events; an answer that is not streamed is an error object under status 200",
        set: |dials, value| number(value, 0, 1_000_000).map(|set| dials.error = Some(set)),
    },
    Dial {
        name: "garbage",
        takes: "nothing, or 0 to 1,000,000",
        says: "puts bytes that are neither JSON nor UTF-8 in place of this event, or of the whole body",
        set: |dials, value| optional(value).map(|set| dials.garbage = Some(set)),
    },
    Dial {
        name: "length",
        takes: "short or long",
        says: "sends a `content-length` that is smaller or larger than the body",
        set: |dials, value| length(value).map(|set| dials.length = Some(set)),
    },
    Dial {
        name: "usage",
        takes: "on or off",
        says: "off: reports no token counts",
        set: |dials, value| switch(value).map(|set| dials.usage = set),
    },
    Dial {
        name: "input",
        takes: "0 to 10,000,000",
        says: "reports this many input tokens",
        set: |dials, value| number(value, 0, 10_000_000).map(|set| dials.input = Some(set)),
    },
    Dial {
        name: "cached",
        takes: "0 to 10,000,000",
        says: "reports up to this many of the input tokens as read from the provider's prompt cache",
        set: |dials, value| number(value, 0, 10_000_000).map(|set| dials.cached = set),
    },
    Dial {
        name: "reasoning",
        takes: "0 to 10,000,000",
        says: "reports this many reasoning tokens besides the answer's",
        set: |dials, value| number(value, 0, 10_000_000).map(|set| dials.reasoning = set),
    },
    Dial {
        name: "created",
        takes: "seconds since 1970",
        says: "the time of creation that answers show; 2026-01-01 otherwise",
        set: |dials, value| number(value, 0, u32::MAX).map(|set| dials.created = set.into()),
    },
    Dial {
        name: "fault",
        takes: "the name of a fault",
        says: "tests only: commits a fault of the transport, such as `reset-in-headers`",
        set: |dials, value| fault(value).map(|set| dials.fault = Some(set)),
    },
];

fn number(value: &str, min: u32, max: u32) -> Result<u32, String> {
    value.parse().ok().filter(|number| (min..=max).contains(number)).ok_or_else(|| value.to_owned())
}

fn optional(value: &str) -> Result<u32, String> {
    if value.is_empty() { Ok(0) } else { number(value, 0, 1_000_000) }
}

fn fault(value: &str) -> Result<Fault, String> {
    Fault::from_name(value).ok_or_else(|| value.to_owned())
}

fn rate(value: &str) -> Result<f64, String> {
    value.parse().ok().filter(|rate| (0.1..=100_000.0).contains(rate)).ok_or_else(|| value.to_owned())
}

fn wait(value: &str) -> Result<Duration, String> {
    let (digits, unit) = value.split_at(value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len()));
    let scale_us = match unit {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        _ => return Err(value.to_owned()),
    };
    let wait = digits.parse().ok().and_then(|count: u64| count.checked_mul(scale_us)).map(Duration::from_micros);
    wait.filter(|wait| *wait <= WAIT_MAX).ok_or_else(|| value.to_owned())
}

/// The dates are fixed: one that has always passed, one that has not for long.
fn retry_after(value: &str) -> Result<String, String> {
    match value {
        "past" => Ok("Fri, 31 Dec 1999 23:59:59 GMT".to_owned()),
        "future" => Ok("Thu, 31 Dec 2099 23:59:59 GMT".to_owned()),
        "garbage" => Ok("soon, I hope".to_owned()),
        _ => number(value, 0, 1_000_000_000).map(|seconds| seconds.to_string()),
    }
}

fn word(value: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(value.to_owned()) } else { Err(value.to_owned()) }
}

fn length(value: &str) -> Result<WrongLength, String> {
    match value {
        "short" => Ok(WrongLength::Short),
        "long" => Ok(WrongLength::Long),
        _ => Err(value.to_owned()),
    }
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(value.to_owned()),
    }
}
