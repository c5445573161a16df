//! Answers, one feature each.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;
use tollgate_wire::chat::{Answer, Block, CallKind, Choice, Citation, Content, Finish, FinishKind, Seal, UsageReport};
use tollgate_wire::dialect::Dialect;

pub(crate) struct Feature {
    pub(crate) name: &'static str,
    /// Puts it into an answer of one text.
    pub(crate) add: fn(&mut Answer),
}

pub(crate) fn base(origin: Dialect) -> Answer {
    let mut answer = Answer::new(origin);
    answer.id = "answer-1".into();
    answer.model = "model-1".into();
    answer.choices.push(Choice {
        blocks: vec![Block::text("Hello, \"you\"\n\u{1F600}")],
        finish: Some(Finish::new(FinishKind::Stop, "")),
        logprobs: None,
        extra: Map::new(),
    });
    answer.usage = usage(Usage { input: 10, output: 5, ..Usage::default() });
    answer
}

fn usage(usage: Usage) -> Option<UsageReport> {
    Some(UsageReport { usage, raw: Value::Null })
}

fn finish(answer: &mut Answer, kind: FinishKind) {
    answer.choices[0].finish = Some(Finish::new(kind, ""));
}

pub(crate) fn call(id: &str, arguments: &str) -> Block {
    Content::ToolUse {
        id: id.into(),
        name: "get_weather".into(),
        arguments: arguments.into(),
        kind: CallKind::Function,
    }
    .into()
}

pub(crate) fn thought(text: &str, seal: Option<Seal>) -> Block {
    Block::from(Content::Reasoning { text: text.into(), summary: false }).sealed(seal)
}

pub(crate) const ALL: &[Feature] = &[
    Feature { name: "text", add: |_| {} },
    Feature { name: "several texts", add: |a| a.choices[0].blocks.push(Block::text("More.")) },
    Feature {
        name: "tool call",
        add: |a| {
            a.choices[0].blocks = vec![call("call_1", r#"{"city":"Paris","n":[1,2]}"#)];
            finish(a, FinishKind::ToolUse);
        },
    },
    Feature {
        name: "tool call without arguments",
        add: |a| {
            a.choices[0].blocks = vec![call("call_1", "{}")];
            finish(a, FinishKind::ToolUse);
        },
    },
    Feature {
        name: "text and parallel tool calls",
        add: |a| {
            a.choices[0].blocks.push(call("call_1", r#"{"city":"Paris"}"#));
            a.choices[0].blocks.push(call("call_2", r#"{"city":"Rome"}"#));
            finish(a, FinishKind::ToolUse);
        },
    },
    Feature { name: "reasoning", add: |a| a.choices[0].blocks.insert(0, thought("Let me see.", None)) },
    Feature {
        name: "sealed reasoning",
        add: |a| {
            let seal = Seal::new(a.origin, "c2VhbA==");
            a.choices[0].blocks.insert(0, thought("Let me see.", Some(seal)));
        },
    },
    Feature {
        name: "sealed reasoning before a tool call",
        add: |a| {
            let seal = Seal::new(a.origin, "c2VhbA==");
            a.choices[0].blocks = vec![thought("Let me see.", Some(seal)), call("call_1", r#"{"city":"Paris"}"#)];
            finish(a, FinishKind::ToolUse);
        },
    },
    Feature {
        name: "hidden reasoning",
        add: |a| {
            let seal = Seal { redacted: true, ..Seal::new(a.origin, "c2VhbA==") };
            a.choices[0].blocks.insert(0, thought("", Some(seal)));
        },
    },
    Feature {
        name: "refusal",
        add: |a| {
            a.choices[0].blocks = vec![Content::Refusal { text: "I cannot.".into() }.into()];
            finish(a, FinishKind::Refusal);
        },
    },
    Feature {
        name: "citation of a web page",
        add: |a| {
            let origin = a.origin;
            if let Content::Text { citations, .. } = &mut a.choices[0].blocks[0].content {
                citations.push(Citation {
                    url: Some("https://example.com/a".into()),
                    title: Some("A".into()),
                    text: None,
                    start: Some(0),
                    end: Some(5),
                    origin,
                    raw: Value::Null,
                });
            }
        },
    },
    Feature { name: "finish: length", add: |a| finish(a, FinishKind::Length) },
    Feature {
        name: "finish: stop sequence",
        add: |a| {
            let finish = Finish { stop_sequence: Some("END".into()), ..Finish::new(FinishKind::StopSequence, "") };
            a.choices[0].finish = Some(finish);
        },
    },
    Feature { name: "finish: content filter", add: |a| finish(a, FinishKind::Filter) },
    Feature { name: "finish: window full", add: |a| finish(a, FinishKind::ContextFull) },
    Feature { name: "finish: pause", add: |a| finish(a, FinishKind::Pause) },
    Feature {
        name: "two answers",
        add: |a| {
            let mut second = a.choices[0].clone();
            second.blocks = vec![Block::text("Or this.")];
            a.choices.push(second);
        },
    },
    Feature {
        name: "logprobs",
        add: |a| {
            let token = json!({"token": "Hello", "logprob": -0.5, "bytes": [72], "top_logprobs": []});
            a.choices[0].logprobs = Some(json!({"content": [token]}));
        },
    },
    Feature {
        name: "usage: cache read",
        add: |a| a.usage = usage(Usage { input: 10, cache_read: 90, output: 5, ..Usage::default() }),
    },
    Feature {
        name: "usage: cache write",
        add: |a| a.usage = usage(Usage { input: 10, cache_write_5m: 90, output: 5, ..Usage::default() }),
    },
    Feature {
        name: "usage: cache write for an hour",
        add: |a| {
            let counts = Usage { input: 10, cache_write_5m: 3, cache_write_1h: 90, output: 5, ..Usage::default() };
            a.usage = usage(counts);
        },
    },
    Feature {
        name: "usage: reasoning",
        add: |a| a.usage = usage(Usage { input: 10, output: 5, reasoning: 20, ..Usage::default() }),
    },
    Feature {
        name: "usage: audio",
        add: |a| a.usage = usage(Usage { input: 10, audio_in: 7, output: 5, audio_out: 8, ..Usage::default() }),
    },
    Feature { name: "no usage", add: |a| a.usage = None },
];
