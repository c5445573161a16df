//! What a file asks for, as edits of documents.
//!
//! Enters: what there is, and what the file says. Leaves: the edits that make the one the other, and each difference in words; or every fault with its
//! place. Never: edits what is the same already: its times and ids stay.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value};
use tollgate_model::{Alert, Kept, ProviderConfig, RouteDocument, StoredSecret};
use tollgate_rules::snapshot::Snapshot;
use tollgate_store::documents::Document;

use super::ConfigError;
use super::difference::{Difference, between};
use super::kinds::known::Known;
use super::kinds::{Declared, Making, Name, Owner, declared, failed};
use super::source::{Source, under};
use crate::desk::read::{SECRET, STORE, read};
use crate::desk::secrets::document as secret_document;
use crate::desk::veil::lacking;
use crate::desk::world::{Edit, World};
use crate::desk::{ALERT, Desk, DeskError, PROVIDER_CONFIG, Prepared, ROUTE, faults_of};
use crate::shape::{Fault, Shape, Step};

pub(super) struct Wanted {
    pub(super) edits: Vec<Edit>,
    pub(super) changes: Vec<Change>,
    /// What there is and the file does not name, where that stays.
    pub(super) stays: Vec<Name>,
    /// Secrets that the file declares and nobody has given a value.
    pub(super) lacks: Vec<String>,
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
    owners: HashMap<Name, Owner>,
    known: Known,
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
        // What goes is nothing to refer to.
        known: if prune && says_secrets(source) { Known::default() } else { Known::there(world)? },
        ids: HashMap::new(),
        wanted: Wanted { edits: Vec::new(), changes: Vec::new(), stays: Vec::new(), lacks: Vec::new() },
        faults: Vec::new(),
    };
    for (name, fields) in &source.things {
        if let Err(faults) = reading.take(name, fields) {
            reading.faults.extend(faults.into_iter().map(|fault| under(name, fault)));
        }
    }
    reading.leave(source, prune);
    match reading.faults.is_empty() {
        true => Ok(reading.wanted),
        false => Err(source.wrong(reading.faults)),
    }
}

// === impl Reading ===

