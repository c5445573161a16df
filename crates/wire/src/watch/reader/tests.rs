//! The law behind every shortcut: a frame that was not parsed had nothing to say.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::dialect::ALL;

/// Frames in which the words that are searched for stand in every place: as names, as values, as text, escaped, null.
const FRAMES: [&str; 16] = [
    r#"{"model":"m","choices":[{"delta":{"content":"TEXT"},"finish_reason":null}],"usage":null,"obfuscation":"TEXT"}"#,
    r#"{"model":"m","choices":[{"delta":{"content":"TEXT"},"finish_reason":null}],"usage":null,"obfuscation":"TEXT","error":{"code":1}}"#,
    r#"{"model":"m","choices":[{"delta":{"content":"TEXT"},"finish_reason":null}],"usage":null}"#,
    r#"{"model":"m","choices":[{"delta":{"content":"TEXT"},"finish_reason":"TEXT"}],"usage":null}"#,
    r#"{"model":"m","choices":[{"delta":{"content":"TEXT"},"finish_reason":null}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
    r#"{"choices":[],"usage" : {"prompt_tokens":7,"completion_tokens":8}}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":7,"cost":0.25,"is_byok":true,"cost_details":{"upstream_inference_cost":1}}}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":7,"cost":{"total_cost":0.5,"request_cost":0.4}}}"#,
    r#"{"choices":[],"usage":{}}"#,
    r#"{"type":"content_block_delta","delta":{"text":"TEXT"}}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"TEXT"},"usage":{"input_tokens":3,"output_tokens":4}}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"TEXT"}]}}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":6}}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"TEXT"}]},"finishReason":"TEXT"}]}"#,
    r#"{"is_finished":true,"event_type":"stream-end","finish_reason":"TEXT","response":{"meta":{"billed_units":{"input_tokens":9}}}}"#,
    r#"{"response":"TEXT","p":"TEXT"}"#,
    r#"{"error":"TEXT"}"#,
];

const TEXTS: [&str; 8] =
    ["", "word", "usage", "error", r#"\"usage\":{\"prompt_tokens\":99}"#, r#"\\"#, r"\u00e9", "finish_reason"];

fn frame() -> impl Strategy<Value = String> {
    (prop::sample::select(&FRAMES[..]), prop::sample::select(&TEXTS[..]))
        .prop_map(|(frame, text)| frame.replace("TEXT", text))
}

/// Parses everything.
fn thorough(dialect: Dialect, frames: &[String]) -> Facts {
    let (shape, mut held) = (dialect.shape(), Facts::default());
    for frame in frames {
        walk(frame.as_bytes(), shape.members, &mut |facts| absorb(&mut held, facts, shape.tally)).unwrap();
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_not_parsed_has_nothing_to_say(frames in prop::collection::vec(frame(), 1..12)) {
        for (_, dialect) in ALL.into_iter().filter(|(_, dialect)| !dialect.shape().wrapped) {
            let mut reader = Reader::new(dialect);
            frames.iter().for_each(|frame| reader.frame(Frame::Whole { kind: b"", data: frame.as_bytes() }));
            let seen = reader.finish(&HeaderMap::new());
            let all = thorough(dialect, &frames);
            let expected = (all.counts.usage(), all.counts.charged(), all.finish, all.failed, all.ended);
            prop_assert_eq!((seen.usage, seen.charged, seen.finish, seen.failed, seen.ended), expected, "{:?}", dialect);
        }
    }
}
