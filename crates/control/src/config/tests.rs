//! The life of a configuration: written, wiped, applied, compared, taken back.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tollgate_model::Clock;
use tollgate_model::token::Permission;
use tollgate_rules::snapshot::Documents;
use tollgate_store::embedded::{DayRecords, DayRecordsOptions, FileDocuments, FileEntries};
use tollgate_wire::provider::Providers;

use super::*;
use crate::desk::{NewSecret, Wanted};
use crate::vault::{Allowed, KeySource, Vault};

const NOW: u64 = 1_795_000_000_000;
const PRUNE: Manner = Manner { prune: true, expected: None };
const ADD: Manner = Manner { prune: false, expected: None };

fn desk(dir: &Path) -> Desk {
    let documents = Arc::new(FileDocuments::open(&dir.join("tollgate.db")).unwrap());
    let base = || Documents { providers: Providers::builtin().clone(), ..Documents::default() };
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let source = KeySource::Environment("TOLLGATE_MASTER_KEY".to_owned(), Secret::new(key));
    let allowed = Allowed { env: vec!["OPENAI_API_KEY".to_owned()], dirs: Vec::new() };
    let vault = Vault::open(source, allowed, &[]).unwrap();
    Desk::new(documents, Clock::manual(NOW).0, Box::new(base)).with_vault(Arc::new(vault))
}

fn entries(dir: &Path) -> FileEntries {
    FileEntries::open(&dir.join("entries.db")).unwrap()
}

fn records(dir: &Path) -> Arc<dyn Records> {
    let metrics = Arc::new(tollgate_store::Metrics::default());
    Arc::new(DayRecords::open(&dir.join("logs"), DayRecordsOptions::default(), metrics).unwrap())
}

fn elements(model: &str) -> Value {
    json!([
        { "id": "s", "type": "start", "outputs": { "next": { "elementId": "c" } } },
        { "id": "c", "type": "conditional", "properties": { "conditions": { "metadata.plan": { "$in": ["paid", null] } } },
          "outputs": { "true": { "elementId": "m" }, "false": { "elementId": "e" } } },
        { "id": "m", "type": "model", "properties": { "provider": "openai", "model": model, "timeout": 2000 },
          "outputs": { "success": { "elementId": "e" } } },
        { "id": "e", "type": "end", "outputs": {} }
    ])
}

fn furnish(desk: &Desk) {
    let body = json!({
        "id": "support", "cache_invalidate_on_update": true, "cache_ttl": null, "collect_logs": true,
        "rate_limiting_interval": 60, "rate_limiting_limit": 100, "rate_limiting_technique": "sliding", "authentication": true,
        "otel": [{ "url": "https://traces.example/v1", "headers": { "x-quoted \"name\"": "tab\tand \\ and \u{7f}" } }],
        "spend_limits": { "enabled": true, "rules": [{ "limitType": "cost", "limit": 12.5, "window": 86_400 }] }
    });
    let gateway = desk.create_gateway(&body).unwrap();
    desk.create_default().unwrap();
    desk.create_route(&gateway, &json!({ "name": "chat of \"the\" shop", "elements": elements("gpt-4o") })).unwrap();
    let two = json!([
        { "id": "s", "type": "start", "outputs": { "next": "m" } },
        { "id": "m", "type": "model", "properties": { "model": "gpt-4o-mini", "provider": "openai" }, "outputs": {} }
    ]);
    desk.create_route(&gateway, &json!({ "name": "small", "elements": two })).unwrap();
    desk.create_custom_domain(&gateway, &json!({ "domain": "ai.example.com", "zone_id": "z" }), "").unwrap();
    let filters = json!([{ "key": "model", "operator": "contains", "value": ["gpt"] }]);
    desk.create_dataset(&gateway, &json!({ "name": "good ones", "enable": true, "filters": filters })).unwrap();
    let acme =
        json!({ "name": "Acme", "slug": "Acme-1", "base_url": "https://h.example/v1", "enable": true, "position": 2 });
    desk.create_custom_provider(&acme).unwrap();
    let policy = |name: &str, limit: u32| {
        json!({ "name": name, "actor": "user:{cf.user.email}", "resource": { "provider": ["openai"], "model": "gpt-*" },
            "action": { "type": "limit", "amount": limit, "period": "daily" } })
    };
    let made = desk.create_policy(&gateway, &policy("a day's work", 5), true).unwrap();
    desk.update_policy(&gateway, &made.id, &json!({ "action": { "type": "block" } }), false).unwrap();
    desk.create_policy(&gateway, &policy("some day", 6), false).unwrap();
    let key = |alias: &str, secret: &str| json!({ "provider_slug": "openai", "alias": alias, "default_config": alias == "main", "secret": secret });
    desk.create_provider_config(&gateway, &key("main", "sk-fake-0123456789")).unwrap();
    let mut limited = key("team/a", "env:OPENAI_API_KEY");
    (limited["rate_limit"], limited["rate_limit_period"]) = (json!(5), json!(60));
    desk.create_provider_config(&gateway, &limited).unwrap();
    let store = desk.create_store("of teams").unwrap();
    let new = NewSecret {
        name: "otel".into(),
        scopes: vec!["workers".into()],
        value: Secret::new("fake"),
        comment: Some("for \"traces\"".into()),
    };
    desk.create_secrets(&store.id, &[new]).unwrap();
    let second = json!({ "id": "second", "cache_invalidate_on_update": false, "cache_ttl": 0, "collect_logs": true,
        "rate_limiting_interval": 0, "rate_limiting_limit": 0, "store_id": store.id,
        "otel": [{ "url": "https://traces.example/v1", "headers": {}, "authorization": "otel" }],
        "stripe": { "authorization": "sk_fake", "usage_events": [] } });
    desk.create_gateway(&second).unwrap();
    for name in ["ci", "ci", "people #1"] {
        let wanted = Wanted {
            name: name.into(),
            permissions: vec![Permission::Run, Permission::Read],
            lives_ms: Some(86_400_000),
            ..Wanted::default()
        };
        desk.create_token(wanted).unwrap();
    }
}

