//! What the model says: an echo, a tool call, or a value that fits a schema. Always the same for the same request.
//!
//! Enters: an `Ask` and the dials. Leaves: one `Speech` for each answer wanted, and the tokens counted.
//! Never: writes JSON of any API: the surfaces do.

mod pieces;

use std::collections::HashSet;

use serde_json::Value;

use crate::ask::{Ask, Choice, Form, Last, Tool};
use crate::dials::Dials;
use crate::schema;

pub(crate) use pieces::{pieces, tokens};

/// The echo quotes this much of what was said.
const QUOTE_LETTERS_MAX: usize = 500;
/// Stop sequences looked for.
const STOPS_MAX: usize = 64;
/// Tools called in one answer.
const CALLS_MAX: usize = 8;
/// Answers to one request (OpenAI's own limit for `n`).
pub(crate) const ANSWERS_MAX: u64 = 128;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Speech {
    /// Empty when tools are called.
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) finish: Finish,
    pub(crate) tokens: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    /// This stop sequence was met.
    Sequence(String),
    Length,
    Calls,
}

/// What is charged for one request, all answers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All input, cached or not.
    pub(crate) input: u64,
    pub(crate) cached: u64,
    /// All output, reasoning included.
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

/// One speech for each answer that was asked for.
pub(crate) fn speak(ask: &Ask, dials: &Dials) -> Vec<Speech> {
    let count = ask.answers.clamp(1, ANSWERS_MAX);
    (0..count).map(|number| one(ask, dials, number)).collect()
}

pub(crate) fn tally(ask: &Ask, dials: &Dials, speeches: &[Speech]) -> Tally {
    let input = dials.input.map_or(ask.input_tokens, u64::from);
    let reasoning = u64::from(dials.reasoning);
    let said: u64 = speeches.iter().map(|speech| speech.tokens).sum();
    Tally { input, cached: input.min(dials.cached.into()), output: said + reasoning, reasoning }
}

fn one(ask: &Ask, dials: &Dials, number: u64) -> Speech {
    let calls = calls(ask);
    if calls.is_empty() {
        return shorten(text(ask, dials, number), ask);
    }
    let tokens = calls.iter().map(|call| tokens(&call.name) + tokens(&call.arguments.to_string())).sum();
    Speech { text: String::new(), calls, finish: Finish::Calls, tokens }
}

fn calls(ask: &Ask) -> Vec<Call> {
    // A tool's result is answered in words even when a call is demanded: agents would run in circles.
    let Last::Said(said) = &ask.last else { return Vec::new() };
    let called: Vec<&Tool> = match &ask.choice {
        Choice::Never => Vec::new(),
        Choice::Named(name) => ask.tools.iter().filter(|tool| tool.name == *name).collect(),
        Choice::Always => Some(mentioned(&ask.tools, said))
            .filter(|tools| !tools.is_empty())
            .unwrap_or_else(|| ask.tools.iter().take(1).collect()),
        Choice::Auto => mentioned(&ask.tools, said),
    };
    let make = |tool: &Tool| Call { name: tool.name.clone(), arguments: schema::sample(&tool.schema) };
    called.into_iter().take(CALLS_MAX).map(make).collect()
}

/// The tools whose name is a word of the text; for "use the tool", the first.
fn mentioned<'a>(tools: &'a [Tool], said: &str) -> Vec<&'a Tool> {
    let said = said.to_lowercase();
    let words: HashSet<&str> = said.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).collect();
    let named: Vec<&Tool> = tools.iter().filter(|tool| words.contains(tool.name.to_lowercase().as_str())).collect();
    if named.is_empty() && said.contains("use the tool") {
        return tools.iter().take(1).collect();
    }
    named
}

fn text(ask: &Ask, dials: &Dials, number: u64) -> String {
    let plain = match (&ask.form, &ask.last) {
        (Form::Schema(schema), _) => return schema::sample(schema).to_string(),
        (Form::Json, Last::Said(said) | Last::ToolGave(said)) => {
            return serde_json::json!({ "you_said": quote(said) }).to_string();
        }
        (Form::Prose, Last::Said(said)) => format!("You said: \"{}\".", quote(said)),
        (Form::Prose, Last::ToolGave(gave)) => format!("The tool said: \"{}\".", quote(gave)),
    };
    let numbered = if number > 0 { format!("Answer {}. ", number + 1) } else { String::new() };
    let whole = format!("{numbered}{plain} This is Tollgate's sandbox, which answers without a model.");
    match dials.tokens.or(dials.chunks.filter(|chunks| u64::from(*chunks) > tokens(&whole))) {
        Some(count) => repeat(&whole, count),
        None => whole,
    }
}

