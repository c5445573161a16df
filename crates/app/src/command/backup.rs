//! `tollgate backup` and `tollgate restore`
//!
//! Enters: a data directory, or a backup of one. Leaves: the other, with a list of what is in it by which every file can be checked.
//! Never: stops a server that runs, writes over what is there, or takes a backup for good that it has not read to its end.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use clap::Args;
use serde::{Deserialize, Serialize};
use tollgate_control::time;
use tollgate_model::Clock;
use tollgate_store::{Metrics, backup};

use super::{journal_unless_served, show};
use crate::place::{self, ANSWERS_FILE, MASTER_KEY_FILE};

/// What is in a backup. Its presence says that the backup was finished.
const LIST: &str = "backup.json";
const BUFFER: usize = 64 << 10;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate backup /backups/2026-11-21
  tollgate backup /backups/2026-11-21 --without-master-key     keep the key elsewhere, as secrets are of no use without it

It can be taken while the server runs: settings, tokens, logs, budgets and the audit are as of the moment it began, or a little later. The cache of
answers is left out. Put a finished directory wherever your other backups go; it holds prompts, answers and sealed keys, readable by its owner only.")]
pub(crate) struct Backup {
    /// A directory that does not exist yet, or is empty
    into: PathBuf,
    /// Leave out the master key: without it the stored secrets cannot be opened
    #[arg(long)]
    without_master_key: bool,
    /// How many files and bytes, as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  tollgate restore /backups/2026-11-21
  tollgate restore /backups/2026-11-21 --replace               what is there now is moved aside, not deleted

Every file is checked against the backup's list before anything is moved. Stop the server first.")]
pub(crate) struct Restore {
    /// A directory that `tollgate backup` wrote
    from: PathBuf,
    /// Move a data directory aside that is not empty
    #[arg(long)]
    replace: bool,
    /// What was restored, as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize, Deserialize)]
struct List {
    tollgate: String,
    taken_at: String,
    files: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    bytes: u64,
    sha256: String,
}

// === impl Backup ===

impl Backup {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let into = &self.into;
        ensure!(is_empty(into)?, "{} is not empty; name a new directory for each backup", into.display());
        let (real, base) = (real(into)?, fs::canonicalize(data_dir)?);
        ensure!(!real.starts_with(&base), "{} is inside the data directory that is to be copied", into.display());
        place::prepare(into)?;
        let taken_at = time::text(Clock::System.unix_ms());
        let skip = |file: &Path| file == Path::new(ANSWERS_FILE) || self.leaves_out(file);
        let files = backup::copy(data_dir, into, &skip)?;
        let entries = files.into_iter().map(|path| {
            backup::check(&into.join(&path))?;
            Entry::of(into, path)
        });
        let files = entries.collect::<anyhow::Result<Vec<_>>>()?;
        let list = List { tollgate: env!("CARGO_PKG_VERSION").to_owned(), taken_at, files };
        fs::write(into.join(LIST), serde_json::to_vec_pretty(&list)?)?;
        list.tell(into, self.json, "backed up")?;
        if !self.json && list.files.iter().any(|entry| entry.path == Path::new(MASTER_KEY_FILE)) {
            show::text("the master key is among them: whoever has this backup can open the stored provider keys\n")?;
        }
        Ok(())
    }

    fn leaves_out(&self, file: &Path) -> bool {
        self.without_master_key && file == Path::new(MASTER_KEY_FILE)
    }
}

// === impl Restore ===

impl Restore {
    pub(crate) fn run(self, data_dir: &Path) -> anyhow::Result<()> {
        let list = List::read(&self.from)?;
        let in_the_way = !is_empty(data_dir)?;
        if in_the_way {
            self.may_replace(data_dir)?;
        }
        list.files.iter().try_for_each(|entry| entry.check(&self.from))?;
        let beside = beside(data_dir, "restoring")?;
        ensure!(is_empty(&beside)?, "{} is left from a restore that was cut off; delete it", beside.display());
        place::prepare(&beside)?;
        for entry in &list.files {
            entry.copy(&self.from, &beside)?;
        }
        let old = in_the_way.then(|| move_aside(data_dir)).transpose()?;
        fs::rename(&beside, data_dir).with_context(|| format!("cannot put {} in place", data_dir.display()))?;
        list.tell(data_dir, self.json, "restored")?;
        match old {
            Some(old) if !self.json => show::text(&format!("what was there before is in {}\n", old.display())),
            _ => Ok(()),
        }
    }