fn wrong(result: Result<Plan, ConfigError>) -> Vec<String> {
    match result {
        Err(ConfigError::Wrong(wrong)) => wrong.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn export_wipe_apply_export_is_byte_identical() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = desk(one.path());
    furnish(&before);
    let text = export(&before).unwrap();
    let after = desk(two.path());
    let plan = apply(&after, &entries(two.path()), &text, PRUNE).unwrap();
    assert_eq!(plan.counts(), [20, 0, 0], "{}", plan.text());
    assert_eq!(export(&after).unwrap(), text);
    assert!(!text.contains("fake"), "{text}");
    let lacks = [
        r#"secret "support_openai_main" of secret_store "default_secrets_store": value"#,
        r#"secret "otel" of secret_store "of teams": value"#,
        r#"gateway "second": stripe.authorization"#,
        r#"gateway "support": otel.0.headers.x-quoted "name""#,
    ];
    assert_eq!(plan.needs_value, lacks);
    // Given its value, a key is there; the file says the same of it.
    let gateway = after.gateway("support").unwrap().unwrap();
    let configs = after.provider_configs(&gateway).unwrap();
    let main = configs.iter().find(|each| each.config.alias == "main").unwrap();
    assert!(after.key_problem(&main.config).is_some());
    let value = json!({ "secret": "sk-fake-again-0123" });
    after.update_provider_config(&gateway, &main.config.id, &value).unwrap();
    assert_eq!(after.key_problem(&main.config), None);
    assert_eq!(export(&after).unwrap(), text);
    // Applied where it is in force already, it changes nothing: no times, no versions.
    let changes = before.now().unwrap().world.changes;
    assert!(apply(&before, &entries(one.path()), &text, PRUNE).unwrap().is_empty());
    assert_eq!(before.now().unwrap().world.changes, changes);
    // The wiped installation is furnished with other things first.
    let third = tempfile::tempdir().unwrap();
    let other = desk(third.path());
    other.create_default().unwrap();
    let gateway = other.gateway("default").unwrap().unwrap();
    other.create_route(&gateway, &json!({ "name": "gone", "elements": elements("x") })).unwrap();
    apply(&other, &entries(third.path()), &text, PRUNE).unwrap();
    assert_eq!(export(&other).unwrap(), text);
    let live = |desk: &Desk| {
        let snapshot = desk.current().unwrap();
        let gateway = snapshot.gateway("support").unwrap().clone();
        let targets: Vec<String> = gateway
            .routes()
            .iter()
            .flat_map(|route| route.targets().map(|target| format!("{target:?}")).collect::<Vec<_>>())
            .collect();
        let mut tokens: Vec<String> =
            snapshot.tokens().map(|token| format!("{} {} {:?}", token.id, token.digest, token.expires_at)).collect();
        tokens.sort();
        (gateway.limit, targets, tokens)
    };
    assert_eq!(live(&before), live(&other), "and it means the same");
}

#[test]
fn the_file_reads_well() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    furnish(&desk);
    let text = export(&desk).unwrap();
    let (head, tokens) = text.split_at(text.find("\n[token").unwrap());
    let expected = include_str!("tests/export.toml");
    if std::env::var_os("BLESS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/tests/export.toml");
        std::fs::write(path, head).unwrap();
        return;
    }
    assert_eq!(head, expected);
    assert!(
        tokens.contains("permissions = [\"run\", \"read\"]\n") && tokens.contains("expires_at = \"2026-"),
        "{tokens}"
    );
}

