//! `[oidc]`: where people sign in, and who of them may what.
//!
//! Enters: the section as it was written. Leaves: what the control plane needs, or the fault of each member. Never: asks the issuer: a setting can be right
//! while it is away.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_spanned::Spanned;
use tollgate_control::people::{ClientSecret, Oidc};
use tollgate_control::vault::Reference;
use tollgate_model::Secret;
use tollgate_model::token::Role;
use tollgate_wire::provider::Origin;

use super::fault::suggestion;
use super::table::{OIDC_IDLE_MINUTES, OIDC_SESSION_HOURS};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Section {
    issuer: Option<Spanned<String>>,
    name: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Spanned<Secretive>>,
    scopes: Option<Vec<String>>,
    roles_claim: Option<String>,
    roles: BTreeMap<Spanned<String>, Spanned<String>>,
    default_role: Option<Spanned<String>>,
    domains: Option<Vec<String>>,
    redirect_base_url: Option<Spanned<String>>,
    idle_minutes: Option<u64>,
    session_hours: Option<u64>,
}

/// Not shown by whoever prints the settings.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct Secretive(String);

impl std::fmt::Debug for Secretive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A fault, and where it stands.
pub(super) type Place = (std::ops::Range<usize>, String);

const STORED: &str = "secret:";
const SECRET_BYTES_MAX: usize = 64 * 1024;

// === impl Section ===

impl Section {
    pub(super) fn under(self, upper: Self) -> Self {
        let mut roles = self.roles;
        roles.extend(upper.roles);
        Self {
            issuer: upper.issuer.or(self.issuer),
            name: upper.name.or(self.name),
            client_id: upper.client_id.or(self.client_id),
            client_secret: upper.client_secret.or(self.client_secret),
            scopes: upper.scopes.or(self.scopes),
            roles_claim: upper.roles_claim.or(self.roles_claim),
            roles,
            default_role: upper.default_role.or(self.default_role),
            domains: upper.domains.or(self.domains),
            redirect_base_url: upper.redirect_base_url.or(self.redirect_base_url),
            idle_minutes: upper.idle_minutes.or(self.idle_minutes),
            session_hours: upper.session_hours.or(self.session_hours),
        }
    }

    pub(super) fn faults(&self) -> Vec<Place> {
        let mut faults = Vec::new();
        if let Some(issuer) = &self.issuer
            && Origin::of_url(issuer.get_ref()).is_err()
        {
            faults
                .push((issuer.span(), format!("oidc.issuer: expected https://HOST/..., found {:?}", issuer.get_ref())));
        }
        if let Some(base) = &self.redirect_base_url
            && !Origin::of_url(base.get_ref()).is_ok_and(|(_, path)| path == "/")
        {
            let what = format!("oidc.redirect_base_url: expected https://HOST[:PORT], found {:?}", base.get_ref());
            faults.push((base.span(), what));
        }
        let named = self.roles.iter().map(|(value, role)| (format!("oidc.roles.{:?}", value.get_ref()), role));
        let all = named.chain(self.default_role.iter().map(|role| ("oidc.default_role".to_owned(), role)));
        faults.extend(all.filter_map(|(key, role)| Some((role.span(), role_fault(&key, role.get_ref())?))));
        faults
    }

    /// `None` without an issuer.
    pub(super) fn resolve(self, public_url: Option<&str>) -> Result<Option<Oidc>, String> {
        let Some(issuer) = self.issuer.map(Spanned::into_inner) else { return Ok(None) };
        let client_id = self.client_id.ok_or("oidc.client_id is missing: the issuer gives one to each application")?;
        let role = |role: Spanned<String>| Role::from_name(role.get_ref());
        let roles: BTreeMap<String, Role> =
            self.roles.into_iter().filter_map(|(value, named)| Some((value.into_inner(), role(named)?))).collect();
        let default_role = self.default_role.and_then(role);
        if roles.is_empty() && default_role.is_none() {
            return Err("oidc: nobody would have a role; set oidc.roles or oidc.default_role".to_owned());
        }
        let base = self.redirect_base_url.map(Spanned::into_inner).or_else(|| public_url.map(str::to_owned));
        let host = || Origin::of_url(&issuer).map_or_else(|_| issuer.clone(), |(origin, _)| origin.host);
        let usual = ["openid", "profile", "email"].map(str::to_owned).to_vec();
        Ok(Some(Oidc {
            name: self.name.unwrap_or_else(host),
            client_id,
            client_secret: secret(self.client_secret.map(Spanned::into_inner))?,
            scopes: self.scopes.unwrap_or(usual),
            roles_claim: self.roles_claim.unwrap_or_else(|| "groups".to_owned()),
            roles,
            default_role,
            domains: self.domains.unwrap_or_default(),
            base_url: base.map(|base| base.trim_end_matches('/').to_owned()),
            idle_ms: self.idle_minutes.unwrap_or(OIDC_IDLE_MINUTES).max(1).saturating_mul(60_000),
            absolute_ms: self.session_hours.unwrap_or(OIDC_SESSION_HOURS).max(1).saturating_mul(3_600_000),
            issuer,
        }))
    }
}

