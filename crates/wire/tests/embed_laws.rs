//! The laws of translated embeddings: what is written is read again, vectors stay in order and to the last digit, and an input is never left out without
//! a refusal.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use tollgate_model::Usage;
use tollgate_wire::chat::{FaultKind, Losses, UsageReport};
use tollgate_wire::dialect::{ALL, Dialect};
use tollgate_wire::embed::{Embed, EmbedAnswer, EmbedInput, EmbedRequest, Vector};

fn every() -> impl Iterator<Item = (Dialect, &'static dyn Embed)> {
    ALL.iter().filter_map(|(_, dialect)| Some((*dialect, dialect.embed()?)))
}

fn embed(dialect: Dialect) -> &'static dyn Embed {
    dialect.embed().unwrap()
}

fn written(dialect: Dialect, request: &EmbedRequest) -> (Value, Losses) {
    let mut losses = Losses::default();
    let bytes = embed(dialect).write_request(request, &mut losses);
    (serde_json::from_slice(&bytes).unwrap(), losses)
}

fn texts(origin: Dialect) -> EmbedRequest {
    let mut request = EmbedRequest::new(origin);
    request.model = "m".into();
    request.inputs = vec![EmbedInput::Text("Hi".into()), EmbedInput::Text("\"you\" \u{1F600}".into())];
    request.inputs.truncate(origin.embed().unwrap().inputs_max());
    request
}

#[test]
fn questions_are_read_as_they_were_written() {
    for (dialect, embed) in every() {
        let (body, losses) = written(dialect, &texts(dialect));
        assert!(losses.is_empty(), "{losses:?}");
        let read = embed.read_request(body.to_string().as_bytes()).unwrap();
        assert_eq!(read.inputs, texts(dialect).inputs, "{body}");
        for feature in ["dimensions", "purpose", "truncate", "user"] {
            let mut request = texts(dialect);
            match feature {
                "dimensions" => request.dimensions = Some(256),
                "purpose" => request.purpose = Some("search_query".into()),
                "truncate" => request.truncate = Some("END".into()),
                _ => request.user = Some("u".into()),
            }
            let (body, losses) = written(dialect, &request);
            let read = embed.read_request(body.to_string().as_bytes()).unwrap();
            // Who demands a purpose is told one in any case.
            let same = match feature {
                "dimensions" => read.dimensions == request.dimensions,
                "purpose" => read.purpose == request.purpose,
                "truncate" => read.truncate == request.truncate,
                _ => read.user == request.user,
            };
            assert!(same || !losses.is_empty(), "{}: {feature} lost in silence: {body}", dialect.name());
        }
    }
}

#[test]
fn inputs_are_never_left_out_without_a_refusal() {
    for (dialect, embed) in every() {
        for input in [EmbedInput::Tokens(vec![1, 2]), EmbedInput::Image("data:image/png;base64,iVBORw==".into())] {
            let mut request = texts(dialect);
            request.inputs = vec![input.clone()];
            let (body, losses) = written(dialect, &request);
            let read = embed.read_request(body.to_string().as_bytes());
            let kept = read.is_ok_and(|read| read.inputs == [input]);
            assert!(kept || losses.refusal().is_some(), "{}: {body}", dialect.name());
        }
    }
}

#[test]
fn answers_are_read_as_they_were_written() {
    let vectors = vec![
        Vector::Numbers(vec![json!(0.1), json!(-2.5), json!(0.012345679)]),
        Vector::Numbers(vec![json!(3e-9), json!(1), json!(0)]),
    ];
    for (dialect, embed) in every() {
        let mut answer = EmbedAnswer::new(dialect);
        let mut vectors = vectors.clone();
        vectors.truncate(embed.inputs_max());
        answer.vectors = vectors.clone();
        let usage = Usage { input: 7, ..Usage::default() };
        answer.usage = Some(UsageReport { usage: usage.clone(), raw: Value::Null });
        let mut losses = Losses::default();
        let bytes = embed.write_answer(&answer, false, &mut losses);
        let read = embed.read_answer(&bytes).unwrap();
        assert!(losses.is_empty(), "{losses:?}");
        assert_eq!(read.vectors, vectors, "{}", dialect.name());
        assert_eq!(read.usage.unwrap().usage, usage, "{}", dialect.name());
        for (told_in, teller) in every() {
            let told = teller.write_answer(&embed.read_answer(&bytes).unwrap(), true, &mut losses);
            let read = teller.read_answer(&told).unwrap();
            let fit = vectors.len().min(teller.inputs_max());
            assert_eq!(read.vectors.len().min(fit), fit, "{} in {}", dialect.name(), told_in.name());
        }
    }
}

