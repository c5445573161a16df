//! Records and bodies to test with: alike in shape, different in content, the same in every run.

use std::sync::Arc;

use bytes::Bytes;
use tollgate_model::charge::{Applied, Basis, Class, UnitPrice};
use tollgate_model::record::{Cost, Lost, Outcome, Payload, Rating, Timings, Unified};
use tollgate_model::usage::UsageSource;
use tollgate_model::{Attempt, Id, Ids, Meta, Metadata, Money, Record, Trace, Usage};

/// A record as most are, ending at `created_ms`.
pub fn record(ids: &Ids, created_ms: u64) -> Record {
    Record {
        id: ids.next(created_ms),
        event_id: None,
        account: "0123456789abcdef0123456789abcdef".into(),
        gateway: "default".into(),
        created_ms,
        provider: "openai".into(),
        model: "gpt-5.5-mini".into(),
        answered_model: Some("gpt-5.5-mini-2026-08-01".into()),
        model_type: Some("text-generation".into()),
        request_type: Some("chat".into()),
        path: "v1/chat/completions".into(),
        method: "POST".into(),
        request_content_type: Some("application/json".into()),
        response_content_type: Some("application/json".into()),
        status: 200,
        outcome: Outcome::Complete,
        cached: false,
        streamed: false,
        usage: Some(Usage { input: 212, output: 148, source: UsageSource::Provider, ..Usage::default() }),
        cost: Some(Cost::plain(Money::from_nanos(420_500))),
        metadata: Metadata::default(),
        step: 0,
        request_size: 1_024,
        response_size: 1_229,
        token_id: Some("tok_0001".into()),
        user_agent: Some("OpenAI/Python 2.1.0".into()),
        refusal: None,
        finish: Some("stop".into()),
        timings: Timings {
            gateway_us: 38,
            first_byte_us: Some(410_250),
            first_token_us: Some(410_260),
            last_byte_us: 1_200_345,
        },
        attempts: vec![attempt()],
        request_body: Payload::Kept,
        response_body: Payload::Kept,
        unified: None,
        reported: None,
        wholesale: false,
        rating: Rating::default(),
    }
}

fn attempt() -> Attempt {
    Attempt {
        provider: "openai".into(),
        model: "gpt-5.5-mini".into(),
        origin: "https://api.openai.com".into(),
        started_us: 38,
        queue_us: 1,
        connect_us: 0,
        first_byte_us: Some(410_200),
        ended_us: 1_200_300,
        status: Some(200),
        miss: None,
        reused: true,
    }
}

fn unified() -> Unified {
    let lost = Lost { field: "top_k".to_owned(), kind: "dropped".to_owned(), why: "no such member".to_owned() };
    let trace = Trace { stopped: Some("nothing is left to try".to_owned()), ..Trace::default() };
    Unified { losses: vec![lost], losses_more: 2, trace: Some(trace) }
}

/// Numbers that look random and are the same each time (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

/// A record in which everything that can be filtered varies, `null` included.
pub fn varied(ids: &Ids, dice: &mut Dice, created_ms: u64) -> Record {
    let mut record = record(ids, created_ms);
    record.gateway = Arc::from(*dice.pick(&["default", "default", "other"]));
    record.provider = Arc::from(*dice.pick(&["openai", "anthropic", "google-ai-studio"]));
    record.model = dice.pick(&["gpt-5.5-mini", "GPT-5.5", "claude-sonnet-5", ""]).to_string();
    record.model_type = dice.pick(&[Some("text-generation"), Some("embedding"), None]).map(Arc::from);
    record.event_id = dice.pick(&[None, Some("Trace-1".to_owned()), Some("trace-2".to_owned())]).clone();
    record.status = *dice.pick(&[200, 200, 429, 500]);
    record.cached = dice.roll(4) == 0;
    record.token_id = (dice.roll(3) > 0).then(|| "tok_0001".to_owned());
    record.user_agent = dice.pick(&[Some("curl/8.5"), Some("OpenAI/JS 6.0"), None]).map(str::to_owned);
    record.timings.last_byte_us = dice.roll(5_000_000);
    record.unified = (dice.roll(4) == 0).then(|| Box::new(unified()));
    record.usage =
        (dice.roll(5) > 0).then(|| Usage { input: dice.roll(50), output: dice.roll(50), ..Usage::default() });
    record.cost = (dice.roll(5) > 0).then(|| Cost {
        amount: Money::from_nanos(dice.roll(10) as i64 * 100_000),
        custom: dice.roll(2) == 0,
        basis: basis(dice),
        list: (dice.roll(2) == 0).then(|| "0123456789abcdef".into()),
        ..Cost::default()
    });
    // Without a basis there is nothing that a list could be of.
    record.cost.iter_mut().filter(|cost| cost.basis == Basis::Untold).for_each(|cost| cost.list = None);
    record.reported = (dice.roll(3) == 0).then(|| Money::from_nanos(dice.roll(10) as i64 * 100_000));
    record.wholesale = dice.roll(4) == 0;
    record.metadata = Metadata(labels(dice));
    record
}

