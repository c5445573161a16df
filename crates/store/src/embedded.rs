//! The embedded backends: everything in one data directory, nothing to install.
//!
//! Enters: paths. Leaves: [`DayRecords`], [`DiskAnswers`], [`FileDocuments`] and [`FileEntries`], which keep the promises of the traits.
//! Never: is named above this crate except where the process is put together.

pub mod answers;
pub mod documents;
pub mod entries;
pub mod records;

mod sqlite;

pub use answers::{DiskAnswers, DiskAnswersOptions};
pub use documents::FileDocuments;
pub use entries::FileEntries;
pub use records::{DayRecords, DayRecordsOptions};

pub(crate) use sqlite::{check_database, copy_database};
