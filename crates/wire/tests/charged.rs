//! What providers say they charged, in their own words: whole answers and streams, cut anywhere.

#![allow(clippy::unwrap_used)]

use http::HeaderMap;
use tollgate_wire::dialect::Dialect;
use tollgate_wire::frame::Framing;
use tollgate_wire::watch::{Watch, read_whole};

/// Usage objects as the providers' documentation shows them, and nano-dollars.
const TOLD: [(&str, Option<u64>); 9] = [
    // OpenRouter, docs: usage accounting. One credit is one dollar.
    (
        r#"{"prompt_tokens":194,"completion_tokens":2,"total_tokens":196,"cost":0.00095,"cost_details":{"upstream_inference_cost":null}}"#,
        Some(950_000),
    ),
    (
        r#"{"prompt_tokens":10,"completion_tokens":4,"cost":1.41e-05,"is_byok":false,"cost_details":{"upstream_inference_cost":0.0000141}}"#,
        Some(14_100),
    ),
    // With the caller's own key, the cost is OpenRouter's fee, and the provider's bill comes on top.
    (
        r#"{"prompt_tokens":10,"completion_tokens":4,"cost":0.00005,"is_byok":true,"cost_details":{"upstream_inference_cost":0.001}}"#,
        Some(1_050_000),
    ),
    // Perplexity.
    (
        r#"{"prompt_tokens":9,"completion_tokens":33,"total_tokens":42,"cost":{"input_tokens_cost":0.000009,"output_tokens_cost":0.000033,"request_cost":0.005,"total_cost":0.005042}}"#,
        Some(5_042_000),
    ),
    // xAI, docs: cost tracking. Ten billion ticks are a dollar.
    (r#"{"prompt_tokens":199,"completion_tokens":1,"total_tokens":200,"cost_in_usd_ticks":37756000}"#, Some(3_775_600)),
    // Nobody says anything, or nothing that is an amount.
    (r#"{"prompt_tokens":1,"completion_tokens":1}"#, None),
    (r#"{"prompt_tokens":1,"completion_tokens":1,"cost":null}"#, None),
    (r#"{"prompt_tokens":1,"completion_tokens":1,"cost":"0.1"}"#, None),
    (r#"{"prompt_tokens":1,"completion_tokens":1,"cost":-1,"cost_details":{"upstream_inference_cost":3}}"#, None),
];

#[test]
fn a_whole_answer_says_what_was_charged() {
    for (usage, nanos) in TOLD {
        let chat = format!(
            r#"{{"model":"m","choices":[{{"message":{{"content":"hi"}},"finish_reason":"stop"}}],"usage":{usage}}}"#
        );
        assert_eq!(read_whole(Dialect::OpenaiChat, chat.as_bytes(), &HeaderMap::new()).charged, nanos, "{usage}");
        let responses =
            format!(r#"{{"object":"response","model":"m","status":"completed","output":[],"usage":{usage}}}"#);
        assert_eq!(
            read_whole(Dialect::OpenaiResponses, responses.as_bytes(), &HeaderMap::new()).charged,
            nanos,
            "{usage}"
        );
    }
}

#[test]
fn a_stream_says_the_same_wherever_it_is_cut() {
    for (usage, nanos) in TOLD {
        let text = format!(
            "data: {{\"model\":\"m\",\"choices\":[{{\"delta\":{{\"content\":\"hi\"}}}}],\"usage\":null}}\n\n\
             data: {{\"model\":\"m\",\"choices\":[],\"usage\":{usage}}}\n\ndata: [DONE]\n\n"
        );
        for cut in 0..text.len() {
            let mut watch = Watch::new(Dialect::OpenaiChat, Framing::Sse);
            watch.push(&text.as_bytes()[..cut]);
            watch.push(&text.as_bytes()[cut..]);
            assert_eq!(watch.finish(&HeaderMap::new()).charged, nanos, "{usage} cut at {cut}");
        }
    }
}
