//! The documents in docs/ are what is served, and the table is whole.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::resources::rows;

/// `BLESS=1 cargo test -p tollgate-control openapi` rewrites both.
#[test]
fn the_documents_are_the_table() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, text) in [("openapi.json", text().to_owned()), ("api.md", page())] {
        let path = docs.join(name);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == text,
            "docs/{name} is not the table; run with BLESS=1"
        );
    }
}

#[test]
fn operations_are_told_apart_and_explained() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        assert!(seen.insert(row.op), "{} twice", row.op);
        assert!(row.doc.ends_with('.'), "{}: {}", row.op, row.doc);
        assert!(
            row.op.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{}",
            row.op
        );
        assert!(row.body.is_none() || row.method != http::Method::GET, "{}", row.op);
        for name in segments(row.path) {
            assert!(SEGMENTS.iter().any(|(each, _)| *each == name), "what is {{{name}}} in {}?", row.path);
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    assert!(!text.contains("\"enum\":null"), "a list of words is a list");
    for (at, _) in text.match_indices("\"$ref\":\"#") {
        let pointer = text[at + 9..].split('"').next().unwrap();
        assert!(document.pointer(pointer.trim_start_matches('#')).is_some_and(|found| !found.is_null()), "{pointer}");
    }
}
