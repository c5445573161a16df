//! States that were in force: what a rollback goes back to.
//!
//! Enters: the settings before each apply, as text. Leaves: the same, by id. Never: keeps more than [`STATES_MAX`].

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tollgate_store::entries::{Draft, Span};
use tollgate_store::{Entries, StoreError};

use super::plan::Plan;
use super::source::Source;
use super::{ConfigError, text, text_of};
use crate::desk::veil::hide;
use crate::desk::world::World;
use crate::desk::{Desk, secret};

pub const STATES_MAX: usize = 20;
const KIND: &str = "config_state";
/// Noted in the installation once no state holds a secret.
const HIDDEN: &str = "config_states_hidden";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub id: String,
    /// When it ceased to be in force, unix milliseconds.
    pub until_ms: u64,
    /// What the apply after it added, changed and removed.
    pub changes: [usize; 3],
    pub text: String,
}

/// The newest first.
pub fn all(entries: &dyn Entries) -> Result<Vec<State>, StoreError> {
    let stored = entries.list(KIND, "", Span::newest(STATES_MAX))?;
    Ok(stored.iter().filter_map(|entry| serde_json::from_str(&entry.body).ok()).collect())
}

pub(super) fn find(entries: &dyn Entries, id: Option<&str>) -> Result<Option<State>, StoreError> {
    Ok(all(entries)?.into_iter().find(|state| id.is_none_or(|id| state.id == id)))
}

/// Older programs wrote what a gateway's settings held into the states as it was. To be called at start; states of a large installation are many megabytes,
/// so it is done once.
pub fn hide_secrets(desk: &Desk, entries: &dyn Entries) -> Result<(), StoreError> {
    if desk.is_done(HIDDEN)? {
        return Ok(());
    }
    for entry in entries.list(KIND, "", Span::newest(STATES_MAX))? {
        let Ok(mut state) = serde_json::from_str::<State>(&entry.body) else { continue };
        let Ok(Source { mut things, .. }) = Source::read(&state.text) else { continue };
        let mut any = false;
        for (name, fields) in &mut things {
            let mut hidden = Value::Object(fields.clone());
            hide(name.kind().kind, &mut hidden, &|_| false);
            if let Value::Object(hidden) = hidden
                && hidden != *fields
            {
                (*fields, any) = (hidden, true);
            }
        }
        if any {
            state.text = text::written(things.iter().map(|(name, fields)| (name, fields)));
            let body = serde_json::to_string(&state).unwrap_or_default();
            entries.replace(KIND, "", &entry.id, entry.version, &body)?;
        }
    }
    desk.note_done(HIDDEN)
}

/// After the apply: a state that nothing followed would be a rollback to nowhere.
pub(super) fn keep(entries: &dyn Entries, desk: &Desk, before: &World, plan: &Plan) -> Result<String, ConfigError> {
    let state =
        State { id: secret::new_id()?, until_ms: desk.now_ms(), changes: plan.counts(), text: text_of(before)? };
    let body = serde_json::to_string(&state).unwrap_or_default();
    entries.append(&[Draft { kind: KIND, parent: "", id: &state.id, at_ms: state.until_ms, body: &body }])?;
    let surplus = Span { skip: STATES_MAX as u64, ..Span::newest(STATES_MAX) };
    for old in entries.list(KIND, "", surplus)? {
        entries.delete(KIND, "", Some(&old.id))?;
    }
    Ok(state.id)
}
