//! OpenAI's embeddings: the dialect of most callers, and of most providers.
//!
//! Enters: its JSON, or values of the form. Leaves: the other. Never: rounds a vector that stays what it was: only who asked for bytes, or cannot read
//! them, gets other numbers, and then 32-bit floats as the API has them.
//!
//! <https://platform.openai.com/docs/api-reference/embeddings>

mod read;
mod write;

use super::fault;
use crate::chat::{BadField, Fault, Losses};
use crate::dialect::Dialect;
use crate::embed::{Embed, EmbedAnswer, EmbedRequest};

pub(crate) struct OpenaiEmbeddings;

const HOME: Dialect = Dialect::OpenaiEmbeddings;

// === impl OpenaiEmbeddings ===

impl Embed for OpenaiEmbeddings {
    fn read_request(&self, body: &[u8]) -> Result<EmbedRequest, BadField> {
        read::request(body)
    }

    fn write_request(&self, request: &EmbedRequest, losses: &mut Losses) -> Vec<u8> {
        write::request(request, losses)
    }

    fn read_answer(&self, body: &[u8]) -> Result<EmbedAnswer, BadField> {
        read::answer(body)
    }

    fn write_answer(&self, answer: &EmbedAnswer, base64: bool, losses: &mut Losses) -> Vec<u8> {
        write::answer(answer, base64, losses)
    }

    fn read_fault(&self, status: u16, body: &[u8]) -> Fault {
        fault::read(status, body)
    }

    fn write_fault(&self, fault: &Fault) -> Vec<u8> {
        fault::write(fault).to_string().into_bytes()
    }

    /// <https://platform.openai.com/docs/api-reference/embeddings/create>: any array is at most this long.
    fn inputs_max(&self) -> usize {
        2_048
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
