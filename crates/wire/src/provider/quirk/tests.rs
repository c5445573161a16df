//! The five verbs on bodies.

use super::super::{ProviderRow, RawRow};
use super::*;
use crate::chat::LossKind;

fn row(quirks: &str) -> Result<ProviderRow, BadRow> {
    let text = format!("title = 'T'\nbase_url = 'https://example.com'\n{quirks}");
    ProviderRow::compile("t", &toml::from_str::<RawRow>(&text).unwrap())
}

fn bent(row: &ProviderRow, model: &str, body: &str) -> (String, Vec<(LossKind, String)>) {
    let mut losses = Losses::default();
    let body = row.apply_quirks(Dialect::OpenaiChat, model, body.as_bytes(), &mut losses).unwrap();
    let chat = Dialect::OpenaiChat.chat().unwrap();
    let losses = losses.entries().iter().map(|loss| (loss.kind, chat.place(&loss.place))).collect();
    (String::from_utf8(body.into_owned()).unwrap(), losses)
}

#[test]
fn five_verbs_change_the_body_and_say_so() {
    let row = row("[[quirks]]\ndrop = ['seed', 'n', 'x']\nrename = { max_completion_tokens = 'max_tokens' }\n\
         clamp = { temperature = { max = 1.0 } }\ndefault = { max_tokens = '4096' }\nrequire = ['model']")
    .unwrap();
    let (body, losses) =
        bent(&row, "m", r#"{"model":"m", "seed":7,"n":1,"temperature":1.5 ,"max_completion_tokens":9,"x":[]}"#);
    assert_eq!(body, r#"{"model":"m","temperature":1 ,"max_tokens":9}"#);
    let (dropped, clamped) = (LossKind::Dropped, LossKind::Clamped);
    // One answer is what there is anyway.
    assert_eq!(losses, [(dropped, "seed".into()), (dropped, "x".into()), (clamped, "temperature".into())]);
    assert_eq!(bent(&row, "m", r#"{"model":"m"}"#).0, r#"{"model":"m","max_tokens":4096}"#);
    let mut losses = Losses::default();
    let missing = row.apply_quirks(Dialect::OpenaiChat, "m", b"{}", &mut losses).unwrap_err();
    assert_eq!(missing.path, "model");
    let other = row.apply_quirks(Dialect::AnthropicMessages, "m", b"{}", &mut losses).unwrap();
    assert_eq!(&other[..], b"{}", "another dialect has other quirks");
}

#[test]
fn models_are_chosen_by_their_names() {
    let row = row("[[quirks]]\nmodels = ['grok-4*', 'a*b*c', '!*-non-*']\ndrop = ['stop']").unwrap();
    for (model, fits) in [
        ("grok-4", true),
        ("grok-4-fast", true),
        ("grok-4-fast-non-reasoning", false),
        ("grok-3", false),
        ("a1b2c", true),
        ("abc", true),
        ("acb", false),
        ("", false),
    ] {
        assert_eq!(bent(&row, model, r#"{"stop":"a"}"#).0 == "{}", fits, "{model}");
    }
}

#[test]
fn rows_that_make_no_sense_are_refused() {
    for (quirks, field) in [
        ("[[quirks]]", "quirks"),
        ("[[quirks]]\nfix = ['everything']", "quirks.fix"),
        ("[[quirks]]\ndialects = ['klingon']\ndrop = ['a']", "quirks.dialects"),
        ("[[quirks]]\nclamp = { a = {} }", "quirks.clamp"),
        ("[[quirks]]\nclamp = { a = { min = 2, max = 1 } }", "quirks.clamp"),
        ("[[quirks]]\ndefault = { a = 'text' }", "quirks.default"),
    ] {
        assert_eq!(row(quirks).unwrap_err().field(), field, "{quirks}");
    }
}

/// A fix, a body, the body fixed, and how many losses that is.
const FIXED: &[(&str, &str, &str, usize)] = &[
    (
        "empty-content",
        r#"{"messages":[{"role":"assistant","content":null,"tool_calls":[]}, {"content":"a"}], "x":null}"#,
        r#"{"messages":[{"role":"assistant","content":"","tool_calls":[]},{"content":"a"}], "x":null}"#,
        0,
    ),
    (
        "text-content",
        r#"{"messages":[{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#,
        r#"{"messages":[{"content":"a\n\nb"}]}"#,
        0,
    ),
    (
        "text-content",
        r#"{"messages": [{"content":[{"type":"text","text":"a"},{"type":"image_url"}]}]}"#,
        r#"{"messages": [{"content":[{"type":"text","text":"a"},{"type":"image_url"}]}]}"#,
        0,
    ),
    (
        "developer-as-system",
        r#"{"messages":[{"role":"developer","content":"a"}]}"#,
        r#"{"messages":[{"role":"system","content":"a"}]}"#,
        0,
    ),
    (
        "no-names",
        r#"{"messages":[{"role":"user","name":"n"},{"role":"tool","name":"f"}],"name":1}"#,
        r#"{"messages":[{"role":"user"},{"role":"tool","name":"f"}],"name":1}"#,
        1,
    ),
    (
        "no-cache-marks",
        r#"{"messages":[{"content":[{"text":"a","cache_control":{}}],"cache_control":{}}],"tools":[{"function":{"cache_control":1}}]}"#,
        r#"{"messages":[{"content":[{"text":"a"}]}],"tools":[{"function":{}}]}"#,
        2,
    ),
    (
        "no-thoughts",
        r#"{"messages":[{"reasoning_content":"a","reasoning_details":[],"content":"b"}],"reasoning":{}}"#,
        r#"{"messages":[{"content":"b"}],"reasoning":{}}"#,
        1,
    ),
    (
        "thoughts-as-reasoning",
        r#"{"messages":[{"reasoning_content":"a","content":"b"}]}"#,
        r#"{"messages":[{"content":"b","reasoning":"a"}]}"#,
        0,
    ),
    (
        "no-answer-schema",
        r#"{"response_format":{"type":"json_schema","json_schema":{}}}"#,
        r#"{"response_format":{"type":"json_object"}}"#,
        1,
    ),
];

#[test]
fn fixes_reach_inside() {
    for (fix, body, fixed, losses) in FIXED {
        let row = row(&format!("[[quirks]]\nfix = ['{fix}']")).unwrap();
        let (after, found) = bent(&row, "m", body);
        assert_eq!((after.as_str(), found.len()), (*fixed, *losses), "{fix}");
    }
    for (name, _) in Fix::ALL {
        assert!(FIXED.iter().any(|(fix, ..)| *fix == name), "{name} is not shown");
    }
    let row = row("[[quirks]]\nfix = ['no-names']").unwrap();
    for odd in [r#"{"messages":{"name":1}}"#, r#"{"messages":["name"]}"#, r#"{"messages":"\"name\""}"#] {
        assert_eq!(bent(&row, "m", odd).0, odd, "what is no conversation is not ours to mend");
    }
}
