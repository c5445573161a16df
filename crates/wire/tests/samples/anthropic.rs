//! Anthropic's Messages, also as Vertex and Bedrock pass them on.

use super::*;
use Dialect::AnthropicMessages;

pub const WHOLE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"Hi"}],
"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":300,
"cache_read_input_tokens":2000,"cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":100},
"output_tokens":25,"server_tool_use":{"web_search_requests":3},"service_tier":"standard"}}"#;

pub const FRAMES: [(&str, &str); 7] = [
    (
        "message_start",
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"usage":{"input_tokens":8,"cache_creation_input_tokens":300,"cache_read_input_tokens":2000,"cache_creation":{"ephemeral_5m_input_tokens":200,"ephemeral_1h_input_tokens":100},"output_tokens":1}}}"#,
    ),
    ("content_block_start", r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#),
    ("ping", r#"{"type": "ping"}"#),
    ("content_block_delta", r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#),
    ("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":12}}"#),
    (
        "message_delta",
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":10,"output_tokens":25,"server_tool_use":{"web_search_requests":3}}}"#,
    ),
    ("message_stop", r#"{"type":"message_stop"}"#),
];

pub fn usage() -> Usage {
    Usage { cache_read: 2000, cache_write_5m: 200, cache_write_1h: 100, searches: 3, ..tokens(10, 25) }
}

pub fn all() -> Vec<Sample> {
    let named: String = FRAMES.iter().map(|(name, data)| format!("event: {name}\ndata: {data}\n\n")).collect();
    let unnamed: String = FRAMES.iter().map(|(_, data)| format!("data: {data}\n\n")).collect();
    let start = format!("event: message_start\ndata: {}\n\n", FRAMES[0].1);
    vec![
        whole("message", AnthropicMessages, WHOLE).uses(usage()).model("claude-sonnet-4-5").finish("end_turn"),
        events("message", AnthropicMessages, &named).uses(usage()).model("claude-sonnet-4-5").finish("end_turn"),
        events("message", AnthropicMessages, &unnamed).uses(usage()).model("claude-sonnet-4-5").finish("end_turn"),
        events(
            "overloaded message",
            AnthropicMessages,
            &format!("{start}event: error\ndata: {{\"type\":\"error\",\"error\":{{\"type\":\"overloaded_error\"}}}}\n\n"),
        )
        .uses(Usage { cache_read: 2000, cache_write_5m: 200, cache_write_1h: 100, ..tokens(8, 1) })
        .model("claude-sonnet-4-5")
        .failed()
        .cut_off(),
        whole(
            "message of an older model",
            AnthropicMessages,
            r#"{"type":"message","model":"claude-3","stop_reason":"max_tokens","usage":{"input_tokens":5,"output_tokens":6,"cache_creation_input_tokens":7}}"#,
        )
        .uses(Usage { cache_write_5m: 7, ..tokens(5, 6) })
        .model("claude-3")
        .finish("max_tokens"),
    ]
}
