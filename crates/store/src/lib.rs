//! The memory of the gateway: settings, logs, cached answers, and the journal in front of the logs.
//!
//! Enters: records with their bodies, answers worth keeping, documents. Leaves: the same, found again, also after `kill -9`.
//! Never: judges what to keep (that is `rules`), speaks HTTP, or asks a network store while a request waits.
//!
//! | need | promise | embedded form |
//! |---|---|---|
//! | [`journal`] | what was written survives the process | files written in order, one series per worker |
//! | [`ingest`] | everything journaled becomes a row exactly once | one thread |
//! | [`Records`] | rows by filter and order, bodies by id | SQLite, one file per day, bodies beside it |
//! | [`Answers`] | a cached answer or a miss, within a bound of bytes | memory over SQLite |
//! | [`Documents`] | versioned settings with a change counter | SQLite |
//! | [`Entries`] | what grows with use, by time: audit, credit lines, results | SQLite, a file of its own |

pub mod answers;
pub mod backup;
pub mod documents;
pub mod embedded;
pub mod entries;
pub mod failure;
pub mod ingest;
pub mod journal;
pub mod ledger;
pub mod metrics;
pub mod records;
pub mod uses;

mod place;

/// Shared with the tests from outside.
#[cfg(test)]
#[allow(dead_code, unreachable_pub)]
#[path = "../tests/store/sample.rs"]
mod sample;

pub use answers::{AnswerKey, Answers, CachedAnswer};
pub use documents::{Document, Documents};
pub use entries::Entries;
pub use failure::{Failure, StoreError};
pub use ingest::Ingest;
pub use journal::{Journal, JournalOptions, JournalWriter};
pub use ledger::Ledger;
pub use metrics::Metrics;
pub use records::Records;
pub use uses::Uses;
