//! How hard the model may think, and how much it may write.
//!
//! Enters: effort or budget, and what the model takes. Leaves: `thinking`, `output_config.effort`, `max_tokens`. Never: a budget that the API would refuse.
//!
//! Manual thinking asks for at least 1,024 tokens and fewer than `max_tokens`, for no forced tool, and for the thought before the last round of tools.

use serde_json::{Value, json};

use super::super::model::Claude;
use crate::chat::{Effort, Field, Losses, Place, Reasoning, Request, ToolChoice, budget_of, effort_of};
use crate::dialect::Dialect;

pub(in crate::dialect) struct Thinking {
    pub(in crate::dialect) thinking: Option<Value>,
    pub(in crate::dialect) effort: Option<&'static str>,
    pub(in crate::dialect) max_tokens: u64,
}

const BUDGET_MIN: u64 = 1_024;

/// `home`: whose words are left as they are.
pub(in crate::dialect) fn of(
    request: &Request,
    home: Dialect,
    model: Claude,
    thinks: bool,
    losses: &mut Losses,
) -> Thinking {
    let limit = request.settings.max_tokens;
    let Some(reasoning) = &request.settings.reasoning else {
        let max_tokens = limit.unwrap_or_else(|| model.max_tokens());
        return Thinking { thinking: None, effort: None, max_tokens };
    };
    let mut told = match request.origin == home {
        true => own(reasoning),
        false => fitted(request, reasoning, model, losses),
    };
    told.max_tokens = limit.unwrap_or_else(|| model.max_tokens() + told.budget());
    if told.budget() > 0 && !thinks {
        told.thinking = None;
        losses.dropped(place(), "the last round of tools was begun without a thought of this provider");
    }
    told
}

fn place() -> Place {
    Place::Setting(Field::Reasoning)
}

/// As it was said.
fn own(reasoning: &Reasoning) -> Thinking {
    let thinking = match reasoning.budget {
        _ if reasoning.dynamic => Some(json!({ "type": "adaptive" })),
        Some(0) => Some(json!({ "type": "disabled" })),
        Some(budget) => Some(enabled(budget)),
        None => None,
    };
    let effort = reasoning.effort.map(Effort::name);
    Thinking { thinking: shown(thinking, reasoning.shown), effort, max_tokens: 0 }
}

fn enabled(budget: u64) -> Value {
    json!({ "type": "enabled", "budget_tokens": budget })
}

fn shown(thinking: Option<Value>, shown: Option<bool>) -> Option<Value> {
    let mut thinking = thinking?;
    if let (Some(shown), Value::Object(members)) = (shown, &mut thinking) {
        members.insert("display".into(), if shown { "summarized" } else { "omitted" }.into());
    }
    Some(thinking)
}

fn fitted(request: &Request, reasoning: &Reasoning, model: Claude, losses: &mut Losses) -> Thinking {
    let nothing = Thinking { thinking: None, effort: None, max_tokens: 0 };
    let wanted = reasoning.budget.or_else(|| reasoning.effort.map(budget_of));
    if wanted == Some(0) && !reasoning.dynamic {
        return Thinking { thinking: Some(json!({ "type": "disabled" })), ..nothing };
    }
    if model.takes_adaptive() && (reasoning.budget.is_none() || !model.takes_budget()) {
        return adaptive(reasoning, model, losses);
    }
    let Some(wanted) = wanted.or_else(|| reasoning.dynamic.then(|| budget_of(Effort::Medium))) else {
        // Only how thoughts are shown was said, and they are.
        return nothing;
    };
    let Some(budget) = allowed(request, wanted, losses) else { return nothing };
    if budget == wanted && reasoning.budget.is_none() {
        losses.approximated(place(), format!("a budget of {budget} tokens"));
    } else if budget != wanted {
        losses.clamped(place(), format!("a budget of {budget} tokens"));
    }
    if reasoning.shown == Some(false) {
        losses.approximated(place(), "thoughts are shown");
    }
    note_summary(reasoning, losses);
    Thinking { thinking: Some(enabled(budget)), ..nothing }
}

/// As much of the budget as the rest of the request leaves room for.
fn allowed(request: &Request, wanted: u64, losses: &mut Losses) -> Option<u64> {
    if matches!(request.settings.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_))) {
        losses.dropped(place(), "the model cannot both think and be made to use a tool");
        return None;
    }
    let most = request.settings.max_tokens.map_or(u64::MAX, |limit| limit.saturating_sub(1));
    if most < BUDGET_MIN {
        losses.dropped(place(), "max_tokens leaves no room for thought");
        return None;
    }
    Some(wanted.clamp(BUDGET_MIN, most))
}

fn adaptive(reasoning: &Reasoning, model: Claude, losses: &mut Losses) -> Thinking {
    let effort = reasoning.effort.or_else(|| reasoning.budget.map(effort_of));
    if reasoning.budget.is_some() {
        losses.approximated(place(), "an effort for the budget");
    }
    let told = effort.map(|effort| match effort {
        Effort::None | Effort::Minimal => Effort::Low,
        Effort::Higher if !model.takes_xhigh() => Effort::High,
        other => other,
    });
    if told != effort {
        losses.approximated(place(), format!("effort {}", told.map_or("", Effort::name)));
    }
    note_summary(reasoning, losses);
    let is_shown = reasoning.shown.or(reasoning.summary.is_some().then_some(true));
    let thinking = shown(Some(json!({ "type": "adaptive" })), is_shown);
    Thinking { thinking, effort: told.map(Effort::name), max_tokens: 0 }
}

/// Summaries have one length here.
fn note_summary(reasoning: &Reasoning, losses: &mut Losses) {
    if reasoning.summary.as_deref().is_some_and(|summary| summary != "auto") {
        losses.approximated(place(), "summaries of thoughts are as long as they are");
    }
}

// === impl Thinking ===

impl Thinking {
    /// In tokens; 0 when the model is left to decide.
    pub(in crate::dialect) fn budget(&self) -> u64 {
        self.thinking.as_ref().and_then(|thinking| thinking.get("budget_tokens")?.as_u64()).unwrap_or(0)
    }

    /// Sampling is bound while the model thinks.
    pub(in crate::dialect) fn is_on(&self) -> bool {
        let kind = self.thinking.as_ref().and_then(|thinking| thinking.get("type")?.as_str());
        matches!(kind, Some("enabled" | "adaptive"))
    }
}
