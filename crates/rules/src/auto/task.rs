//! What a request needs, and how hard it looks.
//!
//! Enters: the body of a chat completion or of a response. Leaves: a size, the senses it needs, a level, the turn it belongs to.
//! Never: understands a word of it: signs are counted, so that the same body always looks the same.

use serde_json::Value;

use crate::memory::Mark;

/// As elsewhere: four bytes a token.
const BYTES_PER_TOKEN: u64 = 4;
/// What an answer is taken to be when nothing limits it, and the most that a generous limit is believed.
const OUTPUT_TOKENS: u64 = 500;
const OUTPUT_TOKENS_MAX: u64 = 2_000;
const IMAGE_TOKENS: u64 = 1_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    pub input_tokens: u64,
    /// What is expected, for prices.
    pub output_tokens: u64,
    /// What is allowed, for context windows.
    pub output_tokens_max: u64,
    pub has_text: bool,
    pub images: bool,
    pub files: bool,
    pub audio: bool,
    pub tools: bool,
    pub level: Level,
    /// The same for a user's message and all the tool calls that follow it.
    pub turn: Option<String>,
}

/// How hard it looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Easy,
    #[default]
    Usual,
    Hard,
}

/// What was seen on the way through the messages.
#[derive(Default)]
struct Seen<'a> {
    text_bytes: u64,
    images: u64,
    files: bool,
    audio: bool,
    users: u64,
    last_user: Option<&'a Value>,
}

// === impl Task ===

impl Task {
    pub fn read(body: &Value) -> Self {
        let mut seen = Seen::default();
        for name in ["messages", "input"] {
            seen.messages(&body[name]);
        }
        seen.content(&body["instructions"]);
        let limit = ["max_completion_tokens", "max_tokens", "max_output_tokens"];
        let limit = limit.iter().find_map(|name| body[*name].as_u64());
        let tools = body["tools"].as_array().is_some_and(|tools| !tools.is_empty());
        let tool_bytes = if tools { body["tools"].to_string().len() as u64 } else { 0 };
        Self {
            input_tokens: (seen.text_bytes + tool_bytes).div_ceil(BYTES_PER_TOKEN) + seen.images * IMAGE_TOKENS,
            output_tokens: limit.map_or(OUTPUT_TOKENS, |limit| limit.min(OUTPUT_TOKENS_MAX)),
            output_tokens_max: limit.unwrap_or(OUTPUT_TOKENS),
            has_text: seen.text_bytes > 0,
            images: seen.images > 0,
            files: seen.files,
            audio: seen.audio,
            tools,
            level: level(body, &seen, tools),
            turn: seen.turn(),
        }
    }
}

/// Signs are added up: none is easy, three are hard.
fn level(body: &Value, seen: &Seen<'_>, tools: bool) -> Level {
    if seen.text_bytes == 0 {
        return Level::Usual;
    }
    let tokens = seen.text_bytes / BYTES_PER_TOKEN;
    let effort = body["reasoning_effort"].as_str().or(body["reasoning"]["effort"].as_str()).unwrap_or_default();
    let code = seen.last_user.is_some_and(|message| message.to_string().contains("```"));
    let signs = [
        (tokens > 2_000, 1),
        (tokens > 16_000, 1),
        (tools, 1),
        (code, 1),
        (seen.users > 6, 1),
        (effort == "medium", 1),
        (matches!(effort, "high" | "xhigh" | "max"), 3),
        (matches!(effort, "none" | "minimal" | "low"), -1),
    ];
    match signs.iter().filter(|(is_there, _)| *is_there).map(|(_, weight)| weight).sum::<i32>() {
        ..=0 => Level::Easy,
        1..=2 => Level::Usual,
        _ => Level::Hard,
    }
}

// === impl Seen ===

impl<'a> Seen<'a> {
    /// A list of messages, or one text.
    fn messages(&mut self, messages: &'a Value) {
        let items = match messages {
            Value::Array(items) => items.as_slice(),
            Value::String(_) => std::slice::from_ref(messages),
            _ => &[],
        };
        for item in items {
            if item.is_string() || item["role"] == "user" {
                self.users += 1;
                self.last_user = Some(item);
            }
            match item {
                Value::String(_) => self.content(item),
                _ => {
                    self.content(&item["content"]);
                    self.content(&item["output"]);
                    self.calls(item);
                }
            }
        }
    }

