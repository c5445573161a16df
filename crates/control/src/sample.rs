//! Records for tests.
//!
//! Enters: nothing. Leaves: one with everything and one with nothing. Never: is built into the program.

use tollgate_model::charge::{Applied, Basis, Class};
use tollgate_model::record::{Cost, Outcome, Payload, Timings};
use tollgate_model::{Attempt, Id, Meta, Metadata, Money, Record, Usage};

pub(crate) const NOW: u64 = 1_795_000_000_000;

pub(crate) fn plain() -> Record {
    let id = Id::from_u128((u128::from(NOW) << 80) | 0x7000_8000_0000_0000_0001);
    Record {
        account: "a1".into(),
        gateway: "g".into(),
        created_ms: NOW,
        provider: "openai".into(),
        model: "gpt-5.5".into(),
        path: "v1/chat/completions".into(),
        method: "POST".into(),
        status: 200,
        outcome: Outcome::Complete,
        request_size: 7,
        response_size: 99,
        timings: Timings { last_byte_us: 1_200_999, ..Timings::default() },
        ..Record::blank(id, &"".into())
    }
}

pub(crate) fn full() -> Record {
    Record {
        event_id: Some("my-trace".into()),
        answered_model: Some("gpt-5.5-2026-04-01".into()),
        model_type: Some("text-generation".into()),
        request_type: Some("chat".into()),
        request_content_type: Some("application/json".into()),
        response_content_type: Some("text/event-stream".into()),
        streamed: true,
        usage: Some(Usage { input: 10, cache_read: 2, output: 30, reasoning: 4, ..Usage::default() }),
        cost: Some(cost()),
        metadata: Metadata(vec![("team".into(), Meta::Text("a".into())), ("n".into(), Meta::Number("1".into()))]),
        token_id: Some("t1".into()),
        user_agent: Some("OpenAI/Python 2.1.0".into()),
        finish: Some("stop".into()),
        timings: Timings {
            gateway_us: 31,
            first_byte_us: Some(410_000),
            first_token_us: Some(411_000),
            last_byte_us: 1_200_999,
        },
        attempts: vec![Attempt {
            provider: "openai".into(),
            model: "gpt-5.5".into(),
            origin: "https://api.openai.com".into(),
            started_us: 31,
            queue_us: 0,
            connect_us: 900,
            first_byte_us: Some(2_000),
            ended_us: 2_500,
            status: Some(503),
            miss: Some("status".into()),
            reused: false,
        }],
        request_body: Payload::Kept,
        response_body: Payload::OptedOut,
        ..plain()
    }
}

/// What the usage above comes to at these rates.
fn cost() -> Cost {
    let mut rates = Applied::default();
    rates.set(Class::Input, 10_000_000_000);
    rates.set(Class::CacheRead, 5_000_000_000);
    rates.set(Class::Output, 9_000_000_000);
    rates.set(Class::Reasoning, 10_000_000_000);
    let amount = Money::from_nanos(420_000);
    Cost { basis: Basis::Rates(rates), list: Some("0123456789abcdef".into()), ..Cost::plain(amount) }
}
