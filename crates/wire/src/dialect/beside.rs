//! Seals where a dialect has no place for them: beside a block that is no thought.
//!
//! Enters: blocks. Leaves: the same, with their seals in empty thoughts before or after them, or back where they were. Never: touches a seal of the home
//! dialect's own.
//!
//! Gemini seals tool calls and texts; Anthropic and Bedrock have a place on thoughts alone. Clients keep thoughts as they are, so such a seal travels in
//! one that is empty: directly before its block, or after it where a stream told of the seal when the block had begun.

use super::Dialect;
use crate::chat::{Block, Content, Seal};

pub(crate) const NEXT: &str = "next";
pub(crate) const PREVIOUS: &str = "previous";

/// The seal of an empty thought that stands for the seal of the block beside it.
pub(crate) fn marked(seal: &Seal, side: &str) -> Seal {
    Seal { id: Some(seal.id.clone().unwrap_or_else(|| side.to_owned())), ..seal.clone() }
}

pub(crate) fn unmarked(seal: Seal) -> Seal {
    Seal { id: None, ..seal }
}

pub(crate) fn is_reasoning(block: &Block) -> bool {
    matches!(block.content, Content::Reasoning { .. })
}

/// On which side the sealed block is, when this is such a seal.
pub(crate) fn side(home: Dialect, seal: &Seal) -> Option<&'static str> {
    let side = seal.id.as_deref().filter(|_| seal.origin != home)?;
    [NEXT, PREVIOUS].into_iter().find(|known| *known == side)
}

/// Seals back on the blocks they belong to.
pub(crate) fn settled(home: Dialect, blocks: Vec<Block>) -> Vec<Block> {
    let mut settled: Vec<Block> = Vec::with_capacity(blocks.len());
    let mut waiting: Option<Block> = None;
    for mut block in blocks {
        match (carried(home, &block), settled.last_mut()) {
            (Some(NEXT), _) => {
                settled.extend(waiting.replace(block));
                continue;
            }
            (Some(_), Some(last)) if last.seal.is_none() => {
                last.seal = block.seal.take().map(unmarked);
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

fn carried(home: Dialect, block: &Block) -> Option<&'static str> {
    match &block.content {
        Content::Reasoning { text, .. } if text.is_empty() => side(home, block.seal.as_ref()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thought(seal: Seal) -> Block {
        Block::from(Content::Reasoning { text: String::new(), summary: false }).sealed(Some(seal))
    }

    #[test]
    fn seals_return_to_their_blocks() {
        let (home, origin) = (Dialect::AnthropicMessages, Dialect::Gemini);
        let (one, two) = (Seal::new(origin, "b25l"), Seal::new(origin, "dHdv"));
        let blocks = vec![
            Block::text("a"),
            thought(marked(&one, PREVIOUS)),
            thought(marked(&two, NEXT)),
            Block::text("b"),
            thought(Seal::new(home, "b3du")),
        ];
        let sealed = |text: &str, seal: Seal| Block::text(text).sealed(Some(seal));
        let expected = vec![sealed("a", one), sealed("b", two), thought(Seal::new(home, "b3du"))];
        assert_eq!(settled(home, blocks), expected);
    }

    #[test]
    fn a_seal_whose_block_is_gone_is_kept() {
        let home = Dialect::AnthropicMessages;
        for side in [NEXT, PREVIOUS] {
            let blocks = vec![thought(marked(&Seal::new(Dialect::Gemini, "b25l"), side))];
            assert_eq!(settled(home, blocks.clone()), blocks);
        }
    }
}
