//! docs/routes.md names everything that this code understands.
#![allow(clippy::unwrap_used)]

use tollgate_model::trace::Kind;
use tollgate_rules::auto::{Pool, Reason};
use tollgate_rules::walk::Miss;

#[test]
fn the_page_of_routes_is_complete() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/routes.md");
    let page = std::fs::read_to_string(path).unwrap();
    let words =
        Kind::ALL.map(Kind::word).into_iter().chain(Miss::ALL.map(Miss::word)).chain(Reason::ALL.map(Reason::word));
    for word in words {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
    for entry in Pool::default().all() {
        let in_pool = if entry.in_pool { "yes" } else { "" };
        assert!(page.contains(&format!("| `{}` | {in_pool} | {} |", entry.name, entry.quality)), "{}", entry.name);
    }
}