#[test]
fn a_plan_tells_each_field_and_whom_it_reaches() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    furnish(&desk);
    let text = export(&desk).unwrap();
    let changed = text
        .replace("rate_limiting_limit = 100", "rate_limiting_limit = 10")
        .replace("gpt-4o-mini", "gpt-5-mini")
        .replace("authentication = true\n", "")
        + "\n[gateway.new]\ncache_ttl = 300\n";
    let records = records(dir.path());
    let before = desk.now().unwrap().world.changes;
    let plan = plan(&desk, &*records, &changed, ADD, 100).unwrap();
    let expected = r#"~ gateway "default"
    authentication: true -> default
+ gateway "new"
    cache_ttl: 300
~ gateway "support"
    rate_limiting_limit: 100 -> 10
    authentication: true -> default
~ route "small" of gateway "support"
    elements[m].properties.model: "gpt-4o-mini" -> "gpt-5-mini"
! dynamic/small on gateway "support" gains openai/gpt-5-mini and loses openai/gpt-4o-mini
! gateway "support": 10 requests in 60 s instead of 100 requests in 60 s
! gateway "default" lets anybody in from now on
! gateway "new" is new, and lets anybody in
! gateway "support" lets anybody in from now on
1 to add, 3 to change, 0 to remove
"#;
    assert_eq!(plan.text(), expected);
    assert_eq!(desk.now().unwrap().world.changes, before, "a plan changes nothing");
}

#[test]
fn what_the_file_does_not_name_stays_unless_it_is_pruned_or_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    furnish(&desk);
    let less = "format = 1\nkeep = [\"token\"]\n[gateway.support]\n";
    let told = apply(&desk, &entries, less, ADD).unwrap();
    assert_eq!(told.counts(), [0, 1, 0]);
    assert_eq!(told.not_in_file.len(), 19, "{:?}", told.not_in_file);
    let pruned = apply(&desk, &entries, less, PRUNE).unwrap();
    let gone: Vec<&str> = pruned.changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(
        gone,
        [
            r#"custom_provider "Acme-1""#,
            r#"gateway "default""#,
            r#"gateway "second""#,
            r#"route "chat of \"the\" shop" of gateway "support""#,
            r#"route "small" of gateway "support""#,
            r#"policy "a day's work" of gateway "support""#,
            r#"policy "some day" of gateway "support""#,
            r#"provider_config "openai/main" of gateway "support""#,
            r#"provider_config "openai/team/a" of gateway "support""#,
            r#"custom_domain "ai.example.com" of gateway "support""#,
            r#"dataset "good ones" of gateway "support""#
        ]
    );
    assert_eq!(desk.current().unwrap().tokens().count(), 3, "they are kept");
}

