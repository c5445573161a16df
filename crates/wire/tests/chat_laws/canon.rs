//! What must be equal: the values, without what a dialect is free to spell in its own way.

use tollgate_wire::chat::{Answer, Block, Content, Request, Role, ToolChoice, ToolKind, Turn};

/// Adjacent turns of a role are one, developer's instructions are system text, nobody remembers where something stood or whose words it was in.
pub(crate) fn request(request: &Request) -> Request {
    let mut canon = request.clone();
    // What everybody does anyway may be said or not, and tools are not strict unless somebody says so.
    let origin = request.origin.chat();
    canon.extra.retain(|name, value| !origin.is_some_and(|origin| origin.is_moot(name, value)));
    for tool in &mut canon.tools {
        if let ToolKind::Function { strict, .. } = &mut tool.kind {
            *strict = strict.filter(|strict| *strict);
        }
    }
    canon.origin = tollgate_wire::dialect::Dialect::Raw;
    canon.settings.stream_usage = None;
    // What everybody does who is not told otherwise.
    canon.settings.tool_choice.take_if(|choice| *choice == ToolChoice::Auto);
    // No tools are not used one at a time.
    canon.settings.parallel_tools.take_if(|_| canon.settings.tool_choice == Some(ToolChoice::None));
    let mut turns: Vec<Turn> = Vec::new();
    for mut turn in std::mem::take(&mut canon.turns) {
        turn.at = 0;
        if turn.role == Role::Developer {
            turn.role = Role::System;
        }
        turn.blocks.iter_mut().for_each(block);
        match turns.last_mut() {
            Some(last) if last.role == turn.role => last.blocks.append(&mut turn.blocks),
            _ if turn.blocks.is_empty() => {}
            _ => turns.push(turn),
        }
    }
    canon.turns = turns;
    canon
}

fn block(block: &mut Block) {
    match &mut block.content {
        // Only some dialects repeat the name of the tool.
        Content::ToolResult { name, blocks, .. } => {
            *name = None;
            blocks.iter_mut().for_each(self::block);
        }
        Content::ToolUse { arguments, .. } => *arguments = compact(arguments),
        // Few dialects say whether a thought is a summary of one.
        Content::Reasoning { summary, .. } => *summary = false,
        _ => {}
    }
}

fn compact(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json).map_or_else(|_| json.to_owned(), |value| value.to_string())
}

/// Ids and names of the model are bookkeeping; the finish is its kind; the count is its classes.
pub(crate) fn answer(answer: &Answer) -> Answer {
    let mut canon = answer.clone();
    canon.origin = tollgate_wire::dialect::Dialect::Raw;
    canon.id.clear();
    canon.model.clear();
    canon.created = None;
    canon.extra.clear();
    for choice in &mut canon.choices {
        choice.extra.clear();
        if let Some(finish) = &mut choice.finish {
            finish.raw.clear();
        }
        for held in &mut choice.blocks {
            held.extra.clear();
            if let Content::Text { citations, .. } = &mut held.content {
                for citation in citations {
                    citation.origin = tollgate_wire::dialect::Dialect::Raw;
                    citation.raw = serde_json::Value::Null;
                }
            }
            if let Some(seal) = &mut held.seal {
                seal.id = None;
            }
            block(held);
        }
    }
    if let Some(usage) = &mut canon.usage {
        usage.raw = serde_json::Value::Null;
    }
    canon
}

/// What was said, and why it ended.
pub(crate) fn choices(answer: &Answer) -> Vec<tollgate_wire::chat::Choice> {
    self::answer(answer).choices
}
