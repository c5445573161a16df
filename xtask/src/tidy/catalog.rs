//! A provider is one folder, and it is whole.
//!
//! Enters: `catalog/providers/*`. Leaves: folders without the row or without the vectors that prove its path mapping.

use super::Finding;
use super::tree::{File, Tree, folders};

const NEEDED: &[&str] = &["provider.toml", "vectors.toml"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    folders(tree, "catalog/providers/").into_iter().flat_map(|(segment, files)| in_folder(segment, &files)).collect()
}

fn in_folder(segment: &str, files: &[&File]) -> Vec<Finding> {
    let folder = format!("catalog/providers/{segment}");
    let mut findings = Vec::new();
    if !segment.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        let instead = "the folder is the segment of the URL: lower-case letters, digits and hyphens";
        findings.push(Finding::in_file(&folder, format!("`{segment}` cannot stand in a URL as it is"), instead));
    }
    for name in NEEDED {
        match files.iter().find(|file| file.path == format!("{folder}/{name}")) {
            None => findings.push(Finding::in_file(
                &folder,
                format!("{name} is missing"),
                "copy a neighbour's and change it",
            )),
            Some(file) => findings.extend(unreadable(file)),
        }
    }
    findings
}

fn unreadable(file: &File) -> Option<Finding> {
    let error = toml::from_str::<toml::Table>(&file.text).err()?;
    let line = error.span().map_or(1, |span| super::rust::line_of(&file.text, span.start));
    Some(Finding::at(&file.path, line, error.message(), "correct the TOML"))
}
