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
use crate::desk::Wanted;

const NOW: u64 = 1_795_000_000_000;
const PRUNE: Manner = Manner { prune: true, expected: None };
const ADD: Manner = Manner { prune: false, expected: None };

fn desk(dir: &Path) -> Desk {
    let documents = Arc::new(FileDocuments::open(&dir.join("tollgate.db")).unwrap());
    let base = || Documents { providers: Providers::builtin().clone(), ..Documents::default() };
    Desk::new(documents, Clock::manual(NOW).0, Box::new(base))
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
    assert_eq!(plan.counts(), [10, 0, 0]);
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
    assert_eq!(told.not_in_file.len(), 9, "{:?}", told.not_in_file);
    let pruned = apply(&desk, &entries, less, PRUNE).unwrap();
    let gone: Vec<&str> = pruned.changes.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(
        gone,
        [
            r#"custom_provider "Acme-1""#,
            r#"gateway "default""#,
            r#"route "chat of \"the\" shop" of gateway "support""#,
            r#"route "small" of gateway "support""#,
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
        ("keep = [\"tokens\"]\n", &["1:9: keep.0: Expected one of custom_provider, gateway, route, custom_domain"]),
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
    assert_eq!(states.iter().map(|state| state.changes).collect::<Vec<_>>(), [[1, 0, 10], [0, 1, 0]]);
    let (_, plan) = rollback(&desk, &entries, Some(&states[1].id)).unwrap();
    assert_eq!(plan.counts(), [10, 0, 1]);
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
    let elsewhere = desk(two.path());
    let said = wrong(apply(&elsewhere, &entries(two.path()), &text, PRUNE));
    assert!(said[0].contains("\"X-Key\" needs its value"), "{said:?}");
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
