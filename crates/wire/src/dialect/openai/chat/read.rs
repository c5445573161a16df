//! Reads a caller's question.
//!
//! Enters: the body. Leaves: the form. Never: passes over a member that is of the wrong type.

use serde_json::Value;

use super::{HOME, message, settings, tool};
use crate::chat::{BadField, Request, Turn};
use crate::dialect::object::{self, Path};

pub(super) fn request(body: &[u8]) -> Result<Request, BadField> {
    let mut top = object::root(body)?;
    let mut request = Request::new(HOME);
    request.model = top.need_string("model")?;
    request.stream = top.bool("stream")?.unwrap_or(false);
    request.turns = turns(top.need_array("messages")?)?;
    request.tools = tool::read_all(&mut top)?;
    request.settings = settings::read(&mut top)?;
    request.extra = top.rest();
    Ok(request)
}

fn turns(messages: Vec<Value>) -> Result<Vec<Turn>, BadField> {
    let path = Path::Member(&Path::Root, "messages");
    if messages.is_empty() {
        return Err(path.bad("at least one message", "an empty array"));
    }
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    for (at, value) in messages.into_iter().enumerate() {
        let turn = message::turn(value, at, Path::Item(&path, at), &turns)?;
        turns.push(turn);
    }
    Ok(turns)
}
