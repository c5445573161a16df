//! Anthropic's Messages and Bedrock's Converse, by samples written after the published documentation: what the general laws (`chat_laws`) cannot know.
//!
//! Streams add up to the whole answer of the same content; questions of other dialects are fitted to what the model takes; faults say where they are.

#![allow(clippy::unwrap_used)]

use bytes::BytesMut;
use serde_json::{Map, Value, json};
use tollgate_wire::chat::{
    Answer, Block, CallKind, Content, Delta, Effort, Event, FaultKind, Fold, Losses, Reasoning, Request, Role, Seal,
    ToolChoice, Turn, unfold,
};
use tollgate_wire::dialect::Dialect;
use tollgate_wire::dialect::chat::{Chat, Telling};
use tollgate_wire::frame::{Frames, Message, write_message};

const ANTHROPIC: Dialect = Dialect::AnthropicMessages;
const BEDROCK: Dialect = Dialect::BedrockConverse;

fn chat(dialect: Dialect) -> &'static dyn Chat {
    dialect.chat().unwrap()
}

fn folded(dialect: Dialect, bytes: &[u8]) -> Answer {
    let mut events = Vec::new();
    let mut decoder = chat(dialect).decoder();
    let mut frames = Frames::new(chat(dialect).framing());
    frames.push(bytes, |frame| decoder.frame(frame, &mut events));
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    let mut fold = Fold::new(dialect);
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish().unwrap()
}

fn encoded(dialect: Dialect, events: impl IntoIterator<Item = Event>) -> (BytesMut, Losses) {
    let (mut bytes, mut losses) = (BytesMut::new(), Losses::default());
    let mut encoder = chat(dialect).encoder(Telling::default());
    events.into_iter().for_each(|event| encoder.event(event, &mut bytes, &mut losses));
    (bytes, losses)
}

/// One line a message: its type, and its payload.
fn messages(lines: &str) -> BytesMut {
    let mut bytes = BytesMut::new();
    for line in lines.lines() {
        let (kind, payload) = line.split_once(' ').unwrap();
        write_message(Message::Event(kind), payload.as_bytes(), &mut bytes);
    }
    bytes
}

