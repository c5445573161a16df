//! The embedded backends: everything in one data directory, nothing to install.
//!
//! Enters: paths. Leaves: [`DayRecords`], [`DiskAnswers`] and [`FileDocuments`], which keep the promises of the traits.
//! Never: is named above this crate except where the process is put together.

pub mod answers;
pub mod documents;
pub mod records;

mod sqlite;

pub use answers::{DiskAnswers, DiskAnswersOptions};
pub use documents::FileDocuments;
pub use records::{DayRecords, DayRecordsOptions};
