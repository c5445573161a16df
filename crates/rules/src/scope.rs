//! What a token may be used for, from where, and how often: its document, compiled.
//!
//! Enters: tokens, and the facts of one request. Leaves: yes, or which border was met. Never: gives a token more than the one it was made with: every
//! question is asked of the whole line of them, and each one has to say yes.

use std::net::IpAddr;
use std::sync::Arc;

use tollgate_model::token::{Permission, SpendLimit, Token};

pub(crate) use self::link::Link;
use crate::limit::Limit;
use crate::memory::Mark;

pub use self::link::read_range;
pub use self::pattern::Pattern;
pub use self::within::beyond;

mod link;
mod pattern;
mod within;

/// Tokens that were made with tokens that were made with tokens; more than this are not in force.
const LINE_MAX: usize = 8;

/// A token as requests meet it.
#[derive(Debug)]
pub struct Pass {
    pub token: Arc<Token>,
    /// Itself, then the one it was made with, and so on. Empty: one of them is gone, and so is this.
    line: Vec<Arc<Link>>,
}

/// The border that a request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    Address,
    Gateway,
    Route,
    Provider,
    Model,
    /// Only certain models, and which one this would be is not known.
    UnknownModel,
    /// Only routes, and this names a model itself.
    OnlyRoutes,
}

// === impl Pass ===

impl Pass {
    /// `known` finds the compiled form of another token by its id.
    pub(crate) fn new(link: &Arc<Link>, known: &impl Fn(&str) -> Option<Arc<Link>>) -> Self {
        let mut line = vec![link.clone()];
        while let Some(id) = line.last().and_then(|last| last.token.made_by.as_deref()) {
            match known(id) {
                Some(above) if line.len() < LINE_MAX => line.push(above),
                _ => return Self { token: link.token.clone(), line: Vec::new() },
            }
        }
        Self { token: link.token.clone(), line }
    }

    /// Of a caller who has no stored token, such as a person who is logged in.
    pub fn alone(token: Token) -> Result<Self, String> {
        let link = Arc::new(Link::compile(Arc::new(token))?);
        Ok(Self { token: link.token.clone(), line: vec![link] })
    }

    pub fn is_in_force(&self, now_ms: u64) -> bool {
        !self.line.is_empty() && self.line.iter().all(|link| link.token.is_in_force(now_ms))
    }

    pub fn has(&self, permission: Permission) -> bool {
        !self.line.is_empty() && self.line.iter().all(|link| link.token.has(permission))
    }

    pub fn allows(&self, permission: Permission, now_ms: u64) -> bool {
        self.has(permission) && self.is_in_force(now_ms)
    }

    /// Whether all of the account is its affair, not only some gateways.
    pub fn is_of_account(&self) -> bool {
        self.line.iter().all(|link| link.token.scope.gateways.is_none())
    }

    pub fn sees_gateway(&self, id: &str) -> bool {
        self.line.iter().all(|link| link.sees_gateway(id))
    }

    /// An address that is not known is inside no range.
    pub fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        self.line.iter().all(|link| link.may_come_from(address))
    }

    pub fn enter(&self, gateway: &str, address: Option<IpAddr>) -> Result<(), Border> {
        if !self.may_come_from(address) {
            return Err(Border::Address);
        }
        if self.sees_gateway(gateway) { Ok(()) } else { Err(Border::Gateway) }
    }

    /// Whether a route may be asked for. Where it leads is asked of [`Pass::reach`], unless the route itself was named to the token.
    pub fn ask_route(&self, name: &str, id: &str) -> Result<(), Border> {
        let may = self.line.iter().all(|link| link.may_ask_route(name, id));
        if may { Ok(()) } else { Err(Border::Route) }
    }

    /// `models`: all that the request names, in any place. `by_route`: it asked for a route, and that leads here.
    pub fn reach(&self, provider: &str, models: &[&str], by_route: bool) -> Result<(), Border> {
        self.line.iter().try_for_each(|link| link.reach(provider, models, by_route))
    }

    /// Whether [`Pass::reach`] looks at more than the provider.
    pub fn minds_models(&self) -> bool {
        self.line.iter().any(|link| link.token.scope.models.is_some())
    }

    /// Whose requests are counted, and how many of them there may be: its own, and those of the tokens it was made with.
    pub fn limits(&self) -> impl Iterator<Item = (Mark, Limit)> {
        self.line.iter().filter_map(|link| Some((link.counter, link.limit?)))
    }

    /// Whose money is counted, and how much of it there may be.
    pub fn budgets(&self) -> impl Iterator<Item = (&Arc<str>, SpendLimit)> {
        self.line.iter().filter_map(|link| Some((&link.id, link.token.scope.spend_limit?)))
    }

    /// Itself, then the token it was made with, and so on.
    pub fn line(&self) -> impl Iterator<Item = &Arc<Token>> {
        self.line.iter().map(|link| &link.token)
    }

    /// Whether it was made with that token, directly or over others.
    pub fn is_under(&self, id: &str) -> bool {
        self.line.iter().skip(1).any(|link| link.token.id == id)
    }
}

// === impl Border ===

impl Border {
    /// For the caller, with what to do about it.
    pub fn said(self) -> &'static str {
        match self {
            Self::Address => "this token may not be used from this address; ask for its address list to be widened",
            Self::Gateway => "this token is for other gateways; use one that names this gateway, or that names none",
            Self::Route => "this token may not use this route; use one that names it",
            Self::Provider => "this token may not use this provider; use one that names it",
            Self::Model => "this token may not use this model; use a model that its patterns match, or another token",
            Self::UnknownModel => {
                "this token is for certain models, and which one this request is for cannot be told; name it in a body that the gateway can read"
            }
            Self::OnlyRoutes => "this token is for dynamic routes only; ask for one as the model \"dynamic/NAME\"",
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
