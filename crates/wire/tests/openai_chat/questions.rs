//! Questions: each member in its place, written as it was read, refused with its path.

use super::*;

const QUESTION: &str = include_str!("../chat/openai-chat/question.json");
const WRONG: &str = include_str!("../chat/openai-chat/wrong.json");

#[test]
fn everything_is_written_as_it_was_read() {
    let question: Value = serde_json::from_str(QUESTION).unwrap();
    let request = read(&question);
    let mut losses = Losses::default();
    let written: Value = serde_json::from_slice(&home().write_request(&request, &mut losses)).unwrap();
    assert!(losses.is_empty(), "{losses:?}");
    let mut expected = question;
    // One text alone is a string.
    expected["messages"][5]["content"] = "done".into();
    assert_eq!(written, expected);
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let wrong: Vec<(String, Value)> = serde_json::from_str(WRONG).unwrap();
    for (path, body) in wrong {
        let fault = home().read_request(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.path, path, "{fault} in {body}");
    }
    let deep = format!(r#"{{"model":"m","messages":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(home().read_request(deep.as_bytes()).unwrap_err().expected, "JSON", "too deep to be read at all");
}

#[test]
fn older_functions_are_tools() {
    let request = read(&json!({
        "model": "m",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": null, "function_call": {"name": "look", "arguments": "{}"}},
            {"role": "function", "name": "look", "content": "a cat"},
        ],
        "functions": [{"name": "look", "parameters": {"type": "object"}}],
        "function_call": {"name": "look"},
    }));
    assert_eq!(request.settings.tool_choice, Some(ToolChoice::Named("look".into())));
    let written: Value = serde_json::from_slice(&home().write_request(&request, &mut Losses::default())).unwrap();
    let id = &written["messages"][1]["tool_calls"][0]["id"];
    assert!(id.as_str().is_some_and(|id| id.starts_with("call_")), "{id}");
    assert_eq!(&written["messages"][2]["tool_call_id"], id);
    assert_eq!(written["tools"][0]["function"]["name"], "look");
    assert!(request.extra.is_empty(), "{:?}", request.extra);
}

#[test]
fn both_spellings_are_one_limit() {
    for (body, limit) in [
        (json!({"max_tokens": 5}), 5),
        (json!({"max_completion_tokens": 6}), 6),
        (json!({"max_tokens": 5, "max_completion_tokens": 6}), 6),
    ] {
        let mut body = body;
        body["model"] = "m".into();
        body["messages"] = json!([{"role": "user", "content": "a"}]);
        assert_eq!(read(&body).settings.max_tokens, Some(limit));
    }
}

#[test]
fn thinking_is_asked_for_in_several_ways() {
    for (member, asked, effort, budget) in [
        ("reasoning_effort", json!("xhigh"), Some(Effort::Higher), None),
        ("reasoning", json!({"effort": "high"}), Some(Effort::High), None),
        ("reasoning", json!({"max_tokens": 2000, "exclude": true}), None, Some(2000)),
        ("reasoning", json!({"enabled": false}), Some(Effort::None), None),
        ("thinking", json!({"type": "enabled", "budget_tokens": 1024}), None, Some(1024)),
        ("thinking", json!({"type": "disabled"}), Some(Effort::None), None),
    ] {
        let request = read(&json!({"model": "m", "messages": [{"role": "user", "content": "a"}], member: asked}));
        let reasoning = request.settings.reasoning.clone().unwrap();
        assert_eq!((reasoning.effort, reasoning.budget), (effort, budget), "{asked}");
        assert!(request.extra.is_empty());
        let written = home().write_request(&request, &mut Losses::default());
        assert_eq!(home().read_request(&written).unwrap().settings, request.settings, "{asked}");
    }
    let odd =
        read(&json!({"model": "m", "messages": [{"role": "user", "content": "a"}], "reasoning_effort": "default"}));
    assert_eq!(odd.extra["reasoning_effort"], "default", "a host's own word stays");
}

#[test]
fn thoughts_come_back_as_their_provider_made_them() {
    let entries = json!([
        {"type": "reasoning.summary", "summary": "Looks", "format": "openai-responses-v1", "index": 0, "id": "rs_1"},
        {"type": "reasoning.encrypted", "data": "gAAA", "format": "openai-responses-v1", "index": 1, "id": "rs_1"},
    ]);
    let body = json!({"model": "m", "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "reasoning": "Looks", "reasoning_details": entries, "content": "b"},
    ]});
    let request = read(&body);
    let written: Value = serde_json::from_slice(&home().write_request(&request, &mut Losses::default())).unwrap();
    assert_eq!(written["messages"][1]["reasoning_details"], entries);
    assert_eq!(written["messages"][1]["reasoning_content"], "Looks");
}

#[test]
fn a_seal_finds_the_block_it_was_taken_from() {
    let seal = Seal::new(Dialect::Gemini, "c2VhbA==");
    let mut answer = Answer::new(Dialect::Gemini);
    let call = Content::ToolUse { id: "c".into(), name: "f".into(), arguments: "{}".into(), kind: CallKind::Function };
    let blocks = vec![Block::text("a").sealed(Some(seal.clone())), Block::from(call).sealed(Some(seal.clone()))];
    answer.choices.push(tollgate_wire::chat::Choice { blocks, ..Default::default() });
    let whole = home().write_answer(&answer, &telling(), &mut Losses::default());
    let mut streamed = answer.clone();
    streamed.choices = folded(decoded(&encoded(telling(), unfold(answer.clone())))).unwrap().choices;
    let streamed = home().write_answer(&streamed, &telling(), &mut Losses::default());
    for told in [whole, streamed] {
        let told: Value = serde_json::from_slice(&told).unwrap();
        let request = read(&json!({"model": "m", "messages": [told["choices"][0]["message"]]}));
        let seals: Vec<_> = request.turns[0].blocks.iter().map(|block| block.seal.clone()).collect();
        assert_eq!(seals, [Some(seal.clone()), Some(seal.clone())], "{told}");
    }
}
