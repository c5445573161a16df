//! Laws that hold for every dialect, over one table of samples.
#![allow(clippy::unwrap_used)]

mod samples;

use samples::{Sample, amazon, events, tokens, whole};
use tollgate_wire::{
    dialect::{ALL, Dialect},
    frame::{FRAME_BYTES_MAX, Framing},
    watch::{Watch, read_whole},
};

#[test]
fn every_sample_is_read_right() {
    for sample in samples::all() {
        let seen = sample.read();
        let at = format!("{} ({:?} {:?})", sample.story, sample.dialect, sample.framing);
        assert_eq!(seen.usage, sample.usage, "{at}: usage");
        assert_eq!(seen.model.as_deref(), sample.model, "{at}: model");
        assert_eq!(seen.finish.as_deref(), sample.finish, "{at}: finish");
        assert_eq!((seen.failed, seen.ended), (sample.failed, sample.ended), "{at}: failed, ended");
    }
}

#[test]
fn every_dialect_has_a_sample_and_its_name() {
    for (number, (name, dialect)) in ALL.into_iter().enumerate() {
        assert_eq!((dialect as usize, dialect.name()), (number, name));
        assert_eq!(Dialect::from_name(name), Some(dialect));
        assert!(samples::all().iter().any(|sample| sample.dialect == dialect), "{name}");
    }
    assert_eq!(Dialect::from_name("openai"), None);
}

#[test]
fn cutting_the_bytes_anywhere_changes_nothing() {
    for sample in samples::all() {
        let seen = sample.read();
        for cut in 0..sample.body.len() {
            let (head, tail) = sample.body.split_at(cut);
            assert_eq!(sample.read_in_pieces(&[head, tail]), seen, "{}: cut at {cut}", sample.story);
        }
        for size in [1, 2, 3, 7] {
            let pieces: Vec<&[u8]> = sample.body.chunks(size).collect();
            assert_eq!(sample.read_in_pieces(&pieces), seen, "{}: pieces of {size}", sample.story);
        }
    }
}

#[test]
fn a_stream_tells_what_the_whole_tells() {
    let all = samples::all();
    for streamed in all.iter().filter(|sample| sample.framing.is_some()) {
        for whole in all.iter().filter(|sample| sample.framing.is_none() && sample.story == streamed.story) {
            let (a, b) = (streamed.read(), whole.read());
            assert_eq!((a.usage, a.model, a.finish), (b.usage, b.model, b.finish), "{}", whole.story);
        }
    }
}

#[test]
fn line_ends_comments_and_marks_change_nothing() {
    for sample in samples::all() {
        if !matches!(sample.framing, Some(Framing::Sse | Framing::Ndjson)) {
            continue;
        }
        let seen = sample.read();
        let text = String::from_utf8(sample.body.clone()).unwrap().replace("\r\n", "\n");
        let mut variants = vec![text.replace('\n', "\r\n"), text.replace('\n', "\r"), text.trim_end().to_owned()];
        if sample.framing == Some(Framing::Sse) {
            variants.push(format!("\u{feff}{text}"));
            variants.push(format!(": hello\n\n{}", text.replace("\n\n", "\n: comment\nid: 7\nretry: 10\n\n\n")));
        }
        // A cut-off frame is no frame, and a comment after it does not complete it.
        for variant in variants.iter().filter(|_| sample.ended) {
            for size in [1, 5, variant.len()] {
                let pieces: Vec<&[u8]> = variant.as_bytes().chunks(size).collect();
                assert_eq!(sample.read_in_pieces(&pieces), seen, "{}: {variant:?} by {size}", sample.story);
            }
        }
    }
}

#[test]
fn data_on_several_lines_is_one_text() {
    let broken_up = "data: {\"model\":\"m\",\ndata: \"choices\":[],\ndata:\"usage\":{\"prompt_tokens\":4,\ndata: \"completion_tokens\":2}}\n\n";
    let sample = events("several lines", Dialect::OpenaiChat, broken_up).uses(tokens(4, 2));
    assert_eq!(sample.read().usage, sample.usage);
}

