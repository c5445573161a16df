//! The master key turns, files change, two processes share a key file.

use std::path::{Path, PathBuf};

use serde_json::json;
use tollgate_model::Secret;

use super::*;
use crate::vault::{Allowed, KeySource, Vault};

fn key_file(dir: &Path) -> PathBuf {
    dir.join("master.key")
}

/// As a process opens it.
fn with_vault(dir: &Path) -> (Desk, Arc<Vault>) {
    let desk = desk(dir);
    let allowed = Allowed { env: Vec::new(), dirs: vec![dir.to_owned()] };
    let vault = Arc::new(Vault::open(KeySource::File(key_file(dir)), allowed, &desk.sealed_with().unwrap()).unwrap());
    (desk.with_vault(vault.clone()), vault)
}

fn keep(desk: &Desk, name: &str, value: &str) {
    let store = desk.ensure_store().unwrap().id;
    let new = NewSecret {
        name: name.to_owned(),
        scopes: vec!["workers".to_owned()],
        value: Secret::new(value),
        comment: None,
    };
    desk.create_secrets(&store, &[new]).unwrap();
}

fn value(desk: &Desk, name: &str) -> Option<String> {
    desk.resolve(name).unwrap().map(|secret| secret.expose().to_owned())
}

#[test]
fn the_master_key_turns_under_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_vault(dir.path());
    for name in ["a", "b", "c"] {
        keep(&server, name, "fake");
    }
    let before = server.sealed_with().unwrap();
    let (command_line, vault) = with_vault(dir.path());
    vault.turn().unwrap();
    assert_eq!(command_line.reseal().unwrap(), 3);
    assert_eq!(command_line.reseal().unwrap(), 0, "nothing is sealed twice");
    let after = command_line.sealed_with().unwrap();
    assert!(before != after && after == [vault.keyring().current().id()]);
    assert_eq!(value(&server, "b").as_deref(), Some("fake"), "the server reads the key file again");
    vault.forget_old_keys().unwrap();
    assert_eq!(vault.keyring().ids(), after);
    let (later, _) = with_vault(dir.path());
    assert_eq!(value(&later, "c").as_deref(), Some("fake"));
}

#[test]
fn a_turn_that_broke_off_is_finished_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, vault) = with_vault(dir.path());
    keep(&desk, "a", "fake-a");
    vault.turn().unwrap();
    keep(&desk, "b", "fake-b");
    // Here it crashed: one secret under each key. Both open, before and after the next turn.
    let (desk, vault) = with_vault(dir.path());
    assert_eq!(desk.sealed_with().unwrap().len(), 2);
    assert_eq!((value(&desk, "a").as_deref(), value(&desk, "b").as_deref()), (Some("fake-a"), Some("fake-b")));
    vault.turn().unwrap();
    assert_eq!(desk.reseal().unwrap(), 2);
    assert_eq!((value(&desk, "a").as_deref(), value(&desk, "b").as_deref()), (Some("fake-a"), Some("fake-b")));
}

#[test]
fn another_key_is_refused_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_vault(dir.path());
    keep(&server, "a", "fake");
    let needs = server.sealed_with().unwrap();
    std::fs::remove_file(key_file(dir.path())).unwrap();
    let open =
        || Vault::open(KeySource::File(key_file(dir.path())), Allowed::default(), &needs).unwrap_err().to_string();
    assert!(open().contains("is not there, and secrets are sealed already"));
    std::fs::write(key_file(dir.path()), "11".repeat(32)).unwrap();
    assert!(open().contains("is not the one that stored secrets are sealed with"));
}

#[test]
fn a_file_that_changed_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, _) = with_vault(dir.path());
    let file = dir.path().join("key");
    std::fs::write(&file, "first").unwrap();
    keep(&desk, "a", &format!("file:{}", file.display()));
    let now = |desk: &Desk| desk.current().unwrap().secret("a").unwrap().value.clone();
    assert_eq!(now(&desk).unwrap().expose(), "first");
    assert!(!desk.changed().unwrap());
    std::fs::write(&file, "the second").unwrap();
    assert!(desk.changed().unwrap());
    assert_eq!(now(&desk).unwrap().expose(), "the second");
    std::fs::remove_file(&file).unwrap();
    assert!(now(&desk).unwrap_err().contains("cannot be read"));
    std::fs::write(&file, "third").unwrap();
    assert_eq!(now(&desk).unwrap().expose(), "third");
}