impl Reading<'_> {
    fn take(&mut self, name: &Name, fields: &Map<String, Value>) -> Result<(), Vec<Fault>> {
        let before = self.there.remove(name);
        let owner = name.owner().and_then(|owner| self.owners.get(&owner));
        let (said, id) = name.parts();
        let document = before.as_ref().map(|before| &before.document);
        let making = Making { desk: self.desk, name: said, id, fields, before: document, owner, known: &self.known };
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
        let (_, fields) = name.kind().way.declare(&made, self.world).map_err(failed)?;
        self.known.add(&made).map_err(failed)?;
        if let Some(owner) = Owner::of(&made).map_err(failed)? {
            self.owners.insert(name.clone(), owner);
        }
        let mut lacking = lacking(&made).map_err(failed)?;
        lacking.extend(secret_missing(&made).map_err(failed)?);
        self.wanted.lacks.extend(lacking.into_iter().map(|member| format!("{name}: {member}")));
        let after = Declared { fields, document: made };
        match before {
            Some(before)
                if !is_renamed
                    && before.fields == after.fields
                    && other_secret(Some(&before), Some(&after)).is_none() => {}
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

    /// What the file does not name: it goes, or it stays. Nothing stays without what it stands below.
    fn leave(&mut self, source: &Source<'_>, prune: bool) {
        // Values of secrets cannot be had again: a file that names no store says nothing about them.
        let is_silent = !says_secrets(source);
        let is_kept = |kind: &str, word: &str| {
            source.kept.iter().any(|kept| kept == word) || (is_silent && matches!(kind, STORE | SECRET))
        };
        let mut gone = HashSet::new();
        // An owner comes before what stands below it.
        for (name, before) in std::mem::take(&mut self.there) {
            let is_orphaned = name.owner().is_some_and(|owner| gone.contains(&owner));
            match is_orphaned || (prune && !is_kept(name.kind().kind, name.kind().word)) {
                true => {
                    gone.insert(name.clone());
                    self.note(name, Some(before), None);
                }
                false => self.wanted.stays.push(name),
            }
        }
    }

    fn note(&mut self, name: Name, before: Option<Declared>, after: Option<Declared>) {
        let nothing = Map::new();
        let fields = |of: &Option<Declared>| of.as_ref().map_or_else(|| nothing.clone(), |of| of.fields.clone());
        let mut differences = between(&fields(&before), &fields(&after));
        differences.extend(other_secret(before.as_ref(), after.as_ref()));
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

fn says_secrets(source: &Source<'_>) -> bool {
    source.things.iter().any(|(name, _)| name.kind().kind == STORE)
}

/// A key's config leads to another secret, which the file does not say: it goes by names.
fn other_secret(before: Option<&Declared>, after: Option<&Declared>) -> Option<Difference> {
    let secret = |declared: &Declared| match declared.document.kind.as_str() {
        PROVIDER_CONFIG => Some(read::<ProviderConfig>(&declared.document).ok()?.secret_id),
        ALERT => Some(read::<Alert>(&declared.document).ok()?.webhook.secret_id),
        _ => None,
    };
    let (before, after) = before.zip(after)?;
    let (before, after) = (secret(before)?, secret(after)?);
    (before != after).then(|| Difference { at: "secret".to_owned(), before: before.into(), after: after.into() })
}

/// What a key's config or an alert lacks while no store has its secret.
fn secret_missing(made: &Document) -> Result<Option<String>, DeskError> {
    if made.kind == ALERT {
        let alert: Alert = read(made)?;
        return Ok(alert.webhook.secret_id.is_empty().then(|| "no store has the secret that it names".to_owned()));
    }
    if made.kind != PROVIDER_CONFIG {
        return Ok(None);
    }
    let config: ProviderConfig = read(made)?;
    Ok(config.secret_id.is_empty().then(|| format!("no store has the secret {:?}", config.secret_name())))
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

/// The same edits with new secrets bound to what their providers are then; `None`: there is nothing to bind.
pub(super) fn bound(prepared: &Prepared) -> Result<Option<Vec<Edit>>, ConfigError> {
    let (mut edits, mut any) = (prepared.edits.clone(), false);
    for after in edits.iter_mut().filter_map(|edit| edit.after.as_mut()).filter(|after| after.kind == SECRET) {
        let mut secret: StoredSecret = read(after)?;
        let binding = prepared.snapshot.binding(&secret.name);
        if secret.bound.is_none() && secret.value != Kept::Absent && binding.is_some() {
            (secret.bound, any) = (binding, true);
            *after = secret_document(&secret)?;
        }
    }
    Ok(any.then_some(edits))
}

/// One key of a provider is the default, at most; whichever the file names or leaves there.
pub(super) fn refuse_two_defaults(source: &Source<'_>, wanted: &Wanted, after: &World) -> Result<(), ConfigError> {
    let mut defaults: HashMap<(String, String), String> = HashMap::new();
    let mut faults = Vec::new();
    for held in after.of_kind(PROVIDER_CONFIG) {
        let config: Arc<ProviderConfig> = held.read()?;
        if !config.default_config {
            continue;
        }
        let place = (config.gateway_internal_id.clone(), config.provider_slug.clone());
        let Some(other) = defaults.insert(place, config.id.clone()) else { continue };
        let ids = [&other, &config.id];
        let named = wanted.changes.iter().find(|change| {
            change
                .after
                .as_ref()
                .is_some_and(|after| after.document.kind == PROVIDER_CONFIG && ids.contains(&&after.document.id))
        });
        if let Some(change) = named {
            let what = format!("{} has a default key already, and can have one", config.provider_slug);
            faults.push(under(&change.name, Fault::new(["default_config"], what)));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(source.wrong(faults)) }
}

/// Providers that nobody knows once everything is applied.
pub(super) fn refuse_strangers(source: &Source<'_>, wanted: &Wanted, after: &Snapshot) -> Result<(), ConfigError> {
    let mut faults = Vec::new();
    for change in wanted.changes.iter().filter(|change| change.name.kind().kind == PROVIDER_CONFIG) {
        let Some(declared) = &change.after else { continue };
        let config: ProviderConfig = read(&declared.document)?;
        if after.providers.get(&config.provider_slug).is_none() {
            let message = format!("there is no provider {:?}", config.provider_slug);
            faults.push(under(&change.name, Fault { path: Vec::new(), message }));
        }
    }
    for change in wanted.changes.iter().filter(|change| change.name.kind().kind == ALERT) {
        let Some(declared) = &change.after else { continue };
        let alert: Alert = read(&declared.document)?;
        if let Some(gateway) = alert.gateway_id.filter(|gateway| after.gateway(gateway).is_none()) {
            faults.push(under(&change.name, Fault::new(["gateway_id"], format!("There is no gateway {gateway:?}"))));
        }
    }
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
