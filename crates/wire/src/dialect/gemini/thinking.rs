//! How much Google's models think: by level since the third generation, by budget before.
//!
//! Enters: `thinkingConfig`, or the form's wish. Leaves: the other of the two. Never: a level and a budget together, which is refused.
//!
//! <https://ai.google.dev/gemini-api/docs/thinking>: the figures are its tables'.

use serde_json::{Map, Value};

use super::names;
use crate::chat::{BadField, Effort, Extra, Field, Losses, Place, Reasoning, Request, budget_of, effort_of};
use crate::dialect::Dialect;
use crate::dialect::carry;
use crate::dialect::object::Path;

const PLACE: Place = Place::Setting(Field::Reasoning);

const LEVELS: [(&str, Effort); 4] =
    [("MINIMAL", Effort::Minimal), ("LOW", Effort::Low), ("MEDIUM", Effort::Medium), ("HIGH", Effort::High)];

/// Models that know budgets only: what their name begins with, the least and the most they may be told to think, and whether they may be told
/// not to.
const BUDGETS: [(&str, u64, u64, bool); 3] = [
    ("gemini-2.5-flash-lite", 512, 24_576, true),
    ("gemini-2.5-flash", 1, 24_576, true),
    ("gemini-2.5-pro", 128, 32_768, false),
];

pub(super) fn read(value: Value, path: Path<'_>, extra: &mut Extra) -> Result<Reasoning, BadField> {
    let mut config = names::open(value, path)?;
    let mut reasoning = Reasoning { shown: config.bool("includeThoughts")?, ..Reasoning::default() };
    match config.integer("thinkingBudget")? {
        None => {}
        Some(-1) => reasoning.dynamic = true,
        Some(budget) => {
            let budget = u64::try_from(budget);
            let bad = |_| Path::Member(&path, "thinkingBudget").bad("a number of tokens, or -1", "less than -1");
            reasoning.budget = Some(budget.map_err(bad)?);
        }
    }
    if let Some(word) = config.string("thinkingLevel")? {
        let level = LEVELS.iter().find(|(level, _)| word.eq_ignore_ascii_case(level));
        if level.is_none() && word != "THINKING_LEVEL_UNSPECIFIED" {
            let found = format!("{word:?}");
            return Err(Path::Member(&path, "thinkingLevel").bad("MINIMAL, LOW, MEDIUM or HIGH", found));
        }
        reasoning.effort = level.map(|(_, effort)| *effort);
    }
    carry::keep_rest("generationConfig.thinkingConfig", config.rest(), extra);
    Ok(reasoning)
}

pub(super) fn write(request: &Request, losses: &mut Losses) -> Option<Value> {
    let reasoning = request.settings.reasoning.as_ref()?;
    let mut config = Map::new();
    let shown = reasoning.shown.or(reasoning.summary.as_ref().map(|_| true));
    config.extend(shown.map(|shown| ("includeThoughts".to_owned(), shown.into())));
    if let Some(style) = reasoning.summary.as_deref() {
        losses.approximated(PLACE, if style == "auto" { "summaries are shown" } else { "summaries have one style" });
    }
    let name = family(&request.model);
    let budgets = BUDGETS.iter().find(|(prefix, ..)| name.starts_with(prefix));
    let (member, value) = match (reasoning, budgets) {
        (Reasoning { effort: Some(effort), budget: None, .. }, None) => {
            ("thinkingLevel", level(*effort, name, losses).into())
        }
        (Reasoning { effort: Some(effort), budget: None, .. }, Some(range)) => {
            losses.approximated(PLACE, "an effort, as a budget in tokens");
            ("thinkingBudget", clamped(budget_of(*effort), range, losses).into())
        }
        (Reasoning { budget: Some(budget), effort, .. }, range) => {
            if effort.is_some() {
                losses.dropped(PLACE, "effort: the target takes it or a budget, not both");
            }
            let own = request.origin == Dialect::Gemini;
            match range {
                Some(range) if !own => ("thinkingBudget", clamped(*budget, range, losses).into()),
                None if !own && takes_levels(name) => {
                    losses.approximated(PLACE, "a budget in tokens, as a level");
                    ("thinkingLevel", level(effort_of(*budget), name, losses).into())
                }
                _ => ("thinkingBudget", (*budget).into()),
            }
        }
        (Reasoning { dynamic: true, .. }, _) => ("thinkingBudget", (-1).into()),
        _ => return (!config.is_empty()).then_some(Value::Object(config)),
    };
    if reasoning.dynamic && value != -1 {
        losses.dropped(PLACE, "that the model decides: the target takes an amount or that, not both");
    }
    config.insert(member.to_owned(), value);
    Some(Value::Object(config))
}

