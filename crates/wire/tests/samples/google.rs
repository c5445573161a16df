//! Google's own API.

use super::*;
use Dialect::{Gemini, GeminiEmbeddings, VertexPredict};

const FIRST: &str = r#"{"candidates":[{"content":{"parts":[{"text":"He"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1000,"totalTokenCount":1000},"modelVersion":"gemini-2.5-flash"}"#;
const SECOND: &str = r#"{"candidates":[{"content":{"parts":[{"text":"llo"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":7,"totalTokenCount":1007},"modelVersion":"gemini-2.5-flash"}"#;
const LAST: &str = r#"{"candidates":[{"content":{"parts":[{"text":"!"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1000,"candidatesTokenCount":15,"thoughtsTokenCount":40,"toolUsePromptTokenCount":30,"cachedContentTokenCount":600,"totalTokenCount":1085,"promptTokensDetails":[{"modality":"TEXT","tokenCount":800},{"tokenCount":200,"modality":"AUDIO"}],"cacheTokensDetails":[{"modality":"TEXT","tokenCount":550},{"modality":"AUDIO","tokenCount":50}],"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":5}]},"modelVersion":"gemini-2.5-flash","responseId":"r"}"#;

pub fn all() -> Vec<Sample> {
    // 1000 in: 600 cached (50 of it audio), so 150 fresh audio and 250 fresh text; 30 of a tool's results come on top.
    let usage =
        Usage { cache_read: 550, cache_read_audio: 50, audio_in: 150, reasoning: 40, audio_out: 5, ..tokens(280, 10) };
    let complete = |sample: Sample| sample.uses(usage.clone()).model("gemini-2.5-flash").finish("STOP");
    vec![
        complete(whole("content", Gemini, LAST)),
        complete(events("content", Gemini, &format!("data: {FIRST}\r\n\r\ndata: {SECOND}\r\n\r\ndata: {LAST}\r\n\r\n"))),
        complete(whole("content", Gemini, &format!("[{FIRST}\n,\r\n{SECOND},\n{LAST}\n]\n"))),
        whole("content that breaks off", Gemini, &format!("[{FIRST}\n,\r\n{SECOND},\n{{\"candi"))
            .uses(tokens(1000, 7))
            .model("gemini-2.5-flash")
            .cut_off(),
        events("content that breaks off", Gemini, &format!("data: {FIRST}\n\ndata: {SECOND}\n\n"))
            .uses(tokens(1000, 7))
            .model("gemini-2.5-flash")
            .cut_off(),
        whole(
            "blocked prompt",
            Gemini,
            r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"gemini-2.5-flash"}"#,
        )
        .uses(tokens(9, 0))
        .model("gemini-2.5-flash")
        .finish("SAFETY"),
        whole("content that fails", Gemini, r#"[{"error":{"code":503,"status":"UNAVAILABLE"}}]"#).failed(),
        whole(
            "predicted embeddings",
            VertexPredict,
            r#"{"predictions":[{"embeddings":{"statistics":{"truncated":false,"token_count":6},"values":[0.1]}},
            {"embeddings":{"values":[0.2],"statistics":{"token_count":7}}}],"metadata":{"billableCharacterCount":50}}"#,
        )
        .uses(tokens(13, 0)),
        whole("embedded content", GeminiEmbeddings, r#"{"embedding":{"values":[0.1]},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}"#)
            .uses(tokens(4, 0)),
        whole("predicted images", VertexPredict, r#"{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"AA"},{"bytesBase64Encoded":"AA"}]}"#)
            .uses(Usage { images: 2, ..Usage::default() }),
    ]
}
