//! Custom providers and custom domains: made, changed, deleted.
//!
//! Enters: bodies of the REST API. Leaves: them as they are stored now. Never: stores a provider that could not be compiled, or two of one name.

use std::sync::Arc;

use serde_json::Value;
use tollgate_model::{CustomDomain, CustomProvider, Gateway};
use tollgate_rules::custom::is_hostname;
use tollgate_store::documents::Document;

use super::read::{read, write};
use super::{Change, Desk, DeskError, secret};
use crate::custom_provider;
use crate::shape::{Fault, Member, Presence, Shape, Step, object_of};

pub const CUSTOM_PROVIDER: &str = "custom provider";
pub const CUSTOM_DOMAIN: &str = "custom domain";

/// All of them are held in memory by each snapshot.
const PROVIDERS_MAX: usize = 1_000;
const DOMAINS_MAX: usize = 10_000;
const HOSTNAME_CHARS_MAX: usize = 255;

/// What a new domain is made from.
pub static DOMAIN: &[Member] = &[
    Member::of(
        "domain",
        Shape::Like(&Shape::Text { min: 1, max: HOSTNAME_CHARS_MAX }, "^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$"),
        Presence::Required,
        "A whole host name such as `ai.example.com`; no wildcard, no port.",
    ),
    Member::of("zone_id", Shape::TEXT, Presence::Optional, "Kept and shown; it means nothing here."),
];

impl Desk {
    /// By position, then by name.
    pub fn custom_providers(&self) -> Result<Vec<Arc<CustomProvider>>, DeskError> {
        let mut all: Vec<_> = self.current()?.custom_providers().cloned().collect();
        all.sort_by(|a, b| {
            a.position.total_cmp(&b.position).then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id))
        });
        Ok(all)
    }

    /// By its id.
    pub fn custom_provider(&self, id: &str) -> Result<Arc<CustomProvider>, DeskError> {
        self.current()?.custom_provider(id).cloned().ok_or(DeskError::Missing(CUSTOM_PROVIDER))
    }

    pub fn create_custom_provider(&self, body: &Value) -> Result<CustomProvider, DeskError> {
        let wanted = custom_provider::create(body, &self.current()?.egress).map_err(DeskError::Faults)?;
        let now_ms = self.now_ms();
        let made = CustomProvider { id: secret::new_uuid()?, created_at: now_ms, modified_at: now_ms, ..wanted };
        self.change(CUSTOM_PROVIDER, &made.id, |_| {
            if self.current()?.custom_providers().count() >= PROVIDERS_MAX {
                let said = format!("An installation has at most {PROVIDERS_MAX} custom providers");
                return Err(DeskError::Faults(vec![Fault::new(["body"], said)]));
            }
            self.refuse_same_slug(&made)?;
            Ok(Change::to(provider_document(&made)?, made.clone()))
        })
    }

    pub fn update_custom_provider(&self, id: &str, body: &Value) -> Result<CustomProvider, DeskError> {
        self.change(CUSTOM_PROVIDER, id, |before| {
            let before: CustomProvider = read(before.ok_or(DeskError::Missing(CUSTOM_PROVIDER))?)?;
            let egress = self.current()?.egress.clone();
            let mut after = custom_provider::change(&before, body, &egress).map_err(DeskError::Faults)?;
            self.refuse_same_slug(&after)?;
            // Never stands still between two changes.
            after.modified_at = self.now_ms().max(before.modified_at + 1);
            Ok(Change::to(provider_document(&after)?, after))
        })
    }

    pub fn delete_custom_provider(&self, id: &str) -> Result<CustomProvider, DeskError> {
        self.change(CUSTOM_PROVIDER, id, |before| {
            Ok(Change::gone(read(before.ok_or(DeskError::Missing(CUSTOM_PROVIDER))?)?))
        })
    }

    fn refuse_same_slug(&self, provider: &CustomProvider) -> Result<(), DeskError> {
        let same = |other: &CustomProvider| other.slug.eq_ignore_ascii_case(&provider.slug) && other.id != provider.id;
        match self.current()?.custom_providers().any(|other| same(other)) {
            true => Err(DeskError::Exists(CUSTOM_PROVIDER)),
            false => Ok(()),
        }
    }

    /// In order of their names.
    pub fn custom_domains(&self, gateway: &Gateway) -> Result<Vec<Arc<CustomDomain>>, DeskError> {
        let snapshot = self.current()?;
        let mut all: Vec<_> =
            snapshot.custom_domains().filter(|domain| domain.gateway == gateway.id).cloned().collect();
        all.sort_by(|a, b| a.hostname.cmp(&b.hostname));
        Ok(all)
    }

    pub fn custom_domain(&self, gateway: &Gateway, hostname: &str) -> Result<Arc<CustomDomain>, DeskError> {
        let hostname = hostname.to_ascii_lowercase();
        let mut all = self.custom_domains(gateway)?.into_iter();
        all.find(|domain| domain.hostname == hostname).ok_or(DeskError::Missing(CUSTOM_DOMAIN))
    }

    /// From the body of a create. `own`: the name that the gateway's API is reached by, which would be lost.
    pub fn create_custom_domain(&self, gateway: &Gateway, body: &Value, own: &str) -> Result<CustomDomain, DeskError> {
        let (hostname, zone_id) = wanted_domain(body, own)?;
        let now_ms = self.now_ms();
        let made = CustomDomain {
            hostname,
            gateway: gateway.id.clone(),
            gateway_internal_id: gateway.internal_id.clone(),
            zone_id,
            created_at: now_ms,
            modified_at: now_ms,
        };
        self.change(CUSTOM_DOMAIN, &made.hostname, |before| {
            let current = self.current()?;
            // One whose gateway is gone is nobody's: it may be had.
            if before.is_some() && current.gateway_of_host(&made.hostname).is_some() {
                return Err(DeskError::Exists(CUSTOM_DOMAIN));
            }
            if current.custom_domains().count() >= DOMAINS_MAX {
                let said = format!("An installation has at most {DOMAINS_MAX} custom domains");
                return Err(DeskError::Faults(vec![Fault::new(["body"], said)]));
            }
            Ok(Change::to(domain_document(&made)?, made.clone()))
        })
    }

    pub fn delete_custom_domain(&self, gateway: &Gateway, hostname: &str) -> Result<CustomDomain, DeskError> {
        let hostname = self.custom_domain(gateway, hostname)?.hostname.clone();
        self.change(CUSTOM_DOMAIN, &hostname, |before| {
            Ok(Change::gone(read(before.ok_or(DeskError::Missing(CUSTOM_DOMAIN))?)?))
        })
    }
}

