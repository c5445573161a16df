//! The configuration as one file, over HTTP: written, compared, applied, taken back. None of it is in the original.
//!
//! Enters: TOML text in JSON, or nothing. Leaves: the same text, a plan, what was done. Never: applies anything that was not compiled as a whole.
//!
//! All of it is for administrators: the file names every token, and who applies one can make any.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::logs;
use crate::answer::Answer;
use crate::audit::Action;
use crate::call::Call;
use crate::config::{self, FILE_BYTES_MAX, Manner, REQUESTS_DEFAULT, State};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page, Plain};
use crate::row::{Needs, Row, get, row};
use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{Fault, Member, Shape, Step, object_of};
use crate::simulate::REQUESTS_MAX;
use crate::time;

const TOML: &str = "application/toml";
/// JSON writes a quote or a line's end as two characters.
const BODY_BYTES_MAX: usize = 2 * FILE_BYTES_MAX;

pub(crate) static ROWS: &[Row] = &[
    get(
        "/accounts/{account}/ai-gateway/config/export",
        "tollgate-export-config",
        Guarded(Needs::Admin, export),
        Plain(TOML),
        "Everything that is configured, as one TOML file. References to secrets, never values. Not in the original.",
    ),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/config/plan",
        "tollgate-plan-config",
        Guarded(Needs::Admin, plan),
        One(&PLAN),
        "What applying a file would change, field by field, and what would have become of the last logged requests. Changes nothing.",
    )
    .unaudited("it changes nothing, and shows no prompt")
    .body(&ASKED)
    .body_up_to(BODY_BYTES_MAX),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/config/apply",
        "tollgate-apply-config",
        Guarded(Needs::Admin, apply),
        One(&PLAN),
        "Makes it so: all of the file in one step, or nothing. What was in force before can be gone back to.",
    )
    .body(&ASKED)
    .body_up_to(BODY_BYTES_MAX),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/config/rollback",
        "tollgate-rollback-config",
        Guarded(Needs::Admin, rollback),
        One(&PLAN),
        "Puts an earlier state in force again: the one before the last apply, or the one named.",
    )
    .body(&WHERE_TO),
    row(
        Method::POST,
        "/accounts/{account}/ai-gateway/config/reload",
        "tollgate-reload-config",
        Guarded(Needs::Admin, reload),
        One(&RELOADED),
        "Reads the settings file of the server again, as SIGHUP does, and the configuration file that it follows. Every fault is told with its place.",
    ),
    get(
        "/accounts/{account}/ai-gateway/config/states",
        "tollgate-list-config-states",
        Guarded(Needs::AccountRead, states),
        Page(&STATE),
        "The states that a rollback can go to, the newest first.",
    ),
];

static MEMBERS: &[Member] = &[
    Member::of("text", Shape::Text { min: 0, max: FILE_BYTES_MAX }, Required, "The file."),
    Member::of("prune", Shape::Flag, Default("false"), "Remove what the file does not name."),
    Member::of(
        "last",
        Shape::Whole { min: 0, max: REQUESTS_MAX },
        Optional,
        "Logged requests a plan looks at; 100 without it.",
    ),
    Member::of("expected", Shape::COUNT, Optional, "`at` of a plan: apply only if nothing changed since."),
];
static ASKED: Shape = Shape::Named("ConfigFile", &Shape::Object(MEMBERS));
static RELOADED: Shape =
    Shape::Object(&[Member::of("words", Shape::Text { min: 0, max: usize::MAX }, Required, "What was done.")]);
static TO: &[Member] = &[Member::of("to", Shape::Text { min: 1, max: 64 }, Optional, "Id of a state.")];
static WHERE_TO: Shape = Shape::Object(TO);

