//! What of an answer must be the same in every dialect.
//!
//! Enters: an answer. Leaves: its text, tool calls, reasoning, finish and usage, and in what two of them differ. Never: compares ids, names of models or
//! the order of what dialects keep apart.

use tollgate_model::Usage;
use tollgate_wire::chat::{Answer, Block, Content, FinishKind};

#[derive(Debug, PartialEq)]
pub(super) struct Essence {
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Debug, Default, PartialEq)]
struct Choice {
    text: String,
    refusal: String,
    reasoning: String,
    /// Name and arguments.
    calls: Vec<(String, String)>,
    finish: Option<FinishKind>,
}

// === impl Essence ===

impl Essence {
    pub(super) fn of(answer: &Answer) -> Self {
        let choices = answer.choices.iter().map(|choice| {
            let mut essence = Choice::default();
            choice.blocks.iter().for_each(|block| essence.add(block));
            essence.finish = choice.finish.as_ref().map(|finish| finish.kind);
            essence
        });
        Self { choices: choices.collect(), usage: answer.usage.as_ref().map(|report| report.usage.clone()) }
    }

    /// What differs, a word each with the two values shortened.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, had: String, have: String| {
            if had != have {
                found.push(format!("{what}: {} became {}", short(&had), short(&have)));
            }
        };
        compare("choices", self.choices.len().to_string(), other.choices.len().to_string());
        for (had, have) in self.choices.iter().zip(&other.choices) {
            compare("text", had.text.clone(), have.text.clone());
            compare("refusal", had.refusal.clone(), have.refusal.clone());
            compare("reasoning", had.reasoning.clone(), have.reasoning.clone());
            compare("tool calls", format!("{:?}", had.calls), format!("{:?}", have.calls));
            compare("finish", format!("{:?}", had.finish), format!("{:?}", have.finish));
        }
        compare("usage", format!("{:?}", self.usage), format!("{:?}", other.usage));
        found
    }
}

fn short(text: &str) -> String {
    const CHARS_MAX: usize = 160;
    let mut start: String = text.chars().take(CHARS_MAX).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        start.push('…');
    }
    format!("{start:?}")
}

// === impl Choice ===

impl Choice {
    fn add(&mut self, block: &Block) {
        match &block.content {
            Content::Text { text, .. } => self.text.push_str(text),
            Content::Refusal { text } => self.refusal.push_str(text),
            Content::Reasoning { text, .. } => self.reasoning.push_str(text),
            Content::ToolUse { name, arguments, .. } => {
                let compact = serde_json::from_str::<serde_json::Value>(arguments).map(|value| value.to_string());
                self.calls.push((name.clone(), compact.unwrap_or_else(|_| arguments.clone())));
            }
            _ => {}
        }
    }
}
