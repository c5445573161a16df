//! Who did what: one entry for each change of settings, and for each look at a stored prompt or answer.
//!
//! Enters: who acts, named once for a request or a command; documents before and after. Leaves: entries, with secrets as `***`.
//! Never: lets a change happen that could not be written down.
//!
//! The actor is a property of the thread while a request's handler or a command runs, as spans of a trace are: so no caller of the desk can forget to
//! name one. Handlers run on one thread from their first line to their last.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tollgate_store::documents::Document;
use tollgate_store::entries::Draft;
use tollgate_store::{Entries, StoreError};

pub use self::redact::redacted;

mod redact;

/// Of the entries.
pub const KIND: &str = "audit";
/// A longer value is left out: an entry says what changed, it is no backup.
const VALUE_BYTES_MAX: usize = 64 * 1024;
const TEXT_CHARS_MAX: usize = 512;

/// Who acts, by what, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    /// Of the token, or of the person at their identity provider.
    pub id: String,
    /// Of a person.
    pub email: Option<String>,
    pub name: String,
    pub kind: Kind,
    pub interface: Interface,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub method: Option<String>,
    /// Without the query, in which anything may stand.
    pub path: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The gateway itself.
    #[default]
    System,
    Token,
    Person,
    /// Whoever works at the machine that the data is on.
    Operator,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interface {
    #[serde(rename = "API")]
    Api,
    #[serde(rename = "CLI")]
    Cli,
    #[serde(rename = "dashboard")]
    Dashboard,
    #[default]
    #[serde(rename = "system")]
    System,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Create,
    Update,
    Delete,
    View,
    Login,
    Logout,
    /// A configuration file came into force.
    Apply,
    /// An earlier state did.
    Rollback,
    /// The settings file was read again.
    Reload,
}

/// What one entry holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    pub action: Action,
    /// `ai_gateway.gateway`, `ai_gateway.route`, `token`, ...
    pub resource: String,
    pub resource_id: String,
    /// For people.
    pub name: String,
    /// The gateway it belongs to, if it belongs to one.
    pub gateway: Option<String>,
    pub before: Value,
    pub after: Value,
    pub actor: Actor,
    /// Why it did not come to pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

thread_local! {
    static ACTING: RefCell<Option<Arc<Actor>>> = const { RefCell::new(None) };
}

/// Runs `work` in the name of `actor`.
pub fn acting<T>(actor: Arc<Actor>, work: impl FnOnce() -> T) -> T {
    struct Before(Option<Arc<Actor>>);
    impl Drop for Before {
        fn drop(&mut self) {
            // Also when the work panics: the thread goes back to a pool.
            ACTING.set(self.0.take());
        }
    }
    let _before = Before(ACTING.replace(Some(actor)));
    work()
}

/// Where deeds are written down.
pub struct Audit {
    entries: Arc<dyn Entries>,
    /// Who acts when nobody is named.
    otherwise: Actor,
}

// === impl Audit ===

impl Audit {
    pub fn new(entries: Arc<dyn Entries>, otherwise: Actor) -> Self {
        Self { entries, otherwise }
    }

    pub(crate) fn actor(&self) -> Actor {
        ACTING.with_borrow(|acting| acting.as_deref().cloned()).unwrap_or_else(|| self.otherwise.clone())
    }

    /// Returns the ids of the entries, which are taken back by [`Audit::undo`] when the deed did not come to pass.
    pub(crate) fn write(
        &self,
        deeds: &[Deed],
        now_ms: u64,
        new_id: impl Fn() -> Result<String, crate::DeskError>,
    ) -> Result<Vec<String>, crate::DeskError> {
        let mut made = Vec::with_capacity(deeds.len());
        for deed in deeds {
            made.push((new_id()?, serde_json::to_string(deed).unwrap_or_default()));
        }
        let draft = |(id, body)| Draft { kind: KIND, parent: "", id, at_ms: now_ms, body };
        let drafts: Vec<Draft<'_>> = made.iter().map(|(id, body)| draft((id, body))).collect();
        self.entries.append(&drafts)?;
        Ok(made.into_iter().map(|(id, _)| id).collect())
    }

    pub(crate) fn undo(&self, ids: &[String]) {
        let undone: Result<(), StoreError> =
            ids.iter().try_for_each(|id| self.entries.delete(KIND, "", Some(id)).map(drop));
        if let Err(cause) = undone {
            tracing::error!(%cause, "the audit log names a change that did not happen");
        }
    }
}

// === impl Deed ===

impl Deed {
    /// A change of one document. `None` when it is none.
    pub(crate) fn of_change(before: Option<&Document>, after: Option<&Document>, actor: &Actor) -> Option<Self> {
        let document = after.or(before)?;
        let action = match (before, after) {
            (None, _) => Action::Create,
            (_, None) => Action::Delete,
            _ => Action::Update,
        };
        let value = |document: Option<&Document>| document.map_or(Value::Null, |document| shown(&document.body));
        let (before, after) = (value(before), value(after));
        let gateway = after.get("gateway").or(before.get("gateway")).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            action,
            resource: resource(&document.kind),
            resource_id: document.id.clone(),
            name: document.name.clone(),
            gateway: gateway.or_else(|| (!document.parent.is_empty()).then(|| document.parent.clone())),
            before,
            after,
            actor: actor.clone(),
            refused: None,
        })
    }

    /// Something that leaves no document behind: a look, a login.
    pub(crate) fn of_event(action: Action, resource: &str, id: &str, actor: Actor) -> Self {
        Self {
            action,
            resource: resource.to_owned(),
            resource_id: id.to_owned(),
            name: String::new(),
            gateway: None,
            before: Value::Null,
            after: Value::Null,
            actor,
            refused: None,
        }
    }
}

fn resource(kind: &str) -> String {
    if kind == "token" { kind.to_owned() } else { format!("ai_gateway.{kind}") }
}

fn shown(body: &str) -> Value {
    if body.len() > VALUE_BYTES_MAX {
        return serde_json::json!({ "left_out_bytes": body.len() });
    }
    redacted(serde_json::from_str(body).unwrap_or_default())
}

/// The same for what is no document's body.
pub(crate) fn bounded(value: Value) -> Value {
    shown(&value.to_string())
}

/// What strangers send is cut to a length that does no harm.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("otherwise", &self.otherwise).finish_non_exhaustive()
    }
}
