//! Google's embeddings: AI Studio's `batchEmbedContents` (and `embedContent`), and Vertex's `predict`.
//!
//! Enters: their JSON, or values of the form. Leaves: the other. Never: an input left out: vectors are told by their number.
//!
//! <https://ai.google.dev/api/embeddings>, <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{fault, names};
use crate::chat::{BadField, Extra, Fault, LossKind, Losses, Place, UsageReport};
use crate::dialect::carry::NO_PLACE;
use crate::dialect::object::{Object, Path, root};
use crate::dialect::{Dialect, data_url, vector};
use crate::embed::{Embed, EmbedAnswer, EmbedInput, EmbedRequest, Vector, lost, purpose};
use crate::watch::read_whole;

/// `batchEmbedContents`.
pub(crate) struct Batch;

/// `predict`.
pub(crate) struct Predict;

/// The form's words are Cohere's. Those that Cohere does not have stay Google's.
const PURPOSES: [(&str, &str); 4] = [
    ("search_document", "RETRIEVAL_DOCUMENT"),
    ("search_query", "RETRIEVAL_QUERY"),
    ("classification", "CLASSIFICATION"),
    ("clustering", "CLUSTERING"),
];

fn purpose_of(word: String) -> String {
    PURPOSES.iter().find(|(_, own)| *own == word).map_or(word, |(purpose, _)| (*purpose).to_owned())
}

fn task_type(purpose: &str) -> &str {
    PURPOSES.iter().find(|(known, _)| *known == purpose).map_or(purpose, |(_, own)| own)
}

// === impl Batch ===

impl Embed for Batch {
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField> {
        let mut top = names::open(root(body)?.into_value(), Path::Root)?;
        let mut request = EmbedRequest::new(Dialect::GeminiEmbeddings);
        let path = Path::Member(&Path::Root, "requests");
        match top.array("requests")? {
            None => one(top, &mut request)?,
            Some(items) if items.is_empty() => return Err(path.bad("at least one request", "an empty array")),
            Some(items) => {
                for (at, item) in items.into_iter().enumerate() {
                    one(names::open(item, Path::Item(&path, at))?, &mut request)?;
                }
                request.extra.extend(top.rest());
            }
        }
        Ok(request)
    }

    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
        let task = purpose(request).map(task_type);
        let model = request.model.rsplit('/').next().unwrap_or_default();
        let mut requests = Vec::with_capacity(request.inputs.len());
        for input in &request.inputs {
            let Some(part) = part(input, losses) else { continue };
            let mut one = Map::new();
            one.insert("model".into(), format!("models/{model}").into());
            one.insert("content".into(), json!({"parts": [part]}));
            one.extend(task.map(|task| ("taskType".to_owned(), task.into())));
            one.extend(request.dimensions.map(|count| ("outputDimensionality".to_owned(), count.into())));
            requests.push(Value::Object(one));
        }
        if request.truncate.is_some() {
            lost(losses, "truncate", LossKind::Dropped, NO_PLACE);
        }
        let mut body = Map::from_iter([("requests".to_owned(), Value::Array(requests))]);
        rest(Dialect::GeminiEmbeddings, request, &mut body, losses);
        Value::Object(body).to_string().into_bytes()
    }

    fn read_answer(&self, body: &[u8]) -> Result<EmbedAnswer, BadField> {
        let mut top = root(body)?;
        let mut answer = EmbedAnswer::new(Dialect::GeminiEmbeddings);
        let path = Path::Member(&Path::Root, "embeddings");
        let list = match top.take("embedding") {
            Some(one) => vec![one],
            None => top.need_array("embeddings")?,
        };
        for (at, item) in list.into_iter().enumerate() {
            answer.vectors.push(values(Object::of(item, Path::Item(&path, at))?)?);
        }
        answer.usage = usage(Dialect::GeminiEmbeddings, body, top.take("usageMetadata"));
        answer.extra = top.rest();
        Ok(answer)
    }

    fn write_answer(&self, answer: &EmbedAnswer, _: bool, losses: &mut Losses) -> Vec<u8> {
        let list = numbers(answer, losses).into_iter().map(|values| json!({"values": values})).collect::<Vec<_>>();
        let mut body = Map::from_iter([("embeddings".to_owned(), Value::Array(list))]);
        if let Some(report) = &answer.usage {
            let counted = report.usage.tokens_in();
            body.insert("usageMetadata".into(), json!({"promptTokenCount": counted, "totalTokenCount": counted}));
        }
        answer_rest(Dialect::GeminiEmbeddings, answer, &mut body, losses);
        Value::Object(body).to_string().into_bytes()
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault).to_string().into_bytes()
    }

    /// <https://ai.google.dev/api/embeddings#method:-models.batchembedcontents>
    fn inputs_max(&self) -> usize {
        100
    }
}

