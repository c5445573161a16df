//! The catalog's rows, as the build embedded them.
//!
//! Enters: nothing. Leaves: every provider of `catalog/providers`. Never: reads a file at run time.

use std::sync::{Arc, LazyLock};

use super::{ProviderRow, Providers, RawRow};

const ROWS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/providers.postcard"));

// === impl Providers ===

impl Providers {
    /// What is in the catalog. Decoded once, at the first call.
    pub fn builtin() -> &'static Arc<Self> {
        static BUILTIN: LazyLock<Arc<Providers>> = LazyLock::new(|| Arc::new(Providers { rows: rows() }));
        &BUILTIN
    }
}

fn rows() -> Vec<Arc<ProviderRow>> {
    let raw: Vec<(String, RawRow)> = postcard::from_bytes(ROWS).expect("build.rs wrote this type");
    let compile = |(segment, raw): &(String, RawRow)| {
        ProviderRow::compile(segment, raw)
            .map_err(|fault| format!("catalog/providers/{segment}/provider.toml: {fault}"))
    };
    let mut rows: Vec<Arc<ProviderRow>> =
        raw.iter().map(|row| Arc::new(compile(row).expect("the tests compile every row"))).collect();
    rows.sort_by(|one, other| one.segment().cmp(other.segment()));
    rows
}
