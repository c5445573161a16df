//! What it takes to speak a chat dialect.
//!
//! Enters: bytes of the dialect, or values of the form. Leaves: the other of the two. Never: a branch on who is at the other end: a dialect knows
//! the form and its own words, and nothing of other dialects.
//!
//! To add one: a folder `dialect/<name>/` with `read`, `write`, `decode`, `encode`, `fault`; `impl Chat` beside it; one line in
//! [`Dialect::chat`]. `tests/chat_laws.rs` then runs every law against it.

use bytes::BytesMut;
use serde_json::Value;

use super::Dialect;
use crate::chat::{Answer, BadField, Event, Fault, Losses, Place, Request, free_text};
use crate::frame::{Frame, Framing};

pub trait Chat: Sync {
    /// A caller's question. Wrong types, missing members and impossible combinations are faults with their path; members that are not known are
    /// `extra`.
    fn read_request(&self, body: &[u8]) -> Result<Request, BadField>;

    /// The question in this dialect's words, for the provider. `model` of the request is written where the dialect keeps it in the body; `stream` where
    /// it is a member. Every value that cannot be said is a loss.
    fn write_request(&self, request: &Request, losses: &mut Losses) -> Vec<u8>;

    /// A provider's whole answer with a successful status.
    fn read_answer(&self, body: &[u8]) -> Result<Answer, BadField>;

    /// An answer for the caller who asked for `telling`.
    fn write_answer(&self, answer: &Answer, telling: &Telling, losses: &mut Losses) -> Vec<u8>;

    /// A provider's stream. One decoder for each stream.
    fn decoder(&self) -> Box<dyn Decode>;

    /// A stream for the caller who asked for `telling`. One encoder for each stream.
    fn encoder(&self, telling: Telling) -> Box<dyn Encode>;

    /// A provider's answer with an unsuccessful status, whatever its body is.
    fn read_fault(&self, status: u16, body: &[u8]) -> Fault;

    /// The same to the caller: the body. The status is the fault's.
    fn write_fault(&self, fault: &Fault) -> Vec<u8>;

    /// How a place of a request that was read from this dialect is spelled in it: `messages[2].content[0]`.
    fn place(&self, place: &Place) -> String;

    /// Does this top-level member of a request ask for what every other dialect does anyway, or tell of an answer what nobody else would know what to do
    /// with? Then leaving it out is no loss.
    fn is_moot(&self, _name: &str, _value: &Value) -> bool {
        false
    }

    /// Are there tools here that take text instead of JSON? Where not, [`crate::chat::free_text`] makes functions of them.
    fn takes_free_text(&self) -> bool {
        false
    }

    /// How this dialect streams.
    fn framing(&self) -> Framing;

    /// The content type of what the encoder writes.
    fn stream_type(&self) -> &'static str {
        match self.framing() {
            Framing::Sse => "text/event-stream",
            Framing::AwsEvents => "application/vnd.amazon.eventstream",
            Framing::Ndjson => "application/x-ndjson",
        }
    }
}

/// Reads a stream's frames. Usage is not counted here: a decoder lets a [`crate::watch::Tally`] see each frame, which knows every
/// dialect's counts already, and asks it at the end (or where the dialect states its usage).
pub trait Decode: Send {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>);

    /// The bytes have ended. Without the dialect's own last word this is a `Fault`, never a `Done`.
    fn end(&mut self, out: &mut Vec<Event>);
}

/// Writes a stream's frames, framing included.
pub trait Encode: Send {
    /// After a `Fault` nothing follows that looks like success.
    fn event(&mut self, event: Event, out: &mut BytesMut, losses: &mut Losses);
}

/// What the caller asked for, as far as the telling of an answer depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telling {
    /// The model by the name the caller used, for dialects that repeat it. Empty: as the provider named it.
    pub model: String,
    /// An id for answers whose provider gave none, in the gateway's form.
    pub id: String,
    /// Unix seconds, for dialects that state when.
    pub created: u64,
    /// OpenAI's `include_usage`.
    pub stream_usage: bool,
    /// The tools that the caller gave free text to: see [`crate::chat::free_text`].
    pub free_text: Vec<String>,
}

// === impl Telling ===

impl Telling {
    /// What the question says of it. The rest the gateway knows.
    pub fn of(request: &Request) -> Self {
        let stream_usage = request.settings.stream_usage == Some(true);
        Self { stream_usage, free_text: free_text::names(request), ..Self::default() }
    }
}

// === impl Dialect ===

impl Dialect {
    /// `None`: this dialect is passed on as it is, and never translated.
    pub fn chat(self) -> Option<&'static dyn Chat> {
        match self {
            Self::OpenaiChat => Some(&super::openai::chat::OpenaiChat),
            Self::OpenaiResponses => Some(&super::openai::responses::Responses),
            Self::AnthropicMessages => Some(&super::anthropic::Messages),
            Self::BedrockConverse => Some(&super::bedrock::converse::Converse),
            Self::Gemini => Some(&super::gemini::chat::Gemini),
            Self::OllamaChat => Some(&super::ollama::chat::OllamaChat),
            Self::CohereV2 => Some(&super::cohere::chat::CohereV2),
            _ => None,
        }
    }
}
