//! What a file asks for, as edits of documents.
//!
//! Enters: what there is, and what the file says. Leaves: the edits that make the one the other, and each difference in words; or every fault with its
//! place. Never: edits what is the same already: its times and ids stay.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};
use tollgate_model::{Gateway, RouteDocument};
use tollgate_rules::snapshot::Snapshot;
use tollgate_store::documents::Document;

use super::ConfigError;
use super::difference::{Difference, between};
use super::kinds::{Declared, Making, Name, declared, failed};
use super::source::{Source, under};
use crate::desk::read::read;
use crate::desk::world::{Edit, World};
use crate::desk::{Desk, DeskError, ROUTE, faults_of};
use crate::shape::{Fault, Shape, Step};

pub(super) struct Wanted {
    pub(super) edits: Vec<Edit>,
    pub(super) changes: Vec<Change>,
    /// What there is and the file does not name, where that stays.
    pub(super) stays: Vec<Name>,
}

pub(super) struct Change {
    pub(super) name: Name,
    /// `None`: it is new.
    pub(super) before: Option<Declared>,
    /// `None`: it goes.
    pub(super) after: Option<Declared>,
    pub(super) differences: Vec<Difference>,
}

/// Goes through the file from top to bottom, which is from gateways to what belongs to them.
struct Reading<'a> {
    desk: &'a Desk,
    world: &'a World,
    there: BTreeMap<Name, Declared>,
    owners: HashMap<String, Gateway>,
    ids: HashMap<(&'static str, String), Name>,
    wanted: Wanted,
    faults: Vec<Fault>,
}

pub(super) fn of(desk: &Desk, world: &World, source: &Source<'_>, prune: bool) -> Result<Wanted, ConfigError> {
    let mut reading = Reading {
        desk,
        world,
        there: declared(world)?,
        owners: HashMap::new(),
        ids: HashMap::new(),
        wanted: Wanted { edits: Vec::new(), changes: Vec::new(), stays: Vec::new() },
        faults: Vec::new(),
    };
    for (name, fields) in &source.things {
        if let Err(faults) = reading.take(name, fields) {
            reading.faults.extend(faults.into_iter().map(|fault| under(name, fault)));
        }
    }
    reading.leave(&source.kept, prune);
    match reading.faults.is_empty() {
        true => Ok(reading.wanted),
        false => Err(source.wrong(reading.faults)),
    }
}

// === impl Reading ===

impl Reading<'_> {
    fn take(&mut self, name: &Name, fields: &Map<String, Value>) -> Result<(), Vec<Fault>> {
        let before = self.there.remove(name);
        let owner = name.gateway().and_then(|gateway| self.owners.get(gateway));
        let (said, id) = name.parts();
        let document = before.as_ref().map(|before| &before.document);
        let making = Making { desk: self.desk, name: said, id, fields, before: document, owner };
        let made = name.kind().way.make(&making)?;
        let lost = unread(name, fields, &made);
        if !lost.is_empty() {
            return Err(lost);
        }
        let was_there = before.is_some();
        let before = before.or_else(|| self.renamed(&made));
        let is_renamed = before.is_some() && !was_there;
        if let Some(other) = self.ids.insert((name.kind().kind, made.id.clone()), name.clone()) {
            return Err(vec![Fault::new(["id"], format!("{other} has this id already"))]);
        }
        let (_, fields) = name.kind().way.declare(&made).map_err(failed)?;
        if name.kind().kind == "gateway" {
            self.owners.insert(made.id.clone(), read(&made).map_err(failed)?);
        }
        let after = Declared { fields, document: made };
        match before {
            Some(before) if !is_renamed && before.fields == after.fields => {}
            before => self.note(name.clone(), before, Some(after)),
        }
        Ok(())
    }

    /// What has this id under another name.
    fn renamed(&mut self, made: &Document) -> Option<Declared> {
        let there = self.world.find(&made.kind, &made.id).filter(|there| there.parent == made.parent)?;
        let name = self.there.iter().find(|(_, declared)| declared.document == *there).map(|(name, _)| name.clone())?;
        self.there.remove(&name)
    }

    /// What the file does not name: it goes, or it stays. Nothing stays without its gateway.
    fn leave(&mut self, kept: &[String], prune: bool) {
        for (name, before) in std::mem::take(&mut self.there) {
            let orphaned = name.gateway().is_some_and(|gateway| {
                self.wanted
                    .changes
                    .iter()
                    .any(|change| change.after.is_none() && change.name.path() == ["gateway", gateway])
            });
            match orphaned || (prune && !kept.iter().any(|word| word == name.kind().word)) {
                true => self.note(name, Some(before), None),
                false => self.wanted.stays.push(name),
            }
        }
    }

    fn note(&mut self, name: Name, before: Option<Declared>, after: Option<Declared>) {
        let nothing = Map::new();
        let fields = |of: &Option<Declared>| of.as_ref().map_or_else(|| nothing.clone(), |of| of.fields.clone());
        let differences = between(&fields(&before), &fields(&after));
        let is_renamed =
            matches!((&before, &after), (Some(before), Some(after)) if before.document.name != after.document.name);
        if before.is_some() && after.is_some() && differences.is_empty() && !is_renamed {
            return;
        }
        let document = |of: &Option<Declared>| of.as_ref().map(|of| of.document.clone());
        self.wanted.edits.push(Edit { before: document(&before), after: document(&after) });
        self.wanted.changes.push(Change { name, before, after, differences });
    }
}

/// Members further down that no table knows: said, and not heard.
fn unread(name: &Name, fields: &Map<String, Value>, made: &Document) -> Vec<Fault> {
    let heard: Value = read(made).unwrap_or_default();
    let mut faults = Vec::new();
    for member in name.kind().way.members().iter().filter(|member| !matches!(member.shape, Shape::Any)) {
        if let Some(said) = fields.get(member.name) {
            unheard(said, &heard[member.name], &mut vec![Step::from(member.name)], &mut faults);
        }
    }
    faults
}

fn unheard(said: &Value, heard: &Value, at: &mut Vec<Step>, faults: &mut Vec<Fault>) {
    match (said, heard) {
        (Value::Object(said), Value::Object(heard)) => {
            for (name, value) in said {
                at.push(Step::Name(name.clone()));
                match heard.get(name) {
                    Some(heard) => unheard(value, heard, at, faults),
                    None => faults.push(Fault { path: at.clone(), message: format!("There is no {name:?} here") }),
                }
                at.pop();
            }
        }
        (Value::Array(said), Value::Array(heard)) => {
            for (index, (said, heard)) in said.iter().zip(heard).enumerate() {
                at.push(Step::Index(index));
                unheard(said, heard, at, faults);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Providers that nobody knows once everything is applied.
pub(super) fn refuse_strangers(source: &Source<'_>, wanted: &Wanted, after: &Snapshot) -> Result<(), ConfigError> {
    let mut faults = Vec::new();
    for change in wanted.changes.iter().filter(|change| change.name.kind().kind == ROUTE) {
        let Some(declared) = &change.after else { continue };
        let route: RouteDocument = read(&declared.document)?;
        let compiled = after.gateway(&route.gateway).and_then(|gateway| gateway.route(&route.id));
        let strangers = compiled.map(|compiled| compiled.strangers(&after.providers)).unwrap_or_default();
        if let DeskError::Faults(found) = faults_of(&strangers) {
            faults.extend(found.into_iter().map(|fault| under(&change.name, fault)));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(source.wrong(faults)) }
}
