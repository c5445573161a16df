//! Dependencies between our crates only point down.
//!
//! Enters: what each crate depends on. Leaves: the ones that look up, or sideways, or bring the world into a pure room.

use super::Finding;
use super::tree::{Dependency, Package, Tree};

/// A room, and which rooms it may stand on. Whoever is not in the list (bench, xtask) ships nothing and may use what it likes.
const FLOORS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("testkit", &[]),
    ("wire", &["model"]),
    ("rules", &["model", "wire"]),
    ("store", &["model", "wire"]),
    ("dial", &["model", "wire", "rules"]),
    // The sandbox provider is the testkit's scripted upstream, served in memory.
    ("engine", &["model", "wire", "rules", "store", "dial", "testkit"]),
    ("control", &["model", "wire", "rules", "store", "dial"]),
    ("app", &["model", "wire", "rules", "store", "dial", "testkit", "engine", "control"]),
];

/// Rooms that take values and give values back, and what would let in a socket, a task or a disk.
const PURE: &[&str] = &["model", "wire", "rules"];
const IMPURE: &[&str] =
    &["tokio", "tokio-util", "mio", "socket2", "hyper", "hyper-util", "axum", "rusqlite", "parking_lot", "tracing"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.packages.iter().flat_map(|package| package.dependencies.iter().filter_map(|on| judge(package, on))).collect()
}

fn judge(package: &Package, on: &Dependency) -> Option<Finding> {
    let room = room_of(&package.name)?;
    // A test may script an upstream in any room; it must not turn the house upside down otherwise.
    let for_tests = on.kind.as_deref() == Some("dev");
    let below = FLOORS.iter().find(|(name, _)| *name == room).map(|(_, below)| *below)?;
    let (wrong, instead) = match room_of(&on.name) {
        Some("testkit") if for_tests => return None,
        Some(other) if !below.contains(&other) => (
            format!("{room} depends on {other}"),
            format!("{room} may only stand on: {}", if below.is_empty() { "nothing".into() } else { below.join(", ") }),
        ),
        None if !for_tests && PURE.contains(&room) && IMPURE.contains(&on.name.as_str()) => (
            format!("{room} depends on {}", on.name),
            format!(
                "{room} is pure: no socket, no clock, no task, no lock; let a room above do it and hand in the value"
            ),
        ),
        _ => return None,
    };
    Some(Finding::in_file(&format!("crates/{room}/Cargo.toml"), wrong, instead))
}

fn room_of(package: &str) -> Option<&str> {
    package.strip_prefix("tollgate-")
}
