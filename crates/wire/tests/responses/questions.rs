//! Questions: every kind of item, what is refused, and what is refused elsewhere.

use std::collections::BTreeSet;

use serde_json::json;
use tollgate_wire::chat::{
    CallKind, Content, Effort, Format, LossKind, Losses, Role, Source, ToolChoice, ToolKind, Turn,
};
use tollgate_wire::dialect::Dialect;

use crate::{ITEMS, home, others};

const HOME: Dialect = Dialect::OpenaiResponses;

#[test]
fn every_item_is_a_turn() {
    let request = home().read_request(ITEMS.as_bytes()).unwrap();
    let turns: Vec<_> = request.turns.iter().map(|turn| (turn.role, turn.at, turn.blocks.len())).collect();
    use Role::*;
    let expected = [
        (System, Turn::OUTSIDE, 1),
        (Developer, 0, 1),
        (User, 1, 7),
        (Assistant, 2, 1),
        (Assistant, 3, 2),
        (Assistant, 4, 1),
        (User, 5, 1),
        (Assistant, 6, 1),
        (User, 7, 1),
        (Assistant, 8, 1),
        (Assistant, 9, 1),
        (User, 10, 1),
    ];
    assert_eq!(turns, expected);
    assert!(request.turns.iter().all(|turn| turn.extra.is_empty()), "ids and states are bookkeeping");
    assert!(request.kept.is_empty(), "a thought's reference is not missed: {:?}", request.kept);
}

#[test]
fn items_have_their_meaning() {
    let request = home().read_request(ITEMS.as_bytes()).unwrap();
    let block = |turn: usize, block: usize| &request.turns[turn].blocks[block].content;
    assert!(
        matches!(block(2, 1), Content::Image { source: Source::Data { media_type, .. }, detail: Some(detail) } if media_type == "image/png" && detail == "low")
    );
    assert!(matches!(block(2, 2), Content::Image { source: Source::Url { .. }, detail: None }));
    assert!(matches!(block(2, 3), Content::File { source: Source::Data { .. }, name: Some(name) } if name == "a.pdf"));
    assert!(matches!(block(2, 4), Content::File { source: Source::Url { media_type: Some(_), .. }, .. }));
    assert!(matches!(block(2, 5), Content::File { source: Source::Id { origin: HOME, .. }, .. }));
    assert!(
        matches!(block(2, 6), Content::Audio { source: Source::Data { media_type, .. } } if media_type == "audio/wav")
    );
    assert!(matches!(block(3, 0), Content::Reasoning { text, summary: true } if text == "First.\n\nSecond."));
    let seal = request.turns[3].blocks[0].seal.as_ref().unwrap();
    assert_eq!((seal.origin, seal.data.as_str(), seal.id.as_deref()), (HOME, "gAAAAenc", Some("rs_1")));
    assert!(matches!(block(4, 1), Content::Refusal { .. }));
    assert!(matches!(block(5, 0), Content::ToolUse { id, kind: CallKind::Function, .. } if id == "call_1"));
    assert!(matches!(block(6, 0), Content::ToolResult { blocks, .. } if blocks.len() == 2));
    assert!(
        matches!(block(7, 0), Content::ToolUse { arguments, kind: CallKind::Custom, .. } if arguments == "*** Begin")
    );
    assert!(matches!(block(9, 0), Content::Opaque { origin: HOME, .. }));
    assert!(matches!(block(10, 0), Content::Opaque { origin: HOME, .. }));
    assert!(matches!(&request.tools[2].kind, ToolKind::Hosted { name, .. } if name == "web_search"));
}

#[test]
fn settings_have_their_meaning() {
    let request = home().read_request(ITEMS.as_bytes()).unwrap();
    let settings = &request.settings;
    assert_eq!((settings.max_tokens, settings.temperature, settings.top_p), (Some(500), Some(0.5), Some(0.9)));
    assert_eq!((settings.logprobs, settings.top_logprobs), (Some(true), Some(2)));
    assert!(matches!(&settings.format, Some(Format::Schema { name, strict: Some(true), .. }) if name == "sight"));
    let reasoning = settings.reasoning.as_ref().unwrap();
    assert_eq!((reasoning.effort, reasoning.shown), (Some(Effort::Low), Some(true)));
    let names = vec!["look".to_owned(), "patch".to_owned()];
    assert_eq!(settings.tool_choice, Some(ToolChoice::Allowed { names, required: true }));
    let texts = [&settings.verbosity, &settings.service_tier, &settings.user, &settings.cache_key];
    let expected = ["low", "flex", "user-7", "session-7"];
    assert_eq!(texts.map(|text| text.as_deref().unwrap()), expected);
    let extra: BTreeSet<_> = request.extra.keys().map(String::as_str).collect();
    assert_eq!(extra, BTreeSet::from(["include", "metadata", "store", "stream_options", "truncation"]));
}

