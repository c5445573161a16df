//! Ollama's `/api/embed`.
//!
//! Enters: its JSON, or values of the form. Leaves: the other. Never: an input left out: vectors are told by their number.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{answer, fault};
use crate::chat::{BadField, Fault, LossKind, Losses, Place, UsageReport};
use crate::dialect::carry::{self, NO_PLACE};
use crate::dialect::object::{Path, root};
use crate::dialect::{Dialect, vector};
use crate::embed::{Embed, EmbedAnswer, EmbedInput, EmbedRequest, Vector, lost};
use crate::watch::read_whole;

pub(crate) struct OllamaEmbed;

const HOME: Dialect = Dialect::OllamaEmbed;

impl Embed for OllamaEmbed {
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField> {
        let mut top = root(body)?;
        let mut request = EmbedRequest::new(HOME);
        request.model = top.need_string("model")?;
        request.inputs = top.strings("input")?.into_iter().map(EmbedInput::Text).collect();
        if request.inputs.is_empty() {
            return Err(Path::Member(&Path::Root, "input").missing("a string or an array of strings"));
        }
        request.dimensions = top.count("dimensions")?;
        request.truncate = top.bool("truncate")?.map(|yes| if yes { "END" } else { "NONE" }.to_owned());
        request.extra = top.rest();
        Ok(request)
    }

    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
        let mut input = Vec::with_capacity(request.inputs.len());
        for one in &request.inputs {
            match one {
                EmbedInput::Text(text) => input.push(Value::from(text.as_str())),
                // Without them the vectors would have other numbers.
                _ => lost(losses, "input", LossKind::Refused, "the target takes texts"),
            }
        }
        let mut body = Map::from_iter([("model".to_owned(), request.model.as_str().into())]);
        body.insert("input".into(), input.into());
        body.extend(request.dimensions.map(|count| ("dimensions".to_owned(), count.into())));
        match request.truncate.as_deref() {
            None => {}
            Some("START") => lost(losses, "truncate", LossKind::Dropped, "the target cuts at the end, or nowhere"),
            Some(word) => drop(body.insert("truncate".into(), (word != "NONE").into())),
        }
        let lost_members = [("purpose", request.purpose.is_some()), ("user", request.user.is_some())];
        for (name, _) in lost_members.into_iter().filter(|(_, said)| *said) {
            lost(losses, name, LossKind::Dropped, NO_PLACE);
        }
        for (name, value) in &request.extra {
            match request.origin {
                HOME => drop(body.entry(name.clone()).or_insert_with(|| value.clone())),
                _ => lost(losses, name, LossKind::Dropped, NO_PLACE),
            }
        }
        Value::Object(body).to_string().into_bytes()
    }

    fn read_answer(&self, body: &[u8]) -> Result<EmbedAnswer, BadField> {
        let mut top = root(body)?;
        let mut answer = EmbedAnswer::new(HOME);
        answer.model = top.string("model")?.unwrap_or_default();
        let path = Path::Member(&Path::Root, "embeddings");
        for (at, value) in top.need_array("embeddings")?.into_iter().enumerate() {
            let Value::Array(numbers) = value else { return Err(Path::Item(&path, at).wrong("an array", &value)) };
            answer.vectors.push(Vector::Numbers(numbers));
        }
        let raw = answer::metrics(&mut top);
        let counted = read_whole(HOME, body, &HeaderMap::new()).usage;
        answer.usage = counted.map(|usage| UsageReport { usage, raw });
        answer.extra = top.rest();
        Ok(answer)
    }

    fn write_answer(&self, answer: &EmbedAnswer, _: bool, losses: &mut Losses) -> Vec<u8> {
        let mut list = Vec::with_capacity(answer.vectors.len());
        for vector in &answer.vectors {
            list.push(vector::written(vector, false).unwrap_or_else(|| {
                losses.dropped(Place::Answer("data"), "bytes that are no 32-bit floats");
                json!([])
            }));
        }
        let mut body = Map::from_iter([("model".to_owned(), answer.model.as_str().into())]);
        body.insert("embeddings".into(), list.into());
        let counted = answer.usage.as_ref().map(|report| report.usage.tokens_in());
        body.extend(counted.map(|count| ("prompt_eval_count".to_owned(), count.into())));
        carry::answer(HOME, answer.origin, &answer.extra, &mut body, losses);
        Value::Object(body).to_string().into_bytes()
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault)
    }
}
