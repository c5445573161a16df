//! One choice of a stream, while it is being made.
//!
//! Enters: the choice's part of each frame. Leaves: the events of its blocks. Never: ends a block that may still grow: of calls, which may take
//! turns, that is one whose arguments are not yet complete JSON.

mod calls;

use serde_json::{Map, Value};

use super::super::{choices, finish, message, part, thought};
use crate::chat::{BadField, Block, Citation, Content, Delta, Event, Extra, Seal, Source};
use crate::dialect::object::{Object, Path};
use calls::Call;

#[derive(Debug)]
pub(super) struct Choice {
    number: u32,
    /// Makes ids for calls that have none.
    mark: String,
    next: u32,
    open: Open,
    calls: Vec<Call>,
    audio: Option<Audio>,
    /// For the next block, which had no place for it.
    seal: Option<Seal>,
    refused: bool,
    finish: Option<String>,
    stop_reason: Option<String>,
    extra: Extra,
}

/// The one block that grows by words.
#[derive(Debug)]
enum Open {
    Nothing,
    Text(u32),
    Refusal(u32),
    Thought(u32),
    /// The members of the entry so far, without its text.
    Entry(u32, Extra),
}

#[derive(Debug)]
struct Audio {
    block: u32,
    extra: Extra,
}

/// More are none that anybody means.
const BLOCKS_MAX: u32 = 4_096;

// === impl Choice ===

impl Choice {
    /// It has said why it stopped.
    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    pub(super) fn new(number: usize, mark: &str) -> Self {
        Self {
            number: number as u32,
            mark: mark.to_owned(),
            next: 0,
            open: Open::Nothing,
            calls: Vec::new(),
            audio: None,
            seal: None,
            refused: false,
            finish: None,
            stop_reason: None,
            extra: Extra::new(),
        }
    }

    pub(super) fn chunk(&mut self, mut object: Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let path = object.path;
        if let Some(delta) = object.take("delta") {
            self.delta(Object::of(delta, Path::Member(&path, "delta"))?, out)?;
        }
        if let Some(logprobs) = object.take("logprobs") {
            out.push(Event::Logprobs { choice: self.number, logprobs });
        }
        if let Some(reason) = object.string("finish_reason")?.filter(|reason| !reason.is_empty()) {
            self.finish = Some(reason);
        }
        if let Some(sequence) = choices::stop_reason(&mut object) {
            self.stop_reason = Some(sequence);
        }
        self.extra.extend(object.rest());
        Ok(())
    }

    fn delta(&mut self, mut delta: Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let path = delta.path;
        self.thoughts(&mut delta, out)?;
        match delta.take("content") {
            None => {}
            Some(Value::String(text)) => self.text(text, out),
            // Mistral's models that think.
            Some(value) => {
                for block in part::blocks(value, Path::Member(&path, "content"))? {
                    self.part(block, out);
                }
            }
        }
        if let Some(text) = delta.string("refusal")?.filter(|text| !text.is_empty()) {
            self.refusal(text, out);
        }
        for annotation in delta.array("annotations")?.unwrap_or_default() {
            self.citation(message::citation(annotation), out);
        }
        for (at, image) in delta.array("images")?.unwrap_or_default().into_iter().enumerate() {
            let list = Path::Member(&path, "images");
            let block = part::block(image, Path::Item(&list, at))?;
            self.whole(block, out);
        }
        if let Some(audio) = delta.object("audio")? {
            self.audio(audio, out);
        }
        self.tool_calls(&mut delta, out)?;
        // Some repeat the role as a name.
        ["role", "name"].iter().for_each(|name| drop(delta.take(name)));
        self.more(delta.rest());
        Ok(())
    }

    /// Members of the message that nobody knows.
    fn more(&mut self, rest: Extra) {
        if rest.is_empty() {
            return;
        }
        let held = self.extra.entry("message").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(held) = held {
            held.extend(rest);
        }
    }

    fn thoughts(&mut self, delta: &mut Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let path = delta.path;
        let plain = [delta.string("reasoning_content")?, delta.string("reasoning")?];
        let mut told = false;
        for name in ["reasoning_details", "thinking_blocks"] {
            for (at, value) in delta.array(name)?.unwrap_or_default().into_iter().enumerate() {
                let Value::Object(entry) = value else {
                    return Err(Path::Item(&Path::Member(&path, name), at).wrong("an object", &value));
                };
                told |= self.entry(entry, out);
            }
        }
        // The entries repeat the plain text.
        if let Some(text) = plain.into_iter().flatten().find(|text| !text.is_empty()).filter(|_| !told) {
            let block = match self.open {
                Open::Thought(block) | Open::Entry(block, _) => block,
                _ => {
                    let block = self.begin(Content::Reasoning { text: String::new(), summary: false }.into(), out);
                    self.open = Open::Thought(block);
                    block
                }
            };
            self.grow(block, Delta::Text(text), out);
        }
        Ok(())
    }

