//! Which key a step goes out with: the caller's own, a stored one of the gateway, the operator's, or none (data-plane specification, section 9.2).
//!
//! Enters: a caller, a provider's row, the caller's wishes. Leaves: a key as the provider wants to see it, or a no that names what is missing.
//! Never: falls back to the operator's key when a stored one was named, or cannot be used: somebody else would pay.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tollgate_model::{Refusal, Secret};
use tollgate_rules::key::{AwsKeys, Credential, Scope, ServiceAccount, StoredKey, Unusable};
use tollgate_rules::options::Options;
use tollgate_wire::provider::{Auth, ProviderRow};

use crate::gate::Gate;
use crate::head::Head;
use crate::keys::{carries_own, write};
use crate::stage::admit::Caller;
use crate::stage::limit;
use crate::stage::plan::Step;
use crate::stage::plan::question::bare;

/// What authenticates a request to its provider.
pub(crate) enum Key {
    /// In the caller's headers or query, forwarded as it is.
    Callers,
    /// To be written into this header.
    Header(HeaderName, HeaderValue),
    /// To be added to the query, escaped.
    Query(Secret),
    /// Signs the request.
    Signs(Arc<AwsKeys>, Scope),
    None,
}

/// Whose key it is. Decided before the cache is asked: an alias that does not exist gets no cached answer either.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    /// Among the headers already.
    Callers,
    /// The caller's too, but it has to be exchanged first.
    CallersAccount(Arc<ServiceAccount>),
    Stored(Arc<StoredKey>),
    Operators,
    Nobodys,
}

/// What an alias means that the gateway has no key for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    /// The caller named the provider as well: a no.
    Binding,
    /// The provider was chosen for the caller: the usual key.
    Wished,
    /// Not heard on this surface.
    Ignored,
}

/// For a step whose provider the caller calls by its own API.
pub(crate) fn of_native(
    gate: &Gate,
    caller: &Caller,
    head: &Head,
    step: &Step,
    options: &Options,
) -> Result<Whose, Refusal> {
    let row = &step.row;
    let query = step.target.path_and_query.split_once('?').map_or("", |(_, query)| query);
    let (headers, is_spent): (&HeaderMap, &dyn Fn(&HeaderName) -> bool) = match &step.foreign {
        None => (head.headers(), &|name| caller.spent.contains(name)),
        // Tokens of ours were taken out of these.
        Some(foreign) => (&foreign.headers, &|_| false),
    };
    if carries_own(row, headers, query, is_spent) {
        return Ok(account_in(row, headers, is_spent).map_or(Whose::Callers, Whose::CallersAccount));
    }
    let stored = stored(caller, row, options, Alias::Binding)?;
    let has_operators = || gate.shared.keys.is_for(row, &step.target.origin);
    stored.map_or_else(|| without_stored(caller, row, options, has_operators()), Ok)
}

/// For a step of the unified API. `own`: the caller's key, when it can be meant for this provider.
pub(crate) fn of_unified(
    gate: &Gate,
    caller: &Caller,
    row: &ProviderRow,
    own: Option<&Secret>,
    options: &Options,
    alias: Alias,
) -> Result<Whose, Refusal> {
    if let Some(own) = own {
        let account = account(row, own.expose());
        return Ok(account.map_or(Whose::Callers, Whose::CallersAccount));
    }
    let stored = stored(caller, row, options, alias)?;
    stored.map_or_else(|| without_stored(caller, row, options, gate.shared.keys.knows(row)), Ok)
}

fn stored(caller: &Caller, row: &ProviderRow, options: &Options, alias: Alias) -> Result<Option<Whose>, Refusal> {
    let keys = &caller.gateway.keys;
    let provider = row.segment();
    let named = options.byok_alias.as_deref().filter(|_| alias != Alias::Ignored);
    let found = named.and_then(|named| keys.named(provider, named));
    if let (None, Some(named), Alias::Binding) = (found, named, alias) {
        let configured: Vec<&str> = keys.of(provider).iter().map(|key| key.alias.as_str()).collect();
        return Err(Refusal::no_such_key(provider, named, &configured));
    }
    Ok(found.or_else(|| keys.usual(provider)).cloned().map(Whose::Stored))
}

