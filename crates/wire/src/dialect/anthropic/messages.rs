//! Anthropic's Messages API as a chat dialect (<https://platform.claude.com/docs/en/api/messages>).
//!
//! Enters: bytes of it, or values of the form. Leaves: the other of the two. Never: a rule of its own: each file of this folder has one direction.

use serde_json::json;

use super::{Decoder, Encoder, answer, fault, read, write};
use crate::chat::{Answer, BadField, Fault, Field, Losses, Place, Request, Turn};
use crate::dialect::Dialect;
use crate::dialect::chat::{Chat, Decode, Encode, Telling};
use crate::frame::Framing;

pub(super) const HOME: Dialect = Dialect::AnthropicMessages;

pub(crate) struct Messages;

// === impl Messages ===

impl Chat for Messages {
    fn read_request(&self, body: &[u8]) -> Result<Request, BadField> {
        read::request(body)
    }

    fn write_request(&self, request: &Request, losses: &mut Losses) -> Vec<u8> {
        write::request(request, losses)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, BadField> {
        answer::read(body)
    }

    fn write_answer(&self, answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8> {
        answer::write(answer, telling, losses)
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(Decoder::new())
    }

    fn encoder(&self, telling: Telling) -> Box<dyn Encode> {
        Box::new(Encoder::new(telling))
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault).to_string().into()
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::Setting(field) => setting(*field).into(),
            Place::Extra(name) => name.clone(),
            Place::Tool(at) => format!("tools[{at}]"),
            Place::Turn(Turn::OUTSIDE) => "system".into(),
            Place::Turn(at) => format!("messages[{at}]"),
            Place::Block(Turn::OUTSIDE, block) => format!("system[{block}]"),
            Place::Block(at, block) => format!("messages[{at}].content[{block}]"),
            Place::Answer(name) => (*name).into(),
        }
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }
}

/// Where a setting stands. Those that Anthropic does not have go by the form's name: nobody who wrote to this dialect can have set them.
fn setting(field: Field) -> &'static str {
    match field {
        Field::StreamUsage => "stream",
        Field::MaxTokens => "max_tokens",
        Field::Temperature => "temperature",
        Field::TopP => "top_p",
        Field::TopK => "top_k",
        Field::FrequencyPenalty => "frequency_penalty",
        Field::PresencePenalty => "presence_penalty",
        Field::Seed => "seed",
        Field::N => "n",
        Field::Stop => "stop_sequences",
        Field::Logprobs => "logprobs",
        Field::TopLogprobs => "top_logprobs",
        Field::LogitBias => "logit_bias",
        Field::ToolChoice => "tool_choice",
        Field::ParallelTools => "tool_choice.disable_parallel_tool_use",
        Field::Format => "output_config.format",
        Field::Reasoning => "thinking",
        Field::Verbosity => "verbosity",
        Field::ServiceTier => "service_tier",
        Field::User => "metadata.user_id",
        Field::CacheKey => "prompt_cache_key",
        Field::Modalities => "modalities",
    }
}

/// The answer to a call of `count_tokens` whose target has no such call: what `tokens` are is the caller's business to know.
pub fn token_count(tokens: u64) -> Vec<u8> {
    json!({ "input_tokens": tokens }).to_string().into()
}
