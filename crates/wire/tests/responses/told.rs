//! What callers are told: events in OpenAI's order, and seals of other providers that come back.

use serde_json::{Value, json};
use tollgate_wire::chat::{
    Block, CallKind, Content, Delta, Event, Fault, FaultKind, Finish, FinishKind, Losses, Seal, Source,
};
use tollgate_wire::dialect::Dialect;

use crate::{encoded, home};

fn begun(blocks: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let start = Event::Start {
        origin: Dialect::Gemini,
        id: "resp_1".into(),
        model: "m".into(),
        created: None,
        service_tier: None,
        extra: Default::default(),
    };
    std::iter::once(start).chain(blocks).collect()
}

fn ended(blocks: impl IntoIterator<Item = Event>) -> Vec<Event> {
    let mut events = begun(blocks);
    events.push(Event::Finish { choice: 0, finish: Finish::new(FinishKind::Stop, "stop") });
    events.push(Event::Done);
    events
}

fn begin(block: u32, head: impl Into<Block>) -> Event {
    Event::Begin { choice: 0, block, head: head.into() }
}

fn delta(block: u32, delta: Delta) -> Event {
    Event::Delta { choice: 0, block, delta }
}

fn end(block: u32) -> Event {
    Event::End { choice: 0, block }
}

fn call(id: &str, kind: CallKind) -> Content {
    Content::ToolUse { id: id.into(), name: "f".into(), arguments: String::new(), kind }
}

fn thought() -> Content {
    Content::Reasoning { text: String::new(), summary: false }
}

/// `type` without its prefix, and which item or part it is about.
fn outline(events: &[Value]) -> Vec<String> {
    let place = |event: &Value| {
        let names = ["output_index", "content_index", "summary_index"];
        names.iter().filter_map(|name| Some(format!(" {}", event.get(*name)?))).collect::<String>()
    };
    let kind = |event: &Value| event["type"].as_str().unwrap().trim_start_matches("response.").to_owned();
    events.iter().map(|event| kind(event) + &place(event)).collect()
}

#[test]
fn every_item_is_announced_told_and_ended() {
    let events = encoded(ended([
        begin(0, thought()),
        delta(0, Delta::Text("hm".into())),
        end(0),
        begin(1, Block::text("")),
        delta(1, Delta::Text("a".into())),
        end(1),
        begin(2, Content::Refusal { text: String::new() }),
        delta(2, Delta::Text("b".into())),
        end(2),
        begin(3, call("call_1", CallKind::Function)),
        begin(4, call("call_2", CallKind::Custom)),
        delta(3, Delta::Arguments("{}".into())),
        delta(4, Delta::Arguments("x".into())),
        end(3),
        end(4),
    ]));
    let expected = [
        "created",
        "in_progress",
        "output_item.added 0",
        "reasoning_summary_part.added 0 0",
        "reasoning_summary_text.delta 0 0",
        "reasoning_summary_text.done 0 0",
        "reasoning_summary_part.done 0 0",
        "output_item.done 0",
        "output_item.added 1",
        "content_part.added 1 0",
        "output_text.delta 1 0",
        "output_text.done 1 0",
        "content_part.done 1 0",
        "content_part.added 1 1",
        "refusal.delta 1 1",
        "refusal.done 1 1",
        "content_part.done 1 1",
        "output_item.done 1",
        "output_item.added 2",
        "output_item.added 3",
        "function_call_arguments.delta 2",
        "custom_tool_call_input.delta 3",
        "function_call_arguments.done 2",
        "output_item.done 2",
        "custom_tool_call_input.done 3",
        "output_item.done 3",
        "completed",
    ];
    assert_eq!(outline(&events), expected);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
        let item = event["output_index"].as_u64().map(|at| &events.last().unwrap()["response"]["output"][at as usize]);
        let id = event.get("item_id").or(event.get("item").map(|item| &item["id"]));
        assert_eq!(id, item.map(|item| &item["id"]), "an item keeps its id: {event}");
    }
    let last = &events.last().unwrap()["response"];
    assert_eq!(
        (&last["status"], &last["id"], &last["model"]),
        (&json!("completed"), &json!("resp_1"), &json!("model-1"))
    );
    assert_eq!(
        last["output"][2],
        json!({
            "id": "fc_resp_1_2", "type": "function_call", "status": "completed", "arguments": "{}", "call_id": "call_1", "name": "f",
        })
    );
}

#[test]
fn a_fault_is_told_twice_and_is_the_end() {
    let fault = Fault {
        kind: FaultKind::Overloaded,
        status: 529,
        message: "busy".into(),
        code: None,
        param: None,
        raw: Value::Null,
    };
    let mut script = begun([begin(0, Block::text("cut off")), Event::Fault(fault.clone())]);
    script.push(Event::Done);
    let events = encoded(script);
    let [.., error, failed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (&error["type"], &error["message"], &error["error"]["message"]),
        (&json!("error"), &json!("busy"), &json!("busy"))
    );
    assert_eq!((&failed["type"], &failed["response"]["status"]), (&json!("response.failed"), &json!("failed")));
    assert_eq!(failed["response"]["error"], json!({"code": "server_is_overloaded", "message": "busy"}));
    assert_eq!(outline(&encoded(vec![Event::Fault(fault)])), ["error"], "no response was begun that could fail");
}

#[test]
fn an_image_is_an_item() {
    let source = Source::Data { media_type: "image/png".into(), base64: "aGk=".into() };
    let events = encoded(ended([
        begin(0, Content::Image { source, detail: None }),
        delta(0, Delta::Data("aGk=".into())),
        end(0),
    ]));
    let item = &events.last().unwrap()["response"]["output"][0];
    assert_eq!((&item["type"], &item["result"]), (&json!("image_generation_call"), &json!("aGk=aGk=")));
}

/// Gemini seals calls and texts, and tells of a text's seal when the text was told.
#[test]
fn seals_of_other_blocks_come_back_to_them() {
    let seal = |data: &str| Seal::new(Dialect::Gemini, data);
    let events = encoded(ended([
        begin(0, Block::text("")),
        delta(0, Delta::Text("Hi.".into())),
        delta(0, Delta::Seal(seal("b25l"))),
        end(0),
        begin(1, Block::from(call("call_1", CallKind::Function)).sealed(Some(seal("dHdv")))),
        delta(1, Delta::Arguments("{}".into())),
        end(1),
    ]));
    let mut input = events.last().unwrap()["response"]["output"].as_array().unwrap().clone();
    assert_eq!(input.len(), 4);
    input.push(json!({"type": "function_call_output", "call_id": "call_1", "output": "18"}));
    let question = json!({"model": "m", "input": input});
    let request = home().read_request(question.to_string().as_bytes()).unwrap();
    let blocks: Vec<_> = request.turns.iter().flat_map(|turn| &turn.blocks).collect();
    assert_eq!(blocks.len(), 3, "{blocks:?}");
    assert_eq!(blocks[0].seal, Some(seal("b25l")));
    assert_eq!(blocks[1].seal, Some(seal("dHdv")));
    let mut losses = Losses::default();
    home().write_request(&request, &mut losses);
    assert_eq!(losses.entries().len(), 2, "OpenAI cannot use them: {losses:?}");
}