    fn content(&mut self, content: &Value) {
        match content {
            Value::String(text) => self.text_bytes += text.len() as u64,
            Value::Array(parts) => parts.iter().for_each(|part| self.part(part)),
            _ => {}
        }
    }

    fn part(&mut self, part: &Value) {
        match part["type"].as_str().unwrap_or_default() {
            "image_url" | "input_image" | "image" => self.images += 1,
            "file" | "input_file" => self.files = true,
            "input_audio" => self.audio = true,
            _ => self.text_bytes += part["text"].as_str().map_or(0, |text| text.len() as u64),
        }
    }

    fn calls(&mut self, message: &Value) {
        let arguments = message["arguments"].as_str().map_or(0, str::len);
        let calls = message["tool_calls"].as_array().map_or(&[][..], Vec::as_slice);
        let called =
            calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).map(str::len).sum::<usize>();
        self.text_bytes += (arguments + called) as u64;
    }

    /// How many messages the user has sent, and what the last one says: tool results change neither.
    fn turn(&self) -> Option<String> {
        let last = self.last_user?;
        let mark = Mark::of(&[&self.users.to_string(), &last.to_string()]);
        Some(format!("{:016x}", mark.draw()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user(text: &str) -> Value {
        json!({ "role": "user", "content": text })
    }

    #[test]
    fn chat_and_responses_look_the_same() {
        let chat = Task::read(&json!({ "messages": [
            { "role": "system", "content": "Be brief." }, user("What is in the picture?"),
        ], "max_tokens": 100 }));
        let text = Task::read(
            &json!({ "instructions": "Be brief.", "input": "What is in the picture?", "max_output_tokens": 100 }),
        );
        assert_eq!((chat.input_tokens, chat.output_tokens, chat.level), (8, 100, Level::Easy));
        assert_eq!(Task { turn: None, ..chat }, Task { turn: None, ..text });
        let parts = Task::read(&json!({ "input": [{ "role": "user", "content": [
            { "type": "input_text", "text": "Look" }, { "type": "input_image", "image_url": "data:," }, { "type": "input_file" }] }] }));
        assert_eq!((parts.images, parts.files, parts.audio, parts.input_tokens), (true, true, false, 1_001));
    }

    #[test]
    fn signs_make_a_level() {
        let long = "word ".repeat(2_000);
        for (body, level) in [
            (json!({ "messages": [user("Hi")] }), Level::Easy),
            (json!({ "messages": [user(&long)] }), Level::Usual),
            (json!({ "messages": [user("Fix ```code```")], "tools": [{}] }), Level::Usual),
            (json!({ "messages": [user(&(long.clone() + "```"))], "tools": [{}] }), Level::Hard),
            (json!({ "messages": [user(&long.repeat(8))], "tools": [{}] }), Level::Hard),
            (json!({ "messages": [user("Prove it")], "reasoning_effort": "high" }), Level::Hard),
            (json!({ "input": "Hi", "reasoning": { "effort": "medium" } }), Level::Usual),
            (json!({ "input": long, "reasoning": { "effort": "low" } }), Level::Easy),
            (json!({}), Level::Usual),
        ] {
            assert_eq!(Task::read(&body).level, level, "{}", &body.to_string()[..40.min(body.to_string().len())]);
        }
    }

    #[test]
    fn a_turn_lasts_until_the_user_speaks_again() {
        let mut messages = vec![user("Weather?")];
        let turn = |messages: &[Value]| Task::read(&json!({ "messages": messages })).turn;
        let first = turn(&messages);
        messages.push(json!({ "role": "assistant", "tool_calls": [{ "function": { "arguments": "{}" } }] }));
        messages.push(json!({ "role": "tool", "content": "Sunny" }));
        assert_eq!(turn(&messages), first);
        messages.push(json!({ "role": "assistant", "content": "Sunny." }));
        messages.push(user("Weather?"));
        assert_ne!(turn(&messages), first);
        assert_eq!(turn(&[]), None);
    }
}
