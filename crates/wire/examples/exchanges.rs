//! Reads recorded exchanges (`DIR/*.jsonl`) and prints what the watcher sees in each answer, one JSON line each.
//!
//! `cargo run -p tollgate-wire --example exchanges -- DIR`. The lines are for comparing by other means: this program
//! does not judge itself. Streams are pushed in pieces of 1,000 bytes, since the recorded cuts are lost.
#![allow(clippy::unwrap_used)]

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_wire::{
    dialect::Dialect,
    frame::Framing,
    watch::{Seen, Watch, read_whole},
};

fn main() {
    let folder = std::env::args().nth(1).expect("a folder of .jsonl files");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    for line in files.iter().flat_map(|path| read_lines(path)) {
        let seen = read(&line);
        println!(
            "{}",
            json!({
                "id": line["id"], "usage": seen.usage, "model": seen.model, "finish": seen.finish, "failed": seen.failed,
                "ended": seen.ended, "deltas": seen.deltas, "text_bytes": seen.text_bytes, "skipped": seen.skipped,
            })
        );
    }
}

fn read_lines(path: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read(line: &Value) -> Seen {
    let response = &line["response"];
    let body = match response["text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(response["base64"].as_str().unwrap_or_default()).unwrap(),
    };
    let headers: HeaderMap = response["headers"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, value)| Some((name.parse::<http::HeaderName>().ok()?, value.as_str()?.parse().ok()?)))
        .collect();
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let dialect = dialect(line);
    let Some(framing) = Framing::of(content_type) else { return read_whole(dialect, &body, &headers) };
    let mut watch = Watch::new(dialect, framing);
    body.chunks(1000).for_each(|piece| watch.push(piece));
    watch.finish(&headers)
}

fn dialect(line: &Value) -> Dialect {
    let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let version_2 = word("path").contains("v2/");
    let name = match (word("provider").as_str(), word("operation").as_str()) {
        (_, "messages") => "anthropic-messages",
        (_, "responses") => "openai-responses",
        (_, "completions") => "openai-completions",
        (_, "images") => "openai-images",
        (_, "converse" | "converse-stream") => "bedrock-converse",
        (_, "invoke" | "invoke-stream") => "bedrock-invoke",
        (_, "generateContent" | "streamGenerateContent") => "gemini",
        ("cohere", "embeddings") => "cohere-embed",
        ("cohere", "rerank") => "cohere-rerank",
        ("cohere", _) if version_2 => "cohere-v2",
        ("cohere", _) => "cohere-v1",
        (_, "rerank") => "rerank",
        (_, "embeddings") => "openai-embeddings",
        (_, "chat.completions") => "openai-chat",
        _ => "raw",
    };
    Dialect::from_name(name).unwrap()
}