#[test]
fn the_wire_is_as_documented() {
    let mut request = texts(Dialect::OpenaiEmbeddings);
    request.inputs.truncate(1);
    request.dimensions = Some(256);
    request.extra.insert("input_type".into(), json!("search_query"));
    let cases = [
        (
            Dialect::GeminiEmbeddings,
            json!({"requests": [{"model": "models/m", "content": {"parts": [{"text": "Hi"}]}, "taskType": "RETRIEVAL_QUERY",
                "outputDimensionality": 256}]}),
        ),
        (
            Dialect::VertexPredict,
            json!({"instances": [{"content": "Hi", "task_type": "RETRIEVAL_QUERY"}], "parameters": {"outputDimensionality": 256}}),
        ),
        (
            Dialect::CohereEmbed,
            json!({"model": "m", "texts": ["Hi"], "input_type": "search_query", "output_dimension": 256,
                "embedding_types": ["float"]}),
        ),
        (Dialect::OllamaEmbed, json!({"model": "m", "input": ["Hi"], "dimensions": 256})),
        (Dialect::WorkersAi, json!({"text": ["Hi"]})),
    ];
    for (dialect, body) in cases {
        assert_eq!(written(dialect, &request).0, body);
    }
    let (body, losses) = written(Dialect::CohereEmbed, &texts(Dialect::OpenaiEmbeddings));
    assert_eq!((body["input_type"].as_str(), losses.is_empty()), (Some("search_document"), true), "it is required");
}

#[test]
fn provider_answers_are_understood() {
    let cases = [
        (Dialect::GeminiEmbeddings, json!({"embeddings": [{"values": [0.5, 1]}]})),
        (
            Dialect::GeminiEmbeddings,
            json!({"embedding": {"values": [0.5, 1]}, "usageMetadata": {"promptTokenCount": 4}}),
        ),
        (
            Dialect::VertexPredict,
            json!({"predictions": [{"embeddings": {"values": [0.5, 1], "statistics": {"token_count": 4}}}]}),
        ),
        (
            Dialect::CohereEmbed,
            json!({"id": "i", "embeddings": {"float": [[0.5, 1]]}, "texts": ["hi"], "meta": {"billed_units": {"input_tokens": 4}}}),
        ),
        (Dialect::CohereEmbed, json!({"id": "i", "embeddings": [[0.5, 1]], "response_type": "embeddings_floats"})),
        (Dialect::CohereEmbed, json!({"id": "i", "embeddings": {"int8": [[1, 2]]}})),
        (
            Dialect::OllamaEmbed,
            json!({"model": "m", "embeddings": [[0.5, 1]], "total_duration": 1, "prompt_eval_count": 4}),
        ),
        (
            Dialect::WorkersAi,
            json!({"result": {"shape": [1, 2], "data": [[0.5, 1]]}, "success": true, "errors": [], "messages": []}),
        ),
        (Dialect::WorkersAi, json!({"shape": [1, 2], "data": [[0.5, 1]]})),
    ];
    for (dialect, body) in cases {
        let answer = embed(dialect).read_answer(body.to_string().as_bytes()).unwrap();
        assert!(matches!(&answer.vectors[..], [Vector::Numbers(numbers)] if numbers.len() == 2), "{body}");
    }
}

#[test]
fn bad_fields_are_named_and_nothing_panics() {
    let cases = [
        (Dialect::GeminiEmbeddings, json!({"requests": []}), "requests"),
        (
            Dialect::GeminiEmbeddings,
            json!({"requests": [{"content": {"parts": [{"text": 7}]}}]}),
            "requests[0].content.parts[0].text",
        ),
        (Dialect::VertexPredict, json!({"instances": [{"content": 7}]}), "instances[0].content"),
        (Dialect::CohereEmbed, json!({"model": "m"}), "texts"),
        (Dialect::OllamaEmbed, json!({"model": "m", "input": [7]}), "input[0]"),
        (Dialect::WorkersAi, json!({"text": {}}), "text"),
    ];
    for (dialect, body, path) in cases {
        assert_eq!(embed(dialect).read_request(body.to_string().as_bytes()).unwrap_err().path, path);
    }
    for (_, embed) in every() {
        for junk in [&b""[..], b"null", b"[]", b"{}", b"<html>", b"\xff"] {
            let _ = embed.read_request(junk);
            let _ = embed.read_answer(junk);
            let fault = embed.read_fault(502, junk);
            assert_eq!(fault.kind, FaultKind::Server);
            assert!(!fault.message.is_empty());
        }
        let fault = embed.read_fault(429, &embed.write_fault(&embed.read_fault(429, b"busy")));
        assert_eq!(fault.kind, FaultKind::RateLimited);
    }
}