static PLAN: Shape = Shape::Named(
    "ConfigPlan",
    &Shape::Object(&[
        Member::of("at", Shape::COUNT, Required, "The moment it was made at."),
        Member::of(
            "changes",
            Shape::List { of: &CHANGE, max: usize::MAX },
            Required,
            "What is added, changed, removed.",
        ),
        Member::of(
            "not_in_file",
            Shape::List { of: &Shape::TEXT, max: usize::MAX },
            Required,
            "What stays although the file does not name it.",
        ),
        Member::of(
            "needs_value",
            Shape::List { of: &Shape::TEXT, max: usize::MAX },
            Required,
            "Secrets that the file declares and nobody has given a value.",
        ),
        Member::of("effects", Shape::Any, Required, "Models gained and lost, limits, who may."),
        Member::of("traffic", Shape::Any, Required, "What would have become of the last logged requests."),
        Member::of("took", TOOK, Optional, "Of an apply that changed something."),
        Member::of("words", Shape::Text { min: 0, max: usize::MAX }, Required, "All of it for people."),
    ]),
);
const TOOK: Shape = Shape::Object(&[
    Member::of("compiled_us", Shape::COUNT, Required, "Compiling everything, before anything is written."),
    Member::of("swapped_us", Shape::COUNT, Required, "From what is written to what requests meet."),
]);
static CHANGE: Shape = Shape::Object(&[
    Member::of("action", Shape::Word(&["add", "change", "remove"]), Required, "What is done."),
    Member::of("what", Shape::TEXT, Required, "To whom."),
    Member::of("fields", Shape::List { of: &FIELD, max: usize::MAX }, Required, "Each that differs."),
]);
static FIELD: Shape = Shape::Object(&[
    Member::of("at", Shape::TEXT, Required, "Which."),
    Member::of("before", Shape::OrNull(&Shape::Any), Required, "null: its default."),
    Member::of("after", Shape::OrNull(&Shape::Any), Required, "null: its default."),
]);
static STATE: Shape = Shape::Object(&[
    Member::of("id", Shape::TEXT, Required, "For a rollback."),
    Member::of("until", Shape::Time, Required, "When it ceased to be in force."),
    Member::of("added", Shape::COUNT, Required, "What the apply after it added."),
    Member::of("changed", Shape::COUNT, Required, "What it changed."),
    Member::of("removed", Shape::COUNT, Required, "What it removed."),
]);

fn export(call: &Call) -> Result<Answer, Problem> {
    call.looked_at("ai_gateway.config", "")?;
    let text = config::export(&call.parts.desk)?;
    Ok(Answer::Plain { status: StatusCode::OK, content_type: TOML, text })
}

/// Looks at the log, so what was journaled before this call is moved there first.
fn plan(call: &Call) -> Result<Answer, Problem> {
    let asked = asked(call, MEMBERS)?;
    let last = asked["last"].as_u64().map_or(REQUESTS_DEFAULT, |last| last as u32);
    if last > 0 {
        logs::catch_up(call);
    }
    let parts = &call.parts;
    Ok(Answer::Result(config::plan(&parts.desk, &*parts.records, text(&asked), manner(&asked), last)?.said()))
}

fn apply(call: &Call) -> Result<Answer, Problem> {
    let asked = asked(call, MEMBERS)?;
    Ok(Answer::Result(config::apply(&call.parts.desk, &*call.parts.entries, text(&asked), manner(&asked))?.said()))
}

fn rollback(call: &Call) -> Result<Answer, Problem> {
    let asked = asked(call, TO)?;
    Ok(Answer::Result(config::rollback(&call.parts.desk, &*call.parts.entries, asked["to"].as_str())?.1.said()))
}

fn reload(call: &Call) -> Result<Answer, Problem> {
    match (call.parts.reload)() {
        Ok(words) => {
            call.parts.desk.note(Action::Reload, "settings", "")?;
            Ok(Answer::Result(json!({ "words": words })))
        }
        Err(told) => Err(Problem::invalid(told.lines().map(|line| Fault::new(["file"], line)).collect())),
    }
}

fn states(call: &Call) -> Result<Answer, Problem> {
    let all = config::states::all(&*call.parts.entries)?;
    let info =
        json!({ "page": 1, "per_page": config::states::STATES_MAX, "count": all.len(), "total_count": all.len() });
    Ok(Answer::Page { rows: all.iter().map(state).collect(), info })
}

fn state(state: &State) -> Value {
    let [added, changed, removed] = state.changes;
    json!({ "id": state.id, "until": time::text(state.until_ms), "added": added, "changed": changed, "removed": removed })
}

fn asked(call: &Call, members: &[Member]) -> Result<Value, Problem> {
    let body = call.json();
    let mut faults = Vec::new();
    let nothing = serde_json::Map::new();
    let body = body.as_object().unwrap_or(&nothing);
    let read = object_of(members, body, &mut vec![Step::from("body")], &mut faults);
    if faults.is_empty() { Ok(Value::Object(read)) } else { Err(Problem::invalid(faults)) }
}

fn text(asked: &Value) -> &str {
    asked["text"].as_str().unwrap_or_default()
}

fn manner(asked: &Value) -> Manner {
    Manner { prune: asked["prune"] == true, expected: asked["expected"].as_u64() }
}
