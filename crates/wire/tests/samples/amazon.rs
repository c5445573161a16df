//! Amazon Bedrock: Converse, and what Invoke passes on of each family.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use Dialect::{BedrockConverse, BedrockEmbeddings, BedrockInvoke};

/// One message as the event stream encoding writes it.
pub fn message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(name.len() as u8);
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let mut bytes = ((16 + head.len() + payload.len()) as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(&(head.len() as u32).to_be_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(payload);
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
    bytes
}

pub fn event(kind: &str, payload: &str) -> Vec<u8> {
    let headers = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    message(&headers, payload.as_bytes())
}

pub fn chunk(inner: &str) -> Vec<u8> {
    event("chunk", &format!(r#"{{"bytes":"{}","p":"abcdefgh"}}"#, STANDARD.encode(inner)))
}

fn streamed(story: &'static str, dialect: Dialect, body: Vec<u8>) -> Sample {
    Sample { framing: Some(Framing::AwsEvents), body, ..whole(story, dialect, "") }
}

fn chunks(story: &'static str, inner: &[&str]) -> Sample {
    streamed(story, BedrockInvoke, inner.iter().flat_map(|inner| chunk(inner)).collect())
}

pub fn all() -> Vec<Sample> {
    [converse(), families(), metered()].concat()
}

fn converse() -> Vec<Sample> {
    let usage = Usage { cache_read: 100, cache_write_5m: 20, cache_write_1h: 30, ..tokens(8, 10) };
    let counts = r#""usage":{"inputTokens":8,"outputTokens":10,"totalTokens":168,"cacheReadInputTokens":100,"cacheReadInputTokenCount":100,"cacheWriteInputTokens":50,"cacheDetails":[{"ttl":"1h","inputTokens":30},{"inputTokens":20,"ttl":"5m"}]}"#;
    let frames = [
        event("messageStart", r#"{"p":"ab","role":"assistant"}"#),
        event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"abc"}"#),
        event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        event("messageStop", r#"{"p":"abcd","stopReason":"end_turn"}"#),
        event("metadata", &format!(r#"{{"metrics":{{"latencyMs":5}},{counts}}}"#)),
    ];
    let exception = message(
        &[(":exception-type", "throttlingException"), (":message-type", "exception")],
        br#"{"message":"Too many tokens"}"#,
    );
    vec![
        whole(
            "conversation",
            BedrockConverse,
            &format!(r#"{{"metrics":{{"latencyMs":5}},"output":{{"message":{{"content":[{{"text":"Hi"}}]}}}},"stopReason":"end_turn","trace":{{"guardrail":{{"usage":{{"inputTokens":7777}}}}}},{counts}}}"#),
        )
        .uses(usage.clone())
        .finish("end_turn"),
        streamed("conversation", BedrockConverse, frames.concat()).uses(usage).finish("end_turn"),
        streamed("throttled conversation", BedrockConverse, [frames[0].clone(), exception].concat()).failed().cut_off(),
    ]
}

fn families() -> Vec<Sample> {
    let metrics = r#""amazon-bedrock-invocationMetrics":{"inputTokenCount":9999,"outputTokenCount":9999,"invocationLatency":5,"firstByteLatency":2}"#;
    let last = format!(r#"{{"type":"message_stop",{metrics}}}"#);
    let mut message: Vec<&str> = anthropic::FRAMES.iter().map(|(_, data)| *data).collect();
    message.pop();
    message.push(&last);
    let nova = r#""usage":{"inputTokens":8,"outputTokens":10,"totalTokens":18,"cacheReadInputTokenCount":3,"cacheWriteInputTokenCount":0}"#;
    let nova_usage = Usage { cache_read: 3, ..tokens(8, 10) };
    let nova_last = format!(r#"{{"metadata":{{{nova},"metrics":{{}}}},{metrics}}}"#);
    let titan_last = format!(
        r#"{{"outputText":"Hi","index":0,"totalOutputTextTokenCount":10,"completionReason":"FINISH","inputTextTokenCount":4,{metrics}}}"#
    );
    let llama_last = format!(
        r#"{{"generation":"","prompt_token_count":null,"generation_token_count":3,"stop_reason":"stop",{metrics}}}"#
    );
    vec![
        whole("invoked message", BedrockInvoke, anthropic::WHOLE)
            .uses(anthropic::usage())
            .model("claude-sonnet-4-5")
            .finish("end_turn"),
        chunks("invoked message", &message).uses(anthropic::usage()).model("claude-sonnet-4-5").finish("end_turn"),
        whole("nova", BedrockInvoke, &format!(r#"{{"output":{{"message":{{"content":[{{"text":"Hi"}}]}}}},"stopReason":"end_turn",{nova}}}"#))
            .uses(nova_usage.clone())
            .finish("end_turn"),
        chunks(
            "nova",
            &[
                r#"{"messageStart":{"role":"assistant"}}"#,
                r#"{"contentBlockDelta":{"delta":{"text":"Hi"},"contentBlockIndex":0}}"#,
                r#"{"messageStop":{"stopReason":"end_turn"}}"#,
                &nova_last,
            ],
        )
        .uses(nova_usage)
        .finish("end_turn"),
        whole("titan", BedrockInvoke, r#"{"inputTextTokenCount":4.0,"results":[{"tokenCount":6.0,"outputText":"Hi","completionReason":"LENGTH"},{"tokenCount":4,"outputText":"Hi","completionReason":"FINISH"}]}"#)
            .uses(tokens(4, 10))
            .finish("FINISH"),
        chunks("titan", &[&titan_last]).uses(tokens(4, 10)).finish("FINISH"),
        whole("titan's embedding of a model named", BedrockEmbeddings, r#"{"embedding":[0.1],"inputTextTokenCount":5}"#).uses(tokens(5, 0)),
        whole("titan's embedding", BedrockInvoke, r#"{"embedding":[0.1],"inputTextTokenCount":5}"#).uses(tokens(5, 0)),
        whole("llama", BedrockInvoke, r#"{"generation":"Hi","prompt_token_count":5,"generation_token_count":3,"stop_reason":"stop"}"#)
            .uses(tokens(5, 3))
            .finish("stop"),
        chunks("llama", &[r#"{"generation":"Hi","prompt_token_count":5,"generation_token_count":1,"stop_reason":null}"#, &llama_last])
            .uses(tokens(5, 3))
            .finish("stop"),
        whole("jamba", BedrockInvoke, r#"{"id":"c","choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}"#)
            .uses(tokens(5, 3))
            .finish("stop"),
        whole("command r", BedrockInvoke, r#"{"text":"Hi","finish_reason":"COMPLETE","meta":{"billed_units":{"input_tokens":5,"output_tokens":3}}}"#)
            .uses(tokens(5, 3))
            .finish("COMPLETE"),
        whole("invoked image", BedrockInvoke, r#"{"images":["AAAA","AAAA"],"error":null}"#).uses(Usage { images: 2, ..Usage::default() }),
    ]
}

/// Families that do not count: Bedrock does it for them.
fn metered() -> Vec<Sample> {
    vec![
        whole("mistral", BedrockInvoke, r#"{"outputs":[{"text":"Hi","stop_reason":"length"}]}"#)
            .header("x-amzn-bedrock-input-token-count", "12")
            .header("x-amzn-bedrock-output-token-count", "7")
            .uses(tokens(12, 7))
            .finish("length"),
        chunks("mistral", &[
            r#"{"outputs":[{"text":"Hi","stop_reason":null}]}"#,
            r#"{"outputs":[{"text":"","stop_reason":"length"}],"amazon-bedrock-invocationMetrics":{"inputTokenCount":12,"outputTokenCount":7,"invocationLatency":5}}"#,
        ])
        .uses(tokens(12, 7))
        .finish("length"),
        whole("command", BedrockInvoke, r#"{"generations":[{"finish_reason":"MAX_TOKENS","text":"Hi"}],"prompt":"p"}"#).finish("MAX_TOKENS"),
        whole("jurassic", BedrockInvoke, r#"{"completions":[{"data":{"text":"Hi"},"finishReason":{"reason":"endoftext"}}]}"#)
            .header("x-amzn-bedrock-input-token-count", "3")
            .header("x-amzn-bedrock-output-token-count", "4")
            .uses(tokens(3, 4))
            .finish("endoftext"),
    ]
}