fn samples() -> [(Dialect, &'static [u8], BytesMut); 2] {
    [
        (
            ANTHROPIC,
            include_bytes!("chat/anthropic-messages/search-and-tools.json"),
            include_bytes!("chat/anthropic-messages/search-and-tools.sse")[..].into(),
        ),
        (
            BEDROCK,
            include_bytes!("chat/bedrock-converse/thought-and-tools.json"),
            messages(include_str!("chat/bedrock-converse/thought-and-tools.messages")),
        ),
    ]
}

#[test]
fn streams_add_up_to_the_whole_answer() {
    for (dialect, whole, stream) in samples() {
        let whole = chat(dialect).read_answer(whole).unwrap();
        let streamed = folded(dialect, &stream);
        assert_eq!(streamed, whole, "{}", dialect.name());
        assert!(whole.usage.is_some());
    }
}

#[test]
fn answers_return_to_their_own_dialect_without_a_loss() {
    for (dialect, body, _) in samples() {
        let answer = chat(dialect).read_answer(body).unwrap();
        let mut losses = Losses::default();
        let written = chat(dialect).write_answer(&answer, &Telling::default(), &mut losses);
        assert_eq!(chat(dialect).read_answer(&written).unwrap(), answer);
        let (bytes, streamed) = encoded(dialect, unfold(answer.clone()));
        assert_eq!(folded(dialect, &bytes), answer);
        assert!(losses.is_empty() && streamed.is_empty(), "{losses:?} {streamed:?}");
    }
}

#[test]
fn thoughts_are_counted_apart_and_the_cache_by_its_time() {
    let usage = chat(ANTHROPIC).read_answer(samples()[0].1).unwrap().usage.unwrap().usage;
    assert_eq!((usage.output, usage.reasoning), (80, 40));
    assert_eq!((usage.input, usage.cache_read, usage.cache_write_5m, usage.cache_write_1h), (30, 2000, 200, 100));
}

// Seals of blocks that are no thoughts, and calls told at once.

fn call(id: &str) -> Block {
    Content::ToolUse { id: id.into(), name: "f".into(), arguments: String::new(), kind: CallKind::Function }.into()
}

fn interleaved(origin: Dialect, seal: &Seal) -> Vec<Event> {
    let begin = |block, head| Event::Begin { choice: 0, block, head };
    let delta = |block, delta| Event::Delta { choice: 0, block, delta };
    let end = |block| Event::End { choice: 0, block };
    let arguments = |block, text: &str| delta(block, Delta::Arguments(text.into()));
    let empty = unfold(Answer::new(origin));
    let mut events = vec![empty[0].clone()];
    events.extend([
        begin(0, Block::text("")),
        delta(0, Delta::Text("Both.".into())),
        delta(0, Delta::Seal(seal.clone())),
        end(0),
        begin(1, call("a").sealed(Some(seal.clone()))),
        begin(2, call("b")),
        arguments(2, "{\"x\":"),
        arguments(1, "{\"y\":1"),
        arguments(2, "2}"),
        end(2),
        arguments(1, "}"),
        end(1),
        Event::Done,
    ]);
    events
}

#[test]
fn interleaved_calls_and_foreign_seals_come_back_whole() {
    let origin = Dialect::Gemini;
    let seal = Seal::new(origin, "c2VhbA==");
    for dialect in [ANTHROPIC, BEDROCK] {
        let (bytes, _) = encoded(dialect, interleaved(origin, &seal));
        let told = folded(dialect, &bytes);
        let blocks = &told.choices[0].blocks;
        let seals: Vec<_> = blocks.iter().map(|block| block.seal.as_ref()).collect();
        assert_eq!(seals, [Some(&seal), Some(&seal), None], "{}: {blocks:?}", dialect.name());
        let arguments = |block: &Block| match &block.content {
            Content::ToolUse { arguments, .. } => arguments.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!((arguments(&blocks[1]), arguments(&blocks[2])), ("{\"y\":1}".into(), "{\"x\":2}".into()));
    }
}

// Questions of other dialects.

fn question(model: &str) -> Request {
    let mut request = Request::new(Dialect::OpenaiChat);
    request.model = model.into();
    let mut turn = Turn::new(Role::User, 0);
    turn.blocks.push(Block::text("Hi"));
    request.turns.push(turn);
    request
}

fn written(dialect: Dialect, request: &Request) -> (Value, Vec<String>) {
    let mut losses = Losses::default();
    let body = chat(dialect).write_request(request, &mut losses);
    let losses = losses.entries().iter().map(|loss| format!("{:?} {}", loss.place, loss.kind.word())).collect();
    (serde_json::from_slice(&body).unwrap(), losses)
}

#[test]
fn effort_is_told_as_each_generation_takes_it() {
    for (model, thinking, effort) in [
        ("claude-sonnet-4-5", json!({"type": "enabled", "budget_tokens": 24_576}), Value::Null),
        ("claude-opus-4-8", json!({"type": "adaptive"}), json!("high")),
        ("claude-opus-5", json!({"type": "adaptive"}), json!("high")),
    ] {
        let mut request = question(model);
        request.settings.reasoning = Some(Reasoning { effort: Some(Effort::High), ..Reasoning::default() });
        request.settings.temperature = Some(0.5);
        let (body, losses) = written(ANTHROPIC, &request);
        assert_eq!((&body["thinking"], &body["output_config"]["effort"]), (&thinking, &effort), "{model}");
        assert!(body["max_tokens"].as_u64().unwrap() > body["thinking"]["budget_tokens"].as_u64().unwrap_or(0));
        assert_eq!(body.get("temperature"), None, "{model}");
        assert!(losses.contains(&"Setting(Temperature) dropped".into()), "{losses:?}");
    }
}

#[test]
fn a_budget_leaves_room_for_the_answer() {
    for (limit, budget) in [(1_024, None), (1_500, Some(1_499)), (9_000, Some(4_000))] {
        let mut request = question("claude-sonnet-4-5");
        request.settings.max_tokens = Some(limit);
        request.settings.reasoning = Some(Reasoning { budget: Some(4_000), ..Reasoning::default() });
        let (body, losses) = written(ANTHROPIC, &request);
        assert_eq!(body["thinking"]["budget_tokens"].as_u64(), budget, "{limit}");
        assert_eq!(losses.is_empty(), budget == Some(4_000), "{losses:?}");
    }
}

#[test]
fn what_would_be_refused_beside_thoughts_is_listed() {
    let mut request = question("claude-sonnet-4-5");
    request.settings.reasoning = Some(Reasoning { budget: Some(2_000), ..Reasoning::default() });
    request.settings.tool_choice = Some(ToolChoice::Required);
    let (body, losses) = written(ANTHROPIC, &request);
    assert_eq!(body.get("thinking"), None);
    assert!(losses.contains(&"Setting(Reasoning) dropped".into()), "{losses:?}");

    // The round of tools at the end was begun by another provider.
    let mut request = question("claude-sonnet-4-5");
    request.settings.reasoning = Some(Reasoning { budget: Some(2_000), ..Reasoning::default() });
    let mut calls = Turn::new(Role::Assistant, 1);
    calls.blocks.push(call("call.1"));
    let mut results = Turn::new(Role::User, 2);
    let content = Content::ToolResult { id: "call.1".into(), name: None, blocks: Vec::new(), is_error: false };
    results.blocks.push(content.into());
    request.turns.extend([calls, results]);
    for (dialect, thinking) in [(ANTHROPIC, "/thinking"), (BEDROCK, "/additionalModelRequestFields/thinking")] {
        let (body, losses) = written(dialect, &request);
        assert_eq!(body.pointer(thinking), None);
        assert!(losses.contains(&"Setting(Reasoning) dropped".into()), "{losses:?}");
        assert!(losses.contains(&"Extra(\"tools\") approximated".into()), "calls without tools: {losses:?}");
    }
    let (body, _) = written(ANTHROPIC, &request);
    assert_eq!(body["messages"][1]["content"][0]["id"], body["messages"][2]["content"][0]["tool_use_id"]);
}

#[test]
fn system_text_and_turns_of_one_role_go_where_they_must() {
    let mut request = question("claude-sonnet-4-5");
    let mut system = Turn::new(Role::System, 1);
    system.blocks.push(Block::text("Be brief."));
    let mut more = Turn::new(Role::User, 2);
    more.blocks.push(Block::text("And?"));
    request.turns.extend([system, more]);
    let (body, losses) = written(ANTHROPIC, &request);
    assert_eq!(body["system"], "Be brief.");
    let texts = json!([{"type": "text", "text": "Hi"}, {"type": "text", "text": "And?"}]);
    assert_eq!(body["messages"], json!([{"role": "user", "content": texts}]));
    assert_eq!(losses, ["Turn(1) approximated"]);
    let (body, _) = written(BEDROCK, &request);
    assert_eq!(body["messages"], json!([{"role": "user", "content": [{"text": "Hi"}, {"text": "And?"}]}]));
}

// Questions in these words.

#[test]
fn what_is_half_understood_is_written_back_whole() {
    let body = json!({
        "model": "claude-opus-4-8", "max_tokens": 100, "stream": true,
        "system": [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral", "scope": "global"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}, "citations": {"enabled": true}},
                {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]},
            ]},
            {"role": "system", "content": "From now on."},
        ],
        "metadata": {"user_id": "u", "more": 1},
        "output_config": {"effort": "low", "task_budget": {"type": "tokens", "total": 9}},
        "thinking": {"type": "between_tools"},
        "context_management": {"edits": []},
    });
    let mut losses = Losses::default();
    let read = chat(ANTHROPIC).read_request(body.to_string().as_bytes()).unwrap();
    let written = chat(ANTHROPIC).write_request(&read, &mut losses);
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), body);
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn bad_fields_are_named_by_their_path() {
    let with = |message: Value| json!({"model": "m", "max_tokens": 1, "messages": [message]});
    let user = |block: Value| with(json!({"role": "user", "content": [block]}));
    for (body, path) in [
        (json!({"model": "m"}), "messages"),
        (json!({"messages": []}), "messages"),
        (json!({"messages": [], "max_tokens": "x"}), "messages"),
        (with(json!({"role": "robot", "content": "x"})), "messages[0].role"),
        (with(json!({"role": "user"})), "messages[0].content"),
        (user(json!({"text": "x"})), "messages[0].content[0].type"),
        (user(json!({"type": "text"})), "messages[0].content[0].text"),
        (user(json!({"type": "tool_result", "content": "x"})), "messages[0].content[0].tool_use_id"),
        (
            user(json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "a-b"}})),
            "messages[0].content[0].source.data",
        ),
        (json!({"messages": [{"role": "user", "content": "x"}], "tools": [{"name": "f"}]}), "tools[0].input_schema"),
        (json!({"messages": [{"role": "user", "content": "x"}], "tool_choice": {"type": "all"}}), "tool_choice.type"),
        (
            json!({"messages": [{"role": "user", "content": "x"}], "thinking": {"type": "enabled"}}),
            "thinking.budget_tokens",
        ),
    ] {
        let fault = chat(ANTHROPIC).read_request(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.path, path, "{body}: {fault}");
    }
    let body = json!({"messages": [{"role": "user", "content": [{"toolUse": {"toolUseId": "a"}}]}]});
    let fault = chat(BEDROCK).read_request(body.to_string().as_bytes()).unwrap_err();
    assert_eq!(fault.path, "messages[0].content[0].toolUse.name");
}

