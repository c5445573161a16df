//! Tools that take free text, where the provider's tools take JSON: as a function with one argument.
//!
//! Enters: a request for such a provider; later its answer. Leaves: the request with functions in the place of those tools; the answer with calls as the
//! caller knows them. Never: a call whose text cannot be found without what the model wrote instead.
//!
//! Codex edits files with such a tool, whose format is a grammar. A model that is not held to it is told of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Block, CallKind, Content, Delta, Event, Losses, Place, Request, Tool, ToolKind};

const ARGUMENT: &str = "input";

/// As much of one call as is kept until it is whole. A longer one is passed on as the model wrote it.
const CALL_BYTES_MAX: usize = 4 << 20;

/// The names of the tools that take free text.
pub fn names(request: &Request) -> Vec<String> {
    let name = |tool: &Tool| match &tool.kind {
        ToolKind::Custom { name, .. } => Some(name.clone()),
        _ => None,
    };
    request.tools.iter().filter_map(name).collect()
}

/// `None`: there is nothing to change.
pub(crate) fn lowered(request: &Request, losses: &mut Losses) -> Option<Request> {
    let is_call = |block: &Block| matches!(block.content, Content::ToolUse { kind: CallKind::Custom, .. });
    let is_called = request.turns.iter().flat_map(|turn| &turn.blocks).any(is_call);
    if names(request).is_empty() && !is_called {
        return None;
    }
    let mut lowered = request.clone();
    for (at, tool) in lowered.tools.iter_mut().enumerate() {
        if let ToolKind::Custom { name, description, format } = &tool.kind {
            losses.approximated(Place::Tool(at as u32), "free text became the argument `input` of a function");
            tool.kind = function(name, description.as_deref(), format.as_ref());
        }
    }
    for block in lowered.turns.iter_mut().flat_map(|turn| &mut turn.blocks) {
        if let Content::ToolUse { arguments, kind: kind @ CallKind::Custom, .. } = &mut block.content {
            *arguments = json!({ARGUMENT: arguments}).to_string();
            *kind = CallKind::Function;
        }
    }
    Some(lowered)
}

fn function(name: &str, description: Option<&str>, format: Option<&Value>) -> ToolKind {
    let grammar = format.and_then(grammar).map(|(syntax, definition)| {
        format!("The argument `{ARGUMENT}` is text that follows this {syntax} grammar:\n{definition}")
    });
    let said: Vec<&str> = description.into_iter().chain(grammar.as_deref()).collect();
    ToolKind::Function {
        name: name.to_owned(),
        description: (!said.is_empty()).then(|| said.join("\n\n")),
        schema: Some(json!({"type": "object", "properties": {ARGUMENT: {"type": "string"}}, "required": [ARGUMENT]})),
        strict: None,
    }
}

/// Its syntax and its definition; chat completions wrap them once more than Responses does.
fn grammar(format: &Value) -> Option<(&str, &str)> {
    let inner = format.get("grammar").unwrap_or(format);
    Some((inner.get("syntax")?.as_str()?, inner.get("definition")?.as_str()?))
}

/// What the model wrote into the one argument, or all it wrote.
fn text(arguments: String) -> String {
    let members: Result<Value, _> = serde_json::from_str(&arguments);
    match members.ok().and_then(|members| Some(members.get(ARGUMENT)?.as_str()?.to_owned())) {
        Some(text) => text,
        None => arguments,
    }
}

pub(crate) fn raise(answer: &mut Answer, names: &[String]) {
    for block in answer.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
        if let Content::ToolUse { name, arguments, kind, .. } = &mut block.content
            && names.contains(name)
        {
            *arguments = text(std::mem::take(arguments));
            *kind = CallKind::Custom;
        }
    }
}

/// The same for a stream. Such a call's arguments are told when they are whole.
#[derive(Debug, Default)]
pub(crate) struct Raise {
    names: Vec<String>,
    /// By choice and block.
    calls: BTreeMap<(u32, u32), String>,
}

// === impl Raise ===

