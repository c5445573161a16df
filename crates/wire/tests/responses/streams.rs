//! Streams of providers: whole ones, those of hosts that leave things out, and those that fail.

use serde_json::{Value, json};
use tollgate_model::Usage;
use tollgate_wire::chat::{Content, Event, FaultKind, FinishKind};

use crate::{STREAM, data, decoded, folded, home, stream};

#[test]
fn a_stream_is_its_last_words_response() {
    let mut events = data(STREAM);
    let whole = events.pop().unwrap()["response"].take();
    let mut whole = home().read_answer(whole.to_string().as_bytes()).unwrap();
    // Known at the end alone; a stream has said its beginning by then.
    assert_eq!(whole.service_tier.take().unwrap(), "default");
    let streamed = folded(STREAM).unwrap();
    assert_eq!(streamed, whole);
    let choice = &streamed.choices[0];
    assert_eq!(choice.blocks.len(), 6);
    assert_eq!(choice.finish.as_ref().unwrap().kind, FinishKind::ToolUse);
    assert_eq!(choice.logprobs.as_ref().unwrap()["content"].as_array().unwrap().len(), 2);
    assert!(streamed.extra.is_empty(), "{:?}", streamed.extra);
    let usage = streamed.usage.unwrap().usage;
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (40, 60, 10, 30));
}

/// Whatever is said several times may be left out wherever it is said again.
#[test]
fn what_is_left_out_is_taken_from_where_it_comes_next() {
    let whole = folded(STREAM).unwrap();
    let without = |dropped: &dyn Fn(&str) -> bool| {
        let mut kept = data(STREAM);
        kept.retain(|event| !dropped(event["type"].as_str().unwrap()));
        folded(&stream(&kept)).unwrap()
    };
    assert_eq!(without(&|kind| kind.ends_with("_part.added")), whole, "announcements of parts");
    assert_eq!(without(&|kind| kind.ends_with(".done") && kind != "response.output_item.done"), whole, "ends");
    assert_eq!(without(&|kind| kind.starts_with("response.web_search_call")), whole, "progress");
    let items_alone = |kind: &str| {
        kind.ends_with(".delta")
            || kind.ends_with("added")
            || kind.contains("_part.")
            || kind.contains("text.done")
            || kind.contains("refusal.done")
    };
    assert_eq!(without(&items_alone), whole, "everything but the items' ends");
    assert_eq!(
        without(&|kind| !["response.created", "response.completed"].contains(&kind)),
        whole,
        "all but the frame"
    );
}

#[test]
fn events_may_be_named_in_their_data_alone() {
    let unnamed: String = data(STREAM).iter().map(|event| format!("data: {event}\n\n")).collect();
    assert_eq!(folded(&unnamed).unwrap(), folded(STREAM).unwrap());
}

#[test]
fn a_limit_and_a_filter_are_told_apart() {
    for (reason, kind) in [
        ("max_output_tokens", FinishKind::Length),
        ("content_filter", FinishKind::Filter),
        ("steered", FinishKind::Other),
    ] {
        let response = json!({
            "id": "resp_1", "model": "m", "status": "incomplete", "incomplete_details": {"reason": reason},
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "cut"}]}],
        });
        let answer = home().read_answer(response.to_string().as_bytes()).unwrap();
        assert_eq!(answer.choices[0].finish.as_ref().unwrap().kind, kind);
        let events = [
            json!({"type": "response.created", "response": {"id": "resp_1", "model": "m"}}),
            json!({"type": "response.incomplete", "response": response}),
        ];
        assert_eq!(folded(&stream(&events)).unwrap(), answer);
    }
}

#[test]
fn what_has_failed_is_no_answer() {
    let failed = json!({"id": "resp_1", "model": "m", "status": "failed", "output": [], "error": {"code": "server_error", "message": "oh"}});
    assert_eq!(
        home().read_answer(failed.to_string().as_bytes()).unwrap_err().to_string(),
        "error: expected an answer, found an error: oh"
    );
    let queued = json!({"id": "resp_1", "model": "m", "status": "queued", "output": []});
    assert_eq!(home().read_answer(queued.to_string().as_bytes()).unwrap_err().path, "status");
}

#[test]
fn faults_in_mid_stream_keep_their_kind() {
    let created = json!({"type": "response.created", "response": {"id": "resp_1", "model": "m"}});
    let failed =
        |code: &str| json!({"type": "response.failed", "response": {"error": {"code": code, "message": "words"}}});
    let cases = [
        (failed("rate_limit_exceeded"), FaultKind::RateLimited, 429),
        (failed("context_length_exceeded"), FaultKind::ContextTooLong, 400),
        (failed("insufficient_quota"), FaultKind::Billing, 429),
        (failed("server_is_overloaded"), FaultKind::Overloaded, 503),
        (failed("server_error"), FaultKind::Server, 500),
        (
            json!({"type": "error", "code": "rate_limit_exceeded", "message": "words", "param": null}),
            FaultKind::RateLimited,
            429,
        ),
        (
            json!({"type": "error", "error": {"type": "server_error", "code": null, "message": "words"}}),
            FaultKind::Server,
            500,
        ),
    ];
    for (last, kind, status) in cases {
        let events = decoded(&stream(&[created.clone(), last, json!({"type": "response.completed", "response": {}})]));
        let [Event::Start { .. }, Event::Fault(fault)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((fault.kind, fault.status, fault.message.as_str()), (kind, status, "words"));
    }
}

#[test]
fn an_event_that_cannot_be_read_is_no_silence() {
    let created = "event: response.created\ndata: {\"response\":{}}\n\n";
    let long = "x".repeat(2 << 20);
    for broken in [
        "event: response.output_text.delta\ndata: {\"delta\":\n\n".to_owned(),
        "event: response.output_text.delta\ndata: {\"delta\":7}\n\n".to_owned(),
        format!(
            "event: response.output_item.done\ndata: {{\"item\":{{\"type\":\"image_generation_call\",\"result\":\"{long}\"}}}}\n\n"
        ),
    ] {
        let events = decoded(&format!("{created}{broken}event: response.completed\ndata: {{\"response\":{{}}}}\n\n"));
        assert!(matches!(events.last(), Some(Event::Fault(fault)) if fault.kind == FaultKind::Server), "{events:?}");
    }
}

/// The last word repeats the question and the answer, and either may be long.
#[test]
fn a_long_last_word_is_still_the_last_word() {
    let mut events = data(STREAM);
    let last = events.last_mut().unwrap();
    last["response"]["instructions"] = Value::from("x".repeat(2 << 20));
    // Providers write the usage last.
    let usage = last["response"].as_object_mut().unwrap().shift_remove("usage").unwrap();
    last["response"]["usage"] = usage;
    let (long, usual) = (folded(&stream(&events)).unwrap(), folded(STREAM).unwrap());
    assert_eq!(long.choices, usual.choices);
    // Searches are counted by the items of the output, which nobody looks into that is so far from the end.
    let usual = Usage { searches: 0, ..usual.usage.unwrap().usage };
    assert_eq!(long.usage.unwrap().usage, usual);
    let alone = [events[0].clone(), events.pop().unwrap()];
    assert!(folded(&stream(&alone)).is_err(), "the answer was in it alone");
}

#[test]
fn an_image_is_an_image() {
    let item = json!({"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBORw0KGgo=", "output_format": "webp"});
    let response = json!({"id": "resp_1", "model": "m", "status": "completed", "output": [item]});
    let answer = home().read_answer(response.to_string().as_bytes()).unwrap();
    assert!(matches!(&answer.choices[0].blocks[0].content, Content::Image { .. }), "{answer:?}");
}