#[test]
fn a_wrong_file_is_refused_with_every_place_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    furnish(&desk);
    let before = (desk.now().unwrap().world.changes, export(&desk).unwrap());
    let cases: &[(&str, &[&str])] = &[
        ("[gateway.a]\ncache_ttl = \n", &["2:13: string values must be quoted, expected literal string"]),
        (
            "[gateway.a]\ncache_tll = 5\n",
            &["2:1: gateway.a.cache_tll: There is no \"cache_tll\" here; did you mean \"cache_ttl\"?"],
        ),
        ("[gatevay.a]\n", &["1:2: gatevay: There is no \"gatevay\" here; did you mean \"gateway\"?"]),
        (
            "[gateway.a]\n\ncache_ttl = \"soon\"\nretry_delay = 70000\n",
            &[
                "3:1: gateway.a.cache_ttl: Expected number, received string",
                "4:1: gateway.a.retry_delay: Number must be less than or equal to 60000",
            ],
        ),
        (
            "[gateway.Upper]\n",
            &[
                "1:10: gateway.Upper.id: Invalid: lower-case letters, digits and underscores, in words joined by single hyphens",
            ],
        ),
        (
            "[gateway.a.route.r]\nelements = [\n  { id = \"s\", type = \"start\", outputs = { next = \"x\" } },\n]\n",
            &["3:43: gateway.a.route.r.elements.0.outputs.next.elementId: there is no element \"x\""],
        ),
        (
            "[gateway.a.route.r]\nelements = [\n  { id = \"s\", type = \"start\", outputs = { next = \"m\" } },\n  { id = \"m\", type = \"model\", properties = { provider = \"opnai\", model = \"x\" } },\n]\n",
            &[
                "4:46: gateway.a.route.r.elements.1.properties.provider: there is no provider \"opnai\" (did you mean \"openai\"?)",
            ],
        ),
        (
            "[gateway.a]\nspend_limits = { enabled = true, ruls = [] }\n",
            &["2:34: gateway.a.spend_limits.ruls: There is no \"ruls\" here"],
        ),
        (
            "[token.t]\npermissions = [\"run\"]\n",
            &[
                "1:8: token.t.digest: Expected 64 hexadecimal digits, the SHA-256 of the secret: `tollgate token new` makes a secret and these lines",
            ],
        ),
        ("format = 2\n", &["1:1: format: Expected 1, which this program reads"]),
        (
            "keep = [\"tokens\"]\n",
            &["1:9: keep.0: Expected one of custom_provider, secret_store, secret, gateway, route"],
        ),
    ];
    for (text, expected) in cases {
        let said = wrong(apply(&desk, &entries, text, PRUNE));
        assert_eq!(said.len(), expected.len(), "{text}: {said:#?}");
        for (said, expected) in said.iter().zip(*expected) {
            assert!(said.starts_with(expected), "{text}:\n{said}\n{expected}");
        }
    }
    assert_eq!((desk.now().unwrap().world.changes, export(&desk).unwrap()), before);
    assert!(states::all(&entries).unwrap().is_empty());
}

#[test]
fn a_rollback_goes_back_and_forth() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    furnish(&desk);
    let first = export(&desk).unwrap();
    assert!(matches!(rollback(&desk, &entries, None), Err(ConfigError::NoState(None))));
    apply(&desk, &entries, &first.replace("gpt-4o-mini", "gpt-5-mini"), PRUNE).unwrap();
    apply(&desk, &entries, "[gateway.other]\n", PRUNE).unwrap();
    let states = states::all(&entries).unwrap();
    assert_eq!(states.iter().map(|state| state.changes).collect::<Vec<_>>(), [[1, 0, 15], [0, 1, 0]]);
    let (_, plan) = rollback(&desk, &entries, Some(&states[1].id)).unwrap();
    assert_eq!(plan.counts(), [15, 0, 1]);
    assert_eq!(export(&desk).unwrap(), first);
    // The last apply was the rollback itself.
    rollback(&desk, &entries, None).unwrap();
    assert!(export(&desk).unwrap().contains("[gateway.other]"));
    for _ in 0..states::STATES_MAX {
        rollback(&desk, &entries, None).unwrap();
    }
    assert_eq!(states::all(&entries).unwrap().len(), states::STATES_MAX);
}

#[test]
fn elements_of_an_older_version_deploy_that_one() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    furnish(&desk);
    let first = export(&desk).unwrap();
    apply(&desk, &entries, &first.replace("gpt-4o-mini", "gpt-5-mini"), PRUNE).unwrap();
    rollback(&desk, &entries, None).unwrap();
    let gateway = desk.gateway("support").unwrap().unwrap();
    let route = desk.route(&gateway, "small").unwrap();
    assert_eq!((route.versions.len(), route.deployments.len()), (2, 3));
    assert_eq!(route.deployments[0].version_id, route.deployments[2].version_id);
}