fn basis(dice: &mut Dice) -> Basis {
    let mut rates = Applied::default();
    rates.set(Class::Input, dice.roll(3) * 1_250_000_000);
    rates.set(Class::Image, u64::MAX);
    let units = [(Class::CacheRead, UnitPrice::from_units(1)), (Class::Output, UnitPrice::from_units(u128::MAX))];
    dice.pick(&[Basis::Untold, Basis::Rates(rates), Basis::Units(units.into()), Basis::Total, Basis::Reported]).clone()
}

fn labels(dice: &mut Dice) -> Vec<(String, Meta)> {
    let all = [
        ("team", Meta::Text("Alpha \"one\"".into())),
        ("user", Meta::Text(format!("user-{}", dice.roll(4)))),
        ("tries", Meta::Number("0.10".into())),
        ("beta", Meta::Flag(true)),
        ("none", Meta::Null),
    ];
    all.into_iter().filter(|_| dice.roll(3) == 0).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A request and an answer of about 1.0 and 1.2 KB whose words differ from one to the next.
pub fn bodies(dice: &mut Dice, id: Id) -> (Bytes, Bytes) {
    let (asked, said) = (prose(dice, 880), prose(dice, 760));
    let request = format!(
        "{{\"model\":\"gpt-5.5-mini\",\"temperature\":0.{},\"messages\":[{{\"role\":\"system\",\"content\":\"You are a helpful \
         assistant.\"}},{{\"role\":\"user\",\"content\":\"{asked}\"}}]}}",
        dice.roll(100)
    );
    let answer = format!(
        "{{\"id\":\"chatcmpl-{id}\",\"object\":\"chat.completion\",\"created\":{},\"model\":\"gpt-5.5-mini-2026-08-01\",\"choices\":[{{\"index\":0,\
         \"message\":{{\"role\":\"assistant\",\"content\":\"{said}\",\"refusal\":null,\"annotations\":[]}},\"logprobs\":null,\
         \"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":{},\"completion_tokens\":{},\"total_tokens\":360,\"prompt_tokens_details\":\
         {{\"cached_tokens\":0,\"audio_tokens\":0}}}},\"service_tier\":\"default\",\"system_fingerprint\":\"fp_{:010x}\"}}",
        dice.roll(1 << 31),
        dice.roll(1000),
        dice.roll(1000),
        dice.roll(1 << 40)
    );
    (request.into(), answer.into())
}

const WORDS: [&str; 48] = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "that",
    "is",
    "was",
    "for",
    "with",
    "gateway",
    "traffic",
    "model",
    "language",
    "river",
    "because",
    "question",
    "answer",
    "harbour",
    "morning",
    "twelve",
    "although",
    "measure",
    "light",
    "between",
    "through",
    "never",
    "always",
    "something",
    "table",
    "window",
    "record",
    "journal",
    "season",
    "mountain",
    "paper",
    "engine",
    "quiet",
    "number",
    "letter",
    "city",
    "travel",
    "water",
    "winter",
    "reason",
    "simple",
    "yellow",
    "written",
];

fn prose(dice: &mut Dice, len: usize) -> String {
    let mut text = String::with_capacity(len + 16);
    while text.len() < len {
        // Every third word is one that was not heard before: real text is harder to compress than a short vocabulary.
        if dice.roll(3) == 0 {
            let length = 3 + dice.roll(8);
            text.extend((0..length).map(|_| char::from(b'a' + dice.roll(26) as u8)));
        } else {
            text.push_str(WORDS[dice.roll(48) as usize]);
        }
        text.push(' ');
    }
    text
}
