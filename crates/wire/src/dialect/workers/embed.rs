//! Workers AI's embeddings: `{"text": [..]}` in, `{"result": {"data": [[..]]}}` out.
//!
//! Enters: its JSON, or values of the form. Leaves: the other. Never: an input left out: vectors are told by their number.
//!
//! <https://developers.cloudflare.com/workers-ai/models/bge-m3/>.

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::fault;
use crate::chat::{BadField, Fault, LossKind, Losses, Place, UsageReport};
use crate::dialect::carry::NO_PLACE;
use crate::dialect::object::{Object, Path, root};
use crate::dialect::{Dialect, vector};
use crate::embed::{Embed, EmbedAnswer, EmbedInput, EmbedRequest, Vector, lost};
use crate::watch::read_whole;

pub(crate) struct WorkersEmbed;

const HOME: Dialect = Dialect::WorkersAi;

impl Embed for WorkersEmbed {
    /// The model stands in the path.
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField> {
        let mut top = root(body)?;
        let mut request = EmbedRequest::new(HOME);
        request.inputs = top.strings("text")?.into_iter().map(EmbedInput::Text).collect();
        if request.inputs.is_empty() {
            return Err(Path::Member(&Path::Root, "text").missing("a string or an array of strings"));
        }
        request.extra = top.rest();
        Ok(request)
    }

    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
        let mut texts = Vec::with_capacity(request.inputs.len());
        for input in &request.inputs {
            match input {
                EmbedInput::Text(text) => texts.push(Value::from(text.as_str())),
                // Without them the vectors would have other numbers.
                _ => lost(losses, "input", LossKind::Refused, "the target takes texts"),
            }
        }
        let mut body = Map::from_iter([("text".to_owned(), Value::Array(texts))]);
        let members = [
            ("dimensions", request.dimensions.is_some()),
            ("purpose", request.purpose.is_some()),
            ("truncate", request.truncate.is_some()),
            ("user", request.user.is_some()),
        ];
        for (name, _) in members.into_iter().filter(|(_, said)| *said) {
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
        let outer = Path::Member(&Path::Root, "result");
        // The binding unwraps it.
        let mut result = match top.take("result") {
            Some(value) => Object::of(value, outer)?,
            None => top,
        };
        let mut answer = EmbedAnswer::new(HOME);
        let path = result.path;
        let list = Path::Member(&path, "data");
        for (at, value) in result.need_array("data")?.into_iter().enumerate() {
            let Value::Array(numbers) = value else { return Err(Path::Item(&list, at).wrong("an array", &value)) };
            answer.vectors.push(Vector::Numbers(numbers));
        }
        let raw = result.take("usage").unwrap_or_default();
        let counted = read_whole(HOME, body, &HeaderMap::new()).usage;
        answer.usage = counted.map(|usage| UsageReport { usage, raw });
        // How many there are, and how long each is.
        result.take("shape");
        answer.extra = result.rest();
        Ok(answer)
    }

    fn write_answer(&self, answer: &EmbedAnswer, _: bool, losses: &mut Losses) -> Vec<u8> {
        let mut data = Vec::with_capacity(answer.vectors.len());
        for vector in &answer.vectors {
            data.push(vector::written(vector, false).unwrap_or_else(|| {
                losses.dropped(Place::Answer("data"), "bytes that are no 32-bit floats");
                json!([])
            }));
        }
        let long = data.first().and_then(Value::as_array).map_or(0, Vec::len);
        let mut result = Map::from_iter([("shape".to_owned(), json!([data.len(), long]))]);
        result.insert("data".into(), data.into());
        if let Some(report) = &answer.usage {
            let counted = report.usage.tokens_in();
            let usage = json!({"prompt_tokens": counted, "completion_tokens": 0, "total_tokens": counted});
            result.insert("usage".into(), usage);
        }
        crate::dialect::carry::answer(HOME, answer.origin, &answer.extra, &mut result, losses);
        json!({"result": result, "success": true, "errors": [], "messages": []}).to_string().into_bytes()
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault)
    }

    /// <https://developers.cloudflare.com/workers-ai/models/bge-base-en-v1.5/#Parameters>
    fn inputs_max(&self) -> usize {
        100
    }
}
