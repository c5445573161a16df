//! The stages of a request, each in a file of its own. `serve` says in which order they run.

pub(crate) mod access;
pub(crate) mod admit;
pub(crate) mod cache;
pub(crate) mod credit;
pub(crate) mod hear;
pub(crate) mod key;
pub(crate) mod limit;
pub(crate) mod miss;
pub(crate) mod once;
pub(crate) mod plan;
pub(crate) mod scope;
pub(crate) mod send;
pub(crate) mod told;
pub(crate) mod translate;
