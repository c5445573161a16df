//! What stands around a usage object in each provider's answers, whole and streamed.
//!
//! Enters: a line. Leaves: the answer in every way in which it can come. Never: changes what the usage says, but for where a stream tells it in two
//! parts (Anthropic) or over and over (Gemini).

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::BytesMut;
use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::Usage;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::frame::{Framing, Message, write_message};
use tollgate_wire::watch::{Watch, read_whole};

use crate::page::Line;

/// One way of sending an answer.
pub struct Told {
    pub how: &'static str,
    dialect: Dialect,
    framing: Option<Framing>,
    bytes: Vec<u8>,
}

impl Told {
    pub fn is_stream(&self) -> bool {
        self.framing.is_some()
    }

    pub fn read(&self) -> Option<Usage> {
        self.read_in(11)
    }

    /// A stream in pieces of so many bytes.
    pub fn read_in(&self, size: usize) -> Option<Usage> {
        let Some(framing) = self.framing else {
            let seen = read_whole(self.dialect, &self.bytes, &HeaderMap::new());
            return seen.usage.map(|usage| Usage { terms: seen.terms, ..usage });
        };
        let mut watch = Watch::new(self.dialect, framing);
        self.bytes.chunks(size).for_each(|piece| watch.push(piece));
        let seen = watch.finish(&HeaderMap::new());
        assert!(seen.ended && !seen.failed && seen.skipped == 0, "{}", self.how);
        seen.usage.map(|usage| Usage { terms: seen.terms, ..usage })
    }
}

