//! The members of evaluations and their types, as data.
//!
//! Enters: nothing. Leaves: shapes for the OpenAPI document and for reading a body. Never: is what writes an answer.

use crate::dataset::DATASET;
use crate::shape::Presence::{Optional, Required};
use crate::shape::{Member, Presence, Shape};

const fn row(name: &'static str, shape: Shape, presence: Presence, doc: &'static str) -> Member {
    Member::of(name, shape, presence, doc)
}

const IDS: Shape = Shape::Some(&Shape::List { of: &Shape::TEXT, max: 32 });
const NAME: Member = row("name", Shape::Text { min: 1, max: 128 }, Required, "Unique in its gateway.");
const CREATED: Member = row("created_at", Shape::Time, Required, "When it was made.");
const MODIFIED: Member = row("modified_at", Shape::Time, Required, "When it changed last.");

pub(crate) static NEW_MEMBERS: &[Member] = &[
    NAME,
    row("dataset_ids", IDS, Required, "Records that belong to any of them are evaluated, each once."),
    row("evaluation_type_ids", IDS, Required, "Which evaluators; see evaluation-types."),
];
pub(crate) static NEW: Shape = Shape::Named("NewEvaluation", &Shape::Parts(&[NEW_MEMBERS]));

pub(crate) static EVALUATION: Shape = Shape::Named(
    "Evaluation",
    &Shape::Object(&[
        row("id", Shape::TEXT, Required, "Made up; never changes."),
        NAME,
        row("gateway_id", Shape::TEXT, Required, "Whose log was evaluated."),
        row("account_id", Shape::TEXT, Required, "Whose it is."),
        row("account_tag", Shape::TEXT, Required, "Whose it is."),
        row("processed", Shape::Flag, Required, "Every result is final."),
        row("total_logs", Shape::COUNT, Required, "Records that were evaluated so far."),
        row("expected_logs", Shape::COUNT, Optional, "Records there are to evaluate, while it is not processed."),
        row("datasets", Shape::List { of: &DATASET, max: usize::MAX }, Required, "As they were when it was made."),
        row("results", Shape::List { of: &RESULT, max: usize::MAX }, Required, "One for each evaluator."),
        CREATED,
        MODIFIED,
    ]),
);

static RESULT: Shape = Shape::Named(
    "EvaluationResult",
    &Shape::Object(&[
        row("id", Shape::TEXT, Required, "Made up."),
        row("evaluation_id", Shape::TEXT, Required, "Whose result it is."),
        row("evaluation_type_id", Shape::TEXT, Required, "Which evaluator."),
        row("result", Shape::TEXT, Required, "A decimal number; empty until there is one."),
        row("status", Shape::Whole { min: 0, max: 3 }, Required, "0 pending, 1 in progress, 2 completed, 3 error."),
        row("status_description", Shape::TEXT, Required, "The same in words, or what is wrong."),
        row("total_logs", Shape::COUNT, Required, "Records that counted: those with a cost, with feedback."),
        CREATED,
        MODIFIED,
    ]),
);

pub(crate) static TYPE: Shape = Shape::Named(
    "EvaluationType",
    &Shape::Object(&[
        row("id", Shape::TEXT, Required, "Never changes."),
        row("name", Shape::TEXT, Required, "For people."),
        row("description", Shape::TEXT, Required, "What its result says."),
        row("type", Shape::TEXT, Required, "For programs."),
        row("enable", Shape::Flag, Required, "Always true."),
        row("mandatory", Shape::Flag, Required, "Always false: no evaluation needs it."),
        CREATED,
        MODIFIED,
    ]),
);
