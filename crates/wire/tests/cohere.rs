//! Cohere's and Ollama's dialects as they are documented.
//!
//! Written after <https://docs.cohere.com/v2/reference/chat>, <https://docs.ollama.com/api/chat> and the types of their SDKs.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tollgate_wire::chat::{Answer, CallKind, Content, Event, FinishKind, Fold, Losses};
use tollgate_wire::dialect::Dialect::{self, CohereV2, OllamaChat, OpenaiChat};
use tollgate_wire::frame::Frames;

fn events(dialect: Dialect, bytes: &str) -> Vec<Event> {
    let chat = dialect.chat().unwrap();
    let (mut events, mut decoder) = (Vec::new(), chat.decoder());
    let mut frames = Frames::new(chat.framing());
    frames.push(bytes.as_bytes(), |frame| decoder.frame(frame, &mut events));
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    events
}

fn streamed(dialect: Dialect, bytes: &str) -> Answer {
    let mut fold = Fold::new(dialect);
    events(dialect, bytes).into_iter().for_each(|event| fold.push(event));
    fold.finish().unwrap()
}

/// OpenAI's question in these words, and what was lost.
fn written(dialect: Dialect, body: &Value) -> (Value, usize) {
    let request = OpenaiChat.chat().unwrap().read_request(body.to_string().as_bytes()).unwrap();
    let mut losses = Losses::default();
    let bytes = dialect.chat().unwrap().write_request(&request, &mut losses);
    (serde_json::from_slice(&bytes).unwrap(), losses.entries().len())
}

fn question() -> Value {
    json!({"model": "m", "max_tokens": 50, "temperature": 0.5, "top_p": 0.75, "stop": ["END"], "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}]},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{\"q\":\"tower\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Paris"},
    ], "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}], "tool_choice": "auto"})
}

#[test]
fn a_question_in_coheres_words() {
    let (body, losses) = written(CohereV2, &question());
    assert_eq!(losses, 0);
    assert_eq!(
        body,
        json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Where?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}]},
                {"role": "assistant", "content": "I look.", "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{\"q\":\"tower\"}"}}]},
                {"role": "tool", "tool_call_id": "call_1", "content": "Paris"},
            ],
            "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}],
            "max_tokens": 50, "temperature": 0.5, "p": 0.75, "stop_sequences": ["END"],
        })
    );
}

#[test]
fn a_question_in_ollamas_words() {
    let (body, losses) = written(OllamaChat, &question());
    assert_eq!(losses, 0);
    assert_eq!(
        body,
        json!({
            "model": "m",
            "stream": false,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Where?", "images": ["iVBORw=="]},
                {"role": "assistant", "content": "I look.", "tool_calls": [
                    {"id": "call_1", "function": {"name": "find", "arguments": {"q": "tower"}}}]},
                {"role": "tool", "content": "Paris", "tool_call_id": "call_1"},
            ],
            "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}],
            "options": {"num_predict": 50, "temperature": 0.5, "top_p": 0.75, "stop": ["END"]},
        })
    );
}

fn cohere_events(events: &[Value]) -> String {
    let event = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.iter().map(event).collect()
}

#[test]
fn coheres_tool_turn_streams_a_plan_and_calls() {
    let function =
        |arguments: &str| json!({"delta": {"message": {"tool_calls": {"function": {"arguments": arguments}}}}});
    let mut piece = function("{\"q\":1}");
    (piece["type"], piece["index"]) = ("tool-call-delta".into(), 0.into());
    let stream = cohere_events(&[
        json!({"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant"}}}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will "}}}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "search."}}}),
        json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {"id": "find_1", "type": "function",
            "function": {"name": "find", "arguments": ""}}}}}),
        piece,
        json!({"type": "tool-call-end", "index": 0}),
        json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL",
            "usage": {"billed_units": {"input_tokens": 8, "output_tokens": 3}, "tokens": {"input_tokens": 90, "output_tokens": 3}}}}),
    ]);
    let whole = json!({"id": "c-1", "finish_reason": "TOOL_CALL", "message": {"role": "assistant", "tool_plan": "I will search.",
        "tool_calls": [{"id": "find_1", "type": "function", "function": {"name": "find", "arguments": "{\"q\":1}"}}]},
        "usage": {"billed_units": {"input_tokens": 8, "output_tokens": 3}, "tokens": {"input_tokens": 90, "output_tokens": 3}}});
    let whole = CohereV2.chat().unwrap().read_answer(whole.to_string().as_bytes()).unwrap();
    let answer = streamed(CohereV2, &stream);
    assert_eq!(answer, whole);
    assert_eq!(answer.choices[0].finish.as_ref().unwrap().kind, FinishKind::ToolUse);
    assert_eq!(answer.usage.unwrap().usage.input, 8, "what is charged");
}

