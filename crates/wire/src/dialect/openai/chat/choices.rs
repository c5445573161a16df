//! Reads a whole answer.
//!
//! Enters: the body. Leaves: the form. Never: counts tokens: the watcher of this dialect does.

use http::HeaderMap;
use serde_json::Value;

use super::tool::Ids;
use super::{HOME, NOISE, decode, finish, message};
use crate::chat::{Answer, BadField, Choice, Extra, UsageReport};
use crate::dialect::object::{self, Object, Path};
use crate::watch;

/// More are none that anybody asked for.
pub(super) const CHOICES_MAX: usize = 128;

pub(super) fn answer(body: &[u8]) -> Result<Answer, BadField> {
    let mut top = object::root(body)?;
    no_error(&mut top)?;
    let mut answer = Answer::new(HOME);
    answer.id = top.string("id")?.unwrap_or_default();
    answer.model = top.string("model")?.unwrap_or_default();
    answer.created = created(&mut top);
    answer.service_tier = top.string("service_tier")?;
    answer.choices = choices(top.need_array("choices")?, &answer.id)?;
    let raw = usage(&mut top);
    answer.usage = watch::read_whole(HOME, body, &HeaderMap::new()).usage.map(|usage| UsageReport { usage, raw });
    answer.extra = rest(top);
    Ok(answer)
}

/// Some write fractions of seconds, some write nothing or zero.
pub(super) fn created(top: &mut Object<'_>) -> Option<u64> {
    let value = top.take("created")?;
    let seconds =
        value.as_u64().or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64));
    seconds.filter(|seconds| *seconds > 0)
}

/// The provider's own object.
pub(super) fn usage(top: &mut Object<'_>) -> Value {
    top.take("usage").unwrap_or_default()
}

/// What is left of an answer or of a frame.
pub(super) fn rest(top: Object<'_>) -> Extra {
    without_noise(top.rest())
}

pub(super) fn without_noise(mut rest: Extra) -> Extra {
    NOISE.iter().for_each(|name| drop(rest.remove(*name)));
    rest
}

fn choices(values: Vec<Value>, id: &str) -> Result<Vec<Choice>, BadField> {
    let list = Path::Member(&Path::Root, "choices");
    let mut choices: Vec<Choice> = Vec::new();
    for (at, value) in values.into_iter().enumerate() {
        let mut object = Object::of(value, Path::Item(&list, at))?;
        let index = object.count("index")?.map_or(at, |index| index as usize);
        if index >= CHOICES_MAX {
            let expected = format!("less than {CHOICES_MAX}");
            return Err(Path::Member(&object.path, "index").bad(expected, index.to_string()));
        }
        if choices.len() <= index {
            choices.resize_with(index + 1, Choice::default);
        }
        choices[index] = choice(object, id)?;
    }
    Ok(choices)
}

fn choice(mut object: Object<'_>, id: &str) -> Result<Choice, BadField> {
    no_error(&mut object)?;
    // Words of a stream mean nothing here, and would mean something there.
    ["delta", "usage"].iter().for_each(|name| drop(object.take(name)));
    let path = object.path;
    let at = Path::Member(&path, "message");
    let mut said = Object::of(object.take("message").ok_or_else(|| at.missing("an object"))?, at)?;
    let mut choice = Choice { blocks: message::said(&mut said, Ids::MadeOf(id))?, ..Choice::default() };
    choice.logprobs = object.take("logprobs");
    let stop_reason = stop_reason(&mut object);
    let refused = finish::is_refused(&choice);
    choice.finish = object.string("finish_reason")?.map(|raw| finish::read(raw, stop_reason, refused));
    // Some repeat the role as a name.
    ["role", "name"].iter().for_each(|name| drop(said.take(name)));
    choice.extra = object.rest();
    let more = said.rest();
    if !more.is_empty() {
        choice.extra.insert("message".into(), Value::Object(more));
    }
    Ok(choice)
}

/// Hosts report errors under a successful status too, beside an answer or in its place.
fn no_error(object: &mut Object<'_>) -> Result<(), BadField> {
    match decode::error(object) {
        Some(_) => Err(Path::Member(&object.path, "error").bad("an answer", "an error")),
        None => Ok(()),
    }
}

/// A number is the id of a token, which stays an extra.
pub(super) fn stop_reason(choice: &mut Object<'_>) -> Option<String> {
    let text = choice.peek_str("stop_reason").map(str::to_owned)?;
    choice.take("stop_reason");
    Some(text)
}
