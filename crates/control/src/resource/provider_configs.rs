//! Provider configs over HTTP: a gateway's own keys (control-plane specification, section 7.1).
//!
//! Enters: bodies and queries. Leaves: configs without their keys. Never: a key.

use http::Method;
use serde_json::Value;
use tollgate_model::Gateway;

use crate::answer::Answer;
use crate::call::Call;
use crate::desk::Configured;
use crate::keep;
use crate::page::{PAGE, PER_PAGE, Paging};
use crate::problem::Problem;
use crate::row::Access::Guarded;
use crate::row::Answers::{One, Page};
use crate::row::{Needs, Row, get, row};

const PER_PAGE_MAX: u64 = 100;
const ALL: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs";
const ONE: &str = "/accounts/{account}/ai-gateway/gateways/{gateway}/provider_configs/{config}";

pub(crate) static ROWS: &[Row] = &[
    get(
        ALL,
        "aig-config-list-providers",
        Guarded(Needs::Metadata, list),
        Page(&keep::CONFIG),
        "A gateway's keys for providers, the newest first. Of an unknown gateway: none.",
    )
    .query(&[PAGE, PER_PAGE])
    .said("key", "list")
    .columns(&["id", "provider_slug", "alias", "default_config", "secret_preview", "rate_limit", "status"]),
    row(
        Method::POST,
        ALL,
        "aig-config-create-providers",
        Guarded(Needs::WriteAndSecrets, create),
        One(&keep::CONFIG),
        "Stores a key for a provider under an alias.",
    )
    .body(&keep::NEW_CONFIG)
    .said("key", "create")
    .fills(r#"{"alias":"default","default_config":false}"#),
    get(
        ONE,
        "tollgate-get-provider-config",
        Guarded(Needs::Metadata, get_one),
        One(&keep::CONFIG),
        "One of them. Not in the original.",
    )
    .said("key", "show"),
    row(
        Method::PUT,
        ONE,
        "aig-config-update-providers",
        Guarded(Needs::WriteAndSecrets, update),
        One(&keep::CONFIG),
        "Rotates the key; changes limit or default. What is absent stays.",
    )
    .body(&keep::CHANGE_CONFIG)
    .said("key", "update"),
    row(
        Method::DELETE,
        ONE,
        "aig-config-delete-providers",
        Guarded(Needs::WriteAndSecrets, delete),
        One(&keep::GONE_CONFIG),
        "Deletes a key, and the secret that was made for it.",
    )
    .said("key", "delete"),
];

fn list(call: &Call) -> Result<Answer, Problem> {
    let mut reader = call.query.reader();
    let paging = Paging::read(&mut reader, PER_PAGE_MAX);
    reader.finish()?;
    let all = match call.snapshot.gateway(call.params.get("gateway")) {
        Some(gateway) => call.parts.desk.provider_configs(&gateway.settings)?,
        None => Vec::new(),
    };
    let total = all.len() as u64;
    let rows: Vec<Value> = paging.cut(all).iter().map(|configured| object(call, configured)).collect();
    Ok(Answer::Page { info: paging.info(rows.len(), total), rows })
}

fn create(call: &Call) -> Result<Answer, Problem> {
    let made = call.parts.desk.create_provider_config(gateway(call)?, &call.json())?;
    Ok(shown(call, &made))
}

fn get_one(call: &Call) -> Result<Answer, Problem> {
    let found = call.parts.desk.provider_config(gateway(call)?, call.params.get("config"))?;
    Ok(shown(call, &found))
}

fn update(call: &Call) -> Result<Answer, Problem> {
    let after = call.parts.desk.update_provider_config(gateway(call)?, call.params.get("config"), &call.json())?;
    Ok(shown(call, &after))
}

fn delete(call: &Call) -> Result<Answer, Problem> {
    let gone = call.parts.desk.delete_provider_config(gateway(call)?, call.params.get("config"))?;
    Ok(Answer::Result(keep::gone(&gone)))
}

fn gateway(call: &Call) -> Result<&Gateway, Problem> {
    Ok(&call.gateway()?.settings)
}

fn shown(call: &Call, configured: &Configured) -> Answer {
    Answer::Result(object(call, configured))
}

fn object(call: &Call, configured: &Configured) -> Value {
    let problem = call.parts.desk.key_problem(&configured.config);
    keep::config(&configured.config, configured.secret.as_ref(), problem)
}
