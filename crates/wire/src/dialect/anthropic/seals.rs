//! Seals where Anthropic has no place for them: beside a block that is no thought.
//!
//! Enters: blocks. Leaves: the same, their seals in empty thoughts before or after them, or back where they were. Never: touches a seal of Anthropic's own.
//!
//! Gemini seals tool calls and texts. Clients of this dialect keep thinking blocks as they are, so such a seal travels in one without a thought: directly
//! before its block, or after it where a stream told of the seal when the block had begun.

use serde_json::{Value, json};

use super::messages::HOME;
use crate::chat::{Block, Content, Seal};

pub(super) const NEXT: &str = "next";
pub(super) const PREVIOUS: &str = "previous";

/// The signature of an empty thought that stands for the seal of the block beside it.
pub(super) fn beside(seal: &Seal, side: &str) -> String {
    Seal { id: Some(seal.id.clone().unwrap_or_else(|| side.to_owned())), ..seal.clone() }.pack(HOME)
}

pub(super) fn thinking(text: &str, signature: &str) -> Value {
    json!({ "type": "thinking", "thinking": text, "signature": signature })
}

pub(super) fn is_reasoning(block: &Block) -> bool {
    matches!(block.content, Content::Reasoning { .. })
}

/// The side on which the sealed block is, when this is such a seal.
pub(super) fn side(seal: &Seal) -> Option<&str> {
    let side = seal.id.as_deref().filter(|_| seal.origin != HOME)?;
    matches!(side, NEXT | PREVIOUS).then_some(side)
}

/// Seals back on the blocks they belong to.
pub(super) fn settled(blocks: Vec<Block>) -> Vec<Block> {
    let mut settled: Vec<Block> = Vec::with_capacity(blocks.len());
    let mut waiting: Option<Block> = None;
    for mut block in blocks {
        match carried(&block) {
            Some(NEXT) => {
                settled.extend(waiting.replace(block));
                continue;
            }
            Some(_) if settled.last().is_some_and(|last| last.seal.is_none()) => {
                if let Some(last) = settled.last_mut() {
                    last.seal = block.seal.take().map(unmarked);
                }
                continue;
            }
            _ => {}
        }
        if let Some(mut carrier) = waiting.take() {
            match block.seal {
                None => block.seal = carrier.seal.take().map(unmarked),
                Some(_) => settled.push(carrier),
            }
        }
        settled.push(block);
    }
    settled.extend(waiting);
    settled
}

fn carried(block: &Block) -> Option<&str> {
    match &block.content {
        Content::Reasoning { text, .. } if text.is_empty() => side(block.seal.as_ref()?),
        _ => None,
    }
}

pub(super) fn unmarked(seal: Seal) -> Seal {
    Seal { id: None, ..seal }
}
