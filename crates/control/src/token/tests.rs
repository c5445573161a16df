//! Tokens as the original writes them, read and written.

use tollgate_model::token::Scope;

use super::*;

fn wish(body: Value) -> Result<Wanted, String> {
    let shown = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    read(&body, Wanted::default(), |account| account == "acc").map_err(shown)
}

fn policy_of(group: Value, resource: &str) -> Value {
    json!({ "effect": "allow", "permission_groups": [group], "resources": { resource: "*" } })
}

#[test]
fn policies_say_permissions_by_id_or_by_name() {
    let account = "com.cloudflare.api.account.acc";
    for group in [
        json!({ "id": groups::id(Permission::Run) }),
        json!({ "id": groups::id(Permission::Run), "name": "anything" }),
        json!({ "name": "AI Gateway Run" }),
        json!({ "id": "run" }),
    ] {
        let wanted = wish(json!({ "name": "a", "policies": [policy_of(group, account)] })).unwrap();
        assert_eq!(wanted.permissions, [Permission::Run]);
    }
    for (body, said) in [
        (json!({ "name": "a", "policies": [policy_of(json!({ "name": "DNS Write" }), account)] }), "no such group"),
        (
            json!({ "name": "a", "policies": [policy_of(json!({ "id": "run" }), "com.cloudflare.api.account.x")] }),
            "expected this account",
        ),
        (
            json!({ "name": "a", "policies": [policy_of(json!({ "id": "run" }), "com.cloudflare.api.account.zone.*")] }),
            "expected this account",
        ),
        (
            json!({ "name": "a", "policies": [{ "effect": "deny", "permission_groups": [], "resources": {} }] }),
            "only \"allow\"",
        ),
        (json!({ "name": "a", "permissions": ["fly"] }), "expected words of run"),
        (json!({ "permissions": ["run"] }), "name: Required"),
    ] {
        let faults = wish(body).unwrap_err();
        assert!(faults.contains(said), "{faults}");
    }
}

#[test]
fn what_is_absent_stays_and_null_takes_a_limit_away() {
    let scope = Scope { gateways: Some(vec!["g".into()]), models: Some(vec!["gpt-*".into()]), ..Scope::default() };
    let before = Wanted { permissions: vec![Permission::Run], expires_at: Some(9), scope, ..Wanted::default() };
    let body = json!({ "name": "n", "models": null, "expires_on": null, "condition": { "request_ip": { "in": ["10.0.0.1"] } } });
    let after = read(&body, before, |_| true).unwrap();
    assert_eq!((after.scope.gateways, after.scope.models), (Some(vec!["g".to_owned()]), None));
    assert_eq!((after.expires_at, after.permissions), (None, vec![Permission::Run]));
    assert_eq!(after.scope.from, Some(vec!["10.0.0.1".to_owned()]));
}

#[test]
fn what_is_shown_can_be_put_back() {
    let token = Token {
        id: "t".into(),
        name: "n".into(),
        permissions: vec![Permission::Run, Permission::Read],
        digest: "canary".into(),
        expires_at: Some(1_795_000_000_000),
        scope: Scope {
            gateways: Some(vec!["g".into()]),
            not_from: Some(vec!["10.0.0.0/8".into()]),
            rate_limit: Some(RateLimit { limit: 1, window: 2 }),
            spend_limit: Some(SpendLimit { limit_usd: 1.5, window: 3 }),
            ..Scope::default()
        },
        ..Token::default()
    };
    let shown = object(&token, "acc", 0, Some(0));
    assert!(!shown.to_string().contains("canary"));
    let back = read(&shown, Wanted::default(), |account| account == "acc").unwrap();
    assert_eq!((&back.scope, &back.permissions, back.expires_at), (&token.scope, &token.permissions, token.expires_at));
    let mut faults = Vec::new();
    OBJECT.read(&shown, &mut Vec::new(), &mut faults);
    assert!(faults.is_empty(), "{faults:?}");
}
