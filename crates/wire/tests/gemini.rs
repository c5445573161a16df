//! Gemini's dialect as Google documents it: what its requests, answers and streams mean, and what others' become in its words.
//!
//! Written after <https://ai.google.dev/api/generate-content> and the types of Google's SDKs.

#![allow(clippy::unwrap_used)]

use bytes::BytesMut;
use serde_json::{Value, json};
use tollgate_wire::chat::{
    Answer, Block, CallKind, Content, Event, FinishKind, Fold, Format, LossKind, Losses, Place, Request, Role, Seal,
    Source, ToolChoice, ToolKind,
};
use tollgate_wire::dialect::Dialect::{self, Gemini, OpenaiChat};
use tollgate_wire::dialect::chat::{Chat, Telling};
use tollgate_wire::frame::{Frames, Framing};

fn gemini() -> &'static dyn Chat {
    Gemini.chat().unwrap()
}

fn read(body: &Value) -> Request {
    gemini().read_request(body.to_string().as_bytes()).unwrap()
}

/// As another dialect's caller would have asked, for a model of Google's.
fn written(dialect: Dialect, model: &str, body: &Value) -> (Value, Losses) {
    let mut request = dialect.chat().unwrap().read_request(body.to_string().as_bytes()).unwrap();
    request.model = model.into();
    let mut losses = Losses::default();
    let bytes = gemini().write_request(&request, &mut losses);
    (serde_json::from_slice(&bytes).unwrap(), losses)
}

fn events(chunks: &[Value]) -> Vec<Event> {
    let bytes: String = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect();
    let (mut events, mut decoder) = (Vec::new(), gemini().decoder());
    let mut frames = Frames::new(Framing::Sse);
    frames.push(bytes.as_bytes(), |frame| decoder.frame(frame, &mut events));
    frames.finish(|frame| decoder.frame(frame, &mut events));
    decoder.end(&mut events);
    events
}

fn streamed(chunks: &[Value]) -> Answer {
    let mut fold = Fold::new(Gemini);
    events(chunks).into_iter().for_each(|event| fold.push(event));
    fold.finish().unwrap()
}

fn part(part: Value) -> Value {
    json!({"candidates": [{"content": {"parts": [part], "role": "model"}, "index": 0}], "responseId": "r-1"})
}

