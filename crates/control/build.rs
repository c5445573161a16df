//! Has the crate built again when the dashboard was: the embedded files are named by their content, so a new build has other names.
//!
//! Enters: nothing. Leaves: one line for cargo. Never: builds the dashboard itself: `make build` does, and says so when node is missing.

fn main() {
    println!("cargo:rerun-if-changed=../../dashboard/dist");
}
