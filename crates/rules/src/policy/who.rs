//! Who asks, as conditions and actors see it.
//!
//! Enters: an identity and the request's metadata. Leaves: fields by name, for text and for CEL. Never: makes up a field that is not there.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use tollgate_model::{Meta, Metadata};

/// What is known of a person or a program beyond its credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub id: Option<String>,
    pub email: Option<String>,
    pub groups: Option<Vec<String>>,
    /// Claims by name.
    pub custom: Vec<(String, String)>,
    pub country: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    pub identity: &'a Identity,
    pub metadata: &'a Metadata,
}

/// The same as CEL sees it, made once for all policies, and what no condition asks for not at all.
pub(super) struct Fields<'a> {
    who: Who<'a>,
    cf: OnceLock<Box<dyn Val + 'a>>,
    metadata: OnceLock<Box<dyn Val + 'a>>,
}

const CUSTOM: &str = "cf.custom.";
const METADATA: &str = "metadata.";

// === impl Who ===

impl<'a> Who<'a> {
    pub(super) fn has_field(name: &str) -> bool {
        let named = |prefix| name.strip_prefix(prefix).is_some_and(|rest: &str| !rest.is_empty());
        matches!(name, "cf.user.id" | "cf.user.email" | "cf.country") || named(CUSTOM) || named(METADATA)
    }

    pub(super) fn field(&self, name: &str) -> Option<Cow<'a, str>> {
        let identity = self.identity;
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        match name {
            "cf.user.id" => text(&identity.id),
            "cf.user.email" => text(&identity.email),
            "cf.country" => text(&identity.country),
            _ => match (name.strip_prefix(CUSTOM), name.strip_prefix(METADATA)) {
                (Some(claim), _) => {
                    identity.custom.iter().find(|(name, _)| name == claim).map(|(_, value)| value.as_str().into())
                }
                (_, Some(key)) => self.metadata.get(key).map(Meta::as_text),
                _ => None,
            },
        }
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) fn of(who: &Who<'a>) -> Self {
        Self { who: *who, cf: OnceLock::new(), metadata: OnceLock::new() }
    }

    fn cf(identity: &'a Identity) -> Box<dyn Val + 'a> {
        let Identity { id, email, groups, custom, country } = identity;
        let mut user = HashMap::new();
        put(&mut user, "id", id.as_deref().map(string));
        put(&mut user, "email", email.as_deref().map(string));
        let list = |groups: &'a Vec<String>| -> Box<dyn Val + 'a> {
            let names: Vec<Box<dyn Val + 'a>> = groups.iter().map(|group| string(group)).collect();
            Box::new(CelList::from(names))
        };
        put(&mut user, "groups", groups.as_ref().map(list));
        let claims = custom.iter().map(|(name, value)| (CelMapKey::from(name.as_str()), string(value))).collect();
        let mut cf = HashMap::new();
        put(&mut cf, "user", Some(map(user)));
        put(&mut cf, "custom", Some(map(claims)));
        put(&mut cf, "country", country.as_deref().map(string));
        map(cf)
    }

    fn metadata(metadata: &'a Metadata) -> Box<dyn Val + 'a> {
        let pairs = metadata.0.iter();
        map(pairs.map(|(key, value)| (CelMapKey::from(key.as_str()), value_of(value))).collect())
    }
}

impl VariableResolver for Fields<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        match variable {
            "cf" => Some(CowVal::Borrowed(&**self.cf.get_or_init(|| Self::cf(self.who.identity)))),
            "metadata" => Some(CowVal::Borrowed(&**self.metadata.get_or_init(|| Self::metadata(self.who.metadata)))),
            _ => None,
        }
    }
}

type Entries<'a> = HashMap<CelMapKey<'a>, Box<dyn Val + 'a>>;

fn put<'a>(into: &mut Entries<'a>, name: &'static str, value: Option<Box<dyn Val + 'a>>) {
    if let Some(value) = value {
        into.insert(CelMapKey::from(name), value);
    }
}

fn map<'a>(entries: Entries<'a>) -> Box<dyn Val + 'a> {
    Box::new(CelMap::from(entries))
}

fn string(text: &str) -> Box<dyn Val + '_> {
    Box::new(CelString::from(text))
}

/// A number is whole where it was written so.
fn value_of(value: &Meta) -> Box<dyn Val + '_> {
    match value {
        Meta::Text(text) => string(text),
        Meta::Flag(flag) => Box::new(CelBool::from(*flag)),
        Meta::Null => Box::new(CelNull),
        Meta::Number(number) => match (number.parse::<i64>(), number.parse::<f64>()) {
            (Ok(whole), _) => Box::new(CelInt::from(whole)),
            (_, Ok(number)) => Box::new(CelDouble::from(number)),
            _ => string(number),
        },
    }
}
