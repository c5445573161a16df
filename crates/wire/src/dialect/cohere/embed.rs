//! Cohere's `v2/embed` (and the answers of version 1).
//!
//! Enters: its JSON, or values of the form. Leaves: the other. Never: an input left out: vectors are told by their number.
//!
//! <https://docs.cohere.com/v2/reference/embed>.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::fault;
use crate::chat::{BadField, Fault, LossKind, Losses, Place, UsageReport};
use crate::dialect::carry::{self, NO_PLACE};
use crate::dialect::object::{Object, Path, root};
use crate::dialect::{Dialect, vector};
use crate::embed::{Embed, EmbedAnswer, EmbedInput, EmbedRequest, PURPOSE, Vector, lost, purpose};
use crate::watch::read_whole;

pub(crate) struct CohereEmbed;

const HOME: Dialect = Dialect::CohereEmbed;

/// Newer models demand a purpose. Most texts that are embedded are the ones to be found.
const USUAL_PURPOSE: &str = "search_document";

const PURPOSES: [&str; 5] = ["search_document", "search_query", "classification", "clustering", "image"];

impl Embed for CohereEmbed {
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField> {
        let mut top = root(body)?;
        let mut request = EmbedRequest::new(HOME);
        request.model = top.need_string("model")?;
        request.inputs = inputs(&mut top)?;
        request.purpose = top.string("input_type")?;
        request.dimensions = top.count("output_dimension")?;
        request.truncate = top.string("truncate")?;
        request.base64 = match top.peek("embedding_types").map(Value::to_string).as_deref() {
            Some(r#"["base64"]"#) => Some(true),
            Some(r#"["float"]"#) => Some(false),
            _ => None,
        };
        if request.base64.is_some() {
            top.take("embedding_types");
        }
        request.extra = top.rest();
        Ok(request)
    }

    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
        let mut body = Map::from_iter([("model".to_owned(), request.model.as_str().into())]);
        write_inputs(&request.inputs, &mut body, losses);
        let purpose = purpose(request).unwrap_or(USUAL_PURPOSE);
        let known = PURPOSES.contains(&purpose) || request.origin == HOME;
        if !known {
            lost(losses, "purpose", LossKind::Approximated, "search_document: the target has no such purpose");
        }
        body.insert(PURPOSE.into(), if known { purpose } else { USUAL_PURPOSE }.into());
        body.extend(request.dimensions.map(|count| ("output_dimension".to_owned(), count.into())));
        body.extend(request.truncate.as_ref().map(|word| ("truncate".to_owned(), word.as_str().into())));
        if !(request.origin == HOME && request.extra.contains_key("embedding_types")) {
            let kind = if request.base64 == Some(true) { "base64" } else { "float" };
            body.insert("embedding_types".into(), json!([kind]));
        }
        if request.user.is_some() {
            lost(losses, "user", LossKind::Dropped, NO_PLACE);
        }
        for (name, value) in &request.extra {
            if request.origin == HOME {
                body.entry(name.clone()).or_insert_with(|| value.clone());
            } else if name != PURPOSE {
                lost(losses, name, LossKind::Dropped, NO_PLACE);
            }
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn read_answer(&self, body: &[u8]) -> Result<EmbedAnswer, BadField> {
        let mut top = root(body)?;
        let mut answer = EmbedAnswer::new(HOME);
        answer.id = top.string("id")?.unwrap_or_default();
        let path = Path::Member(&Path::Root, "embeddings");
        answer.vectors = match top.take("embeddings").ok_or_else(|| path.missing("an object"))? {
            Value::Object(kinds) => by_kind(Object::of(Value::Object(kinds), path)?)?,
            Value::Array(list) => floats(list, path)?,
            other => return Err(path.wrong("an object", &other)),
        };
        let raw = top.take("meta").unwrap_or_default();
        let counted = read_whole(HOME, body, &HeaderMap::new()).usage;
        answer.usage = counted.map(|usage| UsageReport { usage, raw });
        // Which of the two forms this is; and the question again.
        for name in ["response_type", "texts", "images"] {
            top.take(name);
        }
        answer.extra = top.rest();
        Ok(answer)
    }

    fn write_answer(&self, answer: &EmbedAnswer, base64: bool, losses: &mut Losses) -> Vec<u8> {
        let mut list = Vec::with_capacity(answer.vectors.len());
        for vector in &answer.vectors {
            list.push(vector::written(vector, base64).unwrap_or_else(|| {
                losses.dropped(Place::Answer("data"), "bytes that are no 32-bit floats");
                json!([])
            }));
        }
        let kind = if base64 { "base64" } else { "float" };
        let mut body = Map::from_iter([
            ("id".to_owned(), Value::from(answer.id.as_str())),
            ("embeddings".to_owned(), Value::Object(Map::from_iter([(kind.to_owned(), list.into())]))),
            ("response_type".to_owned(), "embeddings_by_type".into()),
        ]);
        if let Some(report) = &answer.usage {
            let own = answer.origin == HOME && report.raw.is_object();
            let told = || json!({"billed_units": {"input_tokens": report.usage.tokens_in()}});
            body.insert("meta".into(), if own { report.raw.clone() } else { told() });
        }
        carry::answer(HOME, answer.origin, &answer.extra, &mut body, losses);
        Value::Object(body).to_string().into_bytes()
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault)
    }

    /// "Maximum number of texts per call is 96."
    fn inputs_max(&self) -> usize {
        96
    }
}

/// Texts, or images, or both in `inputs`.
fn inputs(top: &mut Object<'_>) -> Result<Vec<EmbedInput>, BadField> {
    let mut inputs: Vec<EmbedInput> = top.strings("texts")?.into_iter().map(EmbedInput::Text).collect();
    inputs.extend(top.strings("images")?.into_iter().map(EmbedInput::Image));
    let list = Path::Member(&Path::Root, "inputs");
    for (at, value) in top.array("inputs")?.unwrap_or_default().into_iter().enumerate() {
        let path = Path::Item(&list, at);
        let mut input = Object::of(value, path)?;
        let content_path = Path::Member(&path, "content");
        let content = input.need_array("content")?;
        let [only] = <[Value; 1]>::try_from(content)
            .map_err(|several| content_path.bad("one text or one image", format!("an array of {}", several.len())))?;
        let mut part = Object::of(only, Path::Item(&content_path, 0))?;
        inputs.push(match part.take("image_url") {
            Some(image) => {
                EmbedInput::Image(Object::of(image, Path::Member(&content_path, "image_url"))?.need_string("url")?)
            }
            None => EmbedInput::Text(part.need_string("text")?),
        });
    }
    if inputs.is_empty() {
        return Err(Path::Member(&Path::Root, "texts").missing("an array of strings"));
    }
    Ok(inputs)
}

fn write_inputs(inputs: &[EmbedInput], body: &mut Map<String, Value>, losses: &mut Losses) {
    let mut texts = Vec::new();
    let mut mixed = Vec::new();
    for input in inputs {
        match input {
            EmbedInput::Text(text) => {
                texts.push(text.as_str());
                mixed.push(json!({"content": [{"type": "text", "text": text}]}));
            }
            EmbedInput::Image(url) => {
                mixed.push(json!({"content": [{"type": "image_url", "image_url": {"url": url}}]}));
            }
            // Without them the vectors would have other numbers.
            EmbedInput::Tokens(_) => {
                lost(losses, "input", LossKind::Refused, "the target takes texts, not tokens");
            }
        }
    }
    match texts.len() == mixed.len() {
        true => body.insert("texts".into(), texts.into()),
        false => body.insert("inputs".into(), mixed.into()),
    };
}

/// Floats where they were asked for, the same as bytes, or else the whole numbers there are.
fn by_kind(mut kinds: Object<'_>) -> Result<Vec<Vector>, BadField> {
    let path = kinds.path;
    if let Some(list) = kinds.array("float")? {
        return floats(list, Path::Member(&path, "float"));
    }
    let list = Path::Member(&path, "base64");
    if let Some(texts) = kinds.array("base64")? {
        let text = |(at, value): (usize, Value)| match value {
            Value::String(text) => Ok(Vector::Base64(text)),
            other => Err(Path::Item(&list, at).wrong("base64", &other)),
        };
        return texts.into_iter().enumerate().map(text).collect();
    }
    for kind in ["int8", "uint8", "binary", "ubinary"] {
        if let Some(list) = kinds.array(kind)? {
            return floats(list, Path::Member(&path, kind));
        }
    }
    Err(Path::Member(&path, "float").missing("an array"))
}

fn floats(list: Vec<Value>, path: Path<'_>) -> Result<Vec<Vector>, BadField> {
    let vector = |(at, value): (usize, Value)| match value {
        Value::Array(numbers) => Ok(Vector::Numbers(numbers)),
        other => Err(Path::Item(&path, at).wrong("an array of numbers", &other)),
    };
    list.into_iter().enumerate().map(vector).collect()
}
