//! The desk over real documents, alone and beside another process.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::json;
use tollgate_model::token::Permission;
use tollgate_rules::token::digest;
use tollgate_store::embedded::FileDocuments;
use tollgate_wire::provider::Providers;

use super::*;

mod secrets;

/// How many purges, and for which wish.
type Heard = Vec<(usize, Option<String>)>;

const NOW: u64 = 1_795_000_000_000;

/// As one process has it. Two of them on the same directory are two processes.
fn desk(dir: &Path) -> Desk {
    let documents = Arc::new(FileDocuments::open(&dir.join("tollgate.db")).unwrap());
    Desk::new(documents, Clock::manual(NOW).0, Box::new(Documents::default))
}

fn body(id: &str) -> serde_json::Value {
    json!({
        "id": id, "cache_invalidate_on_update": true, "cache_ttl": 0, "collect_logs": true,
        "rate_limiting_interval": 0, "rate_limiting_limit": 0
    })
}

fn wanted(permissions: &[Permission]) -> Wanted {
    Wanted { name: "t".into(), permissions: permissions.to_vec(), ..Wanted::default() }
}

#[test]
fn a_gateway_lives_from_create_to_delete() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    let made = desk.create_gateway(&body("one")).unwrap();
    assert_eq!((made.created_at, made.modified_at, made.is_default), (NOW, NOW, false));
    assert_eq!(made.internal_id.as_bytes()[14], b'4', "a version 4 UUID: {}", made.internal_id);
    assert!(matches!(desk.create_gateway(&body("one")), Err(DeskError::Exists("gateway"))));
    let after = desk.update_gateway("one", &body("other")).unwrap();
    assert_eq!(after.id, "one", "an id never changes");
    assert!(after.modified_at > made.modified_at);
    assert_eq!(desk.current().unwrap().gateway("one").unwrap().settings, after);
    assert_eq!(desk.delete_gateway("one").unwrap(), after);
    assert!(matches!(desk.delete_gateway("one"), Err(DeskError::Missing("gateway"))));
    assert!(matches!(desk.update_gateway("one", &body("one")), Err(DeskError::Missing("gateway"))));
    assert!(desk.current().unwrap().gateway("one").is_none());
}

#[test]
fn the_default_gateway_is_made_once_with_authentication() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    let made = desk.create_default().unwrap();
    assert!(made.is_default && made.authentication && made.collect_logs && made.cache_ttl == Some(0));
    assert_eq!(desk.create_default().unwrap(), made);
}

#[test]
fn the_first_start_seeds_once() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    assert!(desk.seed_default(true).unwrap());
    assert!(!desk.gateway("default").unwrap().unwrap().authentication);
    desk.delete_gateway("default").unwrap();
    assert!(!desk.seed_default(true).unwrap(), "a deleted gateway does not come back open");
    assert!(desk.gateway("default").unwrap().is_none());
}

#[test]
fn beyond_loopback_nothing_is_seeded_then_or_later() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    assert!(!desk.seed_default(false).unwrap());
    assert!(!desk.seed_default(true).unwrap());
    assert!(desk.gateway("default").unwrap().is_none());
}

#[test]
fn a_token_is_found_by_its_secret_and_never_stored() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    let made = desk.create_token(wanted(&[Permission::Write, Permission::Read, Permission::Read])).unwrap();
    let secret = made.secret.expose();
    assert_eq!((&secret[..3], secret.len()), ("tg_", 46));
    assert_eq!(made.token.hint, format!("tg_…{}", &secret[42..]));
    assert_eq!(made.token.permissions, [Permission::Read, Permission::Write]);
    let found = desk.current().unwrap().token(&digest(secret)).unwrap().id.clone();
    assert_eq!(found, made.token.id);
    let (stored, _) = desk.documents.all().unwrap();
    assert!(stored.iter().all(|document| !document.body.contains(secret)));
    desk.delete_token(&made.token.id).unwrap();
    assert!(desk.current().unwrap().token(&digest(secret)).is_none());
    assert!(matches!(desk.delete_token(&made.token.id), Err(DeskError::Missing("token"))));
}

#[test]
fn a_token_needs_a_name_and_a_permission() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    let said = desk
        .create_token(Wanted { name: " ".into(), permissions: vec![], ..Wanted::default() })
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "name: a token needs a name of 1 to 120 characters; permissions: at least one of run, read, read_metadata, write, secrets_write, analytics_read, logs_edit, account_read, admin"
    );
}

#[test]
fn another_process_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command_line) = (desk(dir.path()), desk(dir.path()));
    server.current().unwrap();
    assert!(!server.changed().unwrap());
    let made = command_line.create_token(wanted(&[Permission::Run])).unwrap();
    assert!(server.changed().unwrap());
    assert!(server.current().unwrap().token(&digest(made.secret.expose())).is_some());
    assert!(!server.changed().unwrap());
    assert_eq!(server.account().unwrap(), command_line.account().unwrap());
    assert_eq!(server.account().unwrap().len(), 32);
}

#[test]
fn changes_made_at_the_same_time_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (desk(dir.path()), desk(dir.path()));
    one.create_gateway(&body("g")).unwrap();
    let (mut first, mut second) = (body("g"), body("g"));
    first["retry_delay"] = 7.into();
    second["retry_max_attempts"] = 3.into();
    std::thread::scope(|scope| {
        scope.spawn(|| one.update_gateway("g", &first).unwrap());
        scope.spawn(|| two.update_gateway("g", &second).unwrap());
    });
    let after = one.gateway("g").unwrap().unwrap();
    assert_eq!((after.retry_delay, after.retry_max_attempts), (Some(7), Some(3)));
}

