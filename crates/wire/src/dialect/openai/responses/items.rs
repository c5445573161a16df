//! Items of the assistant: what stands in an answer's `output`, and in a later question's `input`.
//!
//! Enters: an item's JSON. Leaves: its blocks. Never: an item that was not understood without its JSON.

use serde_json::Value;

use super::{BOOKKEEPING, HOME, parts};
use crate::chat::{BadField, Block, CallKind, Content, Seal, Source};
use crate::dialect::object::{Object, Path};

/// Between the parts of one thought.
pub(super) const PART_BREAK: &str = "\n\n";

/// None for a reasoning item that shows nothing and seals nothing.
pub(super) fn read(item: Object<'_>, kind: &str) -> Result<Vec<Block>, BadField> {
    match kind {
        "message" => message(item),
        "function_call" => call(item, "arguments", CallKind::Function).map(|block| vec![block]),
        "custom_tool_call" => call(item, "input", CallKind::Custom).map(|block| vec![block]),
        "reasoning" => reasoning(item),
        "image_generation_call" if item.peek_str("result").is_some_and(|data| !data.is_empty()) => {
            Ok(vec![image(item)?])
        }
        _ => Ok(vec![Content::Opaque { origin: HOME, value: item.into_value() }.into()]),
    }
}

pub(super) fn forget_bookkeeping(item: &mut Object<'_>) {
    item.take("type");
    for name in BOOKKEEPING {
        item.take(name);
    }
}

fn message(mut item: Object<'_>) -> Result<Vec<Block>, BadField> {
    let content = item.take("content").unwrap_or_else(|| Value::Array(Vec::new()));
    parts::read_all(content, Path::Member(&item.path, "content"))
}

fn call(mut item: Object<'_>, input: &str, kind: CallKind) -> Result<Block, BadField> {
    let id = item.need_string("call_id")?;
    let name = item.need_string("name")?;
    let arguments = item.need_string(input)?;
    forget_bookkeeping(&mut item);
    Ok(Block { extra: item.rest(), ..Content::ToolUse { id, name, arguments, kind }.into() })
}

/// The summary and the thought itself are two blocks where there are both; the seal is on the last.
fn reasoning(mut item: Object<'_>) -> Result<Vec<Block>, BadField> {
    let id = item.string("id")?;
    let summary = joined(&mut item, "summary")?;
    let thought = joined(&mut item, "content")?;
    let seal = item.string("encrypted_content")?.filter(|data| !data.is_empty()).map(|data| seal(data, id));
    let texts = [(summary, true), (thought, false)];
    let mut blocks: Vec<Block> = texts
        .into_iter()
        .filter_map(|(text, summary)| Some(Content::Reasoning { text: text?, summary }.into()))
        .collect();
    if blocks.is_empty() && seal.is_some() {
        blocks.push(Content::Reasoning { text: String::new(), summary: false }.into());
    }
    let redacted =
        matches!(blocks.last(), Some(Block { content: Content::Reasoning { text, .. }, .. }) if text.is_empty());
    if let Some(last) = blocks.last_mut() {
        last.seal = seal.map(|seal| Seal { redacted: seal.redacted || (redacted && seal.origin == HOME), ..seal });
        forget_bookkeeping(&mut item);
        last.extra = item.rest();
    }
    Ok(blocks)
}

pub(super) fn seal(data: String, item: Option<String>) -> Seal {
    let seal = Seal::unpack(HOME, data);
    if seal.origin == HOME { Seal { id: item, ..seal } } else { seal }
}

/// The texts of a list of parts that are not empty. `None` when there are none.
fn joined(item: &mut Object<'_>, name: &str) -> Result<Option<String>, BadField> {
    let list = item.array(name)?.unwrap_or_default();
    let path = Path::Member(&item.path, name);
    let texts =
        list.into_iter().enumerate().map(|(at, part)| Object::of(part, Path::Item(&path, at))?.need_string("text"));
    let mut texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    texts.retain(|text| !text.is_empty());
    Ok(Some(texts.join(PART_BREAK)).filter(|text| !text.is_empty()))
}

fn image(mut item: Object<'_>) -> Result<Block, BadField> {
    let base64 = item.need_string("result")?;
    let format = item.string("output_format")?.unwrap_or_else(|| "png".into());
    let source = Source::Data { media_type: format!("image/{format}"), base64 };
    forget_bookkeeping(&mut item);
    Ok(Block { extra: item.rest(), ..Content::Image { source, detail: None }.into() })
}