fn last(mut chunk: Value, reason: &str) -> Value {
    chunk["candidates"][0]["finishReason"] = reason.into();
    chunk["usageMetadata"] = json!({"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12});
    chunk
}

#[test]
fn either_spelling_is_read() {
    let snake = json!({
        "contents": {"parts": {"text": "Hi"}},
        "system_instruction": {"parts": {"text": "Be brief."}},
        "generation_config": {"max_output_tokens": 10, "top_k": 4, "stop_sequences": ["END"],
            "thinking_config": {"thinking_budget": -1, "include_thoughts": true}, "response_mime_type": "application/json"},
        "tools": [{"function_declarations": [{"name": "f"}]}, {"google_search": {}}],
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        "safety_settings": [],
    });
    let request = read(&snake);
    assert_eq!(request.turns[0].role, Role::System);
    assert_eq!(request.settings.max_tokens, Some(10));
    assert_eq!(request.settings.top_k, Some(4));
    assert_eq!(request.settings.stop, ["END"]);
    assert_eq!(request.settings.format, Some(Format::Json));
    assert_eq!(request.settings.tool_choice, Some(ToolChoice::Named("f".into())));
    assert!(request.settings.reasoning.as_ref().unwrap().dynamic);
    assert!(matches!(&request.tools[1].kind, ToolKind::Hosted { name, .. } if name == "googleSearch"));
    assert!(request.extra.contains_key("safetySettings"), "in documented spelling");
}

#[test]
fn calls_without_ids_meet_their_results() {
    let call = |city: &str| json!({"functionCall": {"name": "weather", "args": {"city": city}}});
    let result = |text: &str| json!({"functionResponse": {"name": "weather", "response": {"output": text}}});
    let request = read(&json!({"contents": [
        {"role": "user", "parts": [{"text": "Paris and Rome?"}]},
        {"role": "model", "parts": [call("Paris"), call("Rome")]},
        {"role": "function", "parts": [result("18"), result("25")]},
    ]}));
    let id = |block: &Block| match &block.content {
        Content::ToolUse { id, .. } | Content::ToolResult { id, .. } => id.clone(),
        other => panic!("{other:?}"),
    };
    let (calls, results) = (&request.turns[1].blocks, &request.turns[2].blocks);
    assert_ne!(id(&calls[0]), id(&calls[1]));
    assert_eq!((id(&calls[0]), id(&calls[1])), (id(&results[0]), id(&results[1])));
    let body: Value = serde_json::from_slice(&gemini().write_request(&request, &mut Losses::default())).unwrap();
    assert_eq!(body["contents"][1]["parts"][0], call("Paris"), "ids that we made are not told");
}

#[test]
fn bad_fields_are_named() {
    let cases = [
        (json!({}), "contents"),
        (json!({"contents": []}), "contents"),
        (json!({"contents": [{"role": "robot", "parts": []}]}), "contents[0].role"),
        (json!({"contents": [{"parts": [{"text": 7}]}]}), "contents[0].parts[0].text"),
        (
            json!({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "&"}}]}]}),
            "contents[0].parts[0].inlineData.data",
        ),
        (json!({"contents": [{"parts": [{"functionCall": {}}]}]}), "contents[0].parts[0].functionCall.name"),
        (
            json!({"contents": [{"parts": []}], "tools": [{"functionDeclarations": [{}]}]}),
            "tools[0].functionDeclarations[0].name",
        ),
        (
            json!({"contents": [{"parts": []}], "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOUD"}}}),
            "generationConfig.thinkingConfig.thinkingLevel",
        ),
        (
            json!({"contents": [{"parts": []}], "toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}),
            "toolConfig.functionCallingConfig.mode",
        ),
    ];
    for (body, path) in cases {
        assert_eq!(gemini().read_request(body.to_string().as_bytes()).unwrap_err().path, path, "{body}");
    }
}

#[test]
fn openais_conversation_in_googles_words() {
    let (body, losses) = written(
        OpenaiChat,
        "gemini-2.5-flash",
        &json!({"model": "x", "max_tokens": 50, "stop": "END", "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Where?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{\"q\":\"tower\"}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "{\"city\":\"Paris\"}"},
        ], "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}],
        "tool_choice": "required"}),
    );
    assert!(losses.is_empty(), "{losses:?}");
    assert_eq!(
        body,
        json!({
            "contents": [
                {"role": "user", "parts": [{"text": "Where?"}, {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}]},
                {"role": "model", "parts": [{"functionCall": {"id": "call_1", "name": "find", "args": {"q": "tower"}}}]},
                {"role": "user", "parts": [{"functionResponse": {"id": "call_1", "name": "find", "response": {"city": "Paris"}}}]},
            ],
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "tools": [{"functionDeclarations": [{"name": "find", "parametersJsonSchema": {"type": "object", "properties": {}}}]}],
            "generationConfig": {"maxOutputTokens": 50, "stopSequences": ["END"]},
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        })
    );
}

/// "400: function call is missing a thought_signature" is what a third generation's model says of another model's call.
#[test]
fn anothers_calls_are_marked_for_models_that_verify() {
    let body = json!({"model": "x", "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "1"}, {"role": "tool", "tool_call_id": "b", "content": "2"},
    ]});
    let (marked, losses) = written(OpenaiChat, "gemini-3-flash", &body);
    let parts = &marked["contents"][1]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "skip_thought_signature_validator");
    assert_eq!(parts[1].get("thoughtSignature"), None, "the first of a turn speaks for all");
    assert_eq!(losses.entries()[0].kind, LossKind::Approximated);
    let (plain, losses) = written(OpenaiChat, "gemini-2.5-flash", &body);
    assert_eq!(plain["contents"][1]["parts"][0].get("thoughtSignature"), None);
    assert!(losses.is_empty());
}

