//! OpenAI's embeddings, both ways.

use serde_json::{Value, json};
use tollgate_model::Usage;

use super::*;
use crate::chat::UsageReport;
use crate::embed::{EmbedInput, Vector};

fn request(body: &Value) -> Result<EmbedRequest, BadField> {
    OpenaiEmbeddings.read_request(body.to_string().as_bytes())
}

fn again(request: &EmbedRequest) -> Value {
    let mut losses = Losses::default();
    let bytes = OpenaiEmbeddings.write_request(request, &mut losses);
    assert!(losses.is_empty(), "{losses:?}");
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn questions_are_written_as_they_were_read() {
    for body in [
        json!({"model": "m", "input": "Hi"}),
        json!({"model": "m", "input": ["Hi", "there"], "encoding_format": "base64", "dimensions": 256, "user": "u"}),
        json!({"model": "m", "input": [1, 2, 3], "encoding_format": "float"}),
        json!({"model": "m", "input": [[1, 2], [3]]}),
        json!({"model": "m", "input": ["a", [3]], "encoding_format": "int8", "input_type": "query"}),
    ] {
        assert_eq!(again(&request(&body).unwrap()), body);
    }
    let tokens = request(&json!({"model": "m", "input": [1, 2]})).unwrap();
    assert_eq!(tokens.inputs, [EmbedInput::Tokens(vec![1, 2])]);
}

#[test]
fn faults_name_the_field() {
    for (body, path) in [
        (json!({"input": "Hi"}), "model"),
        (json!({"model": "m"}), "input"),
        (json!({"model": "m", "input": []}), "input"),
        (json!({"model": "m", "input": 7}), "input"),
        (json!({"model": "m", "input": ["a", 7]}), "input[1]"),
        (json!({"model": "m", "input": [1, "a"]}), "input[1]"),
        (json!({"model": "m", "input": [["a"]]}), "input[0][0]"),
        (json!({"model": "m", "input": "a", "dimensions": "b"}), "dimensions"),
    ] {
        assert_eq!(request(&body).unwrap_err().path, path, "{body}");
    }
}

#[test]
fn vectors_go_both_ways() {
    // The bytes of 0.1, -2.5 and 3e-9 as 32-bit floats.
    let told = r#"{"object":"list","data":[
        {"object":"embedding","index":1,"embedding":"zczMPQAAIMCPKE4x"},
        {"object":"embedding","index":0,"embedding":[0.1,-2.5,3e-9,7]}],
        "model":"m","usage":{"prompt_tokens":4,"total_tokens":4},"extra_of_host":1}"#;
    let answer = OpenaiEmbeddings.read_answer(told.as_bytes()).unwrap();
    assert!(matches!(&answer.vectors[..], [Vector::Numbers(_), Vector::Base64(_)]), "in the order of the inputs");
    assert_eq!(answer.usage.as_ref().unwrap().usage, Usage { input: 4, ..Usage::default() });
    let written = |base64| {
        let mut losses = Losses::default();
        let bytes = OpenaiEmbeddings.write_answer(&answer, base64, &mut losses);
        assert!(losses.is_empty());
        String::from_utf8(bytes).unwrap()
    };
    let (numbers, bytes) = (written(false), written(true));
    assert!(numbers.contains(r#"[0.1,-2.5,3e-9,7]"#), "as they were written: {numbers}");
    assert!(numbers.contains(r#"[0.1,-2.5,3e-9]"#), "as the float is: {numbers}");
    assert!(bytes.contains(r#""zczMPQAAIMCPKE4x""#), "{bytes}");
    assert!(bytes.contains(r#""zczMPQAAIMCPKE4xAADgQA==""#), "{bytes}");
    assert!(bytes.contains(r#""extra_of_host":1"#));
}

#[test]
fn what_others_say_is_listed() {
    let mut foreign = request(&json!({"model": "m", "input": "a", "title": "b"})).unwrap();
    foreign.origin = Dialect::CohereEmbed;
    foreign.purpose = Some("search_query".into());
    foreign.truncate = Some("END".into());
    foreign.inputs.push(EmbedInput::Image("data:image/png;base64,".into()));
    let mut losses = Losses::default();
    OpenaiEmbeddings.write_request(&foreign, &mut losses);
    let places: Vec<_> = losses.entries().iter().map(|loss| loss.place.clone()).collect();
    let named = ["input", "purpose", "truncate", "title"].map(|name| crate::chat::Place::Extra(name.into()));
    assert_eq!(places, named);
}

#[test]
fn answers_that_are_none_are_faults() {
    for (told, path) in [
        (json!({}), "data"),
        (json!({"data": [{"index": 0}]}), "data[0].embedding"),
        (json!({"data": [{"embedding": [1, "a"]}]}), "data[0].embedding[1]"),
        (json!({"data": [{"embedding": "a-b"}]}), "data[0].embedding"),
    ] {
        assert_eq!(OpenaiEmbeddings.read_answer(told.to_string().as_bytes()).unwrap_err().path, path);
    }
    let broken = EmbedAnswer {
        origin: HOME,
        id: String::new(),
        model: "m".into(),
        vectors: vec![Vector::Base64("AAA=".into())],
        usage: Some(UsageReport { usage: Usage { input: 3, ..Usage::default() }, raw: Value::Null }),
        extra: serde_json::Map::new(),
    };
    let mut losses = Losses::default();
    let bytes = OpenaiEmbeddings.write_answer(&broken, false, &mut losses);
    assert_eq!(losses.entries().len(), 1, "half a float is none");
    assert!(String::from_utf8(bytes).unwrap().contains(r#""total_tokens":3"#));
}