#[test]
fn without_a_vault_secrets_stay_closed_and_all_else_works() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_vault(dir.path());
    keep(&server, "a", "fake");
    let command_line = desk(dir.path());
    command_line.create_gateway(&body("g")).unwrap();
    assert_eq!(value(&command_line, "a"), None);
    assert!(matches!(command_line.reseal(), Err(DeskError::Vault(_))));
}

/// As an older program left it: the values stand in the documents as they are.
#[test]
fn settings_that_stood_plain_are_sealed_at_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let headers = r#"{"X-Key":"fake-header-value"}"#;
    let provider =
        json!({ "name": "A", "slug": "a", "base_url": "https://h.example", "enable": true, "headers": headers });
    let otel = json!([{ "url": "https://t.example/v1", "headers": { "x": "fake-otel-value" }, "authorization": "fake-otel-key" }]);
    let settings = json!({ "id": "g", "cache_invalidate_on_update": false, "cache_ttl": 0, "collect_logs": true, "rate_limiting_interval": 0,
        "rate_limiting_limit": 0, "otel": otel, "stripe": { "authorization": "fake-stripe-key", "usage_events": [] } });
    let (server, _) = with_vault(dir.path());
    server.create_custom_provider(&provider).unwrap();
    let made = server.create_gateway(&settings).unwrap();
    let (opened, _) = server.stored().unwrap();
    for document in &opened {
        let draft = super::super::read::draft(document);
        server.documents.put(draft, None).unwrap();
    }
    drop(server);
    let file = |name: &str| std::fs::read(dir.path().join(name)).unwrap_or_default();
    let plain = || -> Vec<&str> {
        let written = ["tollgate.db", "tollgate.db-wal"].map(file).concat();
        let written = String::from_utf8_lossy(&written).into_owned();
        let all = ["fake-header-value", "fake-otel-value", "fake-otel-key", "fake-stripe-key"];
        all.into_iter().filter(|text| written.contains(text)).collect()
    };
    assert_eq!(plain().len(), 4, "or this test looks for nothing");
    let (server, vault) = with_vault(dir.path());
    assert_eq!(server.gateway("g").unwrap().unwrap().otel, made.otel, "it serves before it is sealed");
    assert_eq!(server.seal_settings().unwrap(), 2);
    assert_eq!((plain(), server.seal_settings().unwrap()), (vec![], 0));
    // Keys turn for them as for all others.
    assert_eq!(server.sealed_with().unwrap(), [vault.keyring().current().id()]);
    vault.turn().unwrap();
    assert_eq!(server.reseal().unwrap(), 2);
    vault.forget_old_keys().unwrap();
    let (later, _) = with_vault(dir.path());
    let gateway = later.gateway("g").unwrap().unwrap();
    assert_eq!((&gateway.otel, &gateway.stripe), (&made.otel, &made.stripe));
    assert_eq!(later.custom_providers().unwrap()[0].headers[0].value, "fake-header-value");
}

#[test]
fn who_has_no_master_key_changes_the_rest_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (server, _) = with_vault(dir.path());
    let headers = |value: &str| json!({ "headers": json!({ "X-Key": value }).to_string() });
    let mut provider = json!({ "name": "A", "slug": "a", "base_url": "https://h.example" });
    provider["headers"] = headers("fake")["headers"].clone();
    let id = server.create_custom_provider(&provider).unwrap().id;
    let keyless = desk(dir.path());
    assert_ne!(keyless.custom_provider(&id).unwrap().headers[0].value, "fake");
    keyless.update_custom_provider(&id, &json!({ "name": "B" })).unwrap();
    let after = server.custom_provider(&id).unwrap();
    assert_eq!((after.name.as_str(), after.headers[0].value.as_str()), ("B", "fake"));
    assert!(matches!(keyless.update_custom_provider(&id, &headers("other")), Err(DeskError::Vault(_))));
    // What looks like an envelope is a value like any other.
    server.update_custom_provider(&id, &headers("tgv1.x.y.z")).unwrap();
    let (later, _) = with_vault(dir.path());
    assert_eq!(later.custom_provider(&id).unwrap().headers[0].value, "tgv1.x.y.z");
}