fn level(effort: Effort, model: &str, losses: &mut Losses) -> &'static str {
    // The large models of this generation know no `minimal`.
    let least = if model.contains("-pro") { "LOW" } else { "MINIMAL" };
    let (word, exact) = match effort {
        Effort::None => (least, false),
        Effort::Minimal => (least, least == "MINIMAL"),
        Effort::Low => ("LOW", true),
        Effort::Medium => ("MEDIUM", true),
        Effort::High => ("HIGH", true),
        Effort::Higher | Effort::Max => ("HIGH", false),
    };
    if !exact {
        losses.approximated(PLACE, "the nearest level the target has");
    }
    word
}

fn clamped(budget: u64, (_, least, most, may_rest): &(&str, u64, u64, bool), losses: &mut Losses) -> u64 {
    if budget == 0 && *may_rest {
        return 0;
    }
    let within = budget.clamp(*least, *most);
    if within != budget {
        losses.clamped(PLACE, format!("{within} tokens: the model thinks {least} to {most}"));
    }
    within
}

/// The model's own name, without the path that Vertex puts before it.
fn family(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

/// `gemini-3...` and later. Names of no generation (`gemini-flash-latest`, a tuned model's) say nothing.
fn takes_levels(name: &str) -> bool {
    let generation = name.strip_prefix("gemini-").map(|rest| rest.split(['.', '-']).next().unwrap_or(rest));
    generation.and_then(|digits| digits.parse::<u32>().ok()).is_some_and(|generation| generation >= 3)
}

/// These refuse a call of the present turn that has no signature (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
pub(super) fn verifies_signatures(model: &str) -> bool {
    takes_levels(family(model))
}

/// Tool results of earlier models cannot hold images (<https://ai.google.dev/gemini-api/docs/function-calling#multimodal>).
pub(super) fn sees_results(model: &str) -> bool {
    !family(model).starts_with("gemini-2") && !family(model).starts_with("gemini-1")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(model: &str, reasoning: Reasoning) -> (String, usize) {
        let mut request = Request::new(Dialect::OpenaiChat);
        request.model = model.into();
        request.settings.reasoning = Some(reasoning);
        let mut losses = Losses::default();
        let config = write(&request, &mut losses).unwrap();
        (config.to_string(), losses.entries().len())
    }

    #[test]
    fn each_generation_is_told_in_its_own_way() {
        let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
        let budget = |budget| Reasoning { budget: Some(budget), ..Reasoning::default() };
        let cases = [
            ("gemini-3-flash-preview", effort(Effort::Minimal), r#"{"thinkingLevel":"MINIMAL"}"#, 0),
            ("google/gemini-3.1-pro", effort(Effort::None), r#"{"thinkingLevel":"LOW"}"#, 1),
            ("gemini-3-flash", effort(Effort::Max), r#"{"thinkingLevel":"HIGH"}"#, 1),
            ("gemini-3-flash", budget(8_000), r#"{"thinkingLevel":"MEDIUM"}"#, 1),
            ("gemini-2.5-flash", effort(Effort::High), r#"{"thinkingBudget":24576}"#, 1),
            ("gemini-2.5-flash", effort(Effort::None), r#"{"thinkingBudget":0}"#, 1),
            ("gemini-2.5-pro", budget(0), r#"{"thinkingBudget":128}"#, 1),
            ("gemini-2.5-pro", budget(4_096), r#"{"thinkingBudget":4096}"#, 0),
            ("gemini-2.5-flash-lite", budget(1), r#"{"thinkingBudget":512}"#, 1),
            ("gemini-2.5-pro", Reasoning { dynamic: true, ..Reasoning::default() }, r#"{"thinkingBudget":-1}"#, 0),
        ];
        for (model, reasoning, config, losses) in cases {
            assert_eq!(written(model, reasoning), (config.to_owned(), losses), "{model}");
        }
    }
}