#[test]
fn a_plan_that_others_overtook_is_not_applied() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other, entries) = (desk(dir.path()), desk(dir.path()), entries(dir.path()));
    let text = "[gateway.a]\n";
    let records = records(dir.path());
    let planned = plan(&one, &*records, text, ADD, 0).unwrap();
    other.create_default().unwrap();
    let manner = Manner { expected: Some(planned.at), ..ADD };
    assert!(matches!(apply(&one, &entries, text, manner), Err(ConfigError::Outdated)));
    assert!(one.gateway("a").unwrap().is_none());
}

#[test]
fn where_the_file_is_the_truth_nobody_else_changes_settings() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    desk.follow_file(Path::new("gateways.toml"));
    follow(&desk, &entries, "[gateway.a]\ncache_ttl = 60\n").unwrap();
    let refused =
        |error: DeskError| assert!(matches!(&error, DeskError::ReadOnly(file) if file == "gateways.toml"), "{error}");
    refused(
        desk.create_gateway(
            &json!({ "id": "b", "cache_invalidate_on_update": true, "cache_ttl": 0, "collect_logs": true,
        "rate_limiting_interval": 0, "rate_limiting_limit": 0 }),
        )
        .unwrap_err(),
    );
    refused(desk.delete_gateway("a").unwrap_err());
    refused(desk.create_default().unwrap_err());
    let gateway = desk.gateway("a").unwrap().unwrap();
    refused(desk.create_route(&gateway, &json!({ "name": "r", "elements": elements("x") })).unwrap_err());
    for refused_too in [apply(&desk, &entries, "", PRUNE).map(drop), rollback(&desk, &entries, None).map(drop)] {
        assert!(matches!(refused_too, Err(ConfigError::Desk(DeskError::ReadOnly(_)) | ConfigError::NoState(_))));
    }
    assert!(follow(&desk, &entries, "[gateway.a]\ncache_ttl = 61\nnope = 1\n").is_err());
    assert_eq!(desk.gateway("a").unwrap().unwrap().cache_ttl, Some(60), "the old ones stay in force");
    follow(&desk, &entries, "[gateway.b]\n").unwrap();
    assert!(desk.gateway("a").unwrap().is_none(), "what the file does not name goes");
}

