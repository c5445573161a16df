//! Reads a stream of Ollama's `/api/chat`: lines, each a partial answer.
//!
//! Enters: lines. Leaves: events. Never: a success before a line says `done`.

use serde_json::{Value, json};

use super::{answer, fault, read};
use crate::chat::{BadField, Block, Content, Delta, Event, Fault, UsageReport};
use crate::dialect::calls::Calls;
use crate::dialect::chat::Decode;
use crate::dialect::fault::{broken_off, in_stream};
use crate::dialect::object::{Object, Path, root};
use crate::dialect::{Dialect, moment};
use crate::frame::Frame;
use crate::watch::Tally;

pub(super) struct Decoder {
    tally: Tally,
    started: bool,
    over: bool,
    calls: Calls,
    called: bool,
    blocks: u32,
    /// A text that later lines may go on with; is it a thought?
    open: Option<(u32, bool)>,
}

// === impl Decoder ===

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            tally: Tally::new(Dialect::OllamaChat),
            started: false,
            over: false,
            calls: answer::calls(""),
            called: false,
            blocks: 0,
            open: None,
        }
    }

    fn line(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), BadField> {
        let mut line = root(data)?;
        if line.peek("error").is_some() {
            self.fail(fault::read(500, data), out);
            return Ok(());
        }
        let model = line.string("model")?.unwrap_or_default();
        let created = line.string("created_at")?.unwrap_or_default();
        let done = line.bool("done")?.unwrap_or(false);
        let reason = line.string("done_reason")?;
        let message = line.take("message");
        let logprobs = line.take("logprobs");
        let raw = answer::metrics(&mut line);
        self.start(model, &created, line, out);
        if let Some(message) = message {
            let mut message = Object::of(message, Path::Member(&Path::Root, "message"))?;
            for block in read::blocks(&mut message, &mut self.calls)? {
                self.block(block, out);
            }
        }
        let logprobs = logprobs.map(|tokens| json!({"content": tokens}));
        out.extend(logprobs.map(|logprobs| Event::Logprobs { choice: 0, logprobs }));
        if done {
            self.finish(reason, raw, out);
        }
        Ok(())
    }

    fn start(&mut self, model: String, created: &str, line: Object<'_>, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.calls = answer::calls(created);
        out.push(Event::Start {
            origin: Dialect::OllamaChat,
            id: String::new(),
            model,
            created: moment::read(created),
            service_tier: None,
            extra: line.rest(),
        });
    }

    fn block(&mut self, mut block: Block, out: &mut Vec<Event>) {
        let (thought, text) = match &mut block.content {
            Content::Text { text, .. } => (false, std::mem::take(text)),
            Content::Reasoning { text, .. } => (true, std::mem::take(text)),
            _ => {
                self.called |= matches!(block.content, Content::ToolUse { .. });
                let number = self.begin(block, out);
                out.push(Event::End { choice: 0, block: number });
                return;
            }
        };
        let seal = block.seal.take();
        let number = match self.open {
            Some((number, kind)) if kind == thought => number,
            _ => {
                let number = self.begin(block, out);
                self.open = Some((number, thought));
                number
            }
        };
        let mut delta = |delta| out.push(Event::Delta { choice: 0, block: number, delta });
        if !text.is_empty() {
            delta(Delta::Text(text));
        }
        if let Some(seal) = seal {
            delta(Delta::Seal(seal));
        }
    }

    fn begin(&mut self, head: Block, out: &mut Vec<Event>) -> u32 {
        self.close(out);
        let block = self.blocks;
        self.blocks += 1;
        out.push(Event::Begin { choice: 0, block, head });
        block
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.open.take().map(|(block, _)| Event::End { choice: 0, block }));
    }

    fn finish(&mut self, reason: Option<String>, raw: Value, out: &mut Vec<Event>) {
        self.over = true;
        self.close(out);
        out.extend(self.tally.usage().map(|usage| Event::Usage(UsageReport { usage, raw })));
        let finish = reason.map(|raw| answer::finish(raw, self.called));
        out.extend(finish.map(|finish| Event::Finish { choice: 0, finish }));
        out.push(Event::Done);
    }

    fn fail(&mut self, fault: Fault, out: &mut Vec<Event>) {
        self.over = true;
        out.push(Event::Fault(fault));
    }
}

impl Decode for Decoder {
    fn frame(&mut self, frame: Frame<'_>, out: &mut Vec<Event>) {
        if self.over {
            return;
        }
        self.tally.frame(frame);
        let read = match frame {
            Frame::Whole { data, .. } => self.line(data, out),
            Frame::Fault { data, .. } => return self.fail(fault::read(500, data), out),
            Frame::Tail { .. } | Frame::Broken => Err(Path::Root.bad("a line", "a frame that cannot be read")),
        };
        if let Err(bad) = read {
            let message = format!("the provider's stream is not in its dialect: {bad}");
            self.fail(in_stream(&message), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if !self.over {
            self.fail(broken_off(), out);
        }
    }
}
