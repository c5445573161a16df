//! One token's own borders.
//!
//! Enters: its document. Leaves: answers to single questions. Never: knows of the tokens above it.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use tollgate_model::gateway::Technique;
use tollgate_model::token::Token;

use super::{Border, Pattern};
use crate::limit::Limit;
use crate::memory::Mark;

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) token: Arc<Token>,
    pub(super) limit: Option<Limit>,
    /// Under which its requests are counted.
    pub(super) counter: Mark,
    pub(super) id: Arc<str>,
    from: Option<Vec<IpNet>>,
    not_from: Vec<IpNet>,
    models: Option<Vec<Pattern>>,
}

/// A single address, or a range.
pub fn read_range(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

// === impl Link ===

impl Link {
    pub(crate) fn compile(token: Arc<Token>) -> Result<Self, String> {
        let scope = &token.scope;
        let ranges = |texts: &Vec<String>| -> Result<Vec<IpNet>, String> {
            let read = |text: &String| read_range(text).ok_or_else(|| format!("{text:?} is no address and no range"));
            texts.iter().map(read).collect()
        };
        let limit = scope.rate_limit.map(|rate| Limit {
            requests: rate.limit,
            interval_ms: rate.window.max(1).saturating_mul(1_000),
            technique: Technique::Sliding,
        });
        Ok(Self {
            limit,
            counter: Mark::of(&["token requests", &token.id]),
            id: token.id.as_str().into(),
            from: scope.from.as_ref().map(ranges).transpose()?,
            not_from: scope.not_from.as_ref().map(ranges).transpose()?.unwrap_or_default(),
            models: scope.models.as_ref().map(|texts| texts.iter().map(|text| Pattern::new(text)).collect()),
            token,
        })
    }

    pub(super) fn sees_gateway(&self, id: &str) -> bool {
        self.token.scope.gateways.as_ref().is_none_or(|named| named.iter().any(|each| each == id))
    }

    pub(super) fn may_come_from(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address.map(|address| address.to_canonical()) else {
            return self.from.is_none() && self.not_from.is_empty();
        };
        let inside = |ranges: &[IpNet]| ranges.iter().any(|range| range.contains(&address));
        self.from.as_deref().is_none_or(inside) && !inside(&self.not_from)
    }

    pub(super) fn may_ask_route(&self, name: &str, id: &str) -> bool {
        self.token.scope.routes.as_ref().is_none_or(|named| named.iter().any(|each| each == name || each == id))
    }

    pub(super) fn reach(&self, provider: &str, models: &[&str], by_route: bool) -> Result<(), Border> {
        let scope = &self.token.scope;
        if scope.routes.is_some() {
            // A route that was named to the token is the operator's word on where it leads.
            if by_route {
                return Ok(());
            }
            if scope.providers.is_none() && scope.models.is_none() {
                return Err(Border::OnlyRoutes);
            }
        }
        if scope.providers.as_ref().is_some_and(|named| !named.iter().any(|each| each == provider)) {
            return Err(Border::Provider);
        }
        let Some(patterns) = &self.models else { return Ok(()) };
        if models.iter().all(|model| model.is_empty()) {
            return Err(Border::UnknownModel);
        }
        let matched = |model: &&str| patterns.iter().any(|pattern| pattern.matches(provider, model));
        if models.iter().all(matched) { Ok(()) } else { Err(Border::Model) }
    }
}
