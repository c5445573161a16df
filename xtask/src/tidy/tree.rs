//! What the rules look at: the files of the repository and the dependencies between our crates.
//!
//! Enters: `git ls-files`, `cargo metadata`, or a test's few lines. Leaves: paths with their text, Rust files also as code.
//! Never: follows what git ignores.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::rust::Code;

pub(super) struct Tree {
    pub(super) files: Vec<File>,
    pub(super) packages: Vec<Package>,
}

/// A text file. Others (images, recorded compressed bodies) are only known by their path, with an empty text.
pub(super) struct File {
    /// From the root of the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    /// Only for Rust.
    pub(super) code: Option<Code>,
}

/// One of our crates, as `cargo metadata` tells.
#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Absent for a normal dependency, else `dev` or `build`.
    pub(super) kind: Option<String>,
}

// === impl Tree ===

impl Tree {
    pub(super) fn read() -> anyhow::Result<Self> {
        // xtask is one folder below the root, wherever it was started from.
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent folder")?;
        // Untracked files count too: a rule that only speaks after `git add` speaks too late.
        let listed = output(Command::new("git").current_dir(root).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let paths = listed.split('\0').filter(|path| !path.is_empty() && root.join(path).is_file());
        let files =
            paths.map(|path| Ok(File::new(path, &read_text(&root.join(path))?))).collect::<anyhow::Result<_>>()?;
        Ok(Self { files, packages: packages(root)? })
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = (&File, &Code)> {
        self.files.iter().filter_map(|file| Some((file, file.code.as_ref()?)))
    }

    /// Is there a comment that says why this place may break the rule?
    pub(super) fn allows(&self, rule: &str, path: &str, line: Option<usize>) -> bool {
        let Some(file) = self.files.iter().find(|file| file.path == path) else { return false };
        let wanted = format!("tidy-allow({rule}): ");
        match line {
            Some(line) => {
                file.text.lines().skip(line.saturating_sub(2)).take(2.min(line)).any(|text| text.contains(&wanted))
            }
            None => file.text.contains(&wanted),
        }
    }
}

fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let told = output(Command::new(cargo).current_dir(root).args([
        "metadata",
        "--no-deps",
        "--locked",
        "--format-version=1",
    ]))?;
    Ok(serde_json::from_str::<Metadata>(&told).context("cargo metadata")?.packages)
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let done = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(done.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(String::from_utf8(done.stdout)?)
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

// === impl File ===

impl File {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = path.ends_with(".rs").then(|| Code::read(text, is_shipped(path)));
        Self { path: path.into(), text: text.into(), code }
    }

    pub(super) fn is_below(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    /// `a/b/c.rs` below `a/` is `b/c.rs`, or nothing.
    pub(super) fn below(&self, folder: &str) -> Option<&str> {
        self.path.strip_prefix(folder)
    }
}

/// What ends up in a binary: not cargo's tests, benches, examples and build scripts, not fuzz targets, not the out-of-line `mod tests;`.
pub(super) fn is_shipped(path: &str) -> bool {
    const NOT: &[&str] = &["tests", "benches", "examples", "fuzz", "tests.rs", "build.rs"];
    !path.split('/').any(|part| NOT.contains(&part))
}

/// Groups names by folder: `catalog/providers/x/y.toml` below `catalog/providers/` is `x -> [y.toml]`.
pub(super) fn folders<'t>(tree: &'t Tree, below: &str) -> BTreeMap<&'t str, Vec<&'t File>> {
    let mut found: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in &tree.files {
        if let Some((folder, _)) = file.below(below).and_then(|rest| rest.split_once('/')) {
            found.entry(folder).or_default().push(file);
        }
    }
    found
}
