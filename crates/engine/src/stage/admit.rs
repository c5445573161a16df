//! Who asks, and which gateway: the first question.
//!
//! Enters: a head. Leaves: a `Caller`, the proof that the gateway exists and lets this caller in. Never: reads a body.
//!
//! A token may stand wherever an official SDK can put one (data-plane specification, section 9.1). A credential header that holds a gateway token
//! is remembered as spent: it is neither a provider key nor forwarded. One that is not good (any more) is refused in the place of a provider's key, on open
//! gateways too: whoever sends it there means it, and would otherwise be told by a provider that no key came. In the gateway's own header, where clients send
//! what they have to gateways that do not ask, it counts as none.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use tollgate_model::Refusal;
use tollgate_model::gateway::DEFAULT_ID;
use tollgate_model::token::{Permission, Token};
use tollgate_rules::policy::Identity;
use tollgate_rules::scope::{Border, Pass};
use tollgate_rules::snapshot::{GatewayRules, Snapshot};
use tollgate_rules::token;
use tollgate_wire::dialect::Dialect;

use crate::books::Books;
use crate::gate::{Gate, Wish};
use crate::head::Head;
use crate::stage::scope;
use crate::surface::{Call, Host};

#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) gateway: Arc<GatewayRules>,
    /// What its token is good for. `None`: nobody in particular, where the gateway lets anybody in.
    pub(crate) pass: Option<Arc<Pass>>,
    /// Credential headers that hold a gateway token.
    pub(crate) spent: Vec<HeaderName>,
    /// Who it is, as far as policies ask.
    pub(crate) identity: Identity,
}

struct Shown {
    pass: Option<Arc<Pass>>,
    /// What keeps a good token from being used here.
    border: Option<Border>,
    spent: Vec<HeaderName>,
    /// Something that could be a token was shown and is not known.
    stranger: bool,
    /// A token that is not good stands where a provider's key would.
    misplaced: bool,
}

pub(crate) async fn caller(gate: &Gate, head: &Head, books: &mut Books) -> Result<Caller, Refusal> {
    let mut snapshot = gate.shared.snapshot.load_full();
    if !snapshot.knows_account(head.account()) {
        return Err(Refusal::unknown_gateway());
    }
    let mut shown = shown(&snapshot, head, books.started_ms());
    // Settings may have been written by another process a moment ago: look once before saying no.
    if snapshot.gateway(head.gateway()).is_none() || is_unwelcome(&snapshot, head, &shown) {
        gate.shared.refresh.refresh(wish(head, &shown)).await;
        snapshot = gate.shared.snapshot.load_full();
        shown = self::shown(&snapshot, head, books.started_ms());
        if snapshot.gateway(head.gateway()).is_none() && wish(head, &shown) == Wish::CreateDefault {
            gate.shared.refresh.refresh(Wish::CreateDefault).await;
            snapshot = gate.shared.snapshot.load_full();
        }
    }
    let gateway = snapshot.gateway(head.gateway()).cloned().ok_or_else(Refusal::unknown_gateway)?;
    let token_id = shown.pass.as_ref().map(|pass| pass.token.id.as_str());
    books.admitted(&snapshot.account, &gateway.id, token_id, gateway.settings.collect_logs);
    if let (None, Some(border)) = (&shown.pass, shown.border) {
        return Err(scope::refusal(border, dialect(&snapshot, head)));
    }
    let is_nobody = shown.pass.is_none() && (gateway.settings.authentication || shown.misplaced);
    // A query is forwarded as it is, so one that holds a token goes nowhere.
    if is_nobody || head.parts.uri.query().is_some_and(token::is_in_query) {
        return Err(match head.surface().host {
            Host::Gateway => Refusal::unauthorized(),
            Host::Rest => Refusal::authentication_error(),
        });
    }
    if let Some(pass) = &shown.pass {
        gate.shared.uses.note(&pass.token.id, books.started_ms());
    }
    let token = shown.pass.as_ref().map(|pass| &*pass.token);
    let identity = if gateway.policies.is_empty() { Identity::default() } else { identity(token) };
    Ok(Caller { pass: shown.pass, spent: shown.spent, identity, gateway, snapshot })
}

/// A gateway token stands for whoever it was given to.
fn identity(token: Option<&Token>) -> Identity {
    let claims = token.map(|token| [("token_id", &token.id), ("token_name", &token.name)]);
    let custom = claims.into_iter().flatten().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    Identity { custom, ..Identity::default() }
}

fn is_unwelcome(snapshot: &Snapshot, head: &Head, shown: &Shown) -> bool {
    let wanted = snapshot.gateway(head.gateway()).is_some_and(|gateway| gateway.settings.authentication);
    (wanted || shown.misplaced) && shown.pass.is_none() && shown.stranger
}

/// An authenticated request that names the default gateway creates it.
fn wish(head: &Head, shown: &Shown) -> Wish {
    if head.gateway() == DEFAULT_ID && shown.pass.is_some() { Wish::CreateDefault } else { Wish::Look }
}

fn shown(snapshot: &Snapshot, head: &Head, now_ms: u64) -> Shown {
    let mut shown = Shown { pass: None, border: None, spent: Vec::new(), stranger: false, misplaced: false };
    let mut best = u8::MAX;
    for each in token::shown(head.headers()) {
        // Be it one that is known and may run or not: no token of ours ever goes to a provider.
        if each.is_in_place_of_key() {
            shown.spent.push(each.header.clone());
        }
        if each.is_stray() {
            continue;
        }
        let digest = token::digest(each.text);
        let pass = snapshot.pass(&digest, now_ms);
        shown.stranger |= snapshot.token(&digest).is_none();
        shown.misplaced |= pass.is_none() && each.is_in_place_of_key();
        let Some(pass) = pass.filter(|pass| pass.has(Permission::Run)) else { continue };
        match pass.enter(head.gateway(), head.peer()) {
            Err(border) => shown.border = Some(border),
            Ok(()) if each.rank < best => {
                best = each.rank;
                shown.pass = Some(pass.clone());
            }
            Ok(()) => {}
        }
    }
    shown
}

/// In which the caller hears a no, where the path alone says so.
pub(crate) fn dialect(snapshot: &Snapshot, head: &Head) -> Dialect {
    match head.surface().call {
        Call::Unified(asked) => asked.dialect,
        Call::Native => {
            let row = snapshot.providers.get(head.provider());
            let target = row.and_then(|row| row.target(head.account(), head.rest(), head.headers()).ok());
            target.map_or(Dialect::Raw, |target| target.dialect())
        }
        _ => Dialect::Raw,
    }
}

/// Credential headers of a step that hold a gateway token.
pub(crate) fn spent(headers: &HeaderMap) -> Vec<HeaderName> {
    token::shown(headers).filter(|each| each.is_in_place_of_key()).map(|each| each.header.clone()).collect()
}
