//! A caller's question: the top of it.
//!
//! Enters: the body. Leaves: a [`Request`]. Never: a member that was understood and is not in the form.

use serde_json::Value;

use super::{HOME, LOGPROBS, input, settings, tools};
use crate::chat::{BadField, Block, Place, Request, Role, Turn};
use crate::dialect::object::{Object, Path, root};

/// They stand for a conversation, or a part of one, that only the provider's server knows.
const STATE: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

pub(super) fn request(body: &[u8]) -> Result<Request, BadField> {
    let mut top = root(body)?;
    let mut request = Request::new(HOME);
    note_state(&top, &mut request);
    request.model = top.need_string("model")?;
    request.stream = top.bool("stream")?.unwrap_or(false);
    instructions(&mut top, &mut request)?;
    turns(&mut top, &mut request)?;
    request.tools = tools::read(&mut top)?;
    request.settings = settings::read(&mut top)?;
    request.settings.stream_usage = request.stream.then_some(true);
    include(&mut top, &mut request)?;
    request.extra.append(&mut top.rest());
    Ok(request)
}

fn note_state(top: &Object<'_>, request: &mut Request) {
    let mut keep = |name: &str| request.kept.push(Place::Extra(name.into()));
    STATE.into_iter().filter(|name| top.peek(name).is_some()).for_each(&mut keep);
    // The answer would come later, by asking for it.
    if top.peek("background") == Some(&Value::Bool(true)) {
        keep("background");
    }
}

fn instructions(top: &mut Object<'_>, request: &mut Request) -> Result<(), BadField> {
    if let Some(text) = top.string("instructions")? {
        let mut turn = Turn::new(Role::System, 0);
        turn.at = Turn::OUTSIDE;
        turn.blocks.push(Block::text(text));
        request.turns.push(turn);
    }
    Ok(())
}

fn turns(top: &mut Object<'_>, request: &mut Request) -> Result<(), BadField> {
    let path = Path::Member(&Path::Root, "input");
    match top.take("input") {
        Some(Value::String(text)) => {
            let mut turn = Turn::new(Role::User, 0);
            turn.blocks.push(Block::text(text));
            request.turns.push(turn);
        }
        Some(Value::Array(items)) if !items.is_empty() => input::read(items, &path, request)?,
        // What there is to answer may be stored.
        Some(Value::Array(_)) | None if !request.kept.is_empty() => {}
        Some(Value::Array(_)) => return Err(path.bad("at least one item", "none")),
        None => return Err(path.missing("a string or an array of items")),
        Some(other) => return Err(path.wrong("a string or an array of items", &other)),
    }
    Ok(())
}

/// Asks for more to be told. Logprobs are a setting of the form; the rest only its own provider knows.
fn include(top: &mut Object<'_>, request: &mut Request) -> Result<(), BadField> {
    let mut asked = top.strings("include")?;
    if let Some(at) = asked.iter().position(|what| what == LOGPROBS) {
        asked.remove(at);
        request.settings.logprobs = Some(true);
    }
    if !asked.is_empty() {
        request.extra.insert("include".into(), asked.into());
    }
    Ok(())
}