/// The operator's key, unless gateway or caller have forbidden to use it.
fn without_stored(
    caller: &Caller,
    row: &ProviderRow,
    options: &Options,
    has_operators: bool,
) -> Result<Whose, Refusal> {
    let forbidden = (caller.gateway.settings.byok_only || options.no_wholesale) && !row.is_never_withheld();
    match (has_operators, forbidden) {
        _ if *row.auth() == Auth::None => Ok(Whose::Nobodys),
        (_, true) => Err(Refusal::no_key(row.segment())),
        (true, false) => Ok(Whose::Operators),
        (false, false) => Ok(Whose::Nobodys),
    }
}

fn account_in(
    row: &ProviderRow,
    headers: &HeaderMap,
    is_spent: &dyn Fn(&HeaderName) -> bool,
) -> Option<Arc<ServiceAccount>> {
    let value = headers.get(http::header::AUTHORIZATION).filter(|_| !is_spent(&http::header::AUTHORIZATION))?;
    account(row, bare(value.to_str().ok()?))
}

fn account(row: &ProviderRow, text: &str) -> Option<Arc<ServiceAccount>> {
    if *row.auth() != Auth::Google {
        return None;
    }
    ServiceAccount::read_base64(text).map(Arc::new)
}

/// The key itself: counted, opened, exchanged.
pub(crate) async fn ready(gate: &Arc<Gate>, step: &Step, whose: &Whose) -> Result<Key, Refusal> {
    match whose {
        Whose::Callers => Ok(Key::Callers),
        Whose::Nobodys => Ok(Key::None),
        Whose::Operators => Ok(operators(gate, step)),
        Whose::CallersAccount(account) => exchanged(gate, account).await,
        Whose::Stored(key) => {
            let credential = key.credential_for(&step.target.origin).map_err(|why| unusable(key, why))?;
            limit::enter_key(gate, key)?;
            match credential {
                Credential::Plain(secret) => Ok(plain(step.row.auth(), secret)),
                Credential::Google(account) => exchanged(gate, account).await,
                Credential::Aws(keys) => {
                    let scope = Scope::of(step.row.auth(), &step.target.origin, keys).ok_or_else(Refusal::internal)?;
                    Ok(Key::Signs(keys.clone(), scope))
                }
            }
        }
    }
}

fn operators(gate: &Gate, step: &Step) -> Key {
    let keys = &gate.shared.keys;
    let origin = &step.target.origin;
    // Where a native call leads, its caller had a say in.
    let is_free = step.foreign.as_ref().is_some_and(|foreign| !foreign.as_native);
    let found = if is_free { keys.of_operator(&step.row, origin) } else { keys.of_native(&step.row, origin) };
    found.map_or(Key::None, |secret| plain(step.row.auth(), secret))
}

fn plain(auth: &Auth, secret: &Secret) -> Key {
    match (auth, write(auth, secret)) {
        (Auth::Query { name }, _) => {
            let value = utf8_percent_encode(secret.expose(), NON_ALPHANUMERIC);
            Key::Query(Secret::new(format!("{name}={value}")))
        }
        (_, Some((name, value))) => Key::Header(name, value),
        (_, None) => Key::None,
    }
}

async fn exchanged(gate: &Arc<Gate>, account: &Arc<ServiceAccount>) -> Result<Key, Refusal> {
    let token = crate::exchange::token(gate, account).await?;
    Ok(plain(&Auth::Bearer, &token))
}

/// What is wrong with its value is for those who may see the gateway's settings.
fn unusable(key: &StoredKey, why: Unusable) -> Refusal {
    let said = match &why {
        Unusable::Malformed(_) => "it is no key of this provider".to_owned(),
        why => why.to_string(),
    };
    Refusal::unusable_key(key.provider(), &key.alias, &said).because(why)
}