/// The words of the text again and again until there are this many tokens.
fn repeat(text: &str, count: u32) -> String {
    // Words that count as several tokens would miss the number.
    let words = text.split_whitespace().filter(|word| tokens(word) == 1);
    words.cycle().take(count as usize).collect::<Vec<_>>().join(" ")
}

fn quote(said: &str) -> String {
    let said = said.trim();
    let mut quoted: String = said.chars().take(QUOTE_LETTERS_MAX).collect();
    if quoted.len() < said.len() {
        quoted.push('…');
    }
    quoted
}

/// Ends the text where the caller wanted it to end.
fn shorten(mut text: String, ask: &Ask) -> Speech {
    let mut finish = Finish::Stop;
    let stops = ask.stops.iter().take(STOPS_MAX).filter(|stop| !stop.is_empty());
    if let Some((at, stop)) = stops.filter_map(|stop| text.find(stop.as_str()).map(|at| (at, stop))).min() {
        text.truncate(at);
        finish = Finish::Sequence(stop.clone());
    }
    if let Some(end) = ask.tokens_max.and_then(|most| pieces::end_of_tokens(&text, most)) {
        text.truncate(end);
        finish = Finish::Length;
    }
    Speech { tokens: tokens(&text), text, calls: Vec::new(), finish }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(text: &str) -> Ask {
        Ask { last: Last::Said(text.to_owned()), ..Ask::default() }
    }

    fn offering(text: &str, names: &[&str], choice: Choice) -> Ask {
        let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let tools = names.iter().map(|name| Tool { name: (*name).to_owned(), schema: schema.clone() }).collect();
        Ask { tools, choice, ..said(text) }
    }

    fn spoken(ask: &Ask, dials: &str) -> Speech {
        let mut turned = Dials::default();
        turned.turn(dials).expect("good dials");
        one(ask, &turned, 0)
    }

    #[test]
    fn an_echo_by_default() {
        let speech = spoken(&said("Hello"), "");
        assert_eq!(speech.text, "You said: \"Hello\". This is Tollgate's sandbox, which answers without a model.");
        assert_eq!((speech.tokens, speech.finish), (12, Finish::Stop));
    }

    #[test]
    fn tools_are_called_when_demanded_or_mentioned() {
        let names = ["get_weather", "get_time"];
        for (text, choice, called) in [
            ("Hello", Choice::Auto, &[][..]),
            ("Please use the tool.", Choice::Auto, &["get_weather"]),
            ("Ask get_time and GET_WEATHER!", Choice::Auto, &["get_weather", "get_time"]),
            ("Ask get_time", Choice::Never, &[]),
            ("Hello", Choice::Always, &["get_weather"]),
            ("Ask get_time", Choice::Always, &["get_time"]),
            ("Hello", Choice::Named("get_time".to_owned()), &["get_time"]),
        ] {
            let speech = spoken(&offering(text, &names, choice.clone()), "");
            let names: Vec<&str> = speech.calls.iter().map(|call| call.name.as_str()).collect();
            assert_eq!(names, called, "{text} {choice:?}");
        }
    }

    #[test]
    fn a_tools_result_is_quoted_even_when_a_call_is_demanded() {
        let ask = Ask { last: Last::ToolGave("21 degrees".to_owned()), ..offering("", &["t"], Choice::Always) };
        let speech = spoken(&ask, "");
        assert!(speech.text.starts_with("The tool said: \"21 degrees\"."), "{}", speech.text);
    }

    #[test]
    fn lengths_are_met_exactly() {
        for (dials, tokens) in [("tokens=0", 0), ("tokens=3", 3), ("tokens=1000", 1000), ("chunks=100", 100)] {
            assert_eq!(spoken(&said("Hello"), dials).tokens, tokens, "{dials}");
        }
        let ask = Ask { tokens_max: Some(2), ..said("Hello") };
        assert_eq!((spoken(&ask, "").text.as_str(), spoken(&ask, "").finish), ("You said:", Finish::Length));
        let ask = Ask { stops: vec!["sandbox".to_owned(), "This".to_owned()], ..said("Hello") };
        let speech = spoken(&ask, "");
        assert_eq!(
            (speech.text.as_str(), speech.finish),
            ("You said: \"Hello\". ", Finish::Sequence("This".to_owned()))
        );
    }

    #[test]
    fn a_tally_counts_every_answer_once() {
        let ask = Ask { answers: 2, input_tokens: 7, ..said("Hi") };
        let mut dials = Dials::default();
        dials.turn("cached=100,reasoning=5").expect("good dials");
        let speeches = speak(&ask, &dials);
        assert_eq!(tally(&ask, &dials, &speeches), Tally { input: 7, cached: 7, output: 12 + 14 + 5, reasoning: 5 });
    }
}