    /// Had the piece any text?
    fn entry(&mut self, mut piece: Extra, out: &mut Vec<Event>) -> bool {
        let continued = matches!(&self.open, Open::Entry(_, held) if thought::continues(held, &piece));
        let (text, summary) = thought::take_text(&mut piece);
        let told = !text.is_empty();
        // A signature alone ends a thought that was told as plain text.
        let seals_plain = !told && !piece.get("type").is_some_and(|kind| kind == "reasoning.encrypted");
        match &mut self.open {
            Open::Entry(_, held) if continued => thought::extend(held, piece),
            Open::Thought(block) if seals_plain => self.open = Open::Entry(*block, piece),
            _ => {
                if let Some(seal) = thought::seal(piece.clone()).filter(thought::is_for_next) {
                    self.seal = Some(thought::for_next(seal));
                    return told;
                }
                let block = self.begin(Content::Reasoning { text: String::new(), summary }.into(), out);
                self.open = Open::Entry(block, piece);
            }
        }
        if let Open::Entry(block, _) = self.open
            && told
        {
            self.grow(block, Delta::Text(text), out);
        }
        told
    }

    fn text(&mut self, text: String, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        let block = self.text_block(out);
        self.grow(block, Delta::Text(text), out);
    }

    fn text_block(&mut self, out: &mut Vec<Event>) -> u32 {
        if let Open::Text(block) = self.open {
            return block;
        }
        let block = self.begin(Block::text(""), out);
        self.open = Open::Text(block);
        block
    }

    fn refusal(&mut self, text: String, out: &mut Vec<Event>) {
        let block = match self.open {
            Open::Refusal(block) => block,
            _ => {
                let block = self.begin(Content::Refusal { text: String::new() }.into(), out);
                (self.open, self.refused) = (Open::Refusal(block), true);
                block
            }
        };
        self.grow(block, Delta::Text(text), out);
    }

    fn citation(&mut self, citation: Citation, out: &mut Vec<Event>) {
        let block = self.text_block(out);
        self.grow(block, Delta::Citation(citation), out);
    }

    /// A typed part of the content.
    fn part(&mut self, block: Block, out: &mut Vec<Event>) {
        match block.content {
            Content::Text { text, .. } => self.text(text, out),
            Content::Refusal { text } => self.refusal(text, out),
            Content::Reasoning { text, .. } => {
                if !matches!(self.open, Open::Thought(_)) {
                    let begun = self.begin(Content::Reasoning { text: String::new(), summary: false }.into(), out);
                    self.open = Open::Thought(begun);
                }
                if let Open::Thought(block) = self.open {
                    self.grow(block, Delta::Text(text), out);
                }
            }
            _ => self.whole(block, out),
        }
    }

    fn whole(&mut self, block: Block, out: &mut Vec<Event>) {
        let block = self.begin(block, out);
        self.close(block, out);
    }

    fn audio(&mut self, mut audio: Map<String, Value>, out: &mut Vec<Event>) {
        let data = match audio.remove("data") {
            Some(Value::String(data)) => data,
            _ => String::new(),
        };
        if self.audio.is_none() {
            let source = Source::Data { media_type: "audio/*".into(), base64: String::new() };
            let block = self.begin(Content::Audio { source }.into(), out);
            self.audio = Some(Audio { block, extra: Extra::new() });
        }
        let Some(held) = &mut self.audio else { return };
        for (name, value) in audio {
            match (held.extra.get_mut(&name), value) {
                (Some(Value::String(held)), Value::String(more)) if name == "transcript" => held.push_str(&more),
                (_, Value::Null) => {}
                (_, value) => drop(held.extra.insert(name, value)),
            }
        }
        let block = held.block;
        if !data.is_empty() {
            self.grow(block, Delta::Data(data), out);
        }
    }

    /// Ends what grew by words, and begins another block.
    fn begin(&mut self, mut head: Block, out: &mut Vec<Event>) -> u32 {
        self.end_words(out);
        if head.seal.is_none() && !matches!(head.content, Content::Reasoning { .. }) {
            head.seal = self.seal.take();
        }
        let block = self.next;
        if block < BLOCKS_MAX {
            self.next += 1;
            out.push(Event::Begin { choice: self.number, block, head });
        }
        block
    }

    fn end_words(&mut self, out: &mut Vec<Event>) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Text(block) | Open::Refusal(block) | Open::Thought(block) => self.close(block, out),
            Open::Entry(block, held) => {
                if let Some(seal) = thought::seal(held) {
                    self.grow(block, Delta::Seal(seal), out);
                }
                self.close(block, out);
            }
        }
    }

    fn grow(&self, block: u32, delta: Delta, out: &mut Vec<Event>) {
        if block < BLOCKS_MAX {
            out.push(Event::Delta { choice: self.number, block, delta });
        }
    }

    fn close(&self, block: u32, out: &mut Vec<Event>) {
        if block < BLOCKS_MAX {
            out.push(Event::End { choice: self.number, block });
        }
    }

    /// The stream has said it all.
    pub(super) fn end(&mut self, out: &mut Vec<Event>) {
        self.end_words(out);
        if let Some(Audio { block, extra }) = self.audio.take() {
            if !extra.is_empty() {
                self.grow(block, Delta::Extra(extra), out);
            }
            self.close(block, out);
        }
        for call in std::mem::take(&mut self.calls).into_iter().filter(|call| call.open) {
            self.close(call.block, out);
        }
        if !self.extra.is_empty() {
            out.push(Event::Extra { choice: Some(self.number), extra: std::mem::take(&mut self.extra) });
        }
        if let Some(raw) = self.finish.take() {
            let finish = finish::read(raw, self.stop_reason.take(), self.refused);
            out.push(Event::Finish { choice: self.number, finish });
        }
    }
}