fn role_fault(key: &str, role: &str) -> Option<String> {
    if Role::from_name(role).is_some() {
        return None;
    }
    let names = Role::ALL.map(|(name, _)| name);
    let near = suggestion(role, names.into_iter());
    let hint =
        near.map_or_else(|| format!("; roles are {}", names.join(", ")), |near| format!("; did you mean {near:?}?"));
    Some(format!("{key}: there is no role {role:?}{hint}"))
}

/// Whoever writes the settings may read what they refer to: unlike references of stored secrets, these need not be allowed.
fn secret(said: Option<Secretive>) -> Result<ClientSecret, String> {
    let Some(Secretive(said)) = said else { return Ok(ClientSecret::None) };
    if let Some(name) = said.strip_prefix(STORED) {
        return Ok(ClientSecret::Stored(name.to_owned()));
    }
    let value = match Reference::read(&said) {
        None => said,
        Some(Reference::Environment(name)) => std::env::var(&name)
            .map_err(|_| format!("oidc.client_secret: the environment variable {name} is not set"))?,
        Some(Reference::File(path)) => read_file(&path)?,
    };
    match value.trim() {
        "" => Err("oidc.client_secret is empty".to_owned()),
        value => Ok(ClientSecret::Given(Secret::new(value))),
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(path).map_err(|cause| format!("oidc.client_secret: {}: {cause}", path.display()))?;
    if text.len() > SECRET_BYTES_MAX {
        Err(format!("oidc.client_secret: {} is too long", path.display()))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn section(text: &str) -> Section {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_section_means_what_it_says() {
        let said = section(
            "issuer = \"https://id.example.com/realms/x\"\nclient_id = \"gw\"\nclient_secret = \"a-fake\"\n\
             default_role = \"viewer\"\n[roles]\nai-admins = \"admin\"",
        );
        assert_eq!(said.faults(), []);
        assert!(!format!("{said:?}").contains("a-fake"));
        let oidc = said.resolve(Some("https://ai.example.com")).unwrap().unwrap();
        assert_eq!((oidc.name.as_str(), oidc.roles_claim.as_str()), ("id.example.com", "groups"));
        assert_eq!((oidc.roles["ai-admins"], oidc.default_role), (Role::Admin, Some(Role::Viewer)));
        assert_eq!((oidc.base_url.as_deref(), oidc.idle_ms), (Some("https://ai.example.com"), 3_600_000));
        assert!(!format!("{oidc:?}").contains("a-fake"));
        assert!(section("").resolve(None).unwrap().is_none());
    }

    /// Every settings file on the page is right, and its table of roles is that of the code.
    #[test]
    fn the_page_of_access_is_right() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
        let page = std::fs::read_to_string(page).unwrap();
        let blocks: Vec<&str> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let mut issuers = 0;
        for block in &blocks {
            let text = block.replace("env:TOLLGATE_OIDC_SECRET", "a-fake");
            let raw = crate::settings::raw::Raw::read(&text).unwrap();
            raw.check(&text).unwrap();
            let settings = raw.resolve().unwrap();
            issuers += usize::from(settings.oidc.is_some_and(|oidc| !oidc.roles.is_empty()));
        }
        assert_eq!((blocks.len(), issuers), (6, 5));
        for (name, role) in Role::ALL {
            let words: Vec<String> = role.permissions().iter().map(|each| format!("`{}`", each.name())).collect();
            assert!(page.contains(&format!("| `{name}` | {} |", words.join(", "))), "{name}");
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let bare = "issuer = \"https://id.example.com\"\nclient_id = \"gw\"\n";
        assert!(section(bare).resolve(None).unwrap_err().contains("nobody would have a role"));
        assert!(section("issuer = \"https://id.example.com\"").resolve(None).unwrap_err().contains("client_id"));
        let said = |more: &str| section(&format!("{bare}{more}")).faults()[0].1.clone();
        assert!(said("default_role = \"admn\"").contains("did you mean \"admin\"?"));
        assert!(said("[roles]\nx = \"owner\"").contains("roles are viewer, payload_viewer, operator, admin"));
        assert!(said("redirect_base_url = \"ai.example.com\"").starts_with("oidc.redirect_base_url"));
        let role = "default_role = \"viewer\"\n";
        let refused =
            |secret: &str| section(&format!("{bare}{role}client_secret = {secret:?}")).resolve(None).unwrap_err();
        assert!(refused("env:NOT_SET_ANYWHERE_1").contains("NOT_SET_ANYWHERE_1"));
        assert!(refused("file:/no/such/file").contains("/no/such/file"));
        let stored = section(&format!("{bare}{role}client_secret = \"secret:oidc\"")).resolve(None).unwrap().unwrap();
        assert!(matches!(stored.client_secret, ClientSecret::Stored(name) if name == "oidc"));
    }
}
