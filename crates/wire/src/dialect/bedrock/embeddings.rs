//! Embeddings by Bedrock's InvokeModel: Titan's bodies, and Cohere's for Cohere's models.
//!
//! Enters: JSON of either family, or values of the form. Leaves: the other. Never: more than one text in a question: Titan takes one.
//!
//! Which family it is the model's name tells, which is in the path and not in the body
//! (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>).

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::converse;
use crate::chat::{BadField, Fault, LossKind, Losses, UsageReport};
use crate::dialect::carry::NO_PLACE;
use crate::dialect::object::{self, Object, Path};
use crate::dialect::vector;
use crate::dialect::{Dialect, data_url};
use crate::embed::{Embed, EmbedAnswer, EmbedInput, EmbedRequest, Vector, lost};
use crate::watch::read_whole;

const HOME: Dialect = Dialect::BedrockEmbeddings;

/// Cohere's models must be told what for. Who embeds without saying so fills an index more often than he searches one.
const PURPOSE: &str = "search_document";

pub(crate) struct BedrockEmbeddings;

// === impl BedrockEmbeddings ===

impl Embed for BedrockEmbeddings {
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField> {
        let mut top = object::root(body)?;
        let mut inputs: Vec<EmbedInput> = top.string("inputText")?.into_iter().map(EmbedInput::Text).collect();
        // Titan's pictures have no type: PNG is what it documents first.
        let image = top.string("inputImage")?.map(|base64| data_url::write("image/png", &base64));
        inputs.extend(image.map(EmbedInput::Image));
        inputs.extend(top.strings("texts")?.into_iter().map(EmbedInput::Text));
        inputs.extend(top.strings("images")?.into_iter().map(EmbedInput::Image));
        if inputs.is_empty() {
            return Err(Path::Member(&Path::Root, "inputText").missing("a string"));
        }
        let dimensions = top.count("dimensions")?;
        Ok(EmbedRequest {
            origin: HOME,
            model: String::new(),
            inputs,
            dimensions: if dimensions.is_some() { dimensions } else { top.count("output_dimension")? },
            base64: None,
            purpose: top.string("input_type")?,
            truncate: top.string("truncate")?,
            user: None,
            extra: top.rest(),
        })
    }

    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
        let mut body = if request.model.contains("cohere") { cohere(request, losses) } else { titan(request, losses) };
        if request.user.is_some() {
            lost(losses, "user", LossKind::Dropped, NO_PLACE);
        }
        for (name, value) in &request.extra {
            match request.origin == HOME {
                true => drop(body.entry(name.clone()).or_insert_with(|| value.clone())),
                false => lost(losses, name, LossKind::Dropped, NO_PLACE),
            }
        }
        Value::Object(body).to_string().into()
    }

    fn read_answer(&self, body: &[u8]) -> Result<EmbedAnswer, BadField> {
        let mut top = object::root(body)?;
        let vectors = vectors(&mut top)?;
        let counted = top.take("inputTextTokenCount").map(|count| json!({ "inputTextTokenCount": count }));
        let usage = read_whole(Dialect::BedrockInvoke, body, &HeaderMap::new()).usage;
        let usage = usage.map(|usage| UsageReport { usage, raw: counted.unwrap_or_default() });
        let id = top.string("id")?.unwrap_or_default();
        Ok(EmbedAnswer { origin: HOME, id, model: String::new(), vectors, usage, extra: top.rest() })
    }

    /// As Titan writes one vector, or as Cohere writes several.
    fn write_answer(&self, answer: &EmbedAnswer, _base64: bool, losses: &mut Losses) -> Vec<u8> {
        let mut vectors: Vec<_> = answer.vectors.iter().filter_map(|held| vector::written(held, false)).collect();
        if vectors.len() < answer.vectors.len() {
            lost(losses, "embedding", LossKind::Dropped, "bytes that are no numbers");
        }
        let mut body = match vectors.as_mut_slice() {
            [one] => json!({ "embedding": one.take() }),
            _ => json!({ "embeddings": vectors, "response_type": "embeddings_floats" }),
        };
        if let Some(report) = &answer.usage {
            body["inputTextTokenCount"] = report.usage.tokens_in().into();
        }
        if let Value::Object(members) = &mut body
            && answer.origin == HOME
        {
            answer.extra.iter().for_each(|(name, value)| {
                members.entry(name.clone()).or_insert_with(|| value.clone());
            });
        }
        body.to_string().into()
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        converse::fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        converse::fault::write(fault)
    }

    fn inputs_max(&self) -> usize {
        1
    }
}

fn titan(request: &EmbedRequest, losses: &mut Losses) -> Map<String, Value> {
    let has_images = request.model.contains("embed-image");
    let mut body = Map::new();
    for input in &request.inputs {
        match input {
            EmbedInput::Text(text) if !body.contains_key("inputText") => {
                body.insert("inputText".into(), text.as_str().into());
            }
            EmbedInput::Image(url) if has_images => match data_url::parse(url) {
                Some(Ok((_, base64))) => drop(body.insert("inputImage".into(), base64.into())),
                _ => lost(losses, "input", LossKind::Refused, "the target takes images as data alone"),
            },
            EmbedInput::Text(_) => lost(losses, "input", LossKind::Refused, "the target takes one text"),
            _ => lost(losses, "input", LossKind::Refused, "the target embeds text alone"),
        }
    }
    match request.dimensions {
        Some(length) if has_images => {
            body.insert("embeddingConfig".into(), json!({ "outputEmbeddingLength": length }));
        }
        Some(length) => drop(body.insert("dimensions".into(), length.into())),
        None => {}
    }
    for (name, said) in [("input_type", request.purpose.is_some()), ("truncate", request.truncate.is_some())] {
        if said {
            lost(losses, name, LossKind::Dropped, NO_PLACE);
        }
    }
    body
}

