//! Gemini's generateContent as a chat dialect: AI Studio and Vertex.
//!
//! Enters: what `Chat` asks. Leaves: what the files beside answer. Never: a line more than that.

use super::{answer, decode, encode, fault, names, read, write};
use crate::chat::{Answer, BadField, Fault, Losses, Place, Request};
use crate::dialect::chat::{Chat, Decode, Encode, Telling};
use crate::frame::Framing;

pub(crate) struct Gemini;

impl Chat for Gemini {
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
        fault::write(fault).to_string().into_bytes()
    }

    fn place(&self, place: &Place) -> String {
        names::place(place)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }
}