/// One of a batch. What it says besides its content is taken to be the same in all of them.
fn one(mut one: Object<'_>, request: &mut EmbedRequest) -> Result<(), BadField> {
    if let Some(model) = one.string("model")? {
        request.model = model.strip_prefix("models/").map_or(model.clone(), str::to_owned);
    }
    request.purpose = one.string("taskType")?.or(one.string("task_type")?).map(purpose_of).or(request.purpose.take());
    let dimensions = one.count("outputDimensionality")?.or(one.count("output_dimensionality")?);
    request.dimensions = dimensions.or(request.dimensions);
    let outer = one.path;
    let path = Path::Member(&outer, "content");
    let value = one.take("content").ok_or_else(|| path.missing("an object"))?;
    let mut content = names::open(value, path)?;
    let parts_path = Path::Member(&path, "parts");
    let parts = names::list(&mut content, "parts")?.ok_or_else(|| parts_path.missing("an array"))?;
    let mut text: Option<String> = None;
    let mut image = None;
    for (at, part) in parts.into_iter().enumerate() {
        let path = Path::Item(&parts_path, at);
        let mut part = names::open(part, path)?;
        if let Some(data) = part.take("inlineData") {
            let mut data = names::open(data, Path::Member(&path, "inlineData"))?;
            image = Some(data_url::write(&data.need_string("mimeType")?, &data.need_string("data")?));
        } else {
            text.get_or_insert_default().push_str(&part.need_string("text")?);
        }
    }
    request.inputs.push(match (text, image) {
        (None, Some(url)) => EmbedInput::Image(url),
        (Some(text), None) => EmbedInput::Text(text),
        (Some(_), Some(_)) => return Err(parts_path.bad("a text or an image", "both")),
        (None, None) => return Err(parts_path.bad("a part", "an empty array")),
    });
    request.extra.extend(one.rest());
    Ok(())
}

fn part(input: &EmbedInput, losses: &mut Losses) -> Option<Value> {
    match input {
        EmbedInput::Text(text) => Some(json!({"text": text})),
        EmbedInput::Image(url) => match data_url::parse(url) {
            Some(Ok((media_type, data))) => Some(json!({"inlineData": {"mimeType": media_type, "data": data}})),
            _ => refused(losses, "the target fetches no images"),
        },
        EmbedInput::Tokens(_) => refused(losses, "the target takes texts, not tokens"),
    }
}

/// Without it the vectors would have other numbers.
fn refused(losses: &mut Losses, note: &'static str) -> Option<Value> {
    lost(losses, "input", LossKind::Refused, note);
    None
}

fn values(mut embedding: Object<'_>) -> Result<Vector, BadField> {
    Ok(Vector::Numbers(embedding.need_array("values")?))
}

fn usage(dialect: Dialect, body: &[u8], raw: Option<Value>) -> Option<UsageReport> {
    let usage = read_whole(dialect, body, &HeaderMap::new()).usage?;
    Some(UsageReport { usage, raw: raw.unwrap_or_default() })
}

fn numbers(answer: &EmbedAnswer, losses: &mut Losses) -> Vec<Value> {
    let written = answer.vectors.iter().map(|vector| vector::written(vector, false));
    written
        .map(|values| {
            values.unwrap_or_else(|| {
                losses.dropped(Place::Answer("data"), "bytes that are no 32-bit floats");
                json!([])
            })
        })
        .collect()
}

/// What neither of the two can say.
fn rest(home: Dialect, request: &EmbedRequest, body: &mut Map<String, Value>, losses: &mut Losses) {
    if request.user.is_some() {
        lost(losses, "user", LossKind::Dropped, NO_PLACE);
    }
    for (name, value) in &request.extra {
        if request.origin == home {
            body.entry(name.clone()).or_insert_with(|| value.clone());
        } else if name != crate::embed::PURPOSE {
            lost(losses, name, LossKind::Dropped, NO_PLACE);
        }
    }
}

fn answer_rest(home: Dialect, answer: &EmbedAnswer, body: &mut Map<String, Value>, losses: &mut Losses) {
    crate::dialect::carry::answer(home, answer.origin, &answer.extra, body, losses);
}

// === impl Predict ===