    fn may_replace(&self, data_dir: &Path) -> anyhow::Result<()> {
        ensure!(self.replace, "{} is not empty; --replace moves what is there aside", data_dir.display());
        let alone = journal_unless_served(data_dir, &Arc::new(Metrics::default()))?;
        ensure!(alone.is_some(), "a server runs on {}; stop it first", data_dir.display());
        Ok(())
    }
}

/// Where it is now.
fn move_aside(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let aside = beside(data_dir, &format!("before-{}", Clock::System.unix_ms()))?;
    fs::rename(data_dir, &aside).with_context(|| format!("cannot move {} aside", data_dir.display()))?;
    Ok(aside)
}

// === impl List ===

impl List {
    fn read(from: &Path) -> anyhow::Result<Self> {
        let path = from.join(LIST);
        let text = fs::read(&path).with_context(|| {
            format!("{} cannot be read: is this a directory that `tollgate backup` finished?", path.display())
        })?;
        let list: Self = serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))?;
        let outside = |path: &Path| path.components().any(|part| !matches!(part, std::path::Component::Normal(_)));
        match list.files.iter().find(|entry| outside(&entry.path)) {
            Some(entry) => bail!("{} names {}, which is outside the backup", path.display(), entry.path.display()),
            None => Ok(list),
        }
    }

    fn tell(&self, at: &Path, json: bool, done: &str) -> anyhow::Result<()> {
        let (files, bytes) = (self.files.len(), self.files.iter().map(|entry| entry.bytes).sum::<u64>());
        if json {
            let at = at.display().to_string();
            return show::json(
                &serde_json::json!({ "at": at, "files": files, "bytes": bytes, "taken_at": self.taken_at }),
            );
        }
        show::text(&format!("{done}: {files} files, {bytes} bytes, as of {}, in {}\n", self.taken_at, at.display()))
    }
}

// === impl Entry ===

impl Entry {
    fn of(root: &Path, path: PathBuf) -> anyhow::Result<Self> {
        let (bytes, sha256) = digest(&root.join(&path))?;
        Ok(Self { path, bytes, sha256 })
    }

    /// With the mode of the file: only its owner may read it.
    fn copy(&self, from: &Path, into: &Path) -> anyhow::Result<()> {
        let (source, target) = (from.join(&self.path), into.join(&self.path));
        place::prepare(target.parent().unwrap_or(into))?;
        fs::copy(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
        File::open(&target)?.sync_all()?;
        self.check(into)
    }

    fn check(&self, root: &Path) -> anyhow::Result<()> {
        let path = root.join(&self.path);
        let (bytes, sha256) = digest(&path).with_context(|| format!("{} is missing", path.display()))?;
        ensure!((bytes, &sha256) == (self.bytes, &self.sha256), "{} is not what was backed up", path.display());
        Ok(())
    }
}

fn digest(path: &Path) -> io::Result<(u64, String)> {
    let (mut file, mut digest, mut bytes) = (File::open(path)?, Digest::new(&SHA256), 0);
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => {
                digest.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
    let hex = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, hex))
}

/// There is nothing in the way: no directory, or nothing in it.
fn is_empty(dir: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(cause) => Err(cause).with_context(|| format!("cannot look into {}", dir.display())),
    }
}

/// The same path without links, although its last part may not be there.
fn real(path: &Path) -> anyhow::Result<PathBuf> {
    let whole = std::path::absolute(path)?;
    let existing = whole.ancestors().find(|part| part.exists()).unwrap_or(Path::new("/"));
    let rest = whole.strip_prefix(existing).unwrap_or(Path::new(""));
    Ok(fs::canonicalize(existing)?.join(rest))
}

/// A neighbour of a directory, on the same disk, so that a rename is enough.
fn beside(dir: &Path, what: &str) -> anyhow::Result<PathBuf> {
    let dir = std::path::absolute(dir)?;
    let name = dir.file_name().context("the data directory has no name")?;
    Ok(dir.with_file_name(format!("{}.{what}", name.to_string_lossy())))
}
