//! The master key turns, files change, two processes share a key file.

use std::path::{Path, PathBuf};

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
