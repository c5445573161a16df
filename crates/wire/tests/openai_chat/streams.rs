//! Streams of several hosts: each adds up to the whole answer that the host tells of the same.

use super::*;

const STREAMS: [(&str, &str, &str); 3] = [
    ("azure", include_str!("../chat/openai-chat/azure.sse"), include_str!("../chat/openai-chat/azure.json")),
    (
        "openrouter",
        include_str!("../chat/openai-chat/openrouter.sse"),
        include_str!("../chat/openai-chat/openrouter.json"),
    ),
    ("mistral", include_str!("../chat/openai-chat/mistral.sse"), include_str!("../chat/openai-chat/mistral.json")),
];

#[test]
fn add_up_to_the_whole_answer() {
    for (host, stream, whole) in STREAMS {
        let streamed = folded(decoded(stream)).unwrap();
        assert_eq!(streamed, home().read_answer(whole.as_bytes()).unwrap(), "{host}");
    }
}

#[test]
fn calls_that_take_turns_are_kept_apart() {
    let answer = folded(decoded(STREAMS[1].1)).unwrap();
    let calls: Vec<_> = answer.choices[0].blocks.iter().filter_map(arguments).collect();
    assert_eq!(calls, [r#"{"a":1}"#, r#"{"b":2}"#]);
}

fn arguments(block: &Block) -> Option<&str> {
    match &block.content {
        Content::ToolUse { arguments, .. } => Some(arguments),
        _ => None,
    }
}

#[test]
fn a_call_ends_when_the_next_begins_and_it_is_complete() {
    let stream = "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\n\n\
                  data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}]}\n\n";
    let events = decoded(stream);
    let end = events.iter().position(|event| matches!(event, Event::End { block: 0, .. })).unwrap();
    let next = events.iter().position(|event| matches!(event, Event::Begin { block: 1, .. })).unwrap();
    assert!(end < next, "who tells one block after the other need not wait");
}

#[test]
fn calls_without_numbers_or_ids_are_told_apart() {
    let call = |index: &str, id: &str, arguments: &str| {
        format!(
            "data: {{\"id\":\"x-1\",\"choices\":[{{\"delta\":{{\"tool_calls\":[{{{index}\"id\":\"{id}\",\"function\":{{\"name\":\"f\",\"arguments\":\"{arguments}\"}}}}]}},\"finish_reason\":\"tool_calls\"}}]}}\n\n"
        )
    };
    for (index, ids) in [("\"index\":0,", ["a", "b"]), ("", ["a", "b"]), ("", ["", ""])] {
        let stream = format!("{}{}data: [DONE]\n\n", call(index, ids[0], "{}"), call(index, ids[1], "[]"));
        let answer = folded(decoded(&stream)).unwrap();
        let calls: Vec<_> = answer.choices[0].blocks.iter().filter_map(arguments).collect();
        assert_eq!(calls, ["{}", "[]"], "{index} {ids:?}");
    }
}

#[test]
fn errors_in_mid_stream_are_faults() {
    let begun = "data: {\"id\":\"a\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    for (frame, kind, message) in [
        ("data: {\"error\":{\"message\":\"no more\",\"code\":429}}\n\n", FaultKind::RateLimited, "no more"),
        (
            "event: error\ndata: {\"error\":{\"message\":\"over\",\"status_code\":503}}\n\n",
            FaultKind::Overloaded,
            "over",
        ),
        ("data: {\"object\":\"error\",\"message\":\"bad\",\"code\":400}\n\n", FaultKind::BadRequest, "bad"),
        (
            "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\",\"error\":{\"code\":502,\"message\":\"upstream\"}}]}\n\n",
            FaultKind::Server,
            "upstream",
        ),
        ("data: {\"error\":\"plain\"}\n\n", FaultKind::Server, "plain"),
    ] {
        let events = decoded(&format!("{begun}{frame}data: [DONE]\n\n"));
        match events.last() {
            Some(Event::Fault(fault)) => assert_eq!((fault.kind, fault.message.as_str()), (kind, message)),
            other => panic!("{frame} was read as {other:?}"),
        }
    }
}
