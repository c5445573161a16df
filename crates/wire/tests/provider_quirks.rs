//! What some providers of the catalog want otherwise, shown on one body.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tollgate_wire::chat::{LossKind, Losses};
use tollgate_wire::dialect::Dialect;
use tollgate_wire::provider::Providers;

fn body() -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": null, "reasoning_content": "Hm.", "tool_calls": []},
        ],
        "max_completion_tokens": 100,
        "seed": 7,
        "n": 1,
        "stop": ["END"],
        "presence_penalty": 0.5,
        "reasoning_effort": "low",
        "logit_bias": {},
        "top_k": 40,
    })
}

/// The body as this provider takes it, and what the ledger says of it.
fn bent(provider: &str, model: &str) -> (Value, Vec<String>) {
    let providers = Providers::builtin();
    let mut losses = Losses::default();
    let body = body().to_string();
    let row = providers.get(provider).unwrap();
    let bent = row.apply_quirks(Dialect::OpenaiChat, model, body.as_bytes(), &mut losses).unwrap();
    let chat = Dialect::OpenaiChat.chat().unwrap();
    let told = losses.entries().iter().filter(|loss| loss.kind == LossKind::Dropped);
    (serde_json::from_slice(&bent).unwrap(), told.map(|loss| chat.place(&loss.place)).collect())
}

#[test]
fn mistral_takes_what_it_lists_under_its_own_names() {
    let (bent, dropped) = bent("mistral", "mistral-large-latest");
    let expected = json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
            {"role": "assistant", "content": null, "tool_calls": []},
        ],
        "max_tokens": 100,
        "random_seed": 7,
        "n": 1,
        "stop": ["END"],
        "presence_penalty": 0.5,
        "reasoning_effort": "low",
    });
    assert_eq!(bent, expected);
    assert_eq!(dropped, ["top_k", "messages", "messages", "messages"], "names, marks and thoughts are of the messages");
}

#[test]
fn workers_ai_gets_no_null_for_content() {
    let (bent, _) = bent("workers-ai", "@cf/meta/llama-3.3-70b-instruct-fp8-fast");
    assert_eq!(bent["messages"][2], json!({"role": "assistant", "content": "", "tool_calls": []}));
}

#[test]
fn deepseek_gets_text_and_its_thoughts_back() {
    let (bent, dropped) = bent("deepseek", "deepseek-chat");
    assert_eq!(bent["messages"][1]["content"], "Hi");
    assert_eq!(bent["messages"][2]["reasoning_content"], "Hm.");
    assert!(dropped.contains(&"seed".to_owned()) && !dropped.contains(&"n".to_owned()), "{dropped:?}");
}

#[test]
fn openrouter_calls_thoughts_otherwise() {
    let (bent, dropped) = bent("openrouter", "anthropic/claude-sonnet-4.5");
    assert_eq!(bent["messages"][2]["reasoning"], "Hm.");
    assert_eq!(bent["messages"][1]["content"][0]["cache_control"]["type"], "ephemeral");
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn quirks_depend_on_the_model() {
    for (provider, model, gone) in [
        ("grok", "grok-4", &["presence_penalty", "stop", "reasoning_effort"][..]),
        ("grok", "grok-4-fast-non-reasoning", &["reasoning_effort"][..]),
        ("grok", "grok-4.3", &["presence_penalty", "stop"][..]),
        ("grok", "grok-2-1212", &[][..]),
        ("openai", "o4-mini", &["presence_penalty"][..]),
        ("openai", "gpt-4.1", &[][..]),
    ] {
        let (bent, _) = bent(provider, model);
        for name in ["presence_penalty", "stop", "reasoning_effort"] {
            assert_eq!(bent.get(name).is_none(), gone.contains(&name), "{provider} {model}: {name}");
        }
    }
}

#[test]
fn who_has_no_quirks_gets_the_bytes() {
    let providers = Providers::builtin();
    let body = body().to_string();
    let row = providers.get("vllm").unwrap();
    let bent = row.apply_quirks(Dialect::OpenaiChat, "m", body.as_bytes(), &mut Losses::default()).unwrap();
    assert!(matches!(bent, std::borrow::Cow::Borrowed(_)));
}
