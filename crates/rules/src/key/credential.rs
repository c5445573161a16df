//! What a stored key is: text, AWS's pair of keys, or a service account.
//!
//! Enters: a secret's value and how its provider wants to be asked. Leaves: a credential, with what it says of region, project or resource.
//! Never: takes one provider's kind of key for another's.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use tollgate_model::Secret;
use tollgate_wire::provider::Auth;

use super::assertion::ServiceAccount;

#[derive(Clone, Debug)]
pub enum Credential {
    /// Sent as it is.
    Plain(Secret),
    /// Signs each request.
    Aws(Arc<AwsKeys>),
    /// Exchanged for access tokens.
    Google(Arc<ServiceAccount>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsKeys {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
    pub region: Option<String>,
}

/// What fills the holes of a provider's paths.
pub(super) type Values = BTreeMap<String, String>;

/// A value that begins with a brace is JSON: AWS's keys where requests are signed, a service account where one is exchanged, or else
/// `{"key": ..., "resource": ...}`: a key beside what the provider's row leaves open.
pub fn read(auth: &Auth, secret: &Secret) -> Result<(Credential, BTreeMap<String, String>), String> {
    let text = secret.expose().trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if !text.starts_with('{') {
        if *auth == Auth::Google
            && let Some(account) = ServiceAccount::read_base64(text)
        {
            return Ok(of_google(account));
        }
        return Ok((Credential::Plain(Secret::new(text)), Values::new()));
    }
    let document: Map<String, Value> = serde_json::from_str(text).map_err(|_| "it begins like JSON and is none")?;
    match auth {
        Auth::Sigv4 { .. } if member(&document, &["secretAccessKey", "SecretAccessKey"]).is_some() => aws(&document),
        Auth::Google if document.contains_key("private_key") => ServiceAccount::read(&document).map(of_google),
        _ => with_values(&document),
    }
}

fn of_google(account: ServiceAccount) -> (Credential, Values) {
    let said = [("project", account.project_id.clone()), ("region", account.region.clone())];
    let values = said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    (Credential::Google(Arc::new(account)), values)
}

/// In the original's spelling, or in that of AWS's own tools.
fn aws(document: &Map<String, Value>) -> Result<(Credential, Values), String> {
    let required = |names: &[&str]| member(document, names).ok_or_else(|| format!("{} is missing", names[0]));
    let keys = AwsKeys {
        access_key_id: required(&["accessKeyId", "AccessKeyId"])?,
        secret_access_key: Secret::new(required(&["secretAccessKey", "SecretAccessKey"])?),
        session_token: member(document, &["sessionToken", "SessionToken"]).map(Secret::new),
        region: member(document, &["region"]),
    };
    let values = keys.region.iter().map(|region| ("region".to_owned(), region.clone())).collect();
    Ok((Credential::Aws(Arc::new(keys)), values))
}

fn with_values(document: &Map<String, Value>) -> Result<(Credential, Values), String> {
    const NAMES: [&str; 3] = ["key", "apiKey", "api_key"];
    let key = member(document, &NAMES).ok_or("a JSON document needs the member `key`")?;
    let mut values = Values::new();
    for (name, value) in document.iter().filter(|(name, _)| !NAMES.contains(&name.as_str())) {
        let text = value.as_str().ok_or_else(|| format!("{name} is no text"))?;
        values.insert(name.clone(), text.to_owned());
    }
    Ok((Credential::Plain(Secret::new(key)), values))
}

fn member(document: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let texts = names.iter().filter_map(|name| document.get(*name)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}