#[test]
fn text_is_counted_once_and_without_its_escapes() {
    let frame = |text: &str| {
        format!(
            "data: {{\"model\":\"m\",\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    };
    for text in ["Hi", "a\\nb", "say \\\"usage\\\": 1", "\\u4f60\\u597d", "\\\\"] {
        let plain: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
        let seen = events("text", Dialect::OpenaiChat, &frame(text).repeat(9)).read();
        assert_eq!((seen.deltas, seen.text_bytes), (9, 9 * plain.len() as u64), "{text}");
    }
    for sample in samples::all().iter().filter(|sample| matches!(sample.story, "response" | "cohere 1" | "message")) {
        let is_counted = sample.framing.is_none() && sample.usage.is_some();
        let expected = if is_counted { 0 } else { 2 };
        assert_eq!(sample.read().text_bytes, expected, "{} {:?}", sample.story, sample.framing);
    }
}

#[test]
fn the_text_of_a_whole_answer_is_counted_when_its_tokens_are_not() {
    let answer = r#"{"model":"m","choices":[{"message":{"content":"a\nb"}}]USAGE}"#;
    let bytes = |usage: &str| whole("", Dialect::OpenaiChat, &answer.replace("USAGE", usage)).read().text_bytes;
    assert_eq!(bytes(""), 3);
    assert_eq!(bytes(r#","usage":{"prompt_tokens":1,"completion_tokens":2}"#), 0);
    // Broken off: then even a stated usage may be too low.
    assert_eq!(bytes(r#","usage":{"prompt_tokens":1,"completion_tokens":2},"#), 3);
}

#[test]
fn hostile_counts_saturate_and_parts_still_sum_to_the_whole() {
    let read = |usage: &str| whole("", Dialect::OpenaiChat, &format!("{{\"usage\":{usage}}}")).read().usage;
    let huge = read(r#"{"prompt_tokens":18446744073709551615,"completion_tokens":1e300,"num_search_queries":99999999999999999999999}"#).unwrap();
    assert_eq!(
        (huge.tokens_in(), huge.tokens_out(), huge.searches, huge.total()),
        (u64::MAX, u64::MAX, u64::MAX, u64::MAX)
    );
    let inconsistent = read(r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":8}}"#).unwrap();
    assert_eq!((inconsistent.cache_read, inconsistent.audio_in, inconsistent.tokens_in()), (8, 2, 10));
    for nonsense in [
        "null",
        "7",
        "\"7\"",
        "[]",
        "{}",
        r#"{"prompt_tokens":-1}"#,
        r#"{"prompt_tokens":"9"}"#,
        r#"{"prompt_tokens":null}"#,
    ] {
        assert_eq!(read(nonsense), None, "{nonsense}");
    }
}

#[test]
fn of_a_name_that_comes_twice_the_last_counts() {
    let body = r#"{"usage":{"prompt_tokens":1,"prompt_tokens":4,"completion_tokens":2},"model":"a","model":"b"}"#;
    let seen = whole("", Dialect::OpenaiChat, body).read();
    assert_eq!((seen.usage, seen.model.as_deref()), (Some(tokens(4, 2)), Some("b")));
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for opening in ["[", "{\"usage\":", "{\"choices\":[", "{\"x\":["] {
        let deep = opening.repeat(200_000);
        for (_, dialect) in ALL {
            let seen = read_whole(dialect, deep.as_bytes(), &http::HeaderMap::new());
            assert!(!seen.ended && seen.usage.is_none());
        }
    }
}

#[test]
fn a_frame_that_is_too_long_is_skipped_but_its_end_is_still_looked_at() {
    let picture = "A".repeat(FRAME_BYTES_MAX + 10);
    let end = "\"usage\":{\"input_tokens\":50,\"output_tokens\":4160}}";
    let body = format!(
        "event: image_generation.completed\ndata: {{\"type\":\"image_generation.completed\",\"b64_json\":\"{picture}\",{end}\n\ndata: {{\"model\":\"m\"}}\n\n"
    );
    let sample = events("picture", Dialect::OpenaiImages, &body);
    let seen = sample.read();
    assert_eq!((seen.usage.clone(), seen.ended, seen.skipped), (Some(tokens(50, 4160)), true, 1));
    assert_eq!(seen.model.as_deref(), Some("m"), "the next frame is read as ever");
    for size in [1, 16 << 10, 100_003] {
        let pieces: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
        assert_eq!(sample.read_in_pieces(&pieces), seen, "pieces of {size}");
    }
}

#[test]
fn a_message_that_is_too_long_is_passed_over() {
    let long = amazon::event("contentBlockDelta", &"x".repeat(FRAME_BYTES_MAX));
    let last = amazon::event("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":2}}"#);
    for size in [1, 4096, usize::MAX] {
        let mut watch = Watch::new(Dialect::BedrockConverse, Framing::AwsEvents);
        let body = [long.clone(), last.clone()].concat();
        body.chunks(size.min(body.len())).for_each(|piece| watch.push(piece));
        let seen = watch.finish(&http::HeaderMap::new());
        assert_eq!((seen.usage, seen.skipped), (Some(tokens(1, 2)), 1));
    }
}

#[test]
fn a_wrong_checksum_is_never_believed() {
    let good = amazon::event("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":2}}"#);
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let mut watch = Watch::new(Dialect::BedrockConverse, Framing::AwsEvents);
        watch.push(&bad);
        let seen = watch.finish(&http::HeaderMap::new());
        assert_eq!((seen.usage, seen.skipped), (None, 1), "bit flipped in byte {at}");
    }
}

#[test]
fn framing_is_chosen_by_content_type() {
    let of = Framing::of;
    assert_eq!(of("text/event-stream; charset=utf-8"), Some(Framing::Sse));
    assert_eq!(of("Application/vnd.amazon.eventstream"), Some(Framing::AwsEvents));
    assert_eq!(of("application/stream+json"), Some(Framing::Ndjson));
    assert_eq!((of("application/json"), of("")), (None, None));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, cut: usize) {
        every_reading(&bytes, cut);
    }

    #[test]
    fn no_change_to_a_sample_panics(which: proptest::sample::Index, at: proptest::sample::Index, with: Vec<u8>, cut: usize) {
        let all = samples::all();
        let sample: &Sample = &all[which.index(all.len())];
        let mut bytes = sample.body.clone();
        let at = at.index(bytes.len());
        let end = (at + with.len() / 2).min(bytes.len());
        bytes.splice(at..end, with);
        every_reading(&bytes, cut);
    }
}

/// Every dialect and framing on these bytes: none panics, and the cut changes nothing.
fn every_reading(bytes: &[u8], cut: usize) {
    let (head, tail) = bytes.split_at(cut.checked_rem(bytes.len()).unwrap_or(0));
    for (_, dialect) in ALL {
        for framing in [None, Some(Framing::Sse), Some(Framing::AwsEvents), Some(Framing::Ndjson)] {
            let sample = Sample { framing, ..whole("", dialect, "") };
            assert_eq!(
                sample.read_in_pieces(&[head, tail]),
                sample.read_in_pieces(&[bytes]),
                "{dialect:?} {framing:?}"
            );
        }
    }
}
