//! Secrets that stand inside settings: sealed in the store, open in memory, `***` for whoever looks.
//!
//! Enters: documents whose row in the table of kinds names secret members. Leaves: the same with those members sealed, opened or hidden.
//! Never: lets a plain one reach the disk: what cannot be sealed is not written.
//!
//! Each is sealed for its place (kind, id, path), so an envelope that was copied into another document opens nothing.

use serde_json::Value;
use tollgate_model::Secret;
use tollgate_model::secret::HIDDEN;
use tollgate_store::documents::Document;

use super::read::{SECRET, read};
use super::world::Edit;
use super::{Desk, DeskError, PROVIDER_CONFIG};
use crate::config::secret_members;
use crate::vault::{Reference, key_id_of};

/// Where a secret stands in a document; `*` is any name or place in a list.
#[derive(Debug)]
pub(crate) struct SecretMember {
    pub(crate) path: &'static [&'static str],
    /// It may also be the name or id of a stored secret, which may be seen.
    pub(crate) may_name: bool,
}

const ANY: &str = "*";

type Visit<'v> = &'v mut dyn FnMut(&str, &mut String) -> Result<(), DeskError>;

impl SecretMember {
    pub(crate) const fn at(path: &'static [&'static str]) -> Self {
        Self { path, may_name: false }
    }

    pub(crate) const fn or_name(path: &'static [&'static str]) -> Self {
        Self { path, may_name: true }
    }
}

impl Desk {
    /// As they are worked with. One that cannot be opened stays an envelope: everything else serves.
    pub(super) fn opened(&self, mut stored: Vec<Document>) -> Result<Vec<Document>, DeskError> {
        let Some(vault) = &self.vault else { return Ok(stored) };
        for document in stored.iter_mut().filter(|document| may_be_sealed(document)) {
            let (account, mut body) = (self.account()?, read::<Value>(document)?);
            each(document, &mut body, &mut |place, text| {
                if key_id_of(text).is_some() {
                    match vault.open_setting(&account, place, text) {
                        Ok(value) => value.expose().clone_into(text),
                        Err(cause) => tracing::error!(place, "a secret in the settings cannot be used: {cause}"),
                    }
                }
                Ok(())
            })?;
            document.body = body.to_string();
        }
        Ok(stored)
    }

    /// As it is kept; `None`: as it is, for it holds no secret.
    pub(super) fn sealed(&self, document: &Document) -> Result<Option<Document>, DeskError> {
        if secret_members(&document.kind).is_empty() {
            return Ok(None);
        }
        let (account, mut body) = (self.account()?, read::<Value>(document)?);
        let mut any = false;
        each(document, &mut body, &mut |place, text| {
            if is_secret(text) && !self.is_kept(document, place, text)? {
                *text = self.vault()?.seal_setting(&account, place, &Secret::new(text.as_str()))?;
                any = true;
            }
            Ok(())
        })?;
        Ok(any.then(|| Document { body: body.to_string(), ..document.clone() }))
    }

    /// Whether a text is the envelope that stands in this place: it was not opened, so it is not sealed again.
    fn is_kept(&self, document: &Document, place: &str, text: &str) -> Result<bool, DeskError> {
        if key_id_of(text).is_none() {
            return Ok(false);
        }
        let Some(stored) = self.documents.get(&document.kind, &document.parent, &document.id)? else {
            return Ok(false);
        };
        let (mut found, mut body) = (false, read::<Value>(&stored)?);
        each(&stored, &mut body, &mut |there, kept| {
            found |= there == place && kept == text;
            Ok(())
        })?;
        Ok(found)
    }

    /// Seals what stands plain in settings, from before they were sealed, and what is sealed with an older key. Returns in how many documents.
    pub fn seal_settings(&self) -> Result<usize, DeskError> {
        let current = self.vault()?.keyring().current().id().to_owned();
        let (stored, _) = self.documents.all()?;
        let mut outdated = Vec::new();
        for document in stored.iter().filter(|document| !secret_members(&document.kind).is_empty()) {
            let (mut is_old, mut body) = (false, read::<Value>(document)?);
            each(document, &mut body, &mut |_, text| {
                is_old |= is_secret(text) && key_id_of(text) != Some(&current);
                Ok(())
            })?;
            if is_old {
                outdated.push((document.kind.as_str(), document.id.as_str()));
            }
        }
        if outdated.is_empty() {
            return Ok(0);
        }
        self.change_many(|world| {
            let there = outdated.iter().filter_map(|(kind, id)| world.find(kind, id));
            let anew = there.map(|document| Edit { before: Some(document.clone()), after: Some(document.clone()) });
            Ok((anew.collect(), ()))
        })?;
        // What was plain may still stand in pages that the database does not use any more.
        self.documents.scrub()?;
        Ok(outdated.len())
    }

    /// Whether a text is the name or id of a stored secret.
    pub fn names_secret(&self, text: &str) -> bool {
        self.current().is_ok_and(|snapshot| snapshot.secret(text).is_some())
    }
}

