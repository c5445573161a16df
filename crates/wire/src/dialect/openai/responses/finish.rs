//! Why an answer ended: Responses' status and its details.
//!
//! Enters: words of one side. Leaves: those of the other. Never: a kind of end that reading would not give again, without a loss.

use crate::chat::{Content, Finish, FinishKind, Losses, Place};

const PLACE: Place = Place::Answer("finish");

const MAX_TOKENS: &str = "max_output_tokens";
const FILTER: &str = "content_filter";

/// What else there is in an answer that its status does not tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    calls: bool,
    refusal: bool,
}

/// `incomplete_details.reason` where the status is not `completed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) word: &'static str,
    pub(super) reason: Option<&'static str>,
}

const COMPLETED: Status = Status { word: "completed", reason: None };

// === impl Held ===

impl Held {
    pub(super) fn note(&mut self, content: &Content) {
        match content {
            Content::ToolUse { .. } => self.calls = true,
            Content::Refusal { .. } => self.refusal = true,
            _ => {}
        }
    }

    pub(super) fn of<'c>(contents: impl IntoIterator<Item = &'c Content>) -> Self {
        let mut held = Self::default();
        contents.into_iter().for_each(|content| held.note(content));
        held
    }
}

pub(super) fn read(status: &str, reason: Option<&str>, held: Held) -> Finish {
    let raw = reason.unwrap_or(status);
    let kind = match (status, reason) {
        ("completed", _) if held.calls => FinishKind::ToolUse,
        ("completed", _) if held.refusal => FinishKind::Refusal,
        ("completed", _) => FinishKind::Stop,
        (_, Some(MAX_TOKENS)) => FinishKind::Length,
        (_, Some(FILTER)) => FinishKind::Filter,
        _ => FinishKind::Other,
    };
    Finish::new(kind, raw)
}

pub(super) fn write(finish: Option<&Finish>, held: Held, losses: &mut Losses) -> Status {
    let Some(finish) = finish else { return COMPLETED };
    let status = match finish.kind {
        FinishKind::Length | FinishKind::ContextFull => Status { word: "incomplete", reason: Some(MAX_TOKENS) },
        FinishKind::Filter => Status { word: "incomplete", reason: Some(FILTER) },
        _ => COMPLETED,
    };
    if read(status.word, status.reason, held).kind != finish.kind {
        losses.approximated(PLACE, format!("{:?} became {}", finish.kind, status.reason.unwrap_or(status.word)));
    }
    if finish.stop_sequence.is_some() {
        losses.dropped(PLACE, "which stop sequence it was");
    }
    status
}
