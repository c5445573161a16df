//! Alerts in the file: what is watched, and where it is told.
//!
//! Enters: a stored alert, or what a file says of one. Leaves: the other. Never: the secret that messages are signed with, only its name; nor the path of an
//! address that is a secret itself.

use serde_json::{Map, Value, json};
use tollgate_model::Alert;
use tollgate_store::documents::Document;

use super::{Fields, Making, Way, failed, in_order};
use crate::alert::members::{FILE_MEMBERS, object, shown_url, wanted};
use crate::desk::alerts::{alert, document};
use crate::desk::open::secret_name;
use crate::desk::read::read;
use crate::desk::veil::SecretMember;
use crate::desk::world::World;
use crate::desk::{DeskError, secret};
use crate::shape::{Fault, Presence};

pub(super) const WAY: Way = Way::Own { members: FILE_MEMBERS, declare, make };

/// Who knows the address of some webhooks may write there.
pub(super) static SECRETS: &[SecretMember] = &[SecretMember::at(&["webhook", "url"])];

const SECRET: &str = "secret";

fn declare(document: &Document, world: &World) -> Result<(String, Fields), DeskError> {
    let alert: Alert = read(document)?;
    let shown = object(&alert, "");
    let mut fields = Map::new();
    for member in FILE_MEMBERS {
        let value = &shown[member.name];
        let text = value.to_string();
        let is_default = matches!(member.presence, Presence::Default(default) if text == default) || value.is_null();
        if !is_default {
            fields.insert(member.name.to_owned(), in_order(member, value));
        }
    }
    fields.extend(secret_name(world, &alert.webhook.secret_id).map(|name| (SECRET.to_owned(), name.into())));
    Ok((alert.name, fields))
}

fn make(making: &Making<'_>) -> Result<Document, Vec<Fault>> {
    let before: Option<Alert> = making.before.map(read).transpose().map_err(failed)?;
    let mut body = Value::Object(making.fields.clone());
    body["name"] = making.name.into();
    let named = body.as_object_mut().and_then(|body| body.shift_remove(SECRET));
    if let (Some(before), Some(url)) = (&before, body.pointer_mut("/webhook/url"))
        && *url == shown_url(before)
    {
        *url = json!(before.webhook.url);
    }
    let egress = making.desk.current().map_err(failed)?.egress.clone();
    let wanted = wanted(&body, &egress)?;
    let secret_id = match (&named, &before) {
        (Some(name), _) => name.as_str().and_then(|name| making.known.secret(None, name)).unwrap_or_default(),
        (None, Some(before)) => before.webhook.secret_id.clone(),
        (None, None) => {
            let what = "Required: the name of the stored secret that its messages are signed with, `whsec_...`";
            return Err(vec![Fault::new([SECRET], what)]);
        }
    };
    let now_ms = making.desk.now_ms();
    let id = before.as_ref().map(|before| before.id.clone()).or_else(|| making.id.map(str::to_owned));
    let id = id.map_or_else(secret::new_uuid, Ok).map_err(failed)?;
    let (created_at, modified_at) =
        before.map_or((now_ms, now_ms), |before| (before.created_at, now_ms.max(before.modified_at + 1)));
    document(&alert(&wanted, &id, secret_id, created_at, modified_at)).map_err(failed)
}
