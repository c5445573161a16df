//! Embeds the catalog of providers.
//!
//! Enters: `catalog/providers/*/provider.toml`. Leaves: `providers.postcard` for `provider/builtin.rs`, so that a start decodes a few
//! kilobytes instead of parsing text. Never: judges a row beyond its members' names and types; the tests compile every row.

// Public for the library, of which this file is a part as well.
#[allow(unreachable_pub)]
#[path = "src/provider/raw.rs"]
mod raw;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use raw::RawRow;

fn main() -> Result<(), Box<dyn Error>> {
    let catalog = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../catalog/providers");
    // A folder is watched with everything below it.
    println!("cargo::rerun-if-changed={}", catalog.display());
    println!("cargo::rerun-if-changed=src/provider/raw.rs");

    let mut folders: Vec<PathBuf> =
        fs::read_dir(&catalog)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    let rows = folders.iter().map(|folder| read(folder)).collect::<Result<Vec<_>, _>>()?;
    let out = Path::new(&env::var("OUT_DIR")?).join("providers.postcard");
    Ok(fs::write(out, postcard::to_stdvec(&rows)?)?)
}

/// The folder's name is the provider's segment.
fn read(folder: &Path) -> Result<(String, RawRow), String> {
    let segment = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = format!("catalog/providers/{segment}/provider.toml");
    let text = fs::read_to_string(folder.join("provider.toml")).map_err(|error| format!("{file}: {error}"))?;
    let row = toml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
    Ok((segment, row))
}
