//! Sign-in for people, where the settings name an issuer.
//!
//! Enters: settings. Leaves: what the control plane lets people in by. Never: asks the issuer at the start: it may come up after the gateway.

use std::sync::Arc;

use tollgate_control::Desk;
use tollgate_control::people::People;
use tollgate_dial::{Client, Resolver, TlsRoots};
use tollgate_rules::egress::Egress;

use super::stores::Stores;
use crate::settings::Settings;

pub(crate) fn of(settings: &Settings, desk: &Arc<Desk>, stores: &Stores) -> Option<Arc<People>> {
    let oidc = settings.oidc.clone()?;
    let is_tls = settings.tls.is_some() || oidc.base_url.as_deref().is_some_and(|base| base.starts_with("https://"));
    if !is_tls && settings.trusted_proxies.is_empty() && !settings.listen.ip().is_loopback() {
        tracing::warn!(
            "people's sessions travel in the clear: set tls, or public_url and trusted_proxies where a proxy has TLS"
        );
    }
    let egress = Arc::new(Egress { allow_private: settings.allow_private.clone() });
    let client = Client::new(egress, TlsRoots::System, Resolver::System);
    Some(Arc::new(People::new(oidc, desk.clone(), stores.entries.clone(), client)))
}
