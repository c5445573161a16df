//! Reads a request to `generateContent`, as a caller of AI Studio or Vertex writes it.
//!
//! Enters: a body. Leaves: the form. Never: a model or the wish for a stream: these stand in the path.

use serde_json::Value;

use super::names;
use super::parts;
use super::{schema, settings};
use crate::chat::{BadField, Block, Content, Extra, Place, Request, Role, Tool, ToolKind, Turn};
use crate::dialect::Dialect;
use crate::dialect::calls::Calls;
use crate::dialect::object::{Object, Path, root};

/// The beginning of the conversation, which Google keeps.
const CACHED: &str = "cachedContent";

pub(super) fn request(body: &[u8]) -> Result<Request, BadField> {
    let mut top = names::open(root(body)?.into_value(), Path::Root)?;
    let mut request = Request::new(Dialect::Gemini);
    if let Some(name) = top.string("model")? {
        request.model = name.strip_prefix("models/").map_or(name.clone(), str::to_owned);
    }
    request.turns.extend(system(&mut top)?);
    conversation(&mut top, &mut request.turns)?;
    let path = Path::Member(&Path::Root, "tools");
    for (at, value) in names::list(&mut top, "tools")?.unwrap_or_default().into_iter().enumerate() {
        tools(value, Path::Item(&path, at), &mut request.tools)?;
    }
    settings::read(&mut top, &mut request)?;
    request.extra.extend(top.rest());
    if request.extra.contains_key(CACHED) {
        request.kept.push(Place::Extra(CACHED.to_owned()));
    }
    Ok(request)
}

fn system(top: &mut Object<'_>) -> Result<Option<Turn>, BadField> {
    let path = Path::Member(&Path::Root, "systemInstruction");
    match top.take("systemInstruction") {
        None => Ok(None),
        Some(Value::String(text)) => {
            let mut turn = Turn::new(Role::System, 0);
            turn.at = Turn::OUTSIDE;
            turn.blocks.push(Block::text(text));
            Ok(Some(turn))
        }
        Some(value) => {
            let mut turn = content(value, path, 0, &mut parts::calls())?;
            (turn.role, turn.at) = (Role::System, Turn::OUTSIDE);
            Ok(Some(turn))
        }
    }
}

fn conversation(top: &mut Object<'_>, turns: &mut Vec<Turn>) -> Result<(), BadField> {
    let path = Path::Member(&Path::Root, "contents");
    let contents = names::list(top, "contents")?.ok_or_else(|| path.missing("an array"))?;
    if contents.is_empty() {
        return Err(path.bad("at least one content", "an empty array"));
    }
    let mut calls = parts::calls();
    for (at, value) in contents.into_iter().enumerate() {
        turns.push(content(value, Path::Item(&path, at), at, &mut calls)?);
    }
    Ok(())
}

fn content(value: Value, path: Path<'_>, at: usize, calls: &mut Calls) -> Result<Turn, BadField> {
    let mut content = names::open(value, path)?;
    let role = match content.string("role")?.as_deref() {
        None | Some("" | "user" | "function" | "tool") => Role::User,
        Some("model") => Role::Assistant,
        Some("system") => Role::System,
        Some(other) => return Err(Path::Member(&path, "role").bad("user, model or function", format!("{other:?}"))),
    };
    let mut turn = Turn::new(role, at);
    let parts = names::list(&mut content, "parts")?.unwrap_or_default();
    let parts_path = Path::Member(&path, "parts");
    for (at, part) in parts.into_iter().enumerate() {
        add(&mut turn.blocks, parts::read(part, Path::Item(&parts_path, at), calls)?);
    }
    turn.extra = content.rest();
    Ok(turn)
}

/// A caller who collected a stream sends its pieces back one by one. Thoughts that another provider sealed must be whole again before it sees
/// them: their seal, which came last, is of all of them.
pub(super) fn add(blocks: &mut Vec<Block>, block: Block) {
    if let Some(last) = blocks.last_mut()
        && let (Content::Reasoning { text, .. }, Content::Reasoning { text: more, .. }) =
            (&mut last.content, &block.content)
        && last.seal.is_none()
        && continues(more, &block)
    {
        text.push_str(more);
        last.seal = block.seal;
        return;
    }
    blocks.push(block);
}

/// Google's own seals are of the part they stand on, whose text must stay its own.
pub(super) fn continues(text: &str, block: &Block) -> bool {
    match &block.seal {
        None => true,
        Some(seal) => text.is_empty() && seal.origin != Dialect::Gemini && !seal.redacted,
    }
}

/// One entry is a list of functions, or some things that run at Google.
fn tools(value: Value, path: Path<'_>, tools: &mut Vec<Tool>) -> Result<(), BadField> {
    let mut entry = names::open(value, path)?;
    let functions = Path::Member(&path, "functionDeclarations");
    for (at, value) in names::list(&mut entry, "functionDeclarations")?.unwrap_or_default().into_iter().enumerate() {
        tools.push(function(value, Path::Item(&functions, at))?);
    }
    for (name, value) in entry.rest() {
        let value = Value::Object([(name.clone(), value)].into_iter().collect());
        let kind = ToolKind::Hosted { origin: Dialect::Gemini, name, value };
        tools.push(Tool { kind, cache: None, extra: Extra::new() });
    }
    Ok(())
}

fn function(value: Value, path: Path<'_>) -> Result<Tool, BadField> {
    let mut function = names::open(value, path)?;
    let name = function.need_string("name")?;
    let description = function.string("description")?;
    let whole = function.object("parametersJsonSchema")?.map(Value::Object);
    let subset = function.object("parameters")?.map(|schema| schema::from_openapi(Value::Object(schema)));
    let kind = ToolKind::Function { name, description, schema: whole.or(subset), strict: None };
    Ok(Tool { kind, cache: None, extra: function.rest() })
}
