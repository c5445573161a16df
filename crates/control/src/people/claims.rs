//! What claims say of somebody.
//!
//! Enters: claims that were proven. Leaves: a person, with those values that the settings give a meaning. Never: keeps another claim, or an address that
//! the issuer has not verified.

use serde_json::Value;

use super::{Oidc, Person};

const TEXT_CHARS_MAX: usize = 256;
/// As many groups as issuers put into a token at most.
const VALUES_MAX: usize = 1_000;

/// Which of the wanted claims are missing, so that the issuer is asked for more.
pub(super) fn is_complete(claims: &Value, oidc: &Oidc) -> bool {
    let has_roles = oidc.roles.is_empty() || find(claims, &oidc.roles_claim).is_some();
    has_roles && (oidc.domains.is_empty() || claims.get("email").is_some()) && claims.get("name").is_some()
}

/// What the second says beyond the first.
pub(super) fn merged(mut claims: Value, more: Value) -> Value {
    if let (Some(claims), Value::Object(more)) = (claims.as_object_mut(), more) {
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
    }
    claims
}

pub(super) fn person(claims: &Value, oidc: &Oidc) -> Person {
    let text = |name: &str| claims[name].as_str().map(cut).filter(|text| !text.is_empty());
    let verified = matches!(&claims["email_verified"], Value::Bool(true)) || claims["email_verified"] == "true";
    let email = text("email").filter(|_| verified);
    let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
    let name = text("name").or_else(|| text("preferred_username")).or_else(|| email.clone());
    let values = match oidc.roles_claim.as_str() {
        // It gives rights, so it must be somebody's own.
        "email" => email.iter().cloned().collect(),
        claim => values(find(claims, claim)),
    };
    Person {
        issuer: oidc.issuer.clone(),
        name: name.unwrap_or_else(|| subject.clone()),
        subject,
        email,
        values: values.into_iter().filter(|value| oidc.roles.contains_key(value)).collect(),
    }
}

/// Keycloak has `realm_access.roles`; Auth0 has names with dots that are URLs.
fn find<'a>(claims: &'a Value, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| name.split('.').try_fold(claims, |value, step| value.get(step)))
}

fn values(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => all.iter().take(VALUES_MAX).filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(TEXT_CHARS_MAX).collect()
}
