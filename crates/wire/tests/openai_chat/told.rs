//! What callers are told: frames in the order that the SDKs expect.

use super::*;

fn data(stream: &str) -> Vec<&str> {
    stream.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
}

fn answer() -> Answer {
    let whole = include_str!("../chat/openai-chat/openrouter.json");
    home().read_answer(whole.as_bytes()).unwrap()
}

#[test]
fn the_role_comes_first_and_the_usage_when_asked_for() {
    for stream_usage in [true, false] {
        let told = encoded(Telling { stream_usage, ..telling() }, unfold(answer()));
        let frames = data(&told);
        let first: Value = serde_json::from_str(frames[0]).unwrap();
        assert_eq!(first["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
        assert_eq!((&first["model"], &first["object"]), (&json!("asked/model"), &json!("chat.completion.chunk")));
        assert_eq!(frames.last(), Some(&"[DONE]"));
        let usages = frames.iter().filter(|frame| frame.contains("\"usage\"")).count();
        assert_eq!(usages, usize::from(stream_usage));
        if stream_usage {
            let usage: Value = serde_json::from_str(frames[frames.len() - 2]).unwrap();
            assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(30)));
        }
    }
}

#[test]
fn after_a_fault_nothing_looks_like_success() {
    let fault = home().read_fault(529, br#"{"error":{"message":"too busy"}}"#);
    let events = unfold(answer()).into_iter().take(2).chain([Event::Fault(fault)]).collect();
    let told = encoded(telling(), events);
    let last: Value = serde_json::from_str(data(&told).last().unwrap()).unwrap();
    assert_eq!(last["error"]["message"], "too busy");
    assert!(!told.contains("[DONE]") && !told.contains("\"finish_reason\":\"stop\""));
}

#[test]
fn a_whole_answer_has_what_the_types_demand() {
    let told = home().write_answer(&answer(), &telling(), &mut Losses::default());
    let told: Value = serde_json::from_slice(&told).unwrap();
    for member in ["id", "object", "created", "model", "choices", "usage"] {
        assert!(told.get(member).is_some(), "{member}");
    }
    let choice = &told["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    assert_eq!(choice["message"]["reasoning_content"], "Let me see.");
    assert_eq!(choice["message"]["reasoning_details"][0]["format"], "anthropic-claude-v1");
}
