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
    let egress = Arc::new(Egress { allow_private: settings.allow_private.clone() });
    let client = Client::new(egress, TlsRoots::System, Resolver::System);
    Some(Arc::new(People::new(oidc, desk.clone(), stores.entries.clone(), client)))
}
