//! The operator's price file and what it said before.
//!
//! Enters: a data directory. Leaves: the catalog with the file over it; the file, replaced in one step. Never: writes a file that would not be read.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use tollgate_rules::catalog::Catalog;
use tollgate_rules::catalog::layers::PriceFile;

use super::{now_ms, show};

const FILE: &str = "prices.toml";
/// One file a change: what stood before it.
const HISTORY: &str = "prices-history";
const BYTES_MAX: u64 = 16 << 20;
/// Older ones are forgotten.
const CHANGES_MAX: usize = 1_000;

/// The list that ships, with the operator's file over it where there is one.
pub(crate) fn catalog(data_dir: &Path) -> anyhow::Result<Arc<Catalog>> {
    match text(data_dir)? {
        Some(text) => Catalog::with(&text).with_context(|| data_dir.join(FILE).display().to_string()),
        None => Ok(Catalog::builtin()),
    }
}

fn text(data_dir: &Path) -> anyhow::Result<Option<String>> {
    let path = data_dir.join(FILE);
    let Ok(about) = fs::metadata(&path) else { return Ok(None) };
    anyhow::ensure!(
        about.len() <= BYTES_MAX,
        "{}: a price file of more than {BYTES_MAX} bytes is none",
        path.display()
    );
    fs::read_to_string(&path).map(Some).with_context(|| path.display().to_string())
}

pub(super) fn read(data_dir: &Path) -> anyhow::Result<PriceFile> {
    let Some(text) = text(data_dir)? else { return Ok(PriceFile::default()) };
    toml::from_str(&text).with_context(|| data_dir.join(FILE).display().to_string())
}

/// Keeps what it said, then replaces it.
pub(super) fn write(data_dir: &Path, file: &PriceFile, why: &str) -> anyhow::Result<()> {
    let text = format!("# {}\n{}", why.replace('\n', " "), toml::to_string(file)?);
    replace(data_dir, &text)
}

fn replace(data_dir: &Path, new: &str) -> anyhow::Result<()> {
    Catalog::with(new).context("what would be written to the price file")?;
    let old = text(data_dir)?.unwrap_or_default();
    let dir = data_dir.join(HISTORY);
    fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
    let changes = changes(data_dir)?;
    let number = changes.last().map_or(1, |(number, _)| number + 1);
    fs::write(dir.join(format!("{number:06}-{}.toml", now_ms())), old)?;
    for (_, path) in changes.iter().rev().skip(CHANGES_MAX - 1) {
        fs::remove_file(path)?;
    }
    let (fresh, path) = (data_dir.join("prices.toml.new"), data_dir.join(FILE));
    fs::write(&fresh, new)?;
    fs::rename(&fresh, &path).with_context(|| path.display().to_string())
}

/// Number and file of every change, the oldest first.
fn changes(data_dir: &Path) -> anyhow::Result<Vec<(u32, PathBuf)>> {
    let Ok(entries) = fs::read_dir(data_dir.join(HISTORY)) else { return Ok(Vec::new()) };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let numbered = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.split_once('-')?.0.parse().ok()?;
        Some((name, path))
    };
    let mut changes: Vec<(u32, PathBuf)> = paths.into_iter().filter_map(numbered).collect();
    changes.sort();
    Ok(changes)
}

pub(super) fn history(data_dir: &Path, json: bool) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for (number, path) in changes(data_dir)? {
        let stamp =
            path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.split_once('-')?.1.parse().ok());
        let before = fs::read_to_string(&path)?;
        let file: PriceFile = toml::from_str(&before).with_context(|| path.display().to_string())?;
        let models: usize = file.provider.values().map(|sheet| sheet.models.len()).sum();
        let said = before.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or("-").to_owned();
        rows.push([number.to_string(), tollgate_control::time::text(stamp.unwrap_or(0)), models.to_string(), said]);
    }
    if json {
        let rows = rows.iter().map(
            |[number, at, models, said]| json!({ "change": number, "at": at, "models_before": models, "before": said }),
        );
        return show::json(&rows.collect());
    }
    show::table(["CHANGE", "AT", "MODELS BEFORE", "WHAT STOOD BEFORE"], &rows)
}

/// A change like any other: it can be put back, too.
pub(super) fn revert(data_dir: &Path, change: u32) -> anyhow::Result<()> {
    let changes = changes(data_dir)?;
    let found = changes.iter().find(|(number, _)| *number == change);
    let (_, path) = found.with_context(|| format!("no change {change}; see tollgate prices history"))?;
    replace(data_dir, &fs::read_to_string(path)?)?;
    show::text(&format!(
        "the price file says what it said before change {change}; a running server reads it when it starts again\n"
    ))
}
