//! Reads a provider's stream.
//!
//! Enters: frames. Leaves: events. Never: `Done` before the last word, or an event after it. The last word is `[DONE]`; some hosts leave it out, and
//! then a stream whose bytes end in order has ended when every choice has said why it stopped.
//!
//! Reasons to finish, usage and extras are told at the end: hosts repeat and correct them in later frames, and OpenAI states the usage after them.

use serde_json::Value;

use super::{HOME, choices};
use crate::chat::{BadField, Event, Extra, Fault, UsageReport};
use crate::dialect::chat::Decode;
use crate::dialect::fault::{broken_off, in_stream};
use crate::dialect::object::{Object, Path, root};
use crate::dialect::openai::fault;
use crate::frame::Frame;
use crate::watch::Tally;

mod choice;

use choice::Choice;

pub(super) struct Decoder {
    tally: Tally,
    begun: bool,
    over: bool,
    id: String,
    choices: Vec<Choice>,
    /// The provider's own object, the last one counts.
    usage: Value,
    /// Top-level members, as far as they were told.
    extra: Extra,
    /// Those that came after the beginning.
    late: Extra,
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            tally: Tally::new(HOME),
            begun: false,
            over: false,
            id: String::new(),
            choices: Vec::new(),
            usage: Value::Null,
            extra: Extra::new(),
            late: Extra::new(),
        }
    }
}

// === impl Decoder ===

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        match frame {
            Frame::Whole { data, .. } if data.trim_ascii() == b"[DONE]" => self.done(out),
            Frame::Whole { kind: b"error", data } | Frame::Fault { data, .. } => {
                let value = serde_json::from_slice(data);
                let value = value.unwrap_or_else(|_| String::from_utf8_lossy(data).into_owned().into());
                self.fail(fault::of_value(fault::status_within(&value), value), out);
            }
            Frame::Whole { data, .. } => {
                self.tally.frame(frame);
                if let Err(wrong) = self.chunk(data, out) {
                    self.fail(in_stream(&format!("the provider's stream is not what it should be: {wrong}")), out);
                }
            }
            Frame::Tail { .. } | Frame::Broken => {
                self.fail(in_stream("a frame of the provider's stream is too long or damaged"), out);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        let finished = !self.choices.is_empty() && self.choices.iter().all(Choice::is_finished);
        match finished {
            true => self.done(out),
            false => self.fail(broken_off(), out),
        }
    }
}

impl Decoder {
    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.over = true;
        out.push(Event::Fault(fault));
    }

    fn chunk(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), BadField> {
        let mut top = root(data)?;
        if let Some(error) = error(&mut top) {
            self.fail(fault::of_value(fault::status_within(&error), error), out);
            return Ok(());
        }
        let choices = top.array("choices")?.unwrap_or_default();
        self.note_usage(&mut top);
        // Azure's first frame is about the prompt, and does not yet know the answer's name.
        self.begin(&mut top, !choices.is_empty(), out)?;
        self.note_extra(choices::rest(top));
        let list = Path::Member(&Path::Root, "choices");
        for (at, value) in choices.into_iter().enumerate() {
            self.choice(Object::of(value, Path::Item(&list, at))?, at, out)?;
            if self.over {
                break;
            }
        }
        Ok(())
    }

    fn begin(&mut self, top: &mut Object<'_>, answers: bool, out: &mut Vec<Event>) -> Result<(), BadField> {
        let id = top.string("id")?.unwrap_or_default();
        let model = top.string("model")?.unwrap_or_default();
        let (created, service_tier) = (choices::created(top), top.string("service_tier")?);
        if answers && !self.begun {
            self.begun = true;
            self.id.clone_from(&id);
            let mut extra = std::mem::take(&mut self.late);
            let more = std::mem::replace(top, Object::empty()).rest();
            extra.extend(choices::without_noise(more));
            self.extra = extra.clone();
            out.push(Event::Start { origin: HOME, id, model, created, service_tier, extra });
        }
        Ok(())
    }

    /// Groq has one under `x_groq`, Moonshot in the choice.
    fn note_usage(&mut self, top: &mut Object<'_>) {
        let usage = choices::usage(top);
        let groq = || top.peek("x_groq").and_then(|groq| groq.get("usage")).cloned();
        let usage = if usage.is_object() { Some(usage) } else { groq() };
        if let Some(usage) = usage.filter(Value::is_object) {
            self.usage = usage;
        }
    }

    fn note_extra(&mut self, rest: Extra) {
        for (name, value) in rest {
            if self.extra.get(&name) != Some(&value) {
                self.extra.insert(name.clone(), value.clone());
                self.late.insert(name, value);
            }
        }
    }

    fn choice(&mut self, mut object: Object<'_>, at: usize, out: &mut Vec<Event>) -> Result<(), BadField> {
        let index = object.count("index")?.map_or(at, |index| index as usize);
        if index >= choices::CHOICES_MAX {
            let expected = format!("less than {}", choices::CHOICES_MAX);
            return Err(Path::Member(&object.path, "index").bad(expected, index.to_string()));
        }
        // OpenRouter's, when the provider behind it fails.
        if let Some(error) = error(&mut object) {
            self.fail(fault::of_value(fault::status_within(&error), error), out);
            return Ok(());
        }
        if let Some(usage) = object.take("usage").filter(Value::is_object) {
            self.usage = usage;
        }
        while self.choices.len() <= index {
            self.choices.push(Choice::new(self.choices.len(), &self.id));
        }
        self.choices[index].chunk(object, out)
    }

    fn done(&mut self, out: &mut Vec<Event>) {
        if !self.begun {
            return self.fail(in_stream("the provider's stream has no answer"), out);
        }
        self.over = true;
        for choice in &mut self.choices {
            choice.end(out);
        }
        if !self.late.is_empty() {
            out.push(Event::Extra { choice: None, extra: std::mem::take(&mut self.late) });
        }
        if let Some(usage) = self.tally.usage() {
            out.push(Event::Usage(UsageReport { usage, raw: std::mem::take(&mut self.usage) }));
        }
        out.push(Event::Done);
    }
}

/// As an object, whole: that of the frame, or of the choice.
pub(super) fn error(object: &mut Object<'_>) -> Option<Value> {
    // vLLM says it with the kind of the object.
    if object.peek_str("object") == Some("error") {
        return Some(std::mem::replace(object, Object::empty()).into_value());
    }
    let error = object.take("error").filter(|error| *error != false && *error != "")?;
    Some(serde_json::json!({"error": error}))
}