fn cohere(request: &EmbedRequest, losses: &mut Losses) -> Map<String, Value> {
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for input in &request.inputs {
        match input {
            EmbedInput::Text(text) => texts.push(Value::from(text.as_str())),
            EmbedInput::Image(url) => images.push(Value::from(url.as_str())),
            EmbedInput::Tokens(_) => lost(losses, "input", LossKind::Refused, "the target embeds no tokens"),
        }
    }
    let purpose = request.purpose.as_deref().unwrap_or(if texts.is_empty() { "image" } else { PURPOSE });
    let mut body = Map::new();
    for (name, held) in [("texts", texts), ("images", images)] {
        if !held.is_empty() {
            body.insert(name.into(), held.into());
        }
    }
    body.insert("input_type".into(), purpose.into());
    body.extend(request.truncate.as_deref().map(|truncate| ("truncate".into(), truncate.into())));
    body.extend(request.dimensions.map(|length| ("output_dimension".into(), length.into())));
    body
}

/// Titan's one vector; Cohere's, by type or without.
fn vectors(top: &mut Object<'_>) -> Result<Vec<Vector>, BadField> {
    let by_type = top.take("embeddingsByType").and_then(|mut types| types.get_mut("float").map(Value::take));
    if let Some(one) = top.take("embedding").or(by_type) {
        return Ok(vec![numbers(one, &Path::Member(&Path::Root, "embedding"))?]);
    }
    let place = Path::Member(&Path::Root, "embeddings");
    let held = match top.take("embeddings") {
        Some(Value::Object(mut types)) => types.remove("float"),
        other => other,
    };
    match held {
        Some(Value::Array(rows)) => {
            rows.into_iter().enumerate().map(|(at, row)| numbers(row, &Path::Item(&place, at))).collect()
        }
        Some(other) => Err(place.wrong("an array of vectors", &other)),
        None => Err(place.missing("an array of vectors")),
    }
}

fn numbers(value: Value, path: &Path<'_>) -> Result<Vector, BadField> {
    match value {
        Value::Array(numbers) if numbers.iter().all(Value::is_number) => Ok(Vector::Numbers(numbers)),
        other => Err(path.wrong("an array of numbers", &other)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn request(model: &str) -> EmbedRequest {
        let body = br#"{"inputText":"Hi","dimensions":256,"normalize":true}"#;
        EmbedRequest { model: model.into(), ..BedrockEmbeddings.read_request(body).unwrap() }
    }

    #[test]
    fn each_family_is_asked_in_its_own_words() {
        for (model, body) in [
            ("amazon.titan-embed-text-v2:0", json!({ "inputText": "Hi", "dimensions": 256, "normalize": true })),
            (
                "cohere.embed-v4:0",
                json!({ "texts": ["Hi"], "input_type": PURPOSE, "output_dimension": 256, "normalize": true }),
            ),
        ] {
            let mut losses = Losses::default();
            let written = BedrockEmbeddings.write_request(&request(model), &mut losses);
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), body);
            assert!(losses.is_empty());
        }
    }

    #[test]
    fn answers_are_read_in_every_form_and_written_back() {
        let vector = Vector::Numbers(vec![json!(0.25), json!(-1)]);
        for body in [
            r#"{"embedding":[0.25,-1],"inputTextTokenCount":3}"#,
            r#"{"embeddingsByType":{"float":[0.25,-1]},"inputTextTokenCount":3}"#,
            r#"{"embeddings":[[0.25,-1]],"id":"a","response_type":"embeddings_floats"}"#,
            r#"{"embeddings":{"float":[[0.25,-1]]},"id":"a"}"#,
        ] {
            let answer = BedrockEmbeddings.read_answer(body.as_bytes()).unwrap();
            assert_eq!(answer.vectors, std::slice::from_ref(&vector), "{body}");
            assert_eq!(answer.usage.is_some(), body.contains("TokenCount"));
            let written = BedrockEmbeddings.write_answer(&answer, false, &mut Losses::default());
            assert_eq!(BedrockEmbeddings.read_answer(&written).unwrap().vectors, answer.vectors);
        }
        let fault = BedrockEmbeddings.read_answer(br#"{"embedding":["x"]}"#).unwrap_err();
        assert_eq!(fault.path, "embedding");
    }

    #[test]
    fn what_titan_cannot_be_told_is_listed() {
        let mut request = request("amazon.titan-embed-text-v2:0");
        request.inputs.push(EmbedInput::Tokens(vec![1]));
        request.purpose = Some("search_query".into());
        request.user = Some("u".into());
        let mut losses = Losses::default();
        BedrockEmbeddings.write_request(&request, &mut losses);
        assert_eq!(losses.entries().len(), 3, "{losses:?}");
    }
}