#[test]
fn what_google_keeps_is_not_sent_elsewhere() {
    let request = read(&json!({"contents": [{"parts": [{"text": "Hi"}]}], "cachedContent": "cachedContents/1"}));
    let mut losses = Losses::default();
    OpenaiChat.chat().unwrap().write_request(&request, &mut losses);
    assert_eq!(losses.refusal().unwrap().place, Place::Extra("cachedContent".into()));
    let file = json!({"fileData": {"fileUri": "gs://bucket/a.pdf", "mimeType": "application/pdf"}});
    let request = read(&json!({"contents": [{"parts": [file]}]}));
    assert!(matches!(&request.turns[0].blocks[0].content, Content::File { source: Source::Id { .. }, .. }));
    let body: Value = serde_json::from_slice(&gemini().write_request(&request, &mut Losses::default())).unwrap();
    assert_eq!(body["contents"][0]["parts"][0], file, "home again it is whole");
}

#[test]
fn a_stream_is_one_text_and_its_signature_a_block_of_its_own() {
    let answer = streamed(&[
        part(json!({"text": "Let me ", "thought": true})),
        part(json!({"text": "see.", "thought": true})),
        part(json!({"text": "Hel"})),
        part(json!({"text": "lo"})),
        last(part(json!({"text": "", "thoughtSignature": "c2ln"})), "STOP"),
    ]);
    let choice = &answer.choices[0];
    assert_eq!(choice.blocks[0].content, Content::Reasoning { text: "Let me see.".into(), summary: false });
    assert_eq!(choice.blocks[1], Block::text("Hello"));
    assert_eq!(choice.blocks[2], Block::text("").sealed(Some(Seal::new(Gemini, "c2ln"))));
    assert_eq!(choice.finish.as_ref().unwrap().kind, FinishKind::Stop);
    assert_eq!((answer.id.as_str(), answer.usage.as_ref().unwrap().usage.input), ("r-1", 9));
}

#[test]
fn calls_end_an_answer_and_have_ids_of_their_answer() {
    let chunks =
        [last(part(json!({"functionCall": {"name": "f", "args": {"n": 1}}, "thoughtSignature": "c2ln"})), "STOP")];
    let answer = streamed(&chunks);
    let whole = gemini().read_answer(chunks[0].to_string().as_bytes()).unwrap();
    assert_eq!(answer.choices, whole.choices, "a whole answer is a stream of one chunk");
    assert_eq!(answer.usage, whole.usage);
    let arguments = r#"{"n":1}"#.to_owned();
    let call = Content::ToolUse { id: "gemini_r-1_0".into(), name: "f".into(), arguments, kind: CallKind::Function };
    assert_eq!(answer.choices[0].blocks[0], Block::from(call).sealed(Some(Seal::new(Gemini, "c2ln"))));
    let finish = answer.choices[0].finish.as_ref().unwrap();
    assert_eq!((finish.kind, finish.raw.as_str()), (FinishKind::ToolUse, "STOP"));
}

#[test]
fn reasons_to_stop_keep_their_words() {
    let cases = [
        ("MAX_TOKENS", FinishKind::Length),
        ("SAFETY", FinishKind::Filter),
        ("RECITATION", FinishKind::Filter),
        ("MALFORMED_FUNCTION_CALL", FinishKind::Other),
        ("SOMETHING_NEW", FinishKind::Other),
    ];
    for (word, kind) in cases {
        let answer = streamed(&[last(part(json!({"text": "Hi"})), word)]);
        let finish = answer.choices[0].finish.as_ref().unwrap();
        assert_eq!((finish.kind, finish.raw.as_str()), (kind, word));
    }
    let blocked =
        json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 9}});
    for answer in
        [streamed(std::slice::from_ref(&blocked)), gemini().read_answer(blocked.to_string().as_bytes()).unwrap()]
    {
        let finish = answer.choices[0].finish.as_ref().unwrap();
        assert_eq!((finish.kind, finish.raw.as_str()), (FinishKind::Filter, "PROHIBITED_CONTENT"));
        let told = gemini().write_answer(&answer, &Telling::default(), &mut Losses::default());
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!((told.get("candidates"), &told["promptFeedback"]), (None, &blocked["promptFeedback"]));
    }
}

