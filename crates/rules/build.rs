//! Compiles catalog/models/*.toml into the block that `catalog` embeds.
//!
//! Enters: the price sheets. Leaves: `models.postcard` and CATALOG_VERSION. Never: lets a doubtful figure into the program: the build
//! fails, naming file and model.

#[path = "src/catalog/sheet.rs"]
#[allow(dead_code, unreachable_pub)] // a public module of the library, too
mod sheet;

use std::path::{Path, PathBuf};
use std::{env, fs};

const FOLDER: &str = "../../catalog/models";

fn main() {
    println!("cargo::rerun-if-changed={FOLDER}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/catalog/sheet.rs");
    println!("cargo::rerun-if-changed=src/catalog/variants.rs");
    let shelves: Vec<(String, Vec<u8>)> = sheets().iter().map(|path| shelf(path)).collect();
    let block = postcard::to_stdvec(&shelves).expect("plain data encodes");
    println!("cargo::rustc-env=CATALOG_VERSION={:016x}", hash(&block));
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("models.postcard");
    fs::write(&out, block).expect("cargo's own folder can be written");
}

fn sheets() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).unwrap_or_else(|error| panic!("{FOLDER}: {error}"));
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let mut sheets: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    sheets.sort();
    sheets
}

/// The file's name is the provider's path segment.
fn shelf(path: &Path) -> (String, Vec<u8>) {
    println!("cargo::rerun-if-changed={}", path.display());
    let name = path.file_stem().and_then(|stem| stem.to_str()).expect("file names are ASCII").to_owned();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let models = sheet::read(&text).unwrap_or_else(|bad| panic!("{}: {bad}", path.display()));
    (name, postcard::to_stdvec(&models).expect("plain data encodes"))
}

/// FNV-1a: the version tells price lists apart, it does not protect them.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