/// The ids of the keys that a stored document needs.
pub(super) fn keys_of(document: &Document) -> Result<Vec<String>, DeskError> {
    let mut ids = Vec::new();
    if may_be_sealed(document) {
        let mut body = read::<Value>(document)?;
        each(document, &mut body, &mut |_, text| {
            ids.extend(key_id_of(text).map(str::to_owned));
            Ok(())
        })?;
    }
    Ok(ids)
}

/// Puts `***` in the place of each secret. References stay, and what `names` knows where a name may stand.
pub(crate) fn hide(kind: &str, body: &mut Value, names: &dyn Fn(&str) -> bool) {
    for member in secret_members(kind) {
        let hidden = walk(body, member.path, &mut String::new(), &mut |_, text| {
            if is_secret(text) && !(member.may_name && names(text)) {
                HIDDEN.clone_into(text);
            }
            Ok(())
        });
        debug_assert!(hidden.is_ok(), "hiding cannot fail");
    }
}

/// Whether secrets are among what differs.
pub(super) fn is_of_secrets(before: &Document, after: &Document) -> Result<bool, DeskError> {
    let secrets = |document: &Document| -> Result<Vec<String>, DeskError> {
        let (mut all, mut body) = (Vec::new(), read::<Value>(document)?);
        each(document, &mut body, &mut |_, text| {
            all.push(text.clone());
            Ok(())
        })?;
        Ok(all)
    };
    // A key's config is noted anew when its secret is.
    Ok([SECRET, PROVIDER_CONFIG].contains(&after.kind.as_str()) || secrets(before)? != secrets(after)?)
}

/// The members that nobody has given a value yet.
pub(crate) fn lacking(document: &Document) -> Result<Vec<String>, DeskError> {
    let (mut lacking, mut body) = (Vec::new(), Value::Null);
    if document.kind == SECRET || !secret_members(&document.kind).is_empty() {
        body = read(document)?;
    }
    if document.kind == SECRET && body["value"] == "absent" {
        lacking.push("value".to_owned());
    }
    for member in secret_members(&document.kind) {
        walk(&mut body, member.path, &mut String::new(), &mut |place, text| {
            // Of an address the end alone is hidden.
            if text == HIDDEN || text.ends_with("/***") {
                lacking.push(place.trim_start_matches('/').replace('/', "."));
            }
            Ok(())
        })?;
    }
    Ok(lacking)
}

fn is_secret(text: &str) -> bool {
    !text.is_empty() && text != HIDDEN && Reference::read(text).is_none()
}

fn may_be_sealed(document: &Document) -> bool {
    !secret_members(&document.kind).is_empty() && document.body.contains("tgv1.")
}

fn each(document: &Document, body: &mut Value, visit: Visit<'_>) -> Result<(), DeskError> {
    for member in secret_members(&document.kind) {
        walk(body, member.path, &mut format!("{}/{}", document.kind, document.id), visit)?;
    }
    Ok(())
}

fn walk(value: &mut Value, path: &[&str], place: &mut String, visit: Visit<'_>) -> Result<(), DeskError> {
    let Some((name, rest)) = path.split_first() else {
        return match value {
            Value::String(text) => visit(place, text),
            _ => Ok(()),
        };
    };
    let length = place.len();
    let mut below = |name: &str, value: &mut Value| {
        place.push('/');
        place.push_str(name);
        let walked = walk(value, rest, place, visit);
        place.truncate(length);
        walked
    };
    match value {
        Value::Array(items) if *name == ANY => {
            items.iter_mut().enumerate().try_for_each(|(at, item)| below(&at.to_string(), item))
        }
        Value::Object(members) if *name == ANY => members.iter_mut().try_for_each(|(name, value)| below(name, value)),
        Value::Object(members) => members.get_mut(*name).map_or(Ok(()), |value| below(name, value)),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_hidden_where_the_table_says_so() {
        let mut gateway = json!({
            "otel": [{ "url": "u", "headers": { "a": "fake", "b": "env:X", "c": "" }, "authorization": "a-name" },
                     { "url": "u", "headers": {}, "authorization": "fake" }],
            "stripe": { "authorization": "fake", "usage_events": [] }, "id": "fake"
        });
        hide("gateway", &mut gateway, &|text| text == "a-name");
        let expected = json!({
            "otel": [{ "url": "u", "headers": { "a": "***", "b": "env:X", "c": "" }, "authorization": "a-name" },
                     { "url": "u", "headers": {}, "authorization": "***" }],
            "stripe": { "authorization": "***", "usage_events": [] }, "id": "fake"
        });
        assert_eq!(gateway, expected);
        let document = Document {
            kind: "gateway".into(),
            parent: String::new(),
            id: "g".into(),
            name: "g".into(),
            version: 1,
            body: gateway.to_string(),
        };
        assert_eq!(lacking(&document).unwrap(), ["otel.0.headers.a", "otel.1.authorization", "stripe.authorization"]);
    }
}
