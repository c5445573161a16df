//! Forgetting cached answers on purpose.
//!
//! Enters: a gateway, perhaps a model or a key that the caller chose. Leaves: how many there were on disk. Never: another gateway's answers.

use http::Method;
use serde_json::json;
use tokio::runtime::Handle;
use tollgate_store::answers::Purge;

use crate::answer::Answer;
use crate::audit::Action;
use crate::call::Call;
use crate::problem::Problem;
use crate::purge::named;
use crate::row::Access::Guarded;
use crate::row::Answers::One;
use crate::row::{Needs, Row, row};
use crate::shape::Presence::{Optional, Required};
use crate::shape::{Member, Shape};

pub(crate) static ROWS: &[Row] = &[row(
    Method::DELETE,
    "/accounts/{account}/ai-gateway/gateways/{gateway}/cache",
    "tollgate-purge-cache",
    Guarded(Needs::Write, purge),
    One(&PURGED),
    "Forgets cached answers: all, those of a model (?model=), or the one under a chosen key (?key=). Not in the original.",
)
.query(&[
    Member::of("model", Shape::TEXT, Optional, "Only answers of this model."),
    Member::of("key", Shape::TEXT, Optional, "Only the answer under this `cf-aig-cache-key`."),
]).said("cache", "purge")];

static PURGED: Shape =
    Shape::Object(&[Member::of("purged", Shape::COUNT, Required, "How many answers there were on disk.")]);

pub(crate) fn purge(call: &Call) -> Result<Answer, Problem> {
    let gateway = call.gateway()?.id.clone();
    let mut reader = call.query.reader();
    let (model, key) = (reader.text("model"), reader.text("key"));
    reader.finish()?;
    let what = json!({ "model": model, "key": key });
    call.parts.desk.note_deed(Action::Delete, ("ai_gateway.cache", &gateway), Some(&gateway), what)?;
    let mut purged = 0;
    for what in named(call.account(), &gateway, model, key) {
        purged += forget(call, what)?;
    }
    Ok(Answer::Result(json!({ "purged": purged })))
}

/// Everything of a gateway: its settings were saved, or it is gone.
pub(crate) fn purge_gateway(call: &Call, gateway: &str) -> Result<(), Problem> {
    forget(call, Purge::of_gateway(call.account(), gateway)).map(drop)
}

/// Everything that a custom provider has answered, in any gateway: it is another one now, or gone.
pub(crate) fn purge_provider(call: &Call, segment: &str) -> Result<(), Problem> {
    forget(call, Purge::of_provider(call.account(), segment)).map(drop)
}

/// Handlers run on threads that may wait, so this one does.
fn forget(call: &Call, what: Purge) -> Result<u64, Problem> {
    Ok(Handle::current().block_on(call.parts.answers.purge(what))?)
}
