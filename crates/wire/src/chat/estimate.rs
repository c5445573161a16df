//! How long a question is when nobody counts it.
//!
//! Enters: a request. Leaves: tokens, roughly. Never: a claim to be right: callers who ask for a count of a model that has no such call get this one, and
//! the documentation says how it is made.
//!
//! Text and JSON: four bytes a token, as for records without a count. A message or a tool: four tokens for what stands around it. A picture: 1,600 tokens,
//! what Anthropic charges for one of the largest size it does not shrink. A document: 2,000 tokens for every 100 KB begun, about a page each.

use super::{Block, Content, Request, Source, Tool, ToolKind};

const BYTES_PER_TOKEN: u64 = 4;
const TOKENS_AROUND: u64 = 4;
const IMAGE_TOKENS: u64 = 1_600;
const DOCUMENT_TOKENS: u64 = 2_000;
const DOCUMENT_BYTES: u64 = 100_000;

/// The input of a call, by the rule above.
pub fn input_tokens(request: &Request) -> u64 {
    let turns = request.turns.iter().map(|turn| TOKENS_AROUND + turn.blocks.iter().map(block).sum::<u64>());
    turns.chain(request.tools.iter().map(tool)).sum()
}

fn text(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES_PER_TOKEN)
}

fn block(block: &Block) -> u64 {
    match &block.content {
        Content::Text { text: said, .. } | Content::Refusal { text: said } | Content::Reasoning { text: said, .. } => {
            text(said.len())
        }
        Content::Image { .. } => IMAGE_TOKENS,
        Content::Audio { source } | Content::File { source, .. } => document(source),
        Content::ToolUse { name, arguments, .. } => TOKENS_AROUND + text(name.len() + arguments.len()),
        Content::ToolResult { blocks, .. } => TOKENS_AROUND + blocks.iter().map(self::block).sum::<u64>(),
        Content::Opaque { value, .. } => text(value.to_string().len()),
    }
}

fn document(source: &Source) -> u64 {
    match source {
        Source::Text { text: said } => text(said.len()),
        // Three bytes in four characters.
        Source::Data { base64, .. } => DOCUMENT_TOKENS * (base64.len() as u64 * 3 / 4).div_ceil(DOCUMENT_BYTES),
        Source::Url { .. } | Source::Id { .. } => DOCUMENT_TOKENS,
    }
}

fn tool(tool: &Tool) -> u64 {
    let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let bytes = match &tool.kind {
        ToolKind::Function { name, description, schema, .. } => {
            name.len() + optional(description) + schema.as_ref().map_or(0, |schema| schema.to_string().len())
        }
        ToolKind::Custom { name, description, format } => {
            name.len() + optional(description) + format.as_ref().map_or(0, |format| format.to_string().len())
        }
        ToolKind::Hosted { value, .. } => value.to_string().len(),
    };
    TOKENS_AROUND + text(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Role, Turn};
    use crate::dialect::Dialect;

    #[test]
    fn everything_that_is_read_is_counted() {
        let mut request = Request::new(Dialect::AnthropicMessages);
        assert_eq!(input_tokens(&request), 0);
        let mut turn = Turn::new(Role::User, 0);
        turn.blocks.push(Block::text("nine byte"));
        let data =
            |bytes: usize| Source::Data { media_type: "application/pdf".into(), base64: "A".repeat(bytes / 3 * 4) };
        turn.blocks.push(Content::Image { source: data(3), detail: None }.into());
        turn.blocks.push(Content::File { source: data(150_000), name: None }.into());
        request.turns.push(turn);
        assert_eq!(input_tokens(&request), 4 + 3 + 1_600 + 4_000);
    }
}
