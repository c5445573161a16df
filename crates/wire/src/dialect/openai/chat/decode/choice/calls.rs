//! The calls of a choice, piece by piece.
//!
//! Enters: `tool_calls` of a delta. Leaves: the events of their blocks. Never: ends a call that may still grow: they may take turns.

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::super::super::tool;
use super::{BLOCKS_MAX, Choice};
use crate::chat::{BadField, CallKind, Content, Delta, Event};
use crate::dialect::object::{Object, Path};

#[derive(Debug)]
pub(super) struct Call {
    pub(super) index: u64,
    pub(super) id: String,
    pub(super) block: u32,
    pub(super) custom: bool,
    pub(super) arguments: String,
    pub(super) open: bool,
}

/// Arguments beyond this are not checked for completeness: their block ends with the answer.
const ARGUMENTS_BYTES_MAX: usize = 1 << 20;

// === impl Choice ===

impl Choice {
    pub(super) fn tool_calls(&mut self, delta: &mut Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let path = delta.path;
        let list = Path::Member(&path, "tool_calls");
        for (at, value) in delta.array("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
            self.tool_call(Object::of(value, Path::Item(&list, at))?, out)?;
        }
        if let Some(call) = delta.object("function_call")? {
            let call = serde_json::json!({"index": 0, "function": call});
            self.tool_call(Object::of(call, Path::Member(&path, "function_call"))?, out)?;
        }
        Ok(())
    }

    fn tool_call(&mut self, mut piece: Object<'_>, out: &mut Vec<Event>) -> Result<(), BadField> {
        let path = piece.path;
        let index = piece.count("index")?;
        let id = piece.string("id")?.unwrap_or_default();
        let custom = piece.peek("custom").is_some();
        let member = if custom { "custom" } else { "function" };
        let inner_at = Path::Member(&path, member);
        let inner = piece.take(member).unwrap_or_else(|| Value::Object(Map::new()));
        let mut inner = Object::of(inner, inner_at)?;
        let name = inner.string("name")?.unwrap_or_default();
        let arguments = match inner.take(if custom { "input" } else { "arguments" }) {
            Some(Value::String(text)) => text,
            Some(value @ Value::Object(_)) => value.to_string(),
            _ => String::new(),
        };
        let seal = piece.take("extra_content").and_then(tool::read_seal);
        piece.take("type");
        let at = match self.known_call(index, &id, &name) {
            Some(at) => at,
            None => self.begin_call(index, id, name, custom, out),
        };
        let Some(call) = self.calls.get_mut(at).filter(|call| call.open) else { return Ok(()) };
        if call.arguments.len() <= ARGUMENTS_BYTES_MAX {
            call.arguments.push_str(&arguments);
        }
        let block = call.block;
        if !arguments.is_empty() {
            self.grow(block, Delta::Arguments(arguments), out);
        }
        if let Some(seal) = seal {
            self.grow(block, Delta::Seal(seal), out);
        }
        let rest = piece.rest();
        if !rest.is_empty() {
            self.grow(block, Delta::Extra(rest), out);
        }
        Ok(())
    }

    /// Which call this piece belongs to. Some hosts give every call the number 0, or none, and tell them apart by their ids.
    fn known_call(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let fits = |call: &Call| id.is_empty() || name.is_empty() || call.id == id;
        match index {
            Some(index) => self.calls.iter().rposition(|call| call.index == index && fits(call)),
            None if id.is_empty() && name.is_empty() => self.calls.len().checked_sub(1),
            None => self.calls.iter().rposition(|call| !id.is_empty() && call.id == id),
        }
    }

    fn begin_call(
        &mut self,
        index: Option<u64>,
        id: String,
        name: String,
        custom: bool,
        out: &mut Vec<Event>,
    ) -> usize {
        let number = self.calls.len();
        self.end_complete_calls(out);
        let id = if id.is_empty() { tool::made_id(&self.mark, number) } else { id };
        let kind = if custom { CallKind::Custom } else { CallKind::Function };
        let head = Content::ToolUse { id: id.clone(), name, arguments: String::new(), kind };
        let block = self.begin(head.into(), out);
        self.calls.push(Call {
            index: index.unwrap_or(number as u64),
            id,
            block,
            custom,
            arguments: String::new(),
            open: block < BLOCKS_MAX,
        });
        number
    }

    /// A call whose arguments are complete JSON can only be done.
    fn end_complete_calls(&mut self, out: &mut Vec<Event>) {
        let mut done = Vec::new();
        for call in self.calls.iter_mut().filter(|call| call.open) {
            let complete = call.custom || serde_json::from_str::<IgnoredAny>(&call.arguments).is_ok();
            if complete && call.arguments.len() <= ARGUMENTS_BYTES_MAX {
                call.open = false;
                done.push(call.block);
            }
        }
        done.into_iter().for_each(|block| self.close(block, out));
    }
}