impl Embed for Predict {
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField> {
        let mut top = root(body)?;
        let mut request = EmbedRequest::new(Dialect::VertexPredict);
        let path = Path::Member(&Path::Root, "instances");
        let instances = top.need_array("instances")?;
        if instances.is_empty() {
            return Err(path.bad("at least one instance", "an empty array"));
        }
        for (at, item) in instances.into_iter().enumerate() {
            let mut instance = Object::of(item, Path::Item(&path, at))?;
            request.inputs.push(EmbedInput::Text(instance.need_string("content")?));
            let task = instance.string("task_type")?.or(instance.string("taskType")?);
            request.purpose = task.map(purpose_of).or(request.purpose.take());
            let rest: Extra = instance.rest();
            request.extra.extend(rest.into_iter().map(|(name, value)| (format!("instances.{name}"), value)));
        }
        if let Some(value) = top.take("parameters") {
            let mut parameters = Object::of(value, Path::Member(&Path::Root, "parameters"))?;
            request.dimensions = parameters.count("outputDimensionality")?;
            let truncate = parameters.bool("autoTruncate")?;
            request.truncate = truncate.map(|yes| if yes { "END" } else { "NONE" }.to_owned());
            crate::dialect::carry::keep_rest("parameters", parameters.rest(), &mut request.extra);
        }
        request.extra.extend(top.rest());
        Ok(request)
    }

    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
        let task = purpose(request).map(task_type);
        let mut instances = Vec::with_capacity(request.inputs.len());
        for input in &request.inputs {
            let EmbedInput::Text(text) = input else {
                refused(losses, "the target takes texts");
                continue;
            };
            let mut instance = Map::from_iter([("content".to_owned(), text.as_str().into())]);
            instance.extend(task.map(|task| ("task_type".to_owned(), task.into())));
            instances.push(Value::Object(instance));
        }
        let mut parameters = Map::new();
        parameters.extend(request.dimensions.map(|count| ("outputDimensionality".to_owned(), count.into())));
        match request.truncate.as_deref() {
            None => {}
            Some("START") => lost(losses, "truncate", LossKind::Dropped, "the target cuts at the end, or nowhere"),
            Some(word) => drop(parameters.insert("autoTruncate".into(), (word != "NONE").into())),
        }
        let mut body = Map::from_iter([("instances".to_owned(), Value::Array(instances))]);
        if !parameters.is_empty() {
            body.insert("parameters".into(), Value::Object(parameters));
        }
        let mut extra = Map::new();
        rest(Dialect::VertexPredict, request, &mut extra, losses);
        for (name, value) in extra {
            match name.strip_prefix("instances.") {
                Some(inner) => each_instance(&mut body, inner, &value),
                None => crate::dialect::carry::bring_home(&Map::from_iter([(name, value)]), &mut body),
            }
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn read_answer(&self, body: &[u8]) -> Result<EmbedAnswer, BadField> {
        let mut top = root(body)?;
        let mut answer = EmbedAnswer::new(Dialect::VertexPredict);
        let list = Path::Member(&Path::Root, "predictions");
        for (at, item) in top.need_array("predictions")?.into_iter().enumerate() {
            let path = Path::Item(&list, at);
            let mut prediction = Object::of(item, path)?;
            let inner = Path::Member(&path, "embeddings");
            let value = prediction.take("embeddings").ok_or_else(|| inner.missing("an object"))?;
            answer.vectors.push(values(Object::of(value, inner)?)?);
        }
        answer.usage = usage(Dialect::VertexPredict, body, top.take("metadata"));
        answer.extra = top.rest();
        Ok(answer)
    }

    /// Google counts each text. Who counted them together is told so for the first.
    fn write_answer(&self, answer: &EmbedAnswer, _: bool, losses: &mut Losses) -> Vec<u8> {
        let mut counted = answer.usage.as_ref().map(|report| report.usage.tokens_in());
        let each = numbers(answer, losses).into_iter().map(|values| {
            let mut embeddings = Map::from_iter([("values".to_owned(), values)]);
            let count = counted.as_mut().map(std::mem::take);
            let statistics = count.map(|count| json!({"truncated": false, "token_count": count}));
            embeddings.extend(statistics.map(|statistics| ("statistics".to_owned(), statistics)));
            json!({"embeddings": embeddings})
        });
        let predictions: Vec<Value> = each.collect();
        let mut body = Map::from_iter([("predictions".to_owned(), Value::Array(predictions))]);
        answer_rest(Dialect::VertexPredict, answer, &mut body, losses);
        Value::Object(body).to_string().into_bytes()
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault).to_string().into_bytes()
    }

    /// Of the models that take more than one.
    fn inputs_max(&self) -> usize {
        250
    }
}

fn each_instance(body: &mut Map<String, Value>, name: &str, value: &Value) {
    let instances = body.get_mut("instances").and_then(Value::as_array_mut);
    for instance in instances.into_iter().flatten().filter_map(Value::as_object_mut) {
        instance.insert(name.to_owned(), value.clone());
    }
}
