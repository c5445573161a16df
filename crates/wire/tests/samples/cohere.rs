//! Cohere's two versions of chat, its embeddings and its ranking.

use super::*;
use Dialect::{CohereEmbed, CohereRerank, CohereV1, CohereV2};

const BILLED: &str =
    r#""billed_units":{"input_tokens":8.0,"output_tokens":10.0},"tokens":{"input_tokens":203,"output_tokens":11}"#;

pub fn all() -> Vec<Sample> {
    let counts = || tokens(8, 10);
    vec![
        whole("cohere 1", CohereV1, &format!(r#"{{"text":"Hi","finish_reason":"COMPLETE","meta":{{"api_version":{{"version":"1"}},{BILLED}}}}}"#))
            .uses(counts())
            .finish("COMPLETE"),
        lines(
            "cohere 1",
            CohereV1,
            &format!(
                "{{\"is_finished\":false,\"event_type\":\"stream-start\",\"generation_id\":\"g\"}}\n\
                 {{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"Hi\"}}\n\
                 {{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\",\"response\":{{\"text\":\"Hi\",\"meta\":{{{BILLED}}}}}}}\n"
            ),
        )
        .uses(counts())
        .finish("COMPLETE"),
        whole("cohere 2", CohereV2, &format!(r#"{{"id":"c","message":{{"role":"assistant","content":[{{"type":"text","text":"Hi"}}]}},"finish_reason":"COMPLETE","usage":{{{BILLED}}}}}"#))
            .uses(counts())
            .finish("COMPLETE"),
        events(
            "cohere 2",
            CohereV2,
            &format!(
                "event: message-start\ndata: {{\"type\":\"message-start\",\"id\":\"c\"}}\n\n\
                 event: content-delta\ndata: {{\"type\":\"content-delta\",\"index\":0,\"delta\":{{\"message\":{{\"content\":{{\"text\":\"Hi\"}}}}}}}}\n\n\
                 event: message-end\ndata: {{\"type\":\"message-end\",\"delta\":{{\"finish_reason\":\"COMPLETE\",\"usage\":{{{BILLED}}}}}}}\n\n\
                 data: [DONE]\n\n"
            ),
        )
        .uses(counts())
        .finish("COMPLETE"),
        whole("cohere 2 without billing", CohereV2, r#"{"finish_reason":"ERROR","usage":{"tokens":{"input_tokens":203,"output_tokens":11}}}"#)
            .uses(tokens(203, 11))
            .finish("ERROR"),
        whole("cohere's embedding", CohereEmbed, r#"{"embeddings":[[0.1]],"meta":{"billed_units":{"input_tokens":208}}}"#).uses(tokens(208, 0)),
        whole("cohere's ranking", CohereRerank, r#"{"results":[{"index":1}],"meta":{"billed_units":{"search_units":2},"tokens":{"input_tokens":99}}}"#)
            .uses(Usage { searches: 2, ..Usage::default() }),
    ]
}
