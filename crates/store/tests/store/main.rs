//! The store's promises, checked from outside.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod answers_suite;
mod day_files;
mod disk_full;
mod documents_suite;
mod edits;
mod entries_suite;
mod filters;
mod kill;
mod pipeline;
mod records_suite;
mod sample;
