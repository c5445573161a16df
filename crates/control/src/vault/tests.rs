//! Values are sealed for one place, keys are read from wherever they are, references lead where they may.

use std::os::unix::fs::PermissionsExt;

use super::*;

const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const TWO: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

fn from(text: &str) -> KeySource {
    KeySource::Environment("TOLLGATE_MASTER_KEY".to_owned(), Secret::new(text))
}

fn vault(text: &str) -> Vault {
    Vault::open(from(text), Allowed::default(), &[]).unwrap()
}

fn secret(id: &str, value: Kept) -> StoredSecret {
    StoredSecret {
        id: id.to_owned(),
        store_id: "s".to_owned(),
        name: "n".to_owned(),
        scopes: Vec::new(),
        comment: None,
        value,
        preview: String::new(),
        bound: None,
        created_at: 0,
        modified_at: 0,
    }
}

fn envelope(kept: &Kept) -> &str {
    let Kept::Sealed(envelope) = kept else { panic!("{kept:?}") };
    envelope
}

#[test]
fn what_was_sealed_opens_in_its_place_alone() {
    let vault = vault(ONE);
    let value = Secret::new("sk-fake-ü");
    let kept = vault.keep("account", "id", &value).unwrap();
    assert!(!envelope(&kept).contains("sk-fake") && envelope(&kept).starts_with("tgv1."));
    assert_eq!(vault.value("account", &secret("id", kept.clone())).unwrap(), value);
    for (account, id) in [("other", "id"), ("account", "other"), ("accoun", "tid")] {
        let said = vault.value(account, &secret(id, kept.clone())).unwrap_err().to_string();
        assert!(said.ends_with("it was changed, or belongs to another secret"), "{said}");
    }
    let other_use = Place { account: "account", id: "id", used_as: "something-else" };
    assert_eq!(vault.keyring().open(&other_use, envelope(&kept)), Err(NotOpened::Forged));
    // No two seals look alike.
    assert_ne!(vault.keep("account", "id", &value).unwrap(), kept);
}

#[test]
fn no_byte_of_an_envelope_can_be_changed() {
    let vault = vault(ONE);
    let kept = vault.seal("a", "i", &Secret::new("value")).unwrap();
    let envelope = envelope(&kept).to_owned();
    for at in 0..envelope.len() {
        let mut bytes = envelope.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert!(vault.value("a", &secret("i", Kept::Sealed(changed))).is_err(), "byte {at}");
    }
    for cut in 0..envelope.len() {
        assert!(vault.value("a", &secret("i", Kept::Sealed(envelope[..cut].to_owned()))).is_err(), "cut at {cut}");
    }
}

#[test]
fn an_older_key_opens_and_the_first_seals() {
    let (old, both, new) = (vault(ONE), vault(&format!("{TWO}\n# the one before\n{ONE}")), vault(TWO));
    let kept = old.seal("a", "i", &Secret::new("value")).unwrap();
    assert_eq!(both.value("a", &secret("i", kept.clone())).unwrap().expose(), "value");
    let again = both.seal("a", "i", &Secret::new("value")).unwrap();
    assert_eq!(key_id_of(envelope(&again)), Some(new.keyring().current().id()));
    assert!(matches!(
        new.value("a", &secret("i", kept)),
        Err(VaultError::NotOpened(NotOpened::UnknownKey(id))) if id == old.keyring().current().id()
    ));
}

#[test]
fn a_wrong_key_is_told_and_no_key_is_made_beside_sealed_secrets() {
    let needed = vault(ONE).keyring().current().id().to_owned();
    let said = Vault::open(from(TWO), Allowed::default(), std::slice::from_ref(&needed)).unwrap_err().to_string();
    assert!(said.contains("is not the one that stored secrets are sealed with") && said.contains(&needed), "{said}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let missing = Vault::open(KeySource::File(path.clone()), Allowed::default(), &[needed]);
    assert!(matches!(missing, Err(VaultError::Missing(_))) && !path.exists());
}

#[test]
fn a_file_is_made_once_and_only_its_owner_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let open = || Vault::open(KeySource::File(path.clone()), Allowed::default(), &[]).unwrap().keyring().ids();
    assert_eq!(open(), open());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_command_is_asked_once_and_its_failure_is_told() {
    let ask = |command: &str| Vault::open(KeySource::Command(command.to_owned()), Allowed::default(), &[]);
    assert_eq!(ask(&format!("echo {ONE}")).unwrap().keyring().ids(), vault(ONE).keyring().ids());
    assert!(ask("exit 3").unwrap_err().to_string().contains("exit status: 3"));
    let said = ask("echo not-a-key-but-secret").unwrap_err().to_string();
    assert!(said.contains("key 1 is not 32 bytes") && !said.contains("but-secret"), "{said}");
    assert!(ask("true").unwrap_err().to_string().contains("there is no key in it"));
}

#[test]
fn a_reference_reads_what_is_allowed_and_nothing_else() {
    let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let allowed = Allowed { env: vec!["CARGO_PKG_NAME".to_owned()], dirs: vec![inside.path().to_owned()] };
    let vault = Vault::open(from(ONE), allowed, &[]).unwrap();
    std::fs::write(inside.path().join("key"), "from-a-file\n").unwrap();
    std::fs::write(outside.path().join("key"), "elsewhere").unwrap();
    std::os::unix::fs::symlink(outside.path().join("key"), inside.path().join("link")).unwrap();
    let file = |dir: &tempfile::TempDir, name: &str| format!("file:{}/{name}", dir.path().display());
    assert_eq!(vault.resolve("env:CARGO_PKG_NAME").unwrap().expose(), "tollgate-control");
    assert_eq!(vault.resolve(&file(&inside, "key")).unwrap().expose(), "from-a-file");
    for bad in [
        "env:HOME",
        "env:",
        "file:relative",
        "sk-plain",
        &file(&inside, "link"),
        &file(&inside, "none"),
        &file(&outside, "key"),
    ] {
        assert!(vault.resolve(bad).is_err(), "{bad}");
    }
    let around = format!("{}/../{}/key", file(&inside, "x"), outside.path().display());
    assert!(vault.keep("a", "i", &Secret::new(around)).is_err());
    assert_eq!(
        vault.keep("a", "i", &Secret::new("env:CARGO_PKG_NAME")).unwrap(),
        Kept::Reference("env:CARGO_PKG_NAME".into())
    );
}

#[test]
fn a_preview_tells_two_values_apart_and_no_more() {
    for (value, shown) in [
        ("sk-fake-0123456789abcd", "sk-…abcd"),
        ("short", "***"),
        ("env:OPENAI_API_KEY", "env:OPENAI_API_KEY"),
        (r#"{"accessKeyId":"AKIAFAKEFAKEFAKE","secretAccessKey":"x"}"#, "AKI…FAKE"),
        (r#"{"private_key":"0123456789abcdef"}"#, "***"),
    ] {
        assert_eq!(preview(value), shown, "{value}");
    }
}
