//! Asks the auto router which models to try.
//!
//! Enters: a question, the pool, what is known of keys and of recent failures. Leaves: a decision. Never: decides: `rules::auto` does.

use tollgate_model::Refusal;
use tollgate_rules::auto::{self, Decision, Entry, Task, Wish, World};
use tollgate_wire::provider::{Auth, Use};

use super::question::{Question, in_words_of};
use crate::gate::Gate;
use crate::stage::admit::Caller;

pub(crate) fn decide(gate: &Gate, caller: &Caller, question: &Question) -> Result<Decision, Refusal> {
    let dialect = question.asked.dialect;
    if question.asked.used_for == Use::Embeddings {
        let said = format!("model: the auto router is not asked for {}", question.asked.kind);
        return Err(in_words_of(dialect, said, Some("model".to_owned())));
    }
    let task = Task::read(&serde_json::from_slice(&question.body).unwrap_or_default());
    let shared = &gate.shared;
    let now_ms = shared.clock.unix_ms();
    let usable = |entry: &Entry| is_usable(gate, caller, entry);
    let poor = |entry: &Entry| shared.health.lock().is_poor(&entry.provider, &entry.model, now_ms);
    let world = World { catalog: &shared.catalog, now_ms, usable: &usable, poor: &poor };
    let wish = Wish::read(&question.headers);
    let decided =
        auto::decide(&caller.snapshot.auto, &caller.gateway.id, &wish, &task, &world, &mut shared.memory.lock());
    decided.map_err(|cause| in_words_of(dialect, cause.to_string(), None))
}

/// The caller's key is for one provider and the router may choose any, so it is the gateway's and the operator's that count.
fn is_usable(gate: &Gate, caller: &Caller, entry: &Entry) -> bool {
    let row = caller.snapshot.providers.get(&entry.provider);
    row.is_some_and(|row| {
        let stored = caller.gateway.keys.usual(row.segment());
        let is_stored = stored.is_some_and(|key| key.check().is_ok());
        let is_operators = stored.is_none() && !caller.gateway.settings.byok_only && gate.shared.keys.knows(row);
        let has_key = *row.auth() == Auth::None || is_stored || is_operators;
        has_key && row.reaches(Use::Chat, &entry.model).next().is_some()
    })
}
