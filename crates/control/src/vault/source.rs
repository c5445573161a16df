//! Where the master key comes from: a file, the environment, a command's output.
//!
//! Enters: a source. Leaves: a keyring, or what to do. Never: makes a key where secrets are sealed with another; prints one.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tollgate_model::Secret;
use zeroize::Zeroizing;

use super::keyring::{BadKey, Keyring, new_key, words};
use super::reference::BadReference;
use super::seal::NotOpened;

/// More than any keyring needs.
const BYTES_MAX: u64 = 64 * 1024;

#[derive(Clone, Debug)]
pub enum KeySource {
    /// Made with mode 0600 when it is not there and nothing is sealed yet.
    File(PathBuf),
    /// The text itself, and the name of the variable that it was in.
    Environment(String, Secret),
    /// Run by `sh -c` once at start: what a key management service's client prints.
    Command(String),
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the master key in {source_name}: {cause}")]
    Bad { source_name: String, cause: BadKey },
    #[error("the master key cannot be read from {source_name}: {cause}")]
    Unreadable { source_name: String, cause: String },
    #[error(
        "the master key file {} is not there, and secrets are sealed already. Put it back, or name another source \
         (secrets.master_key_file, secrets.master_key_command, TOLLGATE_MASTER_KEY); without it these secrets are lost",
        .0.display()
    )]
    Missing(PathBuf),
    #[error(
        "the master key in {source_name} is not the one that stored secrets are sealed with: it has {}, they need {}. \
         Give the right key, or both separated by a space",
        .has.join(", "), .missing.join(", ")
    )]
    WrongKey { source_name: String, has: Vec<String>, missing: Vec<String> },
    #[error(
        "{0} is not a file that this program may write. Give it both keys, the new one first and a space between, restart the server, seal anew, \
         and then leave the old one out"
    )]
    NotOurs(String),
    #[error("a secret could not be sealed")]
    NotSealed,
    #[error("a stored secret cannot be opened: {0}")]
    NotOpened(#[from] NotOpened),
    #[error(transparent)]
    Reference(BadReference),
    #[error("there is no master key here to open secrets with")]
    Absent,
    #[error("it was declared by a file and has no value yet: store one")]
    NoValue,
}

// === impl KeySource ===

impl KeySource {
    /// As people are told of it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => format!("the file {}", path.display()),
            Self::Environment(name, _) => format!("the environment variable {name}"),
            Self::Command(_) => "the output of secrets.master_key_command".to_owned(),
        }
    }

    pub(super) fn read_or_make(&self, may_make: bool) -> Result<Keyring, VaultError> {
        let text = match self {
            Self::File(path) => self.read_file(path, may_make)?,
            Self::Environment(_, text) => Zeroizing::new(text.expose().to_owned()),
            Self::Command(command) => self.ask_command(command)?,
        };
        Keyring::read(&text).map_err(|cause| VaultError::Bad { source_name: self.name(), cause })
    }

    fn read_file(&self, path: &Path, may_make: bool) -> Result<Zeroizing<String>, VaultError> {
        match read(path) {
            Ok(text) => Ok(text),
            Err(cause) if cause.kind() != ErrorKind::NotFound => Err(self.unreadable(&cause)),
            Err(_) if !may_make => Err(VaultError::Missing(path.to_owned())),
            Err(_) => self.make(path),
        }
    }

    /// Of two processes that make it at once, the first one's key counts for both.
    fn make(&self, path: &Path) -> Result<Zeroizing<String>, VaultError> {
        let key = new_key().map_err(|cause| self.unreadable(&cause))?;
        let made = write_new(path, &[key]);
        match made {
            Err(cause) if cause.kind() != ErrorKind::AlreadyExists => Err(self.unreadable(&cause)),
            _ => read(path).map_err(|cause| self.unreadable(&cause)),
        }
    }

    fn ask_command(&self, command: &str) -> Result<Zeroizing<String>, VaultError> {
        let run = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = run.map_err(|cause| self.unreadable(&cause))?;
        let out = Zeroizing::new(output.stdout);
        if !output.status.success() {
            return Err(self.unreadable(&format!("it ended with {}", output.status)));
        }
        let text = std::str::from_utf8(&out).map_err(|_| self.unreadable(&"it is no text"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn unreadable(&self, cause: &dyn std::fmt::Display) -> VaultError {
        VaultError::Unreadable { source_name: self.name(), cause: cause.to_string() }
    }
}

/// Puts a new key before those of a file, or takes all but the first out of it. The file is replaced as a whole: a crash leaves the old one or the new.
pub(super) fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<Secret>)) -> std::io::Result<()> {
    let text = read(path)?;
    let mut keys: Vec<Secret> = words(&text).map(Secret::new).collect();
    change(&mut keys);
    let beside = path.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    write_new(&beside, &keys)?;
    std::fs::rename(&beside, path)?;
    sync_dir(path)
}

pub(super) fn fresh_key() -> std::io::Result<Secret> {
    new_key().map_err(|cause| std::io::Error::other(cause.to_string()))
}

fn write_new(path: &Path, keys: &[Secret]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    for key in keys {
        file.write_all(key.expose().as_bytes())?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    sync_dir(path)
}

fn sync_dir(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

fn read(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    File::open(path)?.take(BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