#[test]
fn what_is_read_is_written_again() {
    let request = home().read_request(ITEMS.as_bytes()).unwrap();
    let mut losses = Losses::default();
    let again = home().read_request(&home().write_request(&request, &mut losses)).unwrap();
    assert!(losses.is_empty(), "{losses:?}");
    assert_eq!(again, request);
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let input = |item| json!({"model": "m", "input": [item]});
    let tool = |tool| json!({"model": "m", "input": "hi", "tools": [tool]});
    let cases = [
        (json!({"input": "hi"}), "model: expected a string, found nothing"),
        (json!({"model": "m"}), "input: expected a string or an array of items, found nothing"),
        (json!({"model": "m", "input": []}), "input: expected at least one item, found none"),
        (json!({"model": "m", "input": 7}), "input: expected a string or an array of items, found 7"),
        (input(json!("hi")), r#"input[0]: expected an object, found "hi""#),
        (input(json!({"content": "hi"})), "input[0].type: expected an item's type, found nothing"),
        (
            input(json!({"role": "tool", "content": "hi"})),
            r#"input[0].role: expected user, assistant, system or developer, found "tool""#,
        ),
        (input(json!({"role": "user"})), "input[0].content: expected a string or an array, found nothing"),
        (
            input(
                json!({"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,%%"}]}),
            ),
            "input[0].content[0].image_url: expected a data URL with base64, found invalid base64",
        ),
        (
            input(
                json!({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "!", "format": "wav"}}]}),
            ),
            "input[0].content[0].input_audio.data: expected base64, found something else",
        ),
        (
            input(json!({"type": "function_call", "name": "f", "arguments": "{}"})),
            "input[0].call_id: expected a string, found nothing",
        ),
        (
            input(json!({"type": "function_call_output", "call_id": "c"})),
            "input[0].output: expected a string or an array, found nothing",
        ),
        (tool(json!({"name": "f"})), "tools[0].type: expected a tool's type, found nothing"),
        (tool(json!({"type": "function", "name": ""})), "tools[0].name: expected a name, found an empty one"),
        (
            tool(json!({"type": "function", "name": "f", "parameters": "{}"})),
            r#"tools[0].parameters: expected an object, found "{}""#,
        ),
        (
            json!({"model": "m", "input": "hi", "text": {"format": {"type": "json_schema", "schema": {}}}}),
            "text.format.name: expected a string, found nothing",
        ),
        (
            json!({"model": "m", "input": "hi", "tool_choice": "any"}),
            r#"tool_choice: expected auto, none, required or an object, found "any""#,
        ),
    ];
    for (body, expected) in cases {
        let fault = home().read_request(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.to_string(), expected);
    }
}

#[test]
fn what_a_server_keeps_is_refused_elsewhere() {
    let states = [
        (json!({"model": "m", "input": "hi", "previous_response_id": "resp_0"}), "previous_response_id"),
        (json!({"model": "m", "input": "hi", "conversation": {"id": "conv_0"}}), "conversation"),
        (json!({"model": "m", "input": "hi", "background": true}), "background"),
        (json!({"model": "m", "prompt": {"id": "pmpt_0"}}), "prompt"),
        (
            json!({"model": "m", "input": [{"type": "item_reference", "id": "msg_0"}, {"role": "user", "content": "hi"}]}),
            "input[0]",
        ),
    ];
    for (body, place) in states {
        let request = home().read_request(body.to_string().as_bytes()).unwrap();
        let mut losses = Losses::default();
        home().write_request(&request, &mut losses);
        assert!(losses.is_empty(), "at home it is said: {losses:?}");
        for (name, other) in others() {
            let mut losses = Losses::default();
            other.write_request(&request, &mut losses);
            let refusal = losses.refusal().unwrap_or_else(|| panic!("{place} at {name}"));
            assert_eq!(home().place(&refusal.place), place);
            let named = losses.entries().iter().filter(|loss| home().place(&loss.place) == place);
            assert!(place == "input[0]" || named.count() == 1, "named once: {losses:?}");
        }
    }
}

#[test]
fn what_everybody_does_anyway_is_no_loss() {
    let body = json!({
        "model": "m", "input": "hi", "max_output_tokens": 100, "store": false, "background": false,
        "truncation": "disabled", "metadata": {}, "stream_options": {"include_obfuscation": false},
        "include": ["reasoning.encrypted_content"],
    });
    let request = home().read_request(body.to_string().as_bytes()).unwrap();
    for (name, other) in others() {
        let mut losses = Losses::default();
        other.write_request(&request, &mut losses);
        assert!(losses.is_empty(), "{name}: {losses:?}");
    }
    let body = json!({"model": "m", "input": "hi", "store": true, "truncation": "auto", "max_output_tokens": 100});
    let request = home().read_request(body.to_string().as_bytes()).unwrap();
    for (name, other) in others().filter(|(name, _)| *name != "openai-chat") {
        let mut losses = Losses::default();
        other.write_request(&request, &mut losses);
        let dropped = losses.entries().iter().filter(|loss| loss.kind == LossKind::Dropped).count();
        assert_eq!(dropped, 2, "{name}: {losses:?}");
    }
}

#[test]
fn nothing_is_stored_for_callers_who_did_not_ask() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4, "reasoning_effort": "low"});
    let request = Dialect::OpenaiChat.chat().unwrap().read_request(body.to_string().as_bytes()).unwrap();
    let mut losses = Losses::default();
    let written: serde_json::Value = serde_json::from_slice(&home().write_request(&request, &mut losses)).unwrap();
    assert_eq!(written["store"], false);
    assert_eq!(written["include"], json!(["reasoning.encrypted_content"]), "so thoughts must travel with the caller");
    assert_eq!(written["max_output_tokens"], 16, "the least there may be");
    assert_eq!(losses.entries()[0].kind, LossKind::Clamped);
}
