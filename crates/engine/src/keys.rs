//! The operator's keys, and how keys are written.
//!
//! Enters: the environment, a provider's row. Leaves: a key for a target, or none; a header.
//! Never: sends an operator's key to an origin it was not bound to.

use ahash::RandomState;
use hashbrown::HashMap;
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::Secret;
use tollgate_wire::headers::is_blank;
use tollgate_wire::provider::{Auth, Origin, ProviderRow};

/// The operator's keys, found in the environment at start; each bound to the origin that its provider had then.
#[derive(Default)]
pub struct Keys {
    stored: HashMap<String, Stored, RandomState>,
}

struct Stored {
    secret: Secret,
    origin: Option<Origin>,
}

impl Keys {
    /// Reads each provider's documented variables through `look`, which is the environment or a test's.
    pub fn find<'a>(rows: impl Iterator<Item = &'a ProviderRow>, look: impl Fn(&str) -> Option<String>) -> Self {
        let mut stored = HashMap::with_hasher(RandomState::new());
        for row in rows {
            let found = row.key_env().iter().filter_map(|name| look(name)).find(|value| !value.trim().is_empty());
            if let Some(value) = found {
                let secret = Secret::new(value.trim());
                stored.insert(row.segment().to_owned(), Stored { secret, origin: row.fixed_origin() });
            }
        }
        Self { stored }
    }

    /// Providers for which a key was found, for the banner.
    pub fn providers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.stored.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Whether the operator has a key for it.
    pub(crate) fn knows(&self, row: &ProviderRow) -> bool {
        self.stored.contains_key(row.segment())
    }

    /// Whether there is one for a native call to this place.
    pub(crate) fn is_for(&self, row: &ProviderRow, target: &Origin) -> bool {
        self.of_native(row, target).is_some()
    }

    /// For a target that the caller had a say in: only to the one origin that the key is bound to.
    pub(crate) fn of_native(&self, row: &ProviderRow, target: &Origin) -> Option<&Secret> {
        let stored = self.stored.get(row.segment()).filter(|stored| stored.origin.as_ref() == Some(target))?;
        Some(&stored.secret)
    }

    /// For a target that no caller had a say in: a provider of many hosts may have its key there too.
    pub(crate) fn of_operator(&self, row: &ProviderRow, target: &Origin) -> Option<&Secret> {
        let stored = self.stored.get(row.segment())?;
        let is_bound =
            stored.origin == row.fixed_origin() && stored.origin.as_ref().is_none_or(|origin| origin == target);
        is_bound.then_some(&stored.secret)
    }
}

pub(crate) fn carries_own(
    row: &ProviderRow,
    headers: &HeaderMap,
    query: &str,
    is_gateway_token: impl Fn(&HeaderName) -> bool,
) -> bool {
    let in_headers = row.credential_headers().iter().any(|name| {
        let meaningful = headers.get(name).is_some_and(|value| !is_blank(value));
        meaningful && !is_gateway_token(name)
    });
    in_headers || row.credential_query().is_some_and(|name| has_parameter(query, name))
}

fn has_parameter(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| pair.split_once('=').is_some_and(|(key, value)| key == name && !value.is_empty()))
}

/// As the provider wants to see it. What would sign a request may also be an API key, which is a bearer token.
pub(crate) fn write(auth: &Auth, secret: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let (name, text) = match auth {
        Auth::Bearer | Auth::Google | Auth::Sigv4 { .. } => {
            (http::header::AUTHORIZATION, format!("Bearer {}", secret.expose()))
        }
        Auth::Header { name, prefix } => (name.clone(), format!("{prefix}{}", secret.expose())),
        Auth::Query { .. } | Auth::None => return None,
    };
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}
