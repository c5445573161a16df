//! OpenAI's Responses API, as providers speak it and as Codex, the Agents SDK and the AI SDK expect it.
//!
//! Enters: bodies and events of `/responses`, or values of the form. Leaves: the other of the two. Never: an answer's state kept on a server:
//! `previous_response_id`, `conversation`, `prompt`, `background` and references to stored items are refused by every other dialect, because
//! leaving them out would silently cut the conversation ([`crate::chat::Request::kept`]).
//!
//! <https://platform.openai.com/docs/api-reference/responses>. `/responses/compact` and `/responses/input_tokens` are not translated.
//!
//! What an item is called and how far it has come (`id`, `status`, `phase`) is bookkeeping between a caller and the one provider that speaks this dialect;
//! there bytes pass untouched, so the form forgets it. Only a reasoning item's id is kept, on its seal.

mod annotations;
mod answer;
mod decode;
mod encode;
mod fault;
mod finish;
mod input;
mod items;
mod parts;
mod read;
mod settings;
mod source;
mod tell;
mod told;
mod tools;
mod usage;
mod write;
mod write_input;

use serde_json::{Map, Value};

use super::super::Dialect;
use super::super::chat::{Chat, Decode, Encode, Telling};
use crate::chat::{Answer, BadField, Fault, Field, Losses, Place, Request, Turn};
use crate::frame::Framing;

#[derive(Debug)]
pub(in crate::dialect) struct Responses;

const HOME: Dialect = Dialect::OpenaiResponses;

/// Members of items that only their own provider and its caller need.
const BOOKKEEPING: [&str; 3] = ["id", "status", "phase"];

const ENCRYPTED: &str = "reasoning.encrypted_content";
const LOGPROBS: &str = "message.output_text.logprobs";

/// How each setting is spelled.
const NAMES: [(Field, &str); 14] = [
    (Field::MaxTokens, "max_output_tokens"),
    (Field::Temperature, "temperature"),
    (Field::TopP, "top_p"),
    (Field::Logprobs, "include"),
    (Field::TopLogprobs, "top_logprobs"),
    (Field::ToolChoice, "tool_choice"),
    (Field::ParallelTools, "parallel_tool_calls"),
    (Field::Format, "text.format"),
    (Field::Reasoning, "reasoning"),
    (Field::Verbosity, "text.verbosity"),
    (Field::ServiceTier, "service_tier"),
    (Field::User, "safety_identifier"),
    (Field::CacheKey, "prompt_cache_key"),
    (Field::StreamUsage, "stream"),
];

// === impl Responses ===

impl Chat for Responses {
    fn read_request(&self, body: &[u8]) -> Result<Request, BadField> {
        read::request(body)
    }

    fn write_request(&self, request: &Request, losses: &mut Losses) -> Vec<u8> {
        bytes(write::request(request, losses))
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, BadField> {
        answer::read(body)
    }

    fn write_answer(&self, answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
        bytes(tell::answer(answer, telling, losses))
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(decode::Decoder::new())
    }

    fn encoder(&self, telling: Telling) -> Box<dyn Encode> {
        Box::new(encode::Encoder::new(telling))
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        super::fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        super::fault::write(fault).to_string().into_bytes()
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::Setting(field) => {
                let name = NAMES.iter().find(|(known, _)| known == field);
                name.map_or_else(|| format!("{field:?}"), |(_, name)| (*name).to_owned())
            }
            Place::Extra(name) => name.clone(),
            Place::Tool(at) => format!("tools[{at}]"),
            Place::Turn(Turn::OUTSIDE) | Place::Block(Turn::OUTSIDE, _) => "instructions".into(),
            Place::Turn(at) => format!("input[{at}]"),
            Place::Block(at, block) => format!("input[{at}].content[{block}]"),
            Place::Answer(name) => (*name).to_owned(),
        }
    }

    fn is_moot(&self, name: &str, value: &Value) -> bool {
        match name {
            "store" | "background" => *value == Value::Bool(false),
            "truncation" => value == "disabled",
            "metadata" => value.as_object().is_some_and(Map::is_empty),
            // Seals are told to every caller, asked for or not.
            "include" => value.as_array().is_some_and(|asked| asked.iter().all(|what| what == ENCRYPTED)),
            "stream_options" => {
                let members = value.as_object();
                members.is_some_and(|members| {
                    members.iter().all(|(name, on)| name == "include_obfuscation" && on == false)
                })
            }
            _ => false,
        }
    }

    fn takes_free_text(&self) -> bool {
        true
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }
}

/// A member, taken out of whatever it is in.
fn take(value: &mut Value, name: &str) -> Value {
    value.get_mut(name).map(Value::take).unwrap_or_default()
}

fn bytes(members: Map<String, Value>) -> Vec<u8> {
    Value::Object(members).to_string().into_bytes()
}