/// A file may stand in a repository, so it holds no credential; where there is none to keep, it must be given.
#[test]
fn values_of_headers_are_not_in_the_file() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let before = desk(one.path());
    let acme =
        json!({ "name": "Acme", "slug": "acme", "base_url": "https://h.example", "headers": r#"{"X-Key":"sk-fake"}"# });
    before.create_custom_provider(&acme).unwrap();
    let text = export(&before).unwrap();
    assert!(text.contains("X-Key") && !text.contains("sk-fake"), "{text}");
    let renamed = text.replace("\"Acme\"", "\"Other\"");
    assert_eq!(apply(&before, &entries(one.path()), &renamed, PRUNE).unwrap().counts(), [0, 1, 0]);
    let kept = before.custom_providers().unwrap().remove(0);
    assert_eq!((kept.name.as_str(), kept.headers[0].value.as_str()), ("Other", "sk-fake"));
    // Where there is nothing to keep, the rest comes into force, and what lacks its value is told.
    let elsewhere = desk(two.path());
    let plan = apply(&elsewhere, &entries(two.path()), &text, PRUNE).unwrap();
    assert_eq!(plan.needs_value, [r#"custom_provider "acme": headers.0.value"#]);
    assert!(plan.text().contains("needs its value"), "{}", plan.text());
    assert_eq!(export(&elsewhere).unwrap(), text);
    let row = elsewhere.current().unwrap().providers.get("custom-acme").cloned();
    assert!(row.is_none(), "it is not enabled");
    // Nor does it follow to another server by way of a file.
    let moved = text.replace("https://h.example", "https://elsewhere.example");
    assert!(wrong(apply(&before, &entries(one.path()), &moved, PRUNE))[0].contains("needs its value"));
}

#[test]
fn two_of_one_name_do_not_compile() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    let provider = |slug: &str| format!("[custom_provider.{slug}]\nname = \"x\"\nbase_url = \"https://h.example\"\n");
    let domain = |gateway: &str| format!("[gateway.{gateway}.custom_domain.\"ai.example.com\"]\n");
    for (text, expected) in [
        (format!("format = 1\n{}{}", provider("acme"), provider("ACME")), "another one has it"),
        (format!("format = 1\n[gateway.a]\n[gateway.b]\n{}{}", domain("a"), domain("b")), "has this id already"),
    ] {
        let said = wrong(apply(&desk, &entries(dir.path()), &text, PRUNE));
        assert!(said.iter().any(|said| said.contains(expected)), "{said:?}");
    }
}

#[test]
fn keys_and_policies_of_a_file_come_into_force_with_their_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    let text = r#"
[custom_provider.mine]
name = "Mine"
base_url = "https://h.example/v1"
enable = true

[secret_store.main.secret.g_custom-mine_default]
value = "env:OPENAI_API_KEY"

[gateway.g.provider_config."custom-mine/default"]
rate_limit = 7

[gateway.g.policy.small]
actor = "everybody"
resource = "*"
action = { type = "limit", amount = 5, period = "daily" }
"#;
    let plan = apply(&desk, &entries, text, PRUNE).unwrap();
    assert_eq!(plan.needs_value, [""; 0]);
    let snapshot = desk.current().unwrap();
    let gateway = snapshot.gateway("g").unwrap();
    assert_eq!(gateway.policies.all().len(), 1);
    // Its value cannot be read in this test; that it is bound, and known as this provider's, is what counts.
    let key = gateway.keys.named("custom-mine", "default").unwrap();
    assert_eq!(key.limit.map(|limit| limit.requests), Some(7));
    assert_eq!(key.check().unwrap_err().to_string(), "its value cannot be read; the gateway's log says why");
    let bound = snapshot.secrets()[0].stored.bound.clone().unwrap();
    assert_eq!((bound.provider.as_str(), bound.origin.as_deref()), ("custom-mine", Some("https://h.example")));
    for (from, to, expected) in [
        ("env:OPENAI_API_KEY", "sk-fake-literal", "A file holds no secrets"),
        ("env:OPENAI_API_KEY", "env:PATH", "may not be used"),
        ("custom-mine/default", "nobody/default", "there is no provider \"nobody\""),
        ("custom-mine/default", "openai", "its name is \"PROVIDER/ALIAS\""),
        ("type = \"limit\"", "type = \"nope\"", "policy.small.action"),
        ("actor = \"everybody\"", "actor = \"{nope\"", "policy.small.actor"),
        ("rate_limit = 7", "rate_limits = 7", "did you mean \"rate_limit\"?"),
        (
            "rate_limit = 7",
            "default_config = true\n[gateway.g.provider_config.\"custom-mine/two\"]\ndefault_config = true",
            "has a default key already",
        ),
    ] {
        let said = wrong(apply(&desk, &entries, &text.replace(from, to), PRUNE));
        assert!(said.iter().any(|said| said.contains(expected)), "{expected}: {said:?}");
        assert!(!said.concat().contains("sk-fake"), "{said:?}");
    }
}

/// Also for whoever edits a file without a store: values of secrets cannot be had again.
#[test]
fn a_file_that_names_no_store_says_nothing_about_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    furnish(&desk);
    apply(&desk, &entries, "[gateway.support]\n", PRUNE).unwrap();
    assert_eq!((desk.stores().unwrap().len(), desk.secrets_count().unwrap()), (2, 3));
    apply(&desk, &entries, "[secret_store.\"of teams\"]\n", PRUNE).unwrap();
    assert_eq!((desk.stores().unwrap().len(), desk.secrets_count().unwrap()), (1, 0));
}

