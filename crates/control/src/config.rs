//! The configuration as one readable file: written, compared, applied, taken back.
//!
//! Enters: what the desk holds, or a TOML text. Leaves: that text, a plan of what it would change, or the change itself in one transaction.
//! Never: holds a secret's value (references only), or applies half of a file.
//!
//! [`kinds::KINDS`] is the one table of what stands in the file. The file is told in docs/configuration.md.

pub mod effects;
pub mod plan;
pub mod source;
pub mod states;

mod difference;
mod kinds;
mod text;
mod wanted;

use serde_json::{Map, json};
use tollgate_model::Secret;
use tollgate_model::token::Permission;
use tollgate_rules::token::digest;
use tollgate_store::{Entries, Records};

use self::effects::Effects;
use self::plan::Plan;
use self::source::{Source, Wrong};
use crate::audit::Action;
use crate::desk::world::World;
use crate::desk::{Current, Desk, DeskError, Prepared, secret};

pub use self::kinds::is_managed;
pub(crate) use self::kinds::{enter_all, is_same_in_file, kinds_below, secret_members};
pub use self::states::State;
pub use self::text::section;

/// Of a file. Ten thousand routes of ten elements are about this large.
pub const FILE_BYTES_MAX: usize = 16 << 20;
/// What a plan looks at unless it is told otherwise.
pub const REQUESTS_DEFAULT: u32 = 100;

/// What the audit log calls it; its id there is that of the state before, which a rollback goes back to.
const AUDITED: &str = "ai_gateway.config";

/// How a file is meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// What the file does not name goes. Otherwise it stays, and is told.
    pub prune: bool,
    /// Only if nothing changed since this moment, which a plan has told.
    pub expected: Option<u64>,
}

/// Why a file is not applied.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is wrong, here and here.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Wrong(Vec<Wrong>),
    #[error("the settings changed since the plan was made: plan again, and apply what it says then")]
    Outdated,
    #[error("there is no earlier state{}", .0.as_deref().map(|id| format!(" {id:?}")).unwrap_or_default())]
    NoState(Option<String>),
    #[error(transparent)]
    Desk(#[from] DeskError),
}

impl From<tollgate_store::StoreError> for ConfigError {
    fn from(cause: tollgate_store::StoreError) -> Self {
        Self::Desk(cause.into())
    }
}

/// Everything that is configured, as text. The same settings are the same bytes.
pub fn export(desk: &Desk) -> Result<String, DeskError> {
    text_of(&desk.now()?.world)
}

fn text_of(world: &World) -> Result<String, DeskError> {
    let things = kinds::declared(world)?;
    Ok(text::written(things.iter().map(|(name, thing)| (name, &thing.fields))))
}

/// What applying the text would do. Changes nothing. `last` logged requests are looked at for what would become of them.
pub fn plan(desk: &Desk, records: &dyn Records, text: &str, manner: Manner, last: u32) -> Result<Plan, ConfigError> {
    let source = Source::read(text)?;
    let now = desk.now()?;
    let (after, mut plan) = considered(desk, &now, &source, manner)?;
    plan.traffic = effects::traffic(records, &now.snapshot, &after.snapshot, last)?;
    Ok(plan)
}

/// Makes it so: all of the text, or nothing. The state before is kept for [`rollback`].
pub fn apply(desk: &Desk, entries: &dyn Entries, text: &str, manner: Manner) -> Result<Plan, ConfigError> {
    match desk.file() {
        Some(file) => Err(DeskError::ReadOnly(file.display().to_string()).into()),
        None => put(desk, entries, text, manner, Action::Apply),
    }
}

/// The text of the file that settings come from: what it does not name goes.
pub fn follow(desk: &Desk, entries: &dyn Entries, text: &str) -> Result<Plan, ConfigError> {
    put(desk, entries, text, Manner { prune: true, expected: None }, Action::Apply)
}

/// Each document that changes is an entry of the audit log; that they changed by one file is another.
fn put(desk: &Desk, entries: &dyn Entries, text: &str, manner: Manner, action: Action) -> Result<Plan, ConfigError> {
    let source = Source::read(text)?;
    let (mut plan, before) = desk.change_any(|now| {
        if manner.expected.is_some_and(|expected| expected != now.world.changes) {
            return Err(ConfigError::Outdated);
        }
        let (prepared, plan) = considered(desk, now, &source, manner)?;
        Ok((prepared, (plan, now.world.clone())))
    })?;
    if !plan.is_empty() {
        plan.took = Some(desk.took());
        let state = states::keep(entries, desk, &before, &plan)?;
        desk.note(action, AUDITED, &state)?;
    }
    Ok(plan)
}

/// What would be in force, and what is another than now.
fn considered(
    desk: &Desk,
    now: &Current,
    source: &Source<'_>,
    manner: Manner,
) -> Result<(Prepared, Plan), ConfigError> {
    let mut wanted = wanted::of(desk, &now.world, source, manner.prune)?;
    let edits = std::mem::take(&mut wanted.edits);
    let mut prepared = desk.prepare(now, edits).map_err(|problem| source.locate_problems(problem))?;
    // Whose key a new secret is shows once its gateway and its provider are there, which may be made by the same file.
    if let Some(edits) = wanted::bound(&prepared)? {
        prepared = desk.prepare(now, edits)?;
    }
    wanted::refuse_strangers(source, &wanted, &prepared.snapshot)?;
    wanted::refuse_two_defaults(source, &wanted, &prepared.world)?;
    let effects = Effects::between(&now.snapshot, &prepared.snapshot);
    Ok((prepared, Plan::new(&wanted, effects, now.world.changes)))
}

/// Back to a state that was in force before, by its id; without one, to the one before the last apply.
pub fn rollback(desk: &Desk, entries: &dyn Entries, to: Option<&str>) -> Result<(State, Plan), ConfigError> {
    let state = states::find(entries, to)?.ok_or_else(|| ConfigError::NoState(to.map(str::to_owned)))?;
    if let Some(file) = desk.file() {
        return Err(DeskError::ReadOnly(file.display().to_string()).into());
    }
    let plan = put(desk, entries, &state.text, Manner { prune: true, expected: None }, Action::Rollback)?;
    Ok((state, plan))
}

/// A new secret, and the lines that declare its token. Nothing is stored: who has no server at hand declares tokens too.
pub fn new_token(name: &str, permissions: &[Permission]) -> Result<(Secret, String), DeskError> {
    let secret = secret::new_token()?;
    let fields = json!({
        "permissions": permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>(),
        "digest": secret::hex(&digest(secret.expose())),
        "hint": secret::hint(&secret),
    });
    let lines = text::section(&["token", name], fields.as_object().unwrap_or(&Map::new()));
    Ok((secret, lines))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