#[test]
fn coheres_citations_come_after_the_text_has_ended() {
    let citation = json!({"start": 0, "end": 2, "text": "Hi", "sources": [{"type": "document", "id": "d:0",
        "document": {"title": "T", "url": "https://example.com/"}}], "content_index": 0, "type": "TEXT_CONTENT"});
    let stream = cohere_events(&[
        json!({"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant"}}}),
        json!({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}),
        json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}}),
        json!({"type": "content-end", "index": 0}),
        json!({"type": "citation-start", "index": 0, "delta": {"message": {"citations": citation}}}),
        json!({"type": "citation-end", "index": 0}),
        json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}),
    ]);
    let answer = streamed(CohereV2, &stream);
    let Content::Text { text, citations } = &answer.choices[0].blocks[0].content else { panic!("{answer:?}") };
    assert_eq!((text.as_str(), citations[0].url.as_deref()), ("Hi", Some("https://example.com/")));
    assert_eq!(citations[0].raw, citation);
    let broken = stream.split("event: message-end").next().unwrap();
    assert!(matches!(events(CohereV2, broken).last(), Some(Event::Fault(_))));
}

#[test]
fn ollamas_lines_think_speak_and_call() {
    let line = |message: Value| {
        format!(
            "{}\n",
            json!({"model": "m", "created_at": "2025-06-15T15:06:40.123456Z", "message": message, "done": false})
        )
    };
    let counts = json!({"model": "m", "created_at": "2025-06-15T15:06:40.123456Z", "message": {"role": "assistant", "content": ""},
        "done": true, "done_reason": "stop", "total_duration": 5, "prompt_eval_count": 20, "eval_count": 3});
    let stream = [
        line(json!({"role": "assistant", "content": "", "thinking": "Let me "})),
        line(json!({"role": "assistant", "content": "", "thinking": "see."})),
        line(json!({"role": "assistant", "content": "I look."})),
        line(json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "find", "arguments": {"q": 1}}}]})),
        format!("{counts}\n"),
    ]
    .concat();
    let mut whole = counts.clone();
    whole["message"] = json!({"role": "assistant", "content": "I look.", "thinking": "Let me see.",
        "tool_calls": [{"function": {"name": "find", "arguments": {"q": 1}}}]});
    let whole = OllamaChat.chat().unwrap().read_answer(whole.to_string().as_bytes()).unwrap();
    let answer = streamed(OllamaChat, &stream);
    assert_eq!(answer, whole);
    let choice = &answer.choices[0];
    assert_eq!(choice.finish.as_ref().unwrap().kind, FinishKind::ToolUse, "Ollama has no word for it");
    let Content::ToolUse { id, arguments, kind, .. } = &choice.blocks[2].content else { panic!("{choice:?}") };
    assert!(id.starts_with("ollama_") && id.len() <= 40, "{id}");
    assert_eq!((arguments.as_str(), *kind), (r#"{"q":1}"#, CallKind::Function));
    assert_eq!((answer.created, answer.usage.unwrap().usage.input), (Some(1_750_000_000), 20));
    match events(OllamaChat, "{\"error\":\"model ran out of memory\"}\n").last() {
        Some(Event::Fault(fault)) => assert_eq!(fault.message, "model ran out of memory"),
        other => panic!("{other:?}"),
    }
}