pub fn tellings(line: &Line) -> Vec<Told> {
    let usage: Value = serde_json::from_str(&line.usage).unwrap_or_else(|bad| panic!("{}: {bad}", line.usage));
    // As it is written, not as a map would sort it.
    let (model, text) = (line.model.as_str(), line.usage.as_str());
    let tier = line.tier.as_ref().map_or_else(String::new, |tier| format!(r#","service_tier":"{tier}""#));
    match line.shape.as_str() {
        "chat" => chat(model, text, &tier),
        "completions" => completions(model, text),
        "responses" => responses(model, text, &tier, line.reads().searches),
        "embeddings" => vec![whole(
            Dialect::OpenaiEmbeddings,
            format!(
                r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[0.1]}}],"model":"{model}","usage":{text}}}"#
            ),
        )],
        "images" => images(text),
        "pictures" => pictures(line.reads().images),
        "transcription" => transcription(text),
        "messages" => messages(model, text, &usage),
        "gemini" => gemini(model, text, &usage),
        "gemini-embeddings" => vec![whole(
            Dialect::GeminiEmbeddings,
            format!(r#"{{"embedding":{{"values":[0.1]}},"usageMetadata":{text}}}"#),
        )],
        "converse" => converse(text),
        "invoke" => invoke(model, text, &usage),
        "cohere" => cohere(text),
        "cohere-v1" => {
            vec![whole(Dialect::CohereV1, format!(r#"{{"text":"Hi","finish_reason":"COMPLETE","meta":{text}}}"#))]
        }
        "cohere-embed" => {
            vec![whole(Dialect::CohereEmbed, format!(r#"{{"id":"1","embeddings":{{"float":[[0.1]]}},"meta":{text}}}"#))]
        }
        "cohere-rerank" => vec![whole(
            Dialect::CohereRerank,
            format!(r#"{{"id":"1","results":[{{"index":0,"relevance_score":0.9}}],"meta":{text}}}"#),
        )],
        "rerank" => vec![whole(
            Dialect::Rerank,
            format!(
                r#"{{"object":"list","data":[{{"relevance_score":0.4,"index":0}}],"model":"{model}","usage":{text}}}"#
            ),
        )],
        "workers" => workers(text),
        other => panic!("no shape {other:?}"),
    }
}

/// The same JSON with the members of every object and the elements of every array in the opposite order.
pub fn reversed(text: &str) -> String {
    fn turn(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let members = members.iter().rev().map(|(name, value)| format!("{}:{}", json!(name), turn(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Value::Array(elements) => format!("[{}]", elements.iter().rev().map(turn).collect::<Vec<_>>().join(",")),
            plain => plain.to_string(),
        }
    }
    turn(&serde_json::from_str(text).unwrap())
}

fn whole(dialect: Dialect, body: String) -> Told {
    Told { how: "whole", dialect, framing: None, bytes: body.into_bytes() }
}

fn events(how: &'static str, dialect: Dialect, frames: &[String]) -> Told {
    let bytes = frames.iter().map(|data| format!("data: {data}\n\n")).collect::<String>().into_bytes();
    Told { how, dialect, framing: Some(Framing::Sse), bytes }
}

fn named(how: &'static str, dialect: Dialect, frames: &[(&str, String)]) -> Told {
    let bytes = frames.iter().map(|(kind, data)| format!("event: {kind}\ndata: {data}\n\n")).collect::<String>();
    Told { how, dialect, framing: Some(Framing::Sse), bytes: bytes.into_bytes() }
}

/// OpenAI's chat and everybody's who is like it: the usage in a chunk of its own, with the reason to stop, or before it.
fn chat(model: &str, usage: &str, tier: &str) -> Vec<Told> {
    let chunk = |choices: &str, rest: &str| {
        format!(
            r#"{{"id":"1","object":"chat.completion.chunk","created":1,"model":"{model}"{tier},"choices":[{choices}]{rest}}}"#
        )
    };
    let text = chunk(r#"{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}"#, "");
    let stop = r#"{"index":0,"delta":{},"finish_reason":"stop"}"#;
    let counted = format!(r#","usage":{usage}"#);
    let done = "[DONE]".to_owned();
    let body = format!(
        r#"{{"id":"1","object":"chat.completion","created":1,"model":"{model}"{tier},"choices":[{{"index":0,"message":{{"role":"assistant","content":"Hi"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
    );
    vec![
        whole(Dialect::OpenaiChat, body),
        events(
            "usage last",
            Dialect::OpenaiChat,
            &[text.clone(), chunk(stop, r#","usage":null"#), chunk("", &counted), done.clone()],
        ),
        events("usage with the end", Dialect::OpenaiChat, &[text.clone(), chunk(stop, &counted), done.clone()]),
        events(
            "usage before the end",
            Dialect::OpenaiChat,
            &[text.clone(), chunk("", &counted), chunk(stop, ""), done.clone()],
        ),
        events(
            "usage in Groq's member",
            Dialect::OpenaiChat,
            &[text, chunk(stop, &format!(r#","x_groq":{{"id":"r","usage":{usage}}}"#)), done],
        ),
    ]
}

fn completions(model: &str, usage: &str) -> Vec<Told> {
    let chunk = |choices: &str, rest: &str| {
        format!(r#"{{"id":"1","object":"text_completion","created":1,"model":"{model}","choices":[{choices}]{rest}}}"#)
    };
    let stop = r#"{"index":0,"text":"Hi","logprobs":null,"finish_reason":"stop"}"#;
    let counted = format!(r#","usage":{usage}"#);
    vec![
        whole(Dialect::OpenaiCompletions, chunk(stop, &counted)),
        events("streamed", Dialect::OpenaiCompletions, &[chunk(stop, ""), chunk("", &counted), "[DONE]".to_owned()]),
    ]
}

/// Each search is an item of the output; a stream says at its beginning which tier was asked for, and at its end which it was.
fn responses(model: &str, usage: &str, tier: &str, searches: u64) -> Vec<Told> {
    let items = (0..searches).map(|at| format!(r#"{{"type":"web_search_call","id":"ws_{at}","status":"completed","action":{{"type":"search","query":"hi"}}}}"#));
    let said = r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi"}]}"#.to_owned();
    let output = items.chain([said]).collect::<Vec<_>>().join(",");
    let response = |status: &str, tier: &str, output: &str, usage: &str| {
        format!(
            r#"{{"id":"resp_1","object":"response","status":"{status}","model":"{model}"{tier},"output":[{output}],"usage":{usage}}}"#
        )
    };
    let frame = |kind: &str, response: String| format!(r#"{{"type":"{kind}","response":{response}}}"#);
    let frames = [
        (
            "response.created",
            frame("response.created", response("in_progress", r#","service_tier":"auto""#, "", "null")),
        ),
        ("response.output_text.delta", r#"{"type":"response.output_text.delta","delta":"Hi"}"#.to_owned()),
        ("response.completed", frame("response.completed", response("completed", tier, &output, usage))),
    ];
    vec![
        whole(Dialect::OpenaiResponses, response("completed", tier, &output, usage)),
        named("streamed", Dialect::OpenaiResponses, &frames),
    ]
}

/// Of models that are paid by the picture.
fn pictures(count: u64) -> Vec<Told> {
    let data = vec![r#"{"url":"https://example.com/1.png","revised_prompt":"Hi"}"#; count as usize].join(",");
    vec![whole(Dialect::OpenaiImages, format!(r#"{{"created":1,"data":[{data}]}}"#))]
}

fn images(usage: &str) -> Vec<Told> {
    let body = format!(r#"{{"created":1,"data":[{{"b64_json":"aGk="}}],"usage":{usage}}}"#);
    let frames = [
        (
            "image_generation.partial_image",
            r#"{"type":"image_generation.partial_image","b64_json":"aGk=","partial_image_index":0}"#.to_owned(),
        ),
        (
            "image_generation.completed",
            format!(r#"{{"type":"image_generation.completed","b64_json":"aGk=","usage":{usage}}}"#),
        ),
    ];
    vec![whole(Dialect::OpenaiImages, body), named("streamed", Dialect::OpenaiImages, &frames)]
}

fn transcription(usage: &str) -> Vec<Told> {
    let frames = [
        r#"{"type":"transcript.text.delta","delta":"Hi"}"#.to_owned(),
        format!(r#"{{"type":"transcript.text.done","text":"Hi","usage":{usage}}}"#),
    ];
    vec![
        whole(Dialect::OpenaiAudio, format!(r#"{{"text":"Hi","usage":{usage}}}"#)),
        events("streamed", Dialect::OpenaiAudio, &frames),
    ]
}

/// The input side at the beginning, the output side at the end; then all of it again at the end, as newer models do.
fn message_frames(model: &str, usage: &Value) -> [Vec<(&'static str, String)>; 2] {
    let mut begun = usage.clone();
    begun["output_tokens"] = json!(1);
    begun.as_object_mut().unwrap().remove("server_tool_use");
    begun.as_object_mut().unwrap().remove("output_tokens_details");
    let mut ended = json!({ "output_tokens": usage["output_tokens"] });
    for late in ["server_tool_use", "output_tokens_details"] {
        if let Some(value) = usage.get(late) {
            ended[late] = value.clone();
        }
    }
    let frames = |ended: &Value| {
        vec![
            (
                "message_start",
                format!(
                    r#"{{"type":"message_start","message":{{"id":"msg_1","type":"message","role":"assistant","model":"{model}","content":[],"stop_reason":null,"usage":{begun}}}}}"#
                ),
            ),
            (
                "content_block_start",
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#.to_owned(),
            ),
            ("ping", r#"{"type":"ping"}"#.to_owned()),
            (
                "content_block_delta",
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#.to_owned(),
            ),
            ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#.to_owned()),
            (
                "message_delta",
                format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{ended}}}"#),
            ),
            ("message_stop", r#"{"type":"message_stop"}"#.to_owned()),
        ]
    };
    [frames(&ended), frames(usage)]
}

fn message(model: &str, usage: &str) -> String {
    format!(
        r#"{{"id":"msg_1","type":"message","role":"assistant","model":"{model}","content":[{{"type":"text","text":"Hi"}}],"stop_reason":"end_turn","usage":{usage}}}"#
    )
}

fn messages(model: &str, text: &str, usage: &Value) -> Vec<Told> {
    let [split, repeated] = message_frames(model, usage);
    vec![
        whole(Dialect::AnthropicMessages, message(model, text)),
        named("streamed", Dialect::AnthropicMessages, &split),
        named("streamed, all of it said again", Dialect::AnthropicMessages, &repeated),
    ]
}

/// Each chunk states the usage so far; without `alt=sse` the stream is an array.
fn gemini(model: &str, text: &str, usage: &Value) -> Vec<Told> {
    let chunk = |finish: &str, usage: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"Hi"}}],"role":"model"}}{finish},"index":0}}],"usageMetadata":{usage},"modelVersion":"{model}"}}"#
        )
    };
    let stop = r#","finishReason":"STOP""#;
    let mut begun = usage.clone();
    for late in ["candidatesTokenCount", "candidatesTokensDetails"] {
        begun.as_object_mut().unwrap().remove(late);
    }
    let (first, last) = (chunk("", &begun.to_string()), chunk(stop, text));
    let array = Told {
        how: "as an array",
        dialect: Dialect::Gemini,
        framing: None,
        bytes: format!("[{first},\n{last}]").into_bytes(),
    };
    vec![whole(Dialect::Gemini, last.clone()), events("streamed", Dialect::Gemini, &[first, last]), array]
}

fn aws(frames: &[(&str, String)]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    frames.iter().for_each(|(kind, data)| write_message(Message::Event(kind), data.as_bytes(), &mut bytes));
    bytes.to_vec()
}

fn converse(usage: &str) -> Vec<Told> {
    let frames = [
        ("messageStart", r#"{"role":"assistant"}"#.to_owned()),
        ("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#.to_owned()),
        ("contentBlockStop", r#"{"contentBlockIndex":0}"#.to_owned()),
        ("messageStop", r#"{"stopReason":"end_turn"}"#.to_owned()),
        ("metadata", format!(r#"{{"metrics":{{"latencyMs":5}},"usage":{usage}}}"#)),
    ];
    let body = format!(
        r#"{{"metrics":{{"latencyMs":5}},"output":{{"message":{{"role":"assistant","content":[{{"text":"Hi"}}]}}}},"stopReason":"end_turn","usage":{usage}}}"#
    );
    let streamed = Told {
        how: "streamed",
        dialect: Dialect::BedrockConverse,
        framing: Some(Framing::AwsEvents),
        bytes: aws(&frames),
    };
    vec![whole(Dialect::BedrockConverse, body), streamed]
}

/// Anthropic's own answer, passed on; its stream in Amazon's frames, with Amazon's own count in the last.
fn invoke(model: &str, text: &str, usage: &Value) -> Vec<Told> {
    let [split, _] = message_frames(model, usage);
    let metrics = json!({ "inputTokenCount": usage["input_tokens"], "outputTokenCount": usage["output_tokens"], "invocationLatency": 5, "firstByteLatency": 2 });
    let frames = split.into_iter().map(|(kind, data)| {
        let data = match kind {
            "message_stop" => {
                json!({ "type": "message_stop", "amazon-bedrock-invocationMetrics": metrics }).to_string()
            }
            _ => data,
        };
        ("chunk", json!({ "bytes": STANDARD.encode(data), "p": "abcd" }).to_string())
    });
    let bytes = aws(&frames.collect::<Vec<_>>());
    let streamed = Told { how: "streamed", dialect: Dialect::BedrockInvoke, framing: Some(Framing::AwsEvents), bytes };
    vec![whole(Dialect::BedrockInvoke, message(model, text)), streamed]
}

fn cohere(usage: &str) -> Vec<Told> {
    let frames = [
        (
            "message-start",
            r#"{"type":"message-start","id":"1","delta":{"message":{"role":"assistant","content":[]}}}"#.to_owned(),
        ),
        (
            "content-delta",
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}"#.to_owned(),
        ),
        ("message-end", format!(r#"{{"type":"message-end","delta":{{"finish_reason":"COMPLETE","usage":{usage}}}}}"#)),
    ];
    let body = format!(
        r#"{{"id":"1","message":{{"role":"assistant","content":[{{"type":"text","text":"Hi"}}]}},"finish_reason":"COMPLETE","usage":{usage}}}"#
    );
    vec![whole(Dialect::CohereV2, body), named("streamed", Dialect::CohereV2, &frames)]
}

fn workers(usage: &str) -> Vec<Told> {
    let body = format!(r#"{{"result":{{"response":"Hi","usage":{usage}}},"success":true,"errors":[],"messages":[]}}"#);
    let frames =
        [r#"{"response":"Hi"}"#.to_owned(), format!(r#"{{"response":"","usage":{usage}}}"#), "[DONE]".to_owned()];
    vec![whole(Dialect::WorkersAi, body), events("streamed", Dialect::WorkersAi, &frames)]
}
