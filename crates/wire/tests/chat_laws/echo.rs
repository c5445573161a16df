//! What a client does with an answer: it puts it into the conversation and asks again.

use serde_json::{Value, json};
use tollgate_wire::dialect::Dialect;

/// The next request of a caller who speaks this dialect, after it was told `answer` and has run the tool.
pub(crate) fn request(dialect: Dialect, answer: &[u8]) -> Vec<u8> {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let request = match dialect {
        Dialect::OpenaiChat => {
            let said = answer["choices"][0]["message"].clone();
            json!({"model": "m", "messages": [
                {"role": "user", "content": "Hi"}, said, {"role": "tool", "tool_call_id": "call_1", "content": "18"},
            ]})
        }
        Dialect::OpenaiResponses => {
            let mut input = vec![json!({"role": "user", "content": "Hi"})];
            input.extend(answer["output"].as_array().unwrap().clone());
            let call = answer["output"].as_array().unwrap().iter().find(|item| item["type"] == "function_call");
            let id = call.unwrap()["call_id"].clone();
            input.push(json!({"type": "function_call_output", "call_id": id, "output": "18"}));
            json!({"model": "m", "input": input})
        }
        Dialect::AnthropicMessages => json!({"model": "m", "max_tokens": 100, "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "18"}]},
        ]}),
        Dialect::Gemini => json!({"contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            answer["candidates"][0]["content"],
            {"role": "user", "parts": [{"functionResponse": {"name": "get_weather", "response": {"output": "18"}}}]},
        ]}),
        Dialect::BedrockConverse => json!({"messages": [
            {"role": "user", "content": [{"text": "Hi"}]},
            answer["output"]["message"],
            {"role": "user", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": "18"}]}}]},
        ]}),
        // Cohere, Ollama, Workers AI: the answer's message as it is.
        _ => {
            let said = [&answer["message"], &answer["result"]].into_iter().find(|value| value.is_object());
            let mut said = said.cloned().unwrap();
            said["role"] = json!("assistant");
            json!({"model": "m", "messages": [
                {"role": "user", "content": "Hi"}, said,
                {"role": "tool", "tool_call_id": "call_1", "tool_name": "get_weather", "content": "18"},
            ]})
        }
    };
    serde_json::to_vec(&request).unwrap()
}
