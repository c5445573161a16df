//! Alerts: made, changed, deleted, each together with the secret that its messages are signed with.
//!
//! Enters: bodies of the REST API. Leaves: alerts as they are stored now. Never: stores an address that egress would not let out, or a key in the alert
//! itself.

use serde_json::Value;
use tollgate_model::alert::Webhook;
use tollgate_model::{Alert, Secret, StoredSecret};
use tollgate_store::documents::Document;

use super::read::{SECRET, read, write};
use super::secrets::{NewSecret, document as secret_document};
use super::stores::store_for;
use super::world::{Edit, World};
use super::{Desk, DeskError, secret};
use crate::alert::members::{Wanted, shown_url, wanted};
use crate::alert::of_bytes;
use crate::shape::Fault;

pub const ALERT: &str = "alert";

const ALERTS_MAX: usize = 50;
/// One that no provider's key has.
const SECRET_SCOPE: &str = "workers";

/// An alert, and the secret if it was made up here.
#[derive(Clone, Debug)]
pub struct SavedAlert {
    pub alert: Alert,
    pub secret: Option<Secret>,
}

impl Desk {
    /// The newest first.
    pub fn alerts(&self) -> Result<Vec<Alert>, DeskError> {
        let mut all = stored(&self.now()?.world)?;
        all.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    pub fn alert(&self, id: &str) -> Result<Alert, DeskError> {
        read(self.now()?.world.find(ALERT, id).ok_or(DeskError::Missing(ALERT))?)
    }

    pub fn create_alert(&self, body: &Value) -> Result<SavedAlert, DeskError> {
        let wanted = wanted(body, &self.current()?.egress).map_err(DeskError::Faults)?;
        let (id, store_id, now_ms) = (secret::new_uuid()?, secret::new_id()?, self.now_ms());
        let made_up = wanted.secret.is_none();
        let value = match &wanted.secret {
            Some(text) => Secret::new(text.as_str()),
            None => of_bytes(&secret::random::<32>()?),
        };
        let account = self.account()?;
        self.change_many(|world| {
            let others = stored(world)?;
            self.refuse(world, &others, &wanted, &id)?;
            if others.len() >= ALERTS_MAX {
                return Err(fault(["body"], format!("There are at most {ALERTS_MAX} alerts")));
            }
            let no_store = || fault(["body"], "there is no store to keep the secret in");
            let (store, made_store) = store_for(world, None, &store_id, now_ms)?.ok_or_else(no_store)?;
            let name = format!("alert_{id}_webhook");
            let scopes = vec![SECRET_SCOPE.to_owned()];
            let new =
                NewSecret { name, scopes, value: value.clone(), comment: Some("signs an alert's messages".into()) };
            let kept = self.new_secret(&account, &store, &new)?;
            let alert = alert(&wanted, &id, kept.id.clone(), now_ms, now_ms);
            let mut edits: Vec<Edit> = made_store.into_iter().collect();
            edits.push(Edit { before: None, after: Some(secret_document(&kept)?) });
            edits.push(Edit { before: None, after: Some(document(&alert)?) });
            Ok((edits, SavedAlert { alert, secret: made_up.then(|| value.clone()) }))
        })
    }

    /// From the same body as a create. Without a secret the one before stays.
    pub fn update_alert(&self, id: &str, body: &Value) -> Result<SavedAlert, DeskError> {
        let was = self.alert(id)?;
        let mut body = body.clone();
        if let Some(url) = body.pointer_mut("/webhook/url").filter(|url| **url == shown_url(&was)) {
            *url = was.webhook.url.into();
        }
        let wanted = wanted(&body, &self.current()?.egress).map_err(DeskError::Faults)?;
        let account = self.account()?;
        self.change_many(|world| {
            let before = world.find(ALERT, id).ok_or(DeskError::Missing(ALERT))?;
            let was: Alert = read(before)?;
            self.refuse(world, &stored(world)?, &wanted, id)?;
            let modified_at = self.now_ms().max(was.modified_at + 1);
            let after = alert(&wanted, id, was.webhook.secret_id.clone(), was.created_at, modified_at);
            let mut edits = vec![Edit { before: Some(before.clone()), after: Some(document(&after)?) }];
            if let Some(text) = &wanted.secret {
                let gone = || fault(["body", "webhook", "secret"], "its secret was deleted: make the alert anew");
                let kept = world.find(SECRET, &was.webhook.secret_id).ok_or_else(gone)?;
                let mut secret: StoredSecret = read(kept)?;
                self.put_value(&account, &mut secret, &Secret::new(text.as_str()))?;
                secret.modified_at = modified_at;
                edits.push(Edit { before: Some(kept.clone()), after: Some(secret_document(&secret)?) });
            }
            Ok((edits, SavedAlert { alert: after, secret: None }))
        })
    }

    pub fn delete_alert(&self, id: &str) -> Result<Alert, DeskError> {
        self.change_many(|world| {
            let before = world.find(ALERT, id).ok_or(DeskError::Missing(ALERT))?;
            let gone: Alert = read(before)?;
            let mut edits = vec![Edit { before: Some(before.clone()), after: None }];
            if let Some(secret) = world.find(SECRET, &gone.webhook.secret_id) {
                edits.push(Edit { before: Some(secret.clone()), after: None });
            }
            Ok((edits, gone))
        })
    }

    fn refuse(&self, world: &World, others: &[Alert], wanted: &Wanted, id: &str) -> Result<(), DeskError> {
        if others.iter().any(|other| other.name == wanted.name && other.id != id) {
            return Err(fault(["body", "name"], format!("An alert with the name {:?} already exists", wanted.name)));
        }
        match &wanted.gateway_id {
            Some(gateway) if world.find(super::read::GATEWAY, gateway).is_none() => {
                Err(fault(["body", "gateway_id"], format!("There is no gateway {gateway:?}")))
            }
            _ => Ok(()),
        }
    }
}

fn stored(world: &World) -> Result<Vec<Alert>, DeskError> {
    world.of_kind(ALERT).map(|held| Ok(Alert::clone(&*held.read()?))).collect()
}

pub(crate) fn alert(wanted: &Wanted, id: &str, secret_id: String, created_at: u64, modified_at: u64) -> Alert {
    Alert {
        id: id.to_owned(),
        name: wanted.name.clone(),
        enable: wanted.enable,
        gateway_id: wanted.gateway_id.clone(),
        watch: wanted.watch.clone(),
        cooldown_seconds: wanted.cooldown_seconds,
        webhook: Webhook { url: wanted.url.clone(), format: wanted.format, secret_id },
        created_at,
        modified_at,
    }
}

pub(crate) fn document(alert: &Alert) -> Result<Document, DeskError> {
    write(ALERT, &alert.id, &alert.name, alert)
}

fn fault<const N: usize>(path: [&str; N], message: impl Into<String>) -> DeskError {
    DeskError::Faults(vec![Fault::new(path, message)])
}