#[test]
fn faults_are_known_by_type_and_by_words() {
    let told = |kind: &str, message: &str| {
        json!({"type": "error", "error": {"type": kind, "message": message}}).to_string().into_bytes()
    };
    for (status, kind, message, expected) in [
        (400, "invalid_request_error", "prompt is too long: 210000 tokens", FaultKind::ContextTooLong),
        (400, "invalid_request_error", "Output blocked by content filtering policy", FaultKind::ContentPolicy),
        (529, "overloaded_error", "Overloaded", FaultKind::Overloaded),
        (402, "billing_error", "no credit", FaultKind::Billing),
        (413, "request_too_large", "too large", FaultKind::TooLarge),
        (504, "timeout_error", "late", FaultKind::Timeout),
    ] {
        let fault = chat(ANTHROPIC).read_fault(status, &told(kind, message));
        assert_eq!((fault.kind, fault.message.as_str(), fault.code.as_deref()), (expected, message, Some(kind)));
        let again = chat(ANTHROPIC).read_fault(status, &chat(ANTHROPIC).write_fault(&fault));
        assert_eq!((again.kind, again.message), (expected, message.into()));
    }
    let fault = chat(BEDROCK).read_fault(429, br#"{"message":"Too many requests"}"#);
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::RateLimited, "Too many requests"));
    let mut bytes = BytesMut::new();
    write_message(Message::Exception("throttlingException"), br#"{"message":"Slow down"}"#, &mut bytes);
    let mut events = Vec::new();
    let mut decoder = chat(BEDROCK).decoder();
    Frames::new(chat(BEDROCK).framing()).push(&bytes, |frame| decoder.frame(frame, &mut events));
    let [Event::Fault(fault)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((fault.kind, fault.status, fault.message.as_str()), (FaultKind::RateLimited, 429, "Slow down"));
}

#[test]
fn cache_points_are_marks_of_what_they_follow() {
    let body = json!({
        "system": [{"text": "S"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        "messages": [{"role": "user", "content": [
            {"guardContent": {"text": {"text": "Hi", "qualifiers": ["query"]}}}, {"cachePoint": {"type": "default"}},
        ]}],
        "toolConfig": {"tools": [
            {"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}},
            {"cachePoint": {"type": "default"}},
        ]},
    });
    let read = chat(BEDROCK).read_request(body.to_string().as_bytes()).unwrap();
    assert!(read.turns.iter().all(|turn| turn.blocks.len() == 1 && turn.blocks[0].cache.is_some()));
    let (written, losses) = written(BEDROCK, &read);
    assert_eq!(written, body);
    assert!(losses.is_empty(), "{losses:?}");
    assert_eq!(read.extra, Map::new());
}
