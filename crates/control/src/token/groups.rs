//! Permission groups: the original's names for what a token may do.
//!
//! Enters: policies of a body. Leaves: permissions; and the other way round for answers. Never: knows a resource smaller than the account: what narrows a
//! token further stands beside its policies.

use serde_json::{Value, json};
use tollgate_model::token::{Permission, Token};
use tollgate_rules::token::digest;

const ACCOUNT: &str = "com.cloudflare.api.account";
const USER: &str = "com.cloudflare.api.user";

static GROUPS: &[(Permission, &str, &str)] = &[
    (Permission::Run, "AI Gateway Run", "ai_and_machine_learning"),
    (Permission::Read, "AI Gateway Read", "ai_and_machine_learning"),
    (Permission::ReadMetadata, "AI Gateway Metadata Read", "ai_and_machine_learning"),
    (Permission::Write, "AI Gateway Write", "ai_and_machine_learning"),
    (Permission::SecretsWrite, "Secrets Store Write", "developer_platform"),
    (Permission::AnalyticsRead, "Account Analytics Read", "analytics_and_logs"),
    (Permission::LogsEdit, "Logs Write", "analytics_and_logs"),
    (Permission::AccountRead, "Account Settings Read", "account_and_billing"),
    (Permission::Admin, "Tollgate Administrator", "account_and_billing"),
];

/// The same in every installation, so that scripts and Terraform files can be moved.
pub fn id(permission: Permission) -> String {
    hex(&digest(&format!("tollgate permission group: {}", permission.name()))[..16])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn all() -> impl Iterator<Item = (&'static str, Value)> {
    GROUPS.iter().map(|(permission, name, category)| {
        let group = json!({
            "id": id(*permission), "name": name, "scopes": [ACCOUNT], "category": category, "is_selectable": true,
            "permission": permission.name()
        });
        (*name, group)
    })
}

/// Whether groups of such a scope are meant.
pub fn is_scope(scope: &str) -> bool {
    scope == ACCOUNT
}

pub(super) fn of_policy(policy: &Value, knows_account: &impl Fn(&str) -> bool) -> Result<Vec<Permission>, String> {
    if policy["effect"] != "allow" {
        return Err("effect: only \"allow\" is known; what is not allowed is denied".to_owned());
    }
    for resource in policy["resources"].as_object().into_iter().flat_map(|resources| resources.keys()) {
        let account = resource.strip_prefix(ACCOUNT).and_then(|rest| rest.strip_prefix('.'));
        let is_ours = account.is_some_and(|account| account == "*" || knows_account(account));
        if !is_ours && !resource.starts_with(USER) {
            return Err("resources: expected this account; narrow a token by its gateways instead".to_owned());
        }
    }
    let groups = policy["permission_groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    groups.iter().map(of_group).collect()
}

fn of_group(group: &Value) -> Result<Permission, String> {
    let (wanted, name) = (group["id"].as_str().unwrap_or_default(), group["name"].as_str().unwrap_or_default());
    let is_meant = |permission: Permission, named: &str| match wanted {
        "" => name == named || name == permission.name(),
        wanted => wanted == id(permission) || wanted == permission.name(),
    };
    let found = GROUPS.iter().find(|(permission, named, _)| is_meant(*permission, named));
    let said = "permission_groups: there is no such group; GET /user/tokens/permission_groups lists them";
    found.map(|(permission, ..)| *permission).ok_or_else(|| said.to_owned())
}

pub(super) fn policy(token: &Token, account: &str) -> Value {
    let named = GROUPS.iter().filter(|(permission, ..)| token.permissions.contains(permission));
    let groups: Vec<Value> =
        named.map(|(permission, name, _)| json!({ "id": id(*permission), "name": name })).collect();
    let mut resources = serde_json::Map::new();
    resources.insert(format!("{ACCOUNT}.{account}"), "*".into());
    json!({ "id": token.id, "effect": "allow", "permission_groups": groups, "resources": resources })
}
