//! Amazon Bedrock's Converse as a chat dialect (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).
//!
//! Enters: bytes of it, or values of the form. Leaves: the other of the two. Never: the model, or the wish for a stream: both are in the path.

mod answer;
mod block;
mod decode;
mod encode;
pub(super) mod fault;
mod media;
mod read;
mod seal;
mod usage;
mod write;

use serde_json::Value;

use crate::chat::{Answer, BadField, Fault, Field, Losses, Place, Request, Turn};
use crate::dialect::Dialect;
use crate::dialect::chat::{Chat, Decode, Encode, Telling};
use crate::frame::Framing;

const HOME: Dialect = Dialect::BedrockConverse;

pub(crate) struct Converse;

// === impl Converse ===

impl Chat for Converse {
    fn read_request(&self, body: &[u8]) -> Result<Request, BadField> {
        read::request(body)
    }

    fn write_request(&self, request: &Request, losses: &mut Losses) -> Vec<u8> {
        write::request(request, losses)
    }

    fn read_answer(&self, body: &[u8]) -> Result<Answer, BadField> {
        answer::read(body)
    }

    fn write_answer(&self, answer: &Answer, _: &Telling, losses: &mut Losses) -> Vec<u8> {
        answer::write(answer, losses)
    }

    fn decoder(&self) -> Box<dyn Decode> {
        Box::new(decode::Decoder::new())
    }

    fn encoder(&self, _: Telling) -> Box<dyn Encode> {
        Box::new(encode::Encoder::new())
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault)
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::Setting(field) => setting(*field).into(),
            Place::Extra(name) => name.clone(),
            Place::Tool(at) => format!("toolConfig.tools[{at}]"),
            Place::Turn(Turn::OUTSIDE) => "system".into(),
            Place::Turn(at) => format!("messages[{at}]"),
            Place::Block(Turn::OUTSIDE, block) => format!("system[{block}]"),
            Place::Block(at, block) => format!("messages[{at}].content[{block}]"),
            Place::Answer(name) => (*name).into(),
        }
    }

    /// How long Bedrock took is Bedrock's business.
    fn is_moot(&self, name: &str, _: &Value) -> bool {
        name == "metrics"
    }

    fn framing(&self) -> Framing {
        Framing::AwsEvents
    }
}

/// Settings that Converse does not have go by the form's name.
fn setting(field: Field) -> &'static str {
    match field {
        Field::MaxTokens => "inferenceConfig.maxTokens",
        Field::Temperature => "inferenceConfig.temperature",
        Field::TopP => "inferenceConfig.topP",
        Field::Stop => "inferenceConfig.stopSequences",
        Field::TopK => "additionalModelRequestFields.top_k",
        Field::Reasoning => "additionalModelRequestFields.thinking",
        Field::ToolChoice => "toolConfig.toolChoice",
        Field::Format => "outputConfig.textFormat",
        Field::ServiceTier => "serviceTier",
        Field::StreamUsage => "stream_usage",
        Field::FrequencyPenalty => "frequency_penalty",
        Field::PresencePenalty => "presence_penalty",
        Field::Seed => "seed",
        Field::N => "n",
        Field::Logprobs => "logprobs",
        Field::TopLogprobs => "top_logprobs",
        Field::LogitBias => "logit_bias",
        Field::ParallelTools => "parallel_tool_calls",
        Field::Verbosity => "verbosity",
        Field::User => "user",
        Field::CacheKey => "prompt_cache_key",
        Field::Modalities => "modalities",
    }
}
