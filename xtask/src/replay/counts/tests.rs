//! Each dialect's counts, read from small samples.

use serde_json::json;

use super::*;

fn read(documents: &[Value]) -> Option<[u64; 4]> {
    counts(documents).map(|counts| [counts.input, counts.output, counts.cache_read, counts.searches])
}

#[test]
fn every_form_is_understood() {
    let cases = [
        (
            json!({"usage": {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}}),
            [10, 5, 4, 0],
        ),
        (
            json!({"response": {"usage": {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": {"cached_tokens": 2}}}}),
            [9, 3, 2, 0],
        ),
        (
            json!({"usage": {"input_tokens": 1, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 300, "output_tokens": 4}}),
            [321, 4, 20, 0],
        ),
        (
            json!({"usageMetadata": {"promptTokenCount": 8, "toolUsePromptTokenCount": 1, "candidatesTokenCount": 2,
                "thoughtsTokenCount": 30, "cachedContentTokenCount": 6, "totalTokenCount": 41}}),
            [9, 32, 6, 0],
        ),
        (
            json!({"usage": {"inputTokens": 8, "outputTokens": 2, "cacheReadInputTokens": 3, "cacheReadInputTokenCount": 3}}),
            [11, 2, 3, 0],
        ),
        (json!({"inputTextTokenCount": 8, "results": [{"tokenCount": 2}, {"tokenCount": 3.0}]}), [8, 5, 0, 0]),
        (json!({"generation": "x", "prompt_token_count": 8, "generation_token_count": 2}), [8, 2, 0, 0]),
        (json!({"num_tokens_prompt_total": 8, "num_tokens_generated": 2}), [8, 2, 0, 0]),
        (json!({"done": true, "prompt_eval_count": 8, "eval_count": 2}), [8, 2, 0, 0]),
        (
            json!({"meta": {"billed_units": {"input_tokens": 8.0, "output_tokens": 2}, "tokens": {"input_tokens": 70}}}),
            [8, 2, 0, 0],
        ),
        (json!({"meta": {"billed_units": {"search_units": 1}}}), [0, 0, 0, 1]),
        (json!({"usage": {"total_tokens": 7}}), [7, 0, 0, 0]),
    ];
    for (document, expected) in cases {
        assert_eq!(read(std::slice::from_ref(&document)), Some(expected), "{document}");
    }
}

#[test]
fn reasoning_beside_the_output_is_seen_by_the_total() {
    let details = json!({"reasoning_tokens": 30});
    let beside = json!({"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, "completion_tokens_details": details}});
    assert_eq!(read(&[beside]), Some([10, 35, 0, 0]));
    let within = json!({"usage": {"prompt_tokens": 10, "completion_tokens": 35, "total_tokens": 45, "completion_tokens_details": details}});
    assert_eq!(read(&[within]), Some([10, 35, 0, 0]));
}

#[test]
fn a_stream_counts_as_it_goes() {
    let start = json!({"type": "message_start", "message": {"usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}}});
    let delta = json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 40}});
    assert_eq!(read(&[start, delta]), Some([15, 40, 5, 0]));
    let early = json!({"choices": [], "usage": null});
    let last = json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}});
    assert_eq!(read(&[early.clone(), last, early]), Some([3, 2, 0, 0]));
    let chunk =
        json!({"outputText": "x", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 2}});
    assert_eq!(read(&[chunk]), Some([3, 2, 0, 0]));
}

#[test]
fn what_counts_nothing_has_no_counts() {
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[json!({"error": {"message": "no"}}), json!([1]), json!("x"), json!({"usage": null})]), None);
    // A count asked for is an answer, not a use.
    assert_eq!(read(&[json!({"object": "response.input_tokens", "input_tokens": 10})]), None);
}