#[test]
fn a_plan_tells_what_becomes_of_keys_policies_providers_and_budgets() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    furnish(&desk);
    let text = export(&desk).unwrap();
    let without = |text: &str, section: &str| {
        let begin = text.find(section).unwrap_or_else(|| panic!("{section}: {text}"));
        let end = text[begin + 1..].find("\n[").map_or(text.len(), |at| begin + 1 + at);
        format!("{}{}", &text[..begin], &text[end..])
    };
    let less = without(&text, "\n[gateway.support.policy.\"a day's work\"]");
    let less = without(&less, "\n[custom_provider.Acme-1]");
    let less = without(&less, "\n[secret_store.default_secrets_store.secret.support_openai_main]");
    let less = less.replace("limit = 12.5", "limit = 10.0").replace("ai.example.com", "new.example.com");
    let plan = plan(&desk, &*records(dir.path()), &less, PRUNE, 0).unwrap();
    let told = plan.text();
    for expected in [
        "! gateway \"support\": $10.0 in 86400 s instead of $12.5 in 86400 s\n",
        "! key \"openai/main\" of gateway \"support\" cannot be used any more: callers without a key of their own are refused\n",
        "! policy \"a day's work\" of gateway \"support\" counts no more\n",
        "! every model of custom-Acme-1 is lost: requests for it are refused\n",
        "! \"ai.example.com\" leads to gateway \"support\" no more\n",
        "! \"new.example.com\" leads to gateway \"support\" from now on\n",
        "needs its value: provider_config \"openai/main\" of gateway \"support\": no store has the secret \"support_openai_main\"\n",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
}

#[test]
fn where_a_file_is_the_truth_values_of_secrets_are_stored_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, entries) = (desk(dir.path()), entries(dir.path()));
    desk.follow_file(Path::new("all.toml"));
    follow(
        &desk,
        &entries,
        "[secret_store.main.secret.g_openai_default]\n[gateway.g.provider_config.\"openai/default\"]\n",
    )
    .unwrap();
    let gateway = desk.gateway("g").unwrap().unwrap();
    let config = desk.provider_configs(&gateway).unwrap().remove(0).config;
    assert!(desk.key_problem(&config).is_some());
    desk.update_provider_config(&gateway, &config.id, &json!({ "secret": "sk-fake-0123456789" })).unwrap();
    assert_eq!(desk.key_problem(&config), None);
    let more = desk.update_provider_config(&gateway, &config.id, &json!({ "rate_limit": 5 }));
    assert!(matches!(more, Err(DeskError::ReadOnly(_))));
    assert!(matches!(desk.create_store("x"), Err(DeskError::ReadOnly(_))));
}

#[test]
fn alerts_and_policies_of_one_name_come_back_from_a_file() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let furnished = desk(one.path());
    furnish(&furnished);
    let (desk, gateway) = (&furnished, furnished.gateway("support").unwrap().unwrap());
    for (name, url, format) in
        [("odd", "https://hooks.example/fake/path", "slack"), ("errors", "https://alerts.example/x", "json")]
    {
        let alert = json!({ "name": name, "kind": "error_rate", "gateway_id": "support", "threshold_percent": 12.5,
            "webhook": { "url": url, "format": format } });
        desk.create_alert(&alert).unwrap();
    }
    for limit in [1, 2] {
        let action = json!({ "type": "limit", "amount": limit, "period": "daily" });
        let twin = json!({ "name": "twins", "actor": "all", "resource": "*", "action": action });
        desk.create_policy(&gateway, &twin, true).unwrap();
    }
    let text = export(desk).unwrap();
    assert!(text.contains("https://hooks.example/***") && !text.contains("fake"), "{text}");
    let after = self::desk(two.path());
    let plan = apply(&after, &entries(two.path()), &text, PRUNE).unwrap();
    assert_eq!(export(&after).unwrap(), text);
    assert!(plan.needs_value.contains(&r#"alert "odd": webhook.url"#.to_owned()), "{:?}", plan.needs_value);
    assert!(apply(desk, &entries(one.path()), &text, PRUNE).unwrap().is_empty());
    // What is in force keeps its address through a change of something else.
    let changed = text.replace("threshold_percent = 12.5", "threshold_percent = 13.5");
    assert_eq!(apply(desk, &entries(one.path()), &changed, PRUNE).unwrap().counts(), [0, 2, 0]);
    assert!(desk.alerts().unwrap().iter().any(|alert| alert.webhook.url == "https://hooks.example/fake/path"));
    let stranger = text.replace("gateway_id = \"support\"", "gateway_id = \"nobody\"");
    let said = wrong(apply(&after, &entries(two.path()), &stranger, PRUNE));
    assert!(said[0].contains("There is no gateway \"nobody\""), "{said:?}");
}
