//! Which entries of the audit log are meant.
//!
//! Enters: queries of both forms. Leaves: a yes or no for each deed. Never: fails at a word it does not know: that simply matches nothing.

use std::net::IpAddr;

use tollgate_rules::scope::read_range;

use super::word;
use crate::audit::{Actor, Deed, Interface, Kind};
use crate::query::Reader;
use crate::shape::Presence::{Default, Optional, Required};
use crate::shape::{Member, Shape};

/// A filter's name, and what of a deed it is compared with.
type Column = (&'static str, fn(&str, &Deed) -> String);

/// Each may be repeated, and then any of its values matches; with `.not` behind its name none may.
static COLUMNS: &[Column] = &[
    ("action_result", |_, deed| result(deed).to_owned()),
    ("action_type", |_, deed| word(&deed.action).to_owned()),
    ("actor_context", |_, deed| context(&deed.actor).to_owned()),
    ("actor_email", |_, deed| deed.actor.email.clone().unwrap_or_default()),
    ("actor_id", |_, deed| deed.actor.id.clone()),
    ("actor_ip_address", |_, deed| deed.actor.ip.map(|ip| ip.to_string()).unwrap_or_default()),
    ("actor_token_id", |_, deed| of_token(deed, &deed.actor.id)),
    ("actor_token_name", |_, deed| of_token(deed, &deed.actor.name)),
    ("actor_type", |_, deed| actor_type(&deed.actor).to_owned()),
    ("audit_log_id", |id, _| id.to_owned()),
    ("id", |id, _| id.to_owned()),
    ("raw_method", |_, deed| deed.actor.method.clone().unwrap_or_default()),
    ("raw_status_code", |_, deed| status(deed).to_string()),
    ("raw_uri", |_, deed| deed.actor.path.clone().unwrap_or_default()),
    ("resource_id", |_, deed| deed.resource_id.clone()),
    ("resource_product", |_, deed| product(deed).to_owned()),
    ("resource_scope", |_, _| "accounts".to_owned()),
    ("resource_type", |_, deed| deed.resource.clone()),
];

const ANY: Shape = Shape::TEXT;
const NOT: &str = ".not";

macro_rules! listed {
    ($($name:literal),*) => {
        &[
            Member::of("since", Shape::Time, Required, "From then on."),
            Member::of("before", Shape::Time, Required, "Before then."),
            super::DIRECTION,
            Member::of("limit", Shape::Whole { min: 1, max: super::PER_PAGE_MAX }, Default("100"), "Entries of an answer."),
            Member::of("cursor", Shape::TEXT, Optional, "What the last answer gave."),
            $(
                Member::of($name, ANY, Optional, "Exactly this; repeated: any of them."),
                Member::of(concat!($name, ".not"), ANY, Optional, "None of these."),
            )*
        ]
    };
}

pub(super) static FILTERS: &[Member] = listed!(
    "action_result",
    "action_type",
    "actor_context",
    "actor_email",
    "actor_id",
    "actor_ip_address",
    "actor_token_id",
    "actor_token_name",
    "actor_type",
    "audit_log_id",
    "id",
    "raw_method",
    "raw_status_code",
    "raw_uri",
    "resource_id",
    "resource_product",
    "resource_scope",
    "resource_type"
);

#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Column, values, and whether they are meant or excluded.
    terms: Vec<(Column, Vec<String>, bool)>,
    /// Of the older form: an address or a range.
    from: Option<String>,
    nothing: bool,
}

// === impl Filter ===

impl Filter {
    /// Of the older form, which compares for equality only.
    pub(super) fn older(reader: &mut Reader<'_>) -> Self {
        let mut filter = Self::default();
        for (name, column) in [("id", "id"), ("actor.email", "actor_email"), ("action.type", "action_type")] {
            if let Some(value) = reader.text(name) {
                let found = COLUMNS.iter().find(|(each, _)| *each == column);
                filter.terms.extend(found.map(|column| (*column, vec![value.to_owned()], true)));
            }
        }
        filter.from = reader.text("actor.ip").map(str::to_owned);
        filter.nothing = reader.text("zone.name").is_some();
        filter
    }

    pub(super) fn newer(reader: &mut Reader<'_>) -> Self {
        let mut filter = Self::default();
        for column in COLUMNS {
            for (name, is_meant) in [(column.0.to_owned(), true), (format!("{}{NOT}", column.0), false)] {
                let values: Vec<String> = reader
                    .pairs()
                    .iter()
                    .filter(|(each, value)| *each == name && !value.is_empty())
                    .map(|(_, value)| value.clone())
                    .collect();
                if !values.is_empty() {
                    filter.terms.push((*column, values, is_meant));
                }
            }
        }
        filter
    }

    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.from.is_none() && !self.nothing
    }

    pub(super) fn matches(&self, id: &str, deed: &Deed) -> bool {
        let holds = |((_, column), values, is_meant): &(Column, Vec<String>, bool)| {
            let found = column(id, deed);
            values.iter().any(|value| value.eq_ignore_ascii_case(&found)) == *is_meant
        };
        !self.nothing
            && self.terms.iter().all(holds)
            && self.from.as_deref().is_none_or(|from| is_from(from, deed.actor.ip))
    }
}

fn is_from(range: &str, address: Option<IpAddr>) -> bool {
    matches!((read_range(range), address), (Some(range), Some(address)) if range.contains(&address))
}

fn of_token(deed: &Deed, what: &str) -> String {
    if deed.actor.kind == Kind::Token { what.to_owned() } else { String::new() }
}

pub(super) fn actor_type(actor: &Actor) -> &'static str {
    match actor.kind {
        Kind::System => "system",
        Kind::Token => "account",
        Kind::Person | Kind::Operator => "user",
    }
}

pub(super) fn context(actor: &Actor) -> &'static str {
    match (actor.kind, actor.interface) {
        (Kind::Token, _) => "api_token",
        (_, Interface::Dashboard) => "dash",
        _ => "api",
    }
}

pub(super) fn result(deed: &Deed) -> &'static str {
    if deed.refused.is_none() { "success" } else { "failure" }
}

/// What was refused is only ever a sign-in.
pub(super) fn status(deed: &Deed) -> u16 {
    if deed.refused.is_none() { 200 } else { 403 }
}

pub(super) fn product(deed: &Deed) -> &'static str {
    if deed.resource.starts_with("ai_gateway") { "ai_gateway" } else { "account" }
}
