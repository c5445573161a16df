//! What applying a file does, for people and for programs.
//!
//! Enters: edits and their effects. Leaves: lines, or JSON. Never: a secret: fields hold references.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::difference::{Difference, shown};
use super::effects::{Effects, Move, Traffic};
use super::wanted::{self, Wanted};
use crate::desk::Took;

#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The moment it was made at. `expected` of an apply names it, to apply this plan and no other.
    pub at: u64,
    pub changes: Vec<Change>,
    /// What there is and the file does not name. It stays; `prune` removes it.
    pub not_in_file: Vec<String>,
    /// Secrets that the file declares and nobody has given a value. Everything else is in force without them.
    pub needs_value: Vec<String>,
    pub effects: Effects,
    pub traffic: Traffic,
    /// Of an apply that changed something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took: Option<Took>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Change {
    pub action: Action,
    /// `gateway "support"`.
    pub what: String,
    pub fields: Vec<Difference>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Add,
    Change,
    Remove,
}

// === impl Plan ===

impl Plan {
    pub(super) fn new(wanted: &Wanted, effects: Effects, at: u64) -> Self {
        let mut changes: Vec<&wanted::Change> = wanted.changes.iter().collect();
        changes.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            at,
            changes: changes.into_iter().map(Change::of).collect(),
            not_in_file: wanted.stays.iter().map(ToString::to_string).collect(),
            needs_value: wanted.lacks.clone(),
            effects,
            traffic: Traffic::default(),
            took: None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// For programs: everything, and the same in `words`.
    pub fn said(&self) -> Value {
        let mut said = serde_json::to_value(self).unwrap_or_default();
        said["words"] = self.text().into();
        said
    }

    /// How many are added, changed, removed.
    pub fn counts(&self) -> [usize; 3] {
        [Action::Add, Action::Change, Action::Remove]
            .map(|action| self.changes.iter().filter(|change| change.action == action).count())
    }

    /// Each change with its fields, then whom it reaches.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            change.tell(&mut text);
        }
        self.tell_effects(&mut text);
        let [added, changed, removed] = self.counts();
        match self.is_empty() {
            true => text.push_str("nothing changes\n"),
            false => drop(writeln!(text, "{added} to add, {changed} to change, {removed} to remove")),
        }
        for lacking in &self.needs_value {
            let _ = writeln!(text, "needs its value: {lacking}");
        }
        if !self.not_in_file.is_empty() {
            let _ = writeln!(text, "not in the file, and kept (--prune removes): {}", self.not_in_file.join(", "));
        }
        text
    }

    fn tell_effects(&self, text: &mut String) {
        for reach in &self.effects.models {
            let list = |word: &str, models: &[String]| match models.is_empty() {
                true => None,
                false => Some(format!("{word} {}", models.join(", "))),
            };
            let both: Vec<_> =
                [list("gains", &reach.gains), list("loses", &reach.loses)].into_iter().flatten().collect();
            let _ = writeln!(text, "! {} on gateway {:?} {}", reach.name, reach.gateway, both.join(" and "));
        }
        for limit in &self.effects.limits {
            let _ = writeln!(text, "! gateway {:?}: {} instead of {}", limit.gateway, limit.after, limit.before);
        }
        for caller in &self.effects.callers {
            let _ = writeln!(text, "! {} {}", caller.who, caller.what);
        }
        self.traffic.tell(text);
    }
}

// === impl Change ===

impl Change {
    fn of(change: &wanted::Change) -> Self {
        let action = match (&change.before, &change.after) {
            (None, _) => Action::Add,
            (_, Some(_)) => Action::Change,
            (_, None) => Action::Remove,
        };
        Self { action, what: change.name.to_string(), fields: change.differences.clone() }
    }

    fn tell(&self, text: &mut String) {
        let sign = match self.action {
            Action::Add => '+',
            Action::Change => '~',
            Action::Remove => '-',
        };
        let _ = writeln!(text, "{sign} {}", self.what);
        for field in &self.fields {
            let _ = match self.action {
                Action::Add => writeln!(text, "    {}: {}", field.at, shown(&field.after)),
                Action::Change => {
                    writeln!(text, "    {}: {} -> {}", field.at, shown(&field.before), shown(&field.after))
                }
                Action::Remove => Ok(()),
            };
        }
    }
}

// === impl Traffic ===

impl Traffic {
    fn tell(&self, text: &mut String) {
        if self.requests == 0 {
            return;
        }
        let Self { requests, refused, limited, moved, .. } = self;
        let _ = writeln!(
            text,
            "of the last {requests} requests {refused} would be refused, {limited} limited, {moved} answered by another model"
        );
        for Move { gateway, route, from, to, requests } in &self.moves {
            let _ = writeln!(text, "    {requests} of dynamic/{route} on gateway {gateway:?}: {from} -> {to}");
        }
    }
}
