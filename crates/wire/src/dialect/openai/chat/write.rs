//! Writes a question for a provider.
//!
//! Enters: the form. Leaves: the body. Never: leaves a value out without an entry in the ledger.

use serde_json::{Map, Value};

use super::{HOME, settings, tool, write_message, write_part};
use crate::chat::{Losses, Request};
use crate::dialect::carry;

pub(super) fn request(request: &Request, losses: &mut Losses) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("model".into(), request.model.as_str().into());
    body.insert("messages".into(), Value::Array(write_message::all(request, losses)));
    if request.stream {
        body.insert("stream".into(), true.into());
    }
    settings::write(request, &mut body, losses);
    tool::write_all(request, &mut body, losses);
    for name in ["stream_options", "reasoning"] {
        write_part::put_inner(name, &request.extra, request.origin, &mut body);
    }
    carry::request(HOME, request, &mut body, losses);
    Value::Object(body).to_string().into_bytes()
}