#[test]
fn no_reason_to_stop_is_no_success() {
    for chunks in [vec![part(json!({"text": "Hi"}))], vec![]] {
        assert!(matches!(events(&chunks).last(), Some(Event::Fault(_))), "{chunks:?}");
    }
    let busy = json!({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}});
    match events(&[part(json!({"text": "Hi"})), busy]).last() {
        Some(Event::Fault(fault)) => assert_eq!((fault.status, fault.message.as_str()), (503, "overloaded")),
        other => panic!("{other:?}"),
    }
}

/// Google counts bytes, the form characters: `Ü` and `é` have two.
#[test]
fn grounding_is_cited_in_characters() {
    let metadata = json!({
        "groundingChunks": [{"web": {"uri": "https://example.com/", "title": "Ex"}}],
        "groundingSupports": [{"segment": {"startIndex": 3, "endIndex": 8, "text": "café"}, "groundingChunkIndices": [0]}],
    });
    let mut chunk = last(part(json!({"text": "Ü café"})), "STOP");
    chunk["candidates"][0]["groundingMetadata"] = metadata.clone();
    let whole = gemini().read_answer(chunk.to_string().as_bytes()).unwrap();
    for answer in [whole, streamed(&[chunk])] {
        let Content::Text { citations, .. } = &answer.choices[0].blocks[0].content else { panic!("{answer:?}") };
        assert_eq!((citations[0].start, citations[0].end), (Some(2), Some(6)));
        assert_eq!(citations[0].url.as_deref(), Some("https://example.com/"));
        assert_eq!(answer.choices[0].extra["groundingMetadata"], metadata, "the whole of it is kept");
    }
}

#[test]
fn a_caller_of_google_hears_the_last_words_together() {
    let mut answer = Answer::new(Dialect::AnthropicMessages);
    answer.choices = streamed(&[last(part(json!({"text": "Hi"})), "MAX_TOKENS")]).choices;
    let mut out = BytesMut::new();
    let telling = Telling { model: "gemini-x".into(), id: "id-1".into(), ..Telling::default() };
    let mut encoder = gemini().encoder(telling);
    let mut losses = Losses::default();
    tollgate_wire::chat::unfold(answer).into_iter().for_each(|event| encoder.event(event, &mut out, &mut losses));
    let text = String::from_utf8(out.to_vec()).unwrap();
    let chunks: Vec<Value> =
        text.split("\r\n\r\n").filter_map(|chunk| serde_json::from_str(chunk.strip_prefix("data: ")?).ok()).collect();
    assert_eq!(chunks.len(), 2);
    assert_eq!(chunks[0]["candidates"][0]["content"], json!({"parts": [{"text": "Hi"}], "role": "model"}));
    assert_eq!(chunks[1]["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert!(chunks.iter().all(|chunk| chunk["modelVersion"] == "gemini-x" && chunk["responseId"] == "id-1"));
}

/// Callers who collect a stream send its pieces back one by one: thoughts that another provider sealed must be whole again for it.
#[test]
fn pieces_of_a_sealed_thought_are_put_together() {
    let foreign = Seal::new(Dialect::AnthropicMessages, "EqQB");
    let request = read(&json!({"contents": [{"parts": [{"text": "Hi"}]}, {"role": "model", "parts": [
        {"text": "Let me ", "thought": true},
        {"text": "see.", "thought": true},
        {"text": "", "thought": true, "thoughtSignature": foreign.pack(Gemini)},
        {"text": "Hello"},
    ]}]}));
    let blocks = &request.turns[1].blocks;
    let thought = Content::Reasoning { text: "Let me see.".into(), summary: false };
    assert_eq!(blocks[0], Block::from(thought).sealed(Some(foreign)));
    assert_eq!(blocks.len(), 2);
}
