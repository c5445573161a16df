//! Each setting against its bounds, and the golden object.

use super::*;

fn five() -> Value {
    json!({
        "cache_invalidate_on_update": true, "cache_ttl": 0, "collect_logs": true,
        "rate_limiting_interval": 0, "rate_limiting_limit": null
    })
}

fn with(members: &Value) -> Value {
    let mut body = five();
    for (name, value) in members.as_object().unwrap_or(&Map::new()) {
        body[name] = value.clone();
    }
    body
}

fn faults(members: &Value) -> Vec<String> {
    let mut body = with(members);
    if body["id"].is_null() {
        body["id"] = "g".into();
    }
    create(&body).err().unwrap_or_default().iter().map(Fault::to_string).collect()
}

#[test]
fn the_table_lists_every_member_of_the_model_that_can_be_set() {
    // A member that is hidden while it is off.
    let gateway = Gateway {
        tollgate_strict: true,
        tollgate_strict_cache: true,
        tollgate_limits: Some(serde_json::json!([])),
        ..Gateway::default()
    };
    let document = serde_json::to_value(gateway).unwrap_or_default();
    let fixed = ["id", "is_default", "created_at", "modified_at", "internal_id"];
    let mut settable: Vec<&str> = document
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .filter(|name| !fixed.contains(name))
        .collect();
    let mut listed: Vec<&str> = MEMBERS.iter().map(|member| member.name).collect();
    settable.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, settable);
}

#[test]
fn all_five_and_the_id_are_required() {
    let found = create(&json!({})).err().unwrap_or_default();
    let mut names: Vec<String> = found.iter().map(|fault| fault.path[1].to_string()).collect();
    names.sort_unstable();
    let expected = [
        "cache_invalidate_on_update",
        "cache_ttl",
        "collect_logs",
        "id",
        "rate_limiting_interval",
        "rate_limiting_limit",
    ];
    assert_eq!(names, expected);
    assert!(found.iter().all(|fault| fault.message == "Required"));
}

#[test]
fn each_setting_is_checked() {
    let cases = [
        (
            json!({"id": "Upper"}),
            "id: Invalid: lower-case letters, digits and underscores, in words joined by single hyphens",
        ),
        (json!({"id": "a".repeat(65)}), "id: String must contain at most 64 character(s)"),
        (json!({"cache_ttl": -1}), "cache_ttl: Number must be greater than or equal to 0"),
        (json!({"collect_logs": null}), "collect_logs: Expected boolean, received null"),
        (
            json!({"rate_limiting_technique": "x"}),
            "rate_limiting_technique: Invalid enum value. Expected 'fixed' | 'sliding', received 'x'",
        ),
        (json!({"log_management": 9999}), "log_management: Number must be greater than or equal to 10000"),
        (json!({"logpush_public_key": "short"}), "logpush_public_key: String must contain at least 16 character(s)"),
        (json!({"retry_max_attempts": 6}), "retry_max_attempts: Number must be less than or equal to 5"),
        (json!({"retry_delay": 60001}), "retry_delay: Number must be less than or equal to 60000"),
        (json!({"otel": [{"headers": {}}]}), "otel.0.url: Required"),
        (
            json!({"otel": [{"url": "http://c.example", "headers": {"a": 1}}]}),
            "otel.0.headers.a: Expected string, received number",
        ),
        (json!({"guardrails": {"prompt": {}}}), "guardrails.response: Required"),
        (
            json!({"guardrails": {"prompt": {"S1": "IGNORE"}, "response": {}}}),
            "guardrails.prompt.S1: Invalid enum value. Expected 'FLAG' | 'BLOCK', received 'IGNORE'",
        ),
        (json!({"dlp": {"enabled": true, "action": "FLAG"}}), "dlp.profiles: Required"),
        (
            json!({"dlp": {"enabled": true, "policies": [{"id": "p", "action": "FLAG", "check": ["BOTH"], "enabled": true, "profiles": []}]}}),
            "dlp.policies.0.check.0: Invalid enum value. Expected 'REQUEST' | 'RESPONSE', received 'BOTH'",
        ),
        (
            json!({"spend_limits": {"rules": [{"limitType": "cost", "limit": 0, "window": 60}]}}),
            "spend_limits.rules.0.limit: Number must be greater than 0",
        ),
        (
            json!({"spend_limits": {"rules": [{"limitType": "cost", "limit": 1, "window": 60, "model": {"mode": "filter"}}]}}),
            "spend_limits.rules.0.model.mode: Invalid enum value. Expected 'partition', received 'filter'",
        ),
        (json!({"stripe": {"authorization": "k"}}), "stripe.usage_events: Required"),
        (
            json!({"workers_ai_billing_mode": "free"}),
            "workers_ai_billing_mode: Invalid enum value. Expected 'postpaid' | 'unified', received 'free'",
        ),
    ];
    for (members, expected) in cases {
        assert_eq!(faults(&members), [expected], "{members}");
    }
}

