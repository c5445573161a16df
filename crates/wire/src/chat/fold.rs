//! From events to the answer they add up to, and back.
//!
//! Enters: events, in the order `event.rs` promises. Leaves: an answer. Never: panics on an order that breaks the promise: such events are
//! left out.

use serde_json::Value;

use super::{Answer, Block, Choice, Content, Delta, Event, Fault, Source};
use crate::dialect::Dialect;

/// Collects a stream.
#[derive(Debug)]
pub struct Fold {
    answer: Answer,
    done: bool,
    fault: Option<Fault>,
}

/// As many choices and blocks of one answer as are kept: nothing that means well has more.
const CHOICES_MAX: usize = 128;
const BLOCKS_MAX: usize = 4_096;

// === impl Fold ===

impl Fold {
    pub fn new(origin: Dialect) -> Self {
        Self { answer: Answer::new(origin), done: false, fault: None }
    }

    pub fn push(&mut self, event: Event) {
        match event {
            Event::Start { origin, id, model, created, service_tier, extra } => {
                self.answer.origin = origin;
                self.answer.id = id;
                self.answer.model = model;
                self.answer.created = created;
                self.answer.service_tier = service_tier;
                self.answer.extra = extra;
            }
            Event::Begin { choice, block, head } => {
                if let Some(choice) = self.choice(choice)
                    && choice.blocks.len() == block as usize
                    && choice.blocks.len() < BLOCKS_MAX
                {
                    choice.blocks.push(head);
                }
            }
            Event::Delta { choice, block, delta } => {
                if let Some(block) = self.choice(choice).and_then(|choice| choice.blocks.get_mut(block as usize)) {
                    add(block, delta);
                }
            }
            Event::End { .. } => {}
            Event::Logprobs { choice, logprobs } => {
                if let Some(choice) = self.choice(choice) {
                    append(choice.logprobs.get_or_insert(Value::Null), logprobs);
                }
            }
            Event::Finish { choice, finish } => {
                if let Some(choice) = self.choice(choice) {
                    choice.finish = Some(finish);
                }
            }
            Event::Usage(usage) => self.answer.usage = Some(usage),
            Event::Extra { choice: None, extra } => self.answer.extra.extend(extra),
            Event::Extra { choice: Some(choice), extra } => {
                if let Some(choice) = self.choice(choice) {
                    choice.extra.extend(extra);
                }
            }
            Event::Done => self.done = true,
            Event::Fault(fault) => self.fault = Some(fault),
        }
    }

    fn choice(&mut self, index: u32) -> Option<&mut Choice> {
        let index = index as usize;
        if index >= CHOICES_MAX {
            return None;
        }
        if self.answer.choices.len() <= index {
            self.answer.choices.resize_with(index + 1, Choice::default);
        }
        self.answer.choices.get_mut(index)
    }

    /// The answer, if the stream came to its own end.
    pub fn finish(self) -> Result<Answer, Option<Box<Fault>>> {
        match self.fault {
            None if self.done => Ok(self.answer),
            fault => Err(fault.map(Box::new)),
        }
    }

    /// What there is of it.
    pub fn so_far(&self) -> &Answer {
        &self.answer
    }
}

fn add(block: &mut Block, delta: Delta) {
    match (delta, &mut block.content) {
        (
            Delta::Text(piece),
            Content::Text { text, .. } | Content::Refusal { text } | Content::Reasoning { text, .. },
        )
        | (Delta::Arguments(piece), Content::ToolUse { arguments: text, .. }) => text.push_str(&piece),
        (Delta::Citation(citation), Content::Text { citations, .. }) => citations.push(citation),
        (
            Delta::Data(piece),
            Content::Audio { source: Source::Data { base64, .. }, .. }
            | Content::Image { source: Source::Data { base64, .. }, .. },
        ) => base64.push_str(&piece),
        (Delta::Seal(seal), _) => block.seal = Some(seal),
        (Delta::Extra(extra), _) => block.extra.extend(extra),
        _ => {}
    }
}

/// Arrays grow, objects are joined member by member, anything else is replaced.
fn append(held: &mut Value, later: Value) {
    match (held, later) {
        (Value::Array(held), Value::Array(later)) => held.extend(later),
        (Value::Object(held), Value::Object(later)) => {
            for (name, value) in later {
                append(held.entry(name).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (held, later) => *held = later,
    }
}

/// The events of an answer that came whole, each block in one piece.
pub fn unfold(answer: Answer) -> Vec<Event> {
    let Answer { origin, id, model, created, choices, usage, service_tier, extra } = answer;
    let mut events = vec![Event::Start { origin, id, model, created, service_tier, extra }];
    for (index, Choice { blocks, finish, logprobs, extra }) in choices.into_iter().enumerate() {
        let choice = index as u32;
        for (block, head) in blocks.into_iter().enumerate() {
            let block = block as u32;
            events.push(Event::Begin { choice, block, head });
            events.push(Event::End { choice, block });
        }
        events.extend(logprobs.map(|logprobs| Event::Logprobs { choice, logprobs }));
        if !extra.is_empty() {
            events.push(Event::Extra { choice: Some(choice), extra });
        }
        events.extend(finish.map(|finish| Event::Finish { choice, finish }));
    }
    events.extend(usage.map(Event::Usage));
    events.push(Event::Done);
    events
}