#[test]
fn a_snapshot_is_published_with_each_change_and_only_then() {
    let dir = tempfile::tempdir().unwrap();
    let heard: Arc<Mutex<Vec<usize>>> = Arc::default();
    let ear = heard.clone();
    let desk = desk(dir.path()).publishing(Box::new(move |snapshot| ear.lock().push(snapshot.gateways().count())));
    desk.current().unwrap();
    desk.create_gateway(&body("a")).unwrap();
    desk.current().unwrap();
    desk.delete_gateway("a").unwrap();
    assert_eq!(*heard.lock(), [0, 1, 0]);
}

#[test]
fn a_document_that_cannot_be_read_keeps_the_last_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let desk = desk(dir.path());
    desk.create_gateway(&body("g")).unwrap();
    let broken =
        tollgate_store::documents::Draft { kind: "gateway", parent: "", id: "b", name: "b", body: "{\"id\": 1}" };
    desk.documents.put(broken, None).unwrap();
    assert!(matches!(desk.refresh(), Err(DeskError::Damaged { .. })));
    assert!(desk.current.read().as_ref().unwrap().snapshot.gateway("g").is_some());
}

#[test]
fn what_was_cached_for_a_gateway_is_outdated_whoever_changed_it() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command_line) = (desk(dir.path()), desk(dir.path()));
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let ear = heard.clone();
    let name = |purge: &tollgate_store::answers::Purge| purge.gateway.as_deref().unwrap_or_default().to_owned();
    server.when_outdated(Box::new(move |purges, _| ear.lock().extend(purges.iter().map(name))));
    let mut keeps = body("keeps");
    keeps["cache_invalidate_on_update"] = false.into();
    command_line.create_gateway(&keeps).unwrap();
    command_line.create_gateway(&body("purges")).unwrap();
    command_line.create_gateway(&body("untouched")).unwrap();
    server.current().unwrap();
    assert!(heard.lock().is_empty());
    command_line.update_gateway("keeps", &keeps).unwrap();
    command_line.update_gateway("purges", &body("purges")).unwrap();
    server.current().unwrap();
    assert_eq!(std::mem::take(&mut *heard.lock()), ["purges"]);
    command_line.delete_gateway("keeps").unwrap();
    command_line.create_gateway(&keeps).unwrap();
    command_line.delete_gateway("purges").unwrap();
    server.current().unwrap();
    let mut outdated = std::mem::take(&mut *heard.lock());
    outdated.sort_unstable();
    assert_eq!(outdated, ["keeps", "purges"], "one came anew, one is gone");
}

#[test]
fn a_wish_waits_until_it_is_met_and_not_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (clock, hand) = Clock::manual(NOW);
    let documents = Arc::new(FileDocuments::open(&dir.path().join("tollgate.db")).unwrap());
    let (server, command_line) = (Desk::new(documents, clock, Box::new(Documents::default)), desk(dir.path()));
    let heard: Arc<Mutex<Heard>> = Arc::default();
    let ear = heard.clone();
    server.when_outdated(Box::new(move |purges, wish| ear.lock().push((purges.len(), wish))));
    let id = command_line.wish_purge("g", None, Some("k")).unwrap();
    assert_eq!(command_line.wish_met(&id).unwrap(), None);
    server.current().unwrap();
    assert_eq!(*heard.lock(), [(2, Some(id.clone()))], "a key names a whole answer and a streamed one");
    server.meet_wish(&id, 3).unwrap();
    server.current().unwrap();
    assert_eq!((command_line.wish_met(&id).unwrap(), heard.lock().len()), (Some(3), 1));
    hand.advance(std::time::Duration::from_secs(61));
    server.refresh().unwrap();
    assert_eq!(command_line.wish_met(&id).unwrap(), None, "nobody waits any more");
    server.meet_wish(&id, 1).unwrap();
}

#[test]
fn what_the_desk_remembers_is_what_the_store_has() {
    let dir = tempfile::tempdir().unwrap();
    let other = desk(dir.path());
    let documents = Arc::new(FileDocuments::open(&dir.path().join("tollgate.db")).unwrap());
    let base = || Documents { providers: Providers::builtin().clone(), ..Documents::default() };
    let desk = Desk::new(documents, Clock::manual(NOW).0, Box::new(base));
    let elements = json!([
        { "id": "s", "type": "start", "outputs": { "next": "m" } },
        { "id": "m", "type": "model", "properties": { "provider": "openai", "model": "m" }, "outputs": { "success": "e" } },
        { "id": "e", "type": "end" }
    ]);
    let fresh = || {
        let (stored, changes) = desk.documents.all().unwrap();
        World::default().renewed(stored, changes)
    };
    let same = |what: &str| {
        let held = |world: &World| world.all().map(|held| held.document.clone()).collect::<Vec<_>>();
        let (remembered, there) = (desk.now().unwrap().world, fresh());
        assert_eq!((held(&remembered), remembered.changes), (held(&there), there.changes), "{what}");
        assert_eq!(desk.current().unwrap().version, there.changes, "{what}");
    };
    let gateway = desk.create_gateway(&body("g")).unwrap();
    same("created");
    desk.update_gateway("g", &body("g")).unwrap();
    other.create_token(wanted(&[Permission::Run])).unwrap();
    desk.update_gateway("g", &body("g")).unwrap();
    same("beside another process");
    let route = desk.create_route(&gateway, &json!({ "name": "r", "elements": elements })).unwrap().route;
    desk.rename_route(&gateway, &route.id, &json!({ "name": "s" })).unwrap();
    same("a route");
    assert_eq!(desk.current().unwrap().gateway("g").unwrap().routes().len(), 1);
    desk.delete_gateway("g").unwrap();
    same("deleted with what belongs to it");
    assert_eq!(desk.now().unwrap().world.of_kind(ROUTE).count(), 0);
}
