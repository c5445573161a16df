//! OpenAI's chat completions: the dialect of most callers, and of most providers.
//!
//! Enters: its JSON, or values of the form. Leaves: the other. Never: asks which of the many hosts that speak it is at the other end; what they do
//! differently are quirks of their rows.
//!
//! <https://platform.openai.com/docs/api-reference/chat>. Extensions that several hosts share are read and written as if they were its own: thoughts
//! (`thought.rs` tells of them), `cache_control` on parts, tools and messages, `images` of an answer, vLLM's `stop_reason`.

mod choices;
mod decode;
mod encode;
mod finish;
mod message;
mod part;
mod read;
mod settings;
mod thought;
mod tool;
mod usage;
mod write;
mod write_answer;
mod write_message;
mod write_part;

use serde_json::{Map, Value};

use super::fault;
use crate::chat::{Answer, BadField, Fault, Field, Losses, Place, Request, Source};
use crate::dialect::chat::{Chat, Decode, Encode, Telling};
use crate::dialect::{Dialect, data_url};
use crate::frame::Framing;

pub(crate) struct OpenaiChat;

const HOME: Dialect = Dialect::OpenaiChat;

/// Of an answer: what every answer says alike, or random bytes against guessing its length. Read over.
const NOISE: [&str; 3] = ["object", "obfuscation", "p"];

// === impl OpenaiChat ===

impl Chat for OpenaiChat {
    fn read_request(&self, body: &[u8]) -> Result<Request, BadField> {
        read::request(body)
    }

    fn write_request(&self, request: &Request, losses: &mut Losses) -> Vec<u8> {
        write::request(request, losses)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, BadField> {
        choices::answer(body)
    }

    fn write_answer(&self, answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
        write_answer::answer(answer, telling, losses)
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(decode::Decoder::default())
    }

    fn encoder(&self, telling: Telling) -> Box<dyn Encode> {
        Box::new(encode::Encoder::new(telling))
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault).to_string().into_bytes()
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::Setting(field) => name(*field).to_owned(),
            Place::Extra(name) => name.clone(),
            Place::Tool(number) => format!("tools[{number}]"),
            Place::Turn(at) => format!("messages[{at}]"),
            Place::Block(at, number) => format!("messages[{at}].content[{number}]"),
            Place::Answer(name) => (*name).to_owned(),
        }
    }

    fn is_moot(&self, name: &str, value: &Value) -> bool {
        match name {
            // Not to be kept at OpenAI; no padding against guessing.
            "store" | "logprobs" => *value == Value::Bool(false),
            "parallel_tool_calls" => *value == Value::Bool(true),
            "n" => value.as_u64() == Some(1),
            "frequency_penalty" | "presence_penalty" => value.as_f64() == Some(0.0),
            "logit_bias" => value.as_object().is_some_and(Map::is_empty),
            "stream_options" => value.as_object().is_some_and(|options| {
                options.iter().all(|(name, value)| name == "include_obfuscation" && *value == Value::Bool(false))
            }),
            // Of an answer: which build of which host made it, and how fast. A question's `provider` and `prompt` are of other types.
            "system_fingerprint" | "time_info" | "native_finish_reason" | "x_groq" => true,
            "provider" => value.is_string(),
            "prompt" => value.is_array(),
            "metadata" => value.as_object().is_some_and(Map::is_empty),
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

/// An image or a sound as a URL, where it can be one.
fn data_url_of(source: &Source) -> Option<String> {
    match source {
        Source::Data { media_type, base64 } => Some(data_url::write(media_type, base64)),
        Source::Url { url, .. } => Some(url.clone()),
        Source::Id { .. } | Source::Text { .. } => None,
    }
}

fn name(field: Field) -> &'static str {
    match field {
        Field::StreamUsage => "stream_options.include_usage",
        Field::MaxTokens => "max_completion_tokens",
        Field::Temperature => "temperature",
        Field::TopP => "top_p",
        Field::TopK => "top_k",
        Field::FrequencyPenalty => "frequency_penalty",
        Field::PresencePenalty => "presence_penalty",
        Field::Seed => "seed",
        Field::N => "n",
        Field::Stop => "stop",
        Field::Logprobs => "logprobs",
        Field::TopLogprobs => "top_logprobs",
        Field::LogitBias => "logit_bias",
        Field::ToolChoice => "tool_choice",
        Field::ParallelTools => "parallel_tool_calls",
        Field::Format => "response_format",
        Field::Reasoning => "reasoning_effort",
        Field::Verbosity => "verbosity",
        Field::ServiceTier => "service_tier",
        Field::User => "user",
        Field::CacheKey => "prompt_cache_key",
        Field::Modalities => "modalities",
    }
}
