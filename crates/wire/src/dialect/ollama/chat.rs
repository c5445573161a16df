//! Ollama's `/api/chat` as a chat dialect.
//!
//! Enters: what `Chat` asks. Leaves: what the files beside answer, and the names of its members. Never: a line more than that.

use super::{answer, decode, encode, fault, read, write};
use crate::chat::{Answer, BadField, Fault, Field, Losses, Place, Request, Turn};
use crate::dialect::chat::{Chat, Decode, Encode, Telling};
use crate::frame::Framing;

pub(crate) struct OllamaChat;

impl Chat for OllamaChat {
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
        Box::new(decode::Decoder::new())
    }

    fn encoder(&self, telling: Telling) -> Box<dyn Encode> {
        Box::new(encode::Encoder::new(telling))
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault)
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::Setting(field) => setting(*field).to_owned(),
            Place::Extra(name) => name.clone(),
            Place::Tool(number) => format!("tools[{number}]"),
            Place::Turn(Turn::OUTSIDE) => "messages".to_owned(),
            Place::Turn(turn) => format!("messages[{turn}]"),
            Place::Block(Turn::OUTSIDE, _) => "messages".to_owned(),
            Place::Block(turn, block) => format!("messages[{turn}] (block {block})"),
            Place::Answer(name) => (*name).to_owned(),
        }
    }

    fn framing(&self) -> Framing {
        Framing::Ndjson
    }
}

fn setting(field: Field) -> &'static str {
    match field {
        Field::StreamUsage => "prompt_eval_count",
        Field::MaxTokens => "options.num_predict",
        Field::Temperature => "options.temperature",
        Field::TopP => "options.top_p",
        Field::TopK => "options.top_k",
        Field::FrequencyPenalty => "options.frequency_penalty",
        Field::PresencePenalty => "options.presence_penalty",
        Field::Seed => "options.seed",
        Field::N => "n",
        Field::Stop => "options.stop",
        Field::Logprobs => "logprobs",
        Field::TopLogprobs => "top_logprobs",
        Field::LogitBias => "logit_bias",
        Field::ToolChoice => "tool_choice",
        Field::ParallelTools => "parallel_tool_calls",
        Field::Format => "format",
        Field::Reasoning => "think",
        Field::Verbosity => "verbosity",
        Field::ServiceTier => "service_tier",
        Field::User => "user",
        Field::CacheKey => "cache_key",
        Field::Modalities => "modalities",
    }
}
