//! Gateways: made, changed, deleted.
//!
//! Enters: bodies of the REST API. Leaves: gateways as they are stored now. Never: logs what was changed; that is the audit's.

use serde_json::Value;
use tollgate_model::Gateway;
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_store::documents::Document;

use super::provider_configs::secrets_of_gateway;
use super::read::{GATEWAY, read, write};
use super::world::Edit;
use super::{Change, Desk, DeskError, secret};
use crate::gateway;
use crate::shape::Fault;

/// All of them are held in memory by each snapshot.
const GATEWAYS_MAX: usize = 10_000;

impl Desk {
    /// From the body of a create: `id`, the five required settings, and any other.
    pub fn create_gateway(&self, body: &Value) -> Result<Gateway, DeskError> {
        let wanted = gateway::create(body).map_err(DeskError::Faults)?;
        if self.current()?.gateways().count() >= GATEWAYS_MAX {
            let fault = Fault::new(["body"], format!("An installation has at most {GATEWAYS_MAX} gateways"));
            return Err(DeskError::Faults(vec![fault]));
        }
        self.insert_gateway(wanted)
    }

    /// From the body of an update.
    pub fn update_gateway(&self, id: &str, body: &Value) -> Result<Gateway, DeskError> {
        self.change(GATEWAY, id, |before| {
            let before: Gateway = read(before.ok_or(DeskError::Missing(GATEWAY))?)?;
            let mut after = gateway::update(before, body).map_err(DeskError::Faults)?;
            // Changes on every save, also without effective change, and never stands still between two.
            after.modified_at = self.now_ms().max(after.modified_at + 1);
            Ok(Change::to(document(&after)?, after))
        })
    }

    pub fn delete_gateway(&self, id: &str) -> Result<Gateway, DeskError> {
        self.change_many(|world| {
            let before = world.find(GATEWAY, id).ok_or(DeskError::Missing(GATEWAY))?;
            let gone = read(before)?;
            let below = world.below(id).map(|held| &held.document);
            let secrets = secrets_of_gateway(world, id)?;
            let gone_with_it = |document: &Document| Edit { before: Some(document.clone()), after: None };
            let all = std::iter::once(before).chain(below).chain(secrets.iter());
            Ok((all.map(gone_with_it).collect(), gone))
        })
    }

    /// The gateway `default`, made if it is missing: what the first authenticated request to it asks for (data-plane specification, 1.2).
    pub fn create_default(&self) -> Result<Gateway, DeskError> {
        let wanted = Gateway::auto_created(self.now_ms());
        match self.insert_gateway(wanted) {
            // Someone else made it at the same time: as good.
            Err(DeskError::Exists(_)) => self.gateway(DEFAULT_ID)?.ok_or(DeskError::Missing(GATEWAY)),
            made => made,
        }
    }

    pub fn gateway(&self, id: &str) -> Result<Option<Gateway>, DeskError> {
        Ok(self.current()?.gateway(id).map(|rules| rules.settings.clone()))
    }

    /// The newest first, then by id.
    pub fn gateways(&self) -> Result<Vec<Gateway>, DeskError> {
        let mut all: Vec<Gateway> = self.current()?.gateways().map(|rules| rules.settings.clone()).collect();
        all.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    pub(super) fn insert_gateway(&self, wanted: Gateway) -> Result<Gateway, DeskError> {
        let now_ms = self.now_ms();
        let made = Gateway {
            is_default: wanted.id == DEFAULT_ID,
            created_at: now_ms,
            modified_at: now_ms,
            internal_id: secret::new_uuid()?,
            ..wanted
        };
        self.change(GATEWAY, &made.id, |before| match before {
            Some(_) => Err(DeskError::Exists(GATEWAY)),
            None => Ok(Change::to(document(&made)?, made.clone())),
        })
    }
}

fn document(gateway: &Gateway) -> Result<Document, DeskError> {
    write(GATEWAY, &gateway.id, &gateway.id, gateway)
}
