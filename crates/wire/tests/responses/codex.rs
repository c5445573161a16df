//! Codex: what it asks for reaches providers of other dialects, and what they answer is what it can act on.

use bytes::BytesMut;
use serde_json::{Value, json};
use tollgate_wire::chat::{
    Answer, Block, CallKind, Choice, Content, Finish, FinishKind, LossKind, Losses, Place, Request, Seal, ToolKind,
    unfold,
};
use tollgate_wire::dialect::Dialect;
use tollgate_wire::dialect::chat::{Chat, Telling};
use tollgate_wire::translation::Translation;

use crate::{CODEX, data, home, others};

fn asked() -> Request {
    home().read_request(CODEX.as_bytes()).unwrap()
}

fn sent(provider: &'static dyn Chat, losses: &mut Losses) -> Request {
    let bytes = Translation { caller: home(), provider }.request(&asked(), losses);
    provider.read_request(&bytes).unwrap()
}

#[test]
fn its_request_can_be_sent_everywhere() {
    for (name, provider) in others() {
        let mut losses = Losses::default();
        let request = sent(provider, &mut losses);
        assert_eq!(losses.refusal(), None, "{name}");
        let tools: Vec<_> = losses
            .entries()
            .iter()
            .filter(|loss| loss.kind == LossKind::Dropped)
            .filter_map(|loss| match loss.place {
                Place::Tool(at) => Some(at),
                _ => None,
            })
            .collect();
        assert!(tools.iter().all(|at| *at >= 3), "{name}: only what runs at OpenAI is left out: {losses:?}");
        let blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
        let calls = blocks.clone().filter(|block| matches!(block.content, Content::ToolUse { .. })).count();
        let results = blocks.filter(|block| matches!(block.content, Content::ToolResult { .. })).count();
        assert_eq!((calls, results), (2, 2), "{name}");
    }
}

#[test]
fn its_patch_tool_is_a_function_that_says_its_grammar() {
    for (name, provider) in others().filter(|(_, provider)| !provider.takes_free_text()) {
        let request = sent(provider, &mut Losses::default());
        let patch = request.tools.iter().find_map(|tool| match &tool.kind {
            ToolKind::Function { name, description, schema, .. } if name == "apply_patch" => {
                Some((description, schema))
            }
            _ => None,
        });
        let (description, schema) = patch.unwrap_or_else(|| panic!("{name}: {:?}", request.tools));
        assert!(description.as_ref().unwrap().contains("begin_patch hunk+ end_patch"), "{name}");
        assert_eq!(schema.as_ref().unwrap()["properties"]["input"]["type"], "string", "{name}");
        let mut blocks = request.turns.iter().flat_map(|turn| &turn.blocks);
        let wrapped = json!({"input": "*** Begin Patch\n*** End Patch"});
        let is_wrapped = |arguments: &str| serde_json::from_str::<Value>(arguments).is_ok_and(|found| found == wrapped);
        assert!(
            blocks.any(|block| matches!(&block.content, Content::ToolUse { name, arguments, .. } if name == "apply_patch" && is_wrapped(arguments))),
            "{name}"
        );
    }
}

/// A sealed thought and a patch, as a provider without free-text tools writes them.
fn answered(origin: Dialect) -> Answer {
    let thought = Content::Reasoning { text: "I edit.".into(), summary: false };
    let call = Content::ToolUse {
        id: "call_3".into(),
        name: "apply_patch".into(),
        arguments: json!({"input": "*** Begin Patch\n\"x\"\n*** End Patch"}).to_string(),
        kind: CallKind::Function,
    };
    let mut answer = Answer::new(origin);
    answer.id = "answer-3".into();
    answer.choices.push(Choice {
        blocks: vec![Block::from(thought).sealed(Some(Seal::new(origin, "c2VhbA=="))), call.into()],
        finish: Some(Finish::new(FinishKind::ToolUse, "")),
        ..Choice::default()
    });
    answer
}

#[test]
fn a_patch_comes_back_as_the_call_it_knows() {
    for dialect in [Dialect::AnthropicMessages, Dialect::Gemini, Dialect::BedrockConverse] {
        let Some(provider) = dialect.chat() else { continue };
        let telling = Telling { created: 1_750_000_000, ..Telling::of(&asked()) };
        let translation = Translation { caller: home(), provider };
        let whole = provider.write_answer(&answered(dialect), &Telling::default(), &mut Losses::default());
        let whole = translation.answer(&whole, &telling, &mut Losses::default()).unwrap();
        let whole: Value = serde_json::from_slice(&whole).unwrap();
        is_patch(dialect, &whole["output"]);

        let (mut bytes, mut encoder) = (BytesMut::new(), provider.encoder(Telling::default()));
        unfold(answered(dialect))
            .into_iter()
            .for_each(|event| encoder.event(event, &mut bytes, &mut Losses::default()));
        let (mut stream, mut out) = (translation.stream(telling), BytesMut::new());
        bytes.chunks(7).for_each(|piece| stream.push(piece, &mut out));
        stream.end(&mut out);
        let events = data(std::str::from_utf8(&out).unwrap());
        is_patch(dialect, &events.last().unwrap()["response"]["output"]);
        let deltas = events.iter().filter(|event| event["type"] == "response.custom_tool_call_input.delta");
        assert_eq!(deltas.count(), 1, "{}", dialect.name());
    }
}

fn is_patch(dialect: Dialect, output: &Value) {
    let name = dialect.name();
    let [thought, call] = output.as_array().unwrap().as_slice() else { panic!("{name}: {output}") };
    assert_eq!(thought["summary"][0]["text"], "I edit.", "{name}");
    assert!(thought["encrypted_content"].as_str().unwrap().ends_with("c2VhbA=="), "{name}");
    assert_eq!((&call["type"], &call["name"]), (&json!("custom_tool_call"), &json!("apply_patch")), "{name}");
    assert_eq!(call["input"], "*** Begin Patch\n\"x\"\n*** End Patch", "{name}");
}
