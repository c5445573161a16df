//! Follows a stream's items from their first word to their last.
//!
//! Enters: the events that are about one item. Leaves: its blocks. Never: text twice: what was heard in pieces is not taken again from where it is
//! whole.

use serde_json::Value;

use super::super::{annotations, answer, fault::broken, items, take};
use super::progress::{Open, Progress, Slot};
use super::{Decoder, Outcome, Piece, bad};
use crate::chat::{BadField, Block, Content, Delta, Event};
use crate::dialect::object::{Object, Path};

/// As many items at a time as are followed: nothing that means well has more open.
const ITEMS_MAX: usize = 4_096;

impl Decoder {
    fn progress(&mut self, output_index: u64) -> Outcome<&mut Progress> {
        if self.items.len() >= ITEMS_MAX && !self.items.contains_key(&output_index) {
            return Err(Box::new(broken("the provider began more items than can be followed")));
        }
        Ok(self.items.entry(output_index).or_default())
    }

    /// The block at this place, begun if it was not. A call cannot begin so: its name would be missing.
    fn opened(&mut self, at: u64, slot: Slot, out: &mut Vec<Event>) -> Outcome<Option<&mut Open>> {
        if self.progress(at)?.open(slot).is_none() {
            let Some(content) = slot.blank() else { return Ok(None) };
            self.begin(at, slot, content.into(), out)?;
        }
        Ok(self.progress(at)?.open(slot))
    }

    fn begin(&mut self, at: u64, slot: Slot, head: Block, out: &mut Vec<Event>) -> Outcome {
        let block = self.next_block(&head.content);
        self.progress(at)?.begin(slot, block, &head.content);
        out.push(Event::Begin { choice: 0, block, head });
        Ok(())
    }

    fn next_block(&mut self, content: &Content) -> u32 {
        self.held.note(content);
        self.blocks += 1;
        self.blocks - 1
    }

    pub(super) fn piece(
        &mut self,
        slot: fn(u64) -> Slot,
        piece: Piece,
        delta: fn(String) -> Delta,
        out: &mut Vec<Event>,
    ) -> Outcome {
        let Piece { output_index, delta: mut text, logprobs, .. } = piece;
        let part = piece.content_index.max(piece.summary_index);
        if let Some(logprobs) = logprobs.filter(|logprobs| !logprobs.is_empty()) {
            self.progress(output_index)?.logprobs = true;
            out.extend(answer::in_chat(logprobs).map(|logprobs| Event::Logprobs { choice: 0, logprobs }));
        }
        if text.is_empty() {
            return Ok(());
        }
        let Some(open) = self.opened(output_index, slot(part), out)? else { return Ok(()) };
        if open.next_part(part) {
            text.insert_str(0, items::PART_BREAK);
        }
        open.bytes += text.len();
        out.push(Event::Delta { choice: 0, block: open.block, delta: delta(text) });
        Ok(())
    }

    /// The whole of it, for hosts that sent no pieces.
    pub(super) fn rest(
        &mut self,
        slot: fn(u64) -> Slot,
        piece: Piece,
        delta: fn(String) -> Delta,
        out: &mut Vec<Event>,
    ) -> Outcome {
        let heard =
            self.progress(piece.output_index)?.open(slot(piece.content_index)).is_some_and(|open| open.bytes > 0);
        if heard {
            return Ok(());
        }
        let Piece { output_index, content_index, text, refusal, arguments, input, .. } = piece;
        let all = [text, refusal, arguments, input].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        self.piece(slot, Piece { output_index, content_index, delta: all, ..Piece::default() }, delta, out)
    }

    pub(super) fn part_added(&mut self, mut event: Value, out: &mut Vec<Event>) -> Outcome {
        let (at, content_index) = (number(&event, "output_index"), number(&event, "content_index"));
        let part = take(&mut event, "part");
        let slot = match part["type"].as_str() {
            Some("output_text") => Slot::text(content_index),
            Some("refusal") => Slot::refusal(content_index),
            // Thoughts begin with their first piece.
            _ => return Ok(()),
        };
        if self.progress(at)?.open(slot).is_some() {
            return Ok(());
        }
        let Some(mut content) = slot.blank() else { return Ok(()) };
        if let (Content::Text { text, .. }, Some(begun)) = (&mut content, part["text"].as_str()) {
            *text = begun.to_owned();
        }
        self.begin(at, slot, content.into(), out)
    }

    pub(super) fn part_done(&mut self, event: Value, out: &mut Vec<Event>) -> Outcome {
        let (at, content_index) = (number(&event, "output_index"), number(&event, "content_index"));
        let progress = self.progress(at)?;
        for slot in [Slot::text(content_index), Slot::refusal(content_index)] {
            out.extend(progress.end(slot).map(|block| Event::End { choice: 0, block }));
        }
        Ok(())
    }

    pub(super) fn annotation(&mut self, mut event: Value, out: &mut Vec<Event>) -> Outcome {
        let slot = Slot::text(number(&event, "content_index"));
        let at = number(&event, "output_index");
        let citation = annotations::read(take(&mut event, "annotation"), Path::Root).map_err(bad)?;
        if let Some(open) = self.opened(at, slot, out)? {
            out.push(Event::Delta { choice: 0, block: open.block, delta: Delta::Citation(citation) });
        }
        Ok(())
    }

    /// Calls have their name here. Whatever else it is will be known by its parts, or when it is done.
    pub(super) fn item_added(&mut self, mut event: Value, out: &mut Vec<Event>) -> Outcome {
        let at = number(&event, "output_index");
        let item = take(&mut event, "item");
        if !matches!(item["type"].as_str(), Some("function_call" | "custom_tool_call")) {
            return Ok(());
        }
        match (read_item(item).ok().and_then(|mut blocks| blocks.pop()), self.progress(at)?.is_begun()) {
            (Some(head), false) => self.begin(at, Slot::call(0), head, out),
            _ => Ok(()),
        }
    }

    pub(super) fn item_done(&mut self, mut event: Value, out: &mut Vec<Event>) -> Outcome {
        let at = number(&event, "output_index");
        let progress = self.items.remove(&at).unwrap_or_default();
        let item = take(&mut event, "item");
        if !progress.logprobs {
            let logprobs = answer::logprobs(&Value::Array(vec![item.clone()]));
            out.extend(answer::in_chat(logprobs).map(|logprobs| Event::Logprobs { choice: 0, logprobs }));
        }
        let blocks = read_item(item).map_err(bad)?;
        if progress.is_begun() {
            progress.close(blocks.into_iter().last(), out);
        } else {
            self.whole(blocks, out);
        }
        Ok(())
    }

    pub(super) fn whole(&mut self, blocks: Vec<Block>, out: &mut Vec<Event>) {
        for head in blocks {
            let block = self.next_block(&head.content);
            out.push(Event::Begin { choice: 0, block, head });
            out.push(Event::End { choice: 0, block });
        }
    }
}

fn number(event: &Value, name: &str) -> u64 {
    event[name].as_u64().unwrap_or(0)
}

fn read_item(item: Value) -> Result<Vec<Block>, BadField> {
    let kind = item["type"].as_str().unwrap_or_default().to_owned();
    items::read(Object::of(item, Path::Root)?, &kind)
}