impl Raise {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self { names, calls: BTreeMap::new() }
    }

    pub(crate) fn event(&mut self, event: Event, mut each: impl FnMut(Event)) {
        if self.names.is_empty() {
            return each(event);
        }
        match event {
            Event::Begin { choice, block, mut head } => {
                if let Content::ToolUse { name, arguments, kind, .. } = &mut head.content
                    && self.names.contains(name)
                {
                    *kind = CallKind::Custom;
                    self.calls.insert((choice, block), std::mem::take(arguments));
                }
                each(Event::Begin { choice, block, head });
            }
            Event::Delta { choice, block, delta: Delta::Arguments(more) } => match self.calls.get_mut(&(choice, block))
            {
                Some(call) if call.len() + more.len() <= CALL_BYTES_MAX => call.push_str(&more),
                Some(_) => {}
                None => each(Event::Delta { choice, block, delta: Delta::Arguments(more) }),
            },
            Event::End { choice, block } => {
                if let Some(call) = self.calls.remove(&(choice, block)) {
                    each(Event::Delta { choice, block, delta: Delta::Arguments(text(call)) });
                }
                each(Event::End { choice, block });
            }
            other => each(other),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chat::{Fold, unfold};
    use crate::dialect::Dialect;

    fn call(name: &str, arguments: &str, kind: CallKind) -> Block {
        Content::ToolUse { id: "call_1".into(), name: name.into(), arguments: arguments.into(), kind }.into()
    }

    #[test]
    fn a_grammar_is_told_and_a_call_wrapped() {
        let mut request = Request::new(Dialect::OpenaiResponses);
        let format = json!({"type": "grammar", "syntax": "lark", "definition": "start: \"x\""});
        let kind = ToolKind::Custom { name: "patch".into(), description: Some("Edits.".into()), format: Some(format) };
        request.tools.push(Tool { kind, cache: None, extra: Default::default() });
        let mut turn = crate::chat::Turn::new(crate::chat::Role::Assistant, 0);
        turn.blocks.push(call("patch", "*** \"Begin\"", CallKind::Custom));
        request.turns.push(turn);
        let mut losses = Losses::default();
        let lowered = lowered(&request, &mut losses).unwrap();
        assert_eq!(losses.entries().len(), 1);
        let ToolKind::Function { description, .. } = &lowered.tools[0].kind else { panic!("{:?}", lowered.tools) };
        let expected = "Edits.\n\nThe argument `input` is text that follows this lark grammar:\nstart: \"x\"";
        assert_eq!(description.as_deref(), Some(expected));
        let expected = call("patch", r#"{"input":"*** \"Begin\""}"#, CallKind::Function);
        assert_eq!(lowered.turns[0].blocks, [expected]);
        assert_eq!(names(&request), ["patch"]);
        assert_eq!(super::lowered(&Request::new(Dialect::Gemini), &mut losses), None);
    }

    #[test]
    fn a_call_is_unwrapped_whole_and_streamed() {
        let names = vec!["patch".to_owned()];
        let mut answer = Answer::new(Dialect::Gemini);
        let blocks = vec![
            call("patch", r#"{"input":"*** \"Begin\""}"#, CallKind::Function),
            call("other", r#"{"input":"x"}"#, CallKind::Function),
            call("patch", "not JSON", CallKind::Function),
        ];
        answer.choices.push(crate::chat::Choice { blocks, ..Default::default() });
        let (mut fold, mut raise_events) = (Fold::new(Dialect::Gemini), Raise::new(names.clone()));
        unfold(answer.clone()).into_iter().for_each(|event| raise_events.event(event, |event| fold.push(event)));
        raise(&mut answer, &names);
        let expected = [
            call("patch", "*** \"Begin\"", CallKind::Custom),
            call("other", r#"{"input":"x"}"#, CallKind::Function),
            call("patch", "not JSON", CallKind::Custom),
        ];
        assert_eq!(answer.choices[0].blocks, expected);
        assert_eq!(fold.finish().unwrap(), answer);
    }
}
