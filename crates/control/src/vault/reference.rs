//! Values that stand elsewhere: `env:NAME`, `file:/path`.
//!
//! Enters: a reference. Leaves: what is there now. Never: reads what the operator has not named: whoever may write a secret could otherwise have
//! any file of this machine sent to a provider of their own.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tollgate_model::Secret;
use zeroize::Zeroizing;

/// As much as a secret may have.
const VALUE_BYTES_MAX: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    Environment(String),
    File(PathBuf),
}

/// What references may lead to.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Variables by name. Those where providers' keys are usually found are among them.
    pub env: Vec<String>,
    /// Directories: files below them.
    pub dirs: Vec<PathBuf>,
}

/// How a file looks. Unlike for two contents that were written at different times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: (i64, i64),
    len: u64,
    inode: u64,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReference {
    #[error("a reference is env:NAME or file:/absolute/path")]
    Unreadable,
    #[error("env:{0} may not be used: name it in secrets.env_references of the settings")]
    ForbiddenVariable(String),
    #[error("file:{} may not be used: name a directory above it in secrets.file_references of the settings", .0.display())]
    ForbiddenFile(PathBuf),
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    #[error("the file {} cannot be read: {cause}", .path.display())]
    NoFile { path: PathBuf, cause: String },
    #[error("the file {} is empty, no text, or larger than {VALUE_BYTES_MAX} bytes", .0.display())]
    BadFile(PathBuf),
}

// === impl Reference ===

impl Reference {
    /// `None`: the text is a value.
    pub fn read(text: &str) -> Option<Self> {
        let is_plain = |text: &str| !text.is_empty() && text.len() <= 4_096 && !text.chars().any(char::is_control);
        if let Some(name) = text.strip_prefix("env:").filter(|name| is_plain(name)) {
            return Some(Self::Environment(name.to_owned()));
        }
        let path = text.strip_prefix("file:").filter(|path| is_plain(path) && path.starts_with('/'))?;
        Some(Self::File(PathBuf::from(path)))
    }

    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Environment(_) => None,
        }
    }
}

// === impl Allowed ===

impl Allowed {
    /// Whether the reference may be stored. The file need not be there yet.
    pub fn check(&self, reference: &Reference) -> Result<(), BadReference> {
        match reference {
            Reference::Environment(name) if self.env.contains(name) => Ok(()),
            Reference::Environment(name) => Err(BadReference::ForbiddenVariable(name.clone())),
            Reference::File(path) => {
                let is_straight = !path.components().any(|part| part == std::path::Component::ParentDir);
                let is_below = self.dirs.iter().any(|dir| path.starts_with(dir));
                if is_straight && is_below { Ok(()) } else { Err(BadReference::ForbiddenFile(path.clone())) }
            }
        }
    }

    pub fn resolve(&self, reference: &Reference) -> Result<Secret, BadReference> {
        self.check(reference)?;
        match reference {
            Reference::Environment(name) => match std::env::var(name) {
                Ok(value) if !value.trim().is_empty() => Ok(Secret::new(value.trim())),
                _ => Err(BadReference::NoVariable(name.clone())),
            },
            Reference::File(path) => self.read_file(path),
        }
    }

    fn read_file(&self, path: &Path) -> Result<Secret, BadReference> {
        let failed = |cause: std::io::Error| BadReference::NoFile { path: path.to_owned(), cause: cause.to_string() };
        // A link may lead out of the directory: what counts is where it ends. (Kubernetes' own links stay inside.)
        let real = path.canonicalize().map_err(failed)?;
        let is_below = |dir: &PathBuf| dir.canonicalize().is_ok_and(|dir| real.starts_with(dir));
        if !self.dirs.iter().any(is_below) {
            return Err(BadReference::ForbiddenFile(path.to_owned()));
        }
        let mut bytes = Zeroizing::new(Vec::new());
        let file = File::open(&real).map_err(failed)?;
        file.take(VALUE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
        let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
        if text.is_empty() || bytes.len() > VALUE_BYTES_MAX {
            return Err(BadReference::BadFile(path.to_owned()));
        }
        Ok(Secret::new(text))
    }
}

// === impl Stamp ===

impl Stamp {
    pub fn of(path: &Path) -> Option<Self> {
        let data = std::fs::metadata(path).ok()?;
        Some(Self { modified: (data.mtime(), data.mtime_nsec()), len: data.len(), inode: data.ino() })
    }
}
