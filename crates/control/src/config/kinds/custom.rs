//! Custom providers and custom domains in the file.
//!
//! Enters: stored ones, or what a file says of one. Leaves: the other. Never: the value of a header: `***` stands for it, and means the one that is there.

use serde_json::{Map, Value};
use tollgate_model::{CustomDomain, CustomProvider};
use tollgate_rules::custom::is_hostname;
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed, in_order};
use crate::custom_provider::{MEMBERS as PROVIDER, replace, said};
use crate::desk::custom::{domain_document, provider_document};
use crate::desk::read::read;
use crate::desk::veil::SecretMember;
use crate::desk::world::World;
use crate::desk::{DeskError, secret};
use crate::shape::{Fault, Member, Presence, Shape};

const SLUG: &str = "slug";
const ZONE: &str = "zone_id";

pub(super) const PROVIDERS: Way = Way::Own { members: PROVIDER, declare: declare_provider, make: make_provider };

pub(super) static SECRETS: &[SecretMember] = &[SecretMember::at(&["headers", "*", "value"])];

static DOMAIN: &[Member] =
    &[Member::of(ZONE, Shape::TEXT, Presence::Optional, "Kept and shown; it means nothing here.")];

pub(super) const DOMAINS: Way = Way::Own { members: DOMAIN, declare: declare_domain, make: make_domain };

/// Its slug is its name in the file.
fn declare_provider(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let provider: CustomProvider = read(document)?;
    let said = said(&provider);
    let is_told = |member: &&Member| {
        let text = said.get(member.name).map(Value::to_string);
        member.name != SLUG
            && text.is_some_and(|text| !matches!(member.presence, Presence::Default(default) if default == text))
    };
    let told = PROVIDER.iter().filter(is_told);
    let fields = told.map(|member| (member.name.to_owned(), in_order(member, &said[member.name]))).collect();
    Ok((provider.slug, fields))
}

fn make_provider(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let now_ms = making.desk.now_ms();
    let before: Option<CustomProvider> = making.before.map(read).transpose().map_err(failed)?;
    let mut body = making.fields.clone();
    body.insert(SLUG.to_owned(), making.name.into());
    let egress = making.desk.current().map_err(failed)?.egress.clone();
    let wanted = replace(before.as_ref(), &body, &egress)?;
    let made = match before {
        Some(before) => CustomProvider {
            id: before.id,
            created_at: before.created_at,
            modified_at: now_ms.max(before.modified_at + 1),
            ..wanted
        },
        None => {
            let id = making.id.map(str::to_owned).map_or_else(secret::new_uuid, Ok).map_err(failed)?;
            CustomProvider { id, created_at: now_ms, modified_at: now_ms, ..wanted }
        }
    };
    provider_document(&made).map_err(failed)
}

fn declare_domain(document: &Document, _: &World) -> Result<(String, Fields), DeskError> {
    let domain: CustomDomain = read(document)?;
    let zone = domain.zone_id.map(|zone| (ZONE.to_owned(), zone.into()));
    Ok((domain.hostname, Map::from_iter(zone)))
}

fn make_domain(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let owner = making.gateway()?;
    if !is_hostname(making.name) {
        return Err(failed("its name is a whole host name in lower case, such as ai.example.com"));
    }
    let now_ms = making.desk.now_ms();
    let before: Option<CustomDomain> = making.before.map(read).transpose().map_err(failed)?;
    let made = CustomDomain {
        hostname: making.name.to_owned(),
        gateway: owner.id.clone(),
        gateway_internal_id: owner.internal_id.clone(),
        zone_id: making.fields.get(ZONE).and_then(Value::as_str).map(str::to_owned),
        created_at: before.as_ref().map_or(now_ms, |before| before.created_at),
        modified_at: before.map_or(now_ms, |before| now_ms.max(before.modified_at + 1)),
    };
    domain_document(&made).map_err(failed)
}