#[test]
fn what_is_allowed_is_kept_as_it_was_said() {
    let said = json!({
        "id": "my-gateway", "cache_ttl": 300, "rate_limiting_technique": "sliding", "authentication": true, "zdr": true,
        "otel": [{"url": "https://collector.example/v1/traces", "headers": {"x-team": "a"}, "unknown": 1}],
        "guardrails": {"prompt": {"P1": "BLOCK", "S99": "x"}, "response": {}},
        "dlp": {"enabled": true, "action": "FLAG", "profiles": ["p"]},
        "spend_limits": {"enabled": true, "rules": [{"limitType": "cost", "limit": 100, "window": 604800,
            "provider": {"mode": "filter", "values": ["openai"]}, "metadata": {"team": {"mode": "partition"}}}]},
        "stripe": {"authorization": "fake", "usage_events": [{"payload": "{}"}]}, "nonsense": [1, 2]
    });
    let made = create(&with(&said)).unwrap_or_default();
    assert_eq!(
        (made.id.as_str(), made.cache_ttl, made.authentication, made.zdr),
        ("my-gateway", Some(300), true, true)
    );
    assert_eq!(made.rate_limiting_limit, None, "null stays null where the original allows it");
    assert_eq!(
        made.otel,
        Some(
            json!([{"url": "https://collector.example/v1/traces", "headers": {"x-team": "a"}, "content_type": "json"}])
        )
    );
    assert_eq!(made.guardrails, Some(json!({"prompt": {"P1": "BLOCK"}, "response": {}})));
    let rule = &made.spend_limits.unwrap_or_default()["rules"][0];
    assert_eq!((rule["enabled"].clone(), rule["technique"].clone()), (json!(true), json!("sliding")));
    assert_eq!(rule["id"].as_str().map(str::len), Some(8), "a rule without an id gets one");
}

#[test]
fn absent_members_stay_and_null_sets_them_back() {
    let before = create(&with(&json!({"id": "g", "authentication": true, "retry_delay": 500, "store_id": "s"})))
        .unwrap_or_default();
    let kept = update(before.clone(), &five()).unwrap_or_default();
    assert_eq!((kept.authentication, kept.retry_delay, kept.store_id.as_deref()), (true, Some(500), Some("s")));
    let nulls =
        json!({"id": "other", "authentication": null, "retry_delay": null, "store_id": null, "log_management": null});
    let reset = update(before, &with(&nulls)).unwrap_or_default();
    assert_eq!((reset.id.as_str(), reset.authentication, reset.retry_delay), ("g", false, None));
    assert_eq!((reset.log_management, reset.store_id.as_deref()), (Some(10_000_000), Some("")));
}

#[test]
fn classification_needs_logs() {
    let made =
        create(&with(&json!({"id": "g", "collect_logs": false, "log_classification": true}))).unwrap_or_default();
    assert!(!made.log_classification);
}

#[test]
fn the_object_is_the_original_s() {
    let gateway = Gateway {
        id: "my-gateway".into(),
        created_at: 1_772_442_000_000,
        modified_at: 1_772_442_000_123,
        internal_id: "0b0f0000-0000-4000-8000-000000000000".into(),
        cache_invalidate_on_update: true,
        ..Gateway::default()
    };
    let expected = json!({
        "id": "my-gateway", "account_id": "a1", "account_tag": "a1", "internal_id": "0b0f0000-0000-4000-8000-000000000000",
        "created_at": "2026-03-02T09:00:00.000Z", "modified_at": "2026-03-02T09:00:00.123Z",
        "cache_ttl": 0, "cache_invalidate_on_update": true, "collect_logs": true, "rate_limiting_interval": 0,
        "rate_limiting_limit": 0, "rate_limiting_technique": "fixed", "authentication": false, "byok_only": false,
        "log_management": 10_000_000, "log_management_strategy": "DELETE_OLDEST", "log_classification": false, "logpush": false,
        "logpush_public_key": null, "otel": null, "stripe": null, "dlp": null, "guardrails": null, "spend_limits": null,
        "retry_max_attempts": null, "retry_delay": null, "retry_backoff": null, "store_id": null,
        "workers_ai_billing_mode": "postpaid", "zdr": false, "is_default": false, "internal": false, "wholesale": false
    });
    assert_eq!(object(&gateway, "a1", &|_| false), expected);
}