fn wanted_domain(body: &Value, own: &str) -> Result<(String, Option<String>), DeskError> {
    let mut faults = Vec::new();
    let empty = serde_json::Map::new();
    let read = object_of(DOMAIN, body.as_object().unwrap_or(&empty), &mut vec![Step::from("body")], &mut faults);
    let text = |name: &str| read.get(name).and_then(Value::as_str);
    let hostname = text("domain").unwrap_or_default().to_ascii_lowercase();
    let said = match faults.is_empty() {
        true if !is_hostname(&hostname) => {
            Some("Invalid: a whole host name such as ai.example.com, without wildcard and port")
        }
        true if hostname == own => Some("Invalid: the API of this gateway is reached by that name"),
        _ => None,
    };
    faults.extend(said.map(|said| Fault::new(["body", "domain"], said)));
    if faults.is_empty() { Ok((hostname, text("zone_id").map(str::to_owned))) } else { Err(DeskError::Faults(faults)) }
}

pub(crate) fn provider_document(provider: &CustomProvider) -> Result<Document, DeskError> {
    write(CUSTOM_PROVIDER, &provider.id, &provider.slug, provider)
}

pub(crate) fn domain_document(domain: &CustomDomain) -> Result<Document, DeskError> {
    let document = write(CUSTOM_DOMAIN, &domain.hostname, &domain.hostname, domain)?;
    Ok(Document { parent: domain.gateway.clone(), ..document })
}
