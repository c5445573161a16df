//! What watching costs: nanoseconds per frame of streams whose frames carry text and nothing else, one frame a push.
//!
//! `cargo run --release -p tollgate-wire --example watch_cost [DIALECT]`. Timings belong here and not into tests.

use std::{hint::black_box, time::Instant};

use http::HeaderMap;
use tollgate_wire::{
    dialect::Dialect,
    frame::Framing,
    watch::{Watch, read_whole},
};

const ROUNDS: u32 = 2_000;
const FRAMES: u32 = 1_000;

const STREAMS: [(&str, &str); 5] = [
    (
        "openai-chat",
        "data: {\"id\":\"chatcmpl-CvYQ4nB1ZxT7mPq0sDf3Rk9LwHa2e\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"aB3dE5\"}\n\n",
    ),
    (
        "openai-responses",
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":12,\"item_id\":\"msg_0123456789abcdef0123456789abcdef0123456789abcdef\",\"output_index\":0,\"content_index\":0,\"delta\":\" word\",\"logprobs\":[],\"obfuscation\":\"aB3dE5\"}\n\n",
    ),
    (
        "anthropic-messages",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word\"} }\n\n",
    ),
    (
        "gemini",
        "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \" a few words more\"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 10,\"candidatesTokenCount\": 20,\"totalTokenCount\": 30,\"promptTokensDetails\": [{\"modality\": \"TEXT\",\"tokenCount\": 10}]},\"modelVersion\": \"gemini-2.0-flash\"}\r\n\r\n",
    ),
    (
        "cohere-v2",
        "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\" word\"}}}}\n\n",
    ),
];

const WHOLE: &str = "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1760000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Some words, as many as a short answer has, and then some more of them so that it is not too short.\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":10,\"total_tokens\":29,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}},\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\"}";

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    for (name, frame) in STREAMS.into_iter().filter(|(name, _)| name.contains(&only)) {
        let dialect = Dialect::from_name(name).expect("a dialect's name");
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let mut watch = Watch::new(dialect, Framing::Sse);
            for _ in 0..FRAMES {
                watch.push(black_box(frame.as_bytes()));
            }
            black_box(watch.finish(&HeaderMap::new()));
        }
        report(name, frame.len(), start, ROUNDS * FRAMES);
    }
    let start = Instant::now();
    for _ in 0..ROUNDS * 10 {
        black_box(read_whole(Dialect::OpenaiChat, black_box(WHOLE.as_bytes()), &HeaderMap::new()));
    }
    report("openai-chat, whole", WHOLE.len(), start, ROUNDS * 10);
}

#[expect(clippy::print_stdout, reason = "that is what it is for")]
fn report(name: &str, bytes: usize, start: Instant, times: u32) {
    println!("{name:20} {bytes:4} bytes {:8.1} ns", start.elapsed().as_secs_f64() * 1e9 / f64::from(times));
}
