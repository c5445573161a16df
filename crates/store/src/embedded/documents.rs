//! Settings documents in one SQLite file.
//!
//! Enters: drafts. Leaves: documents, and the count of changes. Never: is read on the request path: requests hold a compiled snapshot.
//!
//! The command line may write the same file while the server runs. SQLite orders the writers, and the change counter is a row of the file itself, kept
//! by triggers. (`PRAGMA data_version` would tell of other connections only, and forget across a restart.)

use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::sqlite;
use crate::documents::{Document, Documents, Draft, Write, Written};
use crate::failure::{Failure, StoreError};

mod migrations {
    refinery::embed_migrations!("migrations/documents");
}

const CACHE_KIB: u32 = 1_024;
const COLUMNS: &str = "kind, parent, id, name, version, body";

/// The embedded document store.
#[derive(Debug)]
pub struct FileDocuments {
    path: PathBuf,
    /// One connection: settings are read and written a few times a minute.
    connection: Mutex<Connection>,
}

// === impl FileDocuments ===

impl FileDocuments {
    /// Opens or makes the file, and brings its tables up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // Settings are few and precious.
        let connection = sqlite::open_durable(path, CACHE_KIB, migrations::migrations::runner)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        read(&self.connection.lock()).map_err(|cause| self.failed(cause))
    }

    /// Writers of all processes one after the other, from the first look to the commit.
    fn write<T>(&self, write: impl FnOnce(&Connection) -> Result<T, Refused>) -> Result<T, StoreError> {
        let mut connection = self.connection.lock();
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|cause| self.failed(cause))?;
        let written = write(&transaction).map_err(|refused| match refused {
            Refused::Conflict(found) => {
                StoreError::new(Failure::Conflict, format!("the document is at version {found} now"))
            }
            Refused::Sqlite(cause) => self.failed(cause),
        })?;
        transaction.commit().map_err(|cause| self.failed(cause))?;
        Ok(written)
    }

    fn failed(&self, cause: rusqlite::Error) -> StoreError {
        StoreError::sqlite(format!("using the settings in {}", self.path.display()), cause)
    }
}

/// Why a write did not happen.
enum Refused {
    /// The version there is, 0 for none.
    Conflict(u64),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

impl Documents for FileDocuments {
    fn put(&self, draft: Draft<'_>, expected: Option<u64>) -> Result<u64, StoreError> {
        self.write(|connection| put(connection, draft, expected))
    }

    fn get(&self, kind: &str, parent: &str, id: &str) -> Result<Option<Document>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM document WHERE kind = ? AND parent = ? AND id = ?");
        self.read(|connection| connection.prepare_cached(&sql)?.query_row([kind, parent, id], document).optional())
    }

    fn list(&self, kind: &str, parent: &str) -> Result<Vec<Document>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM document WHERE kind = ? AND parent = ? ORDER BY id");
        self.read(|connection| connection.prepare_cached(&sql)?.query_map([kind, parent], document)?.collect())
    }

    fn delete(&self, kind: &str, parent: &str, id: &str, expected: Option<u64>) -> Result<bool, StoreError> {
        self.write(|connection| delete(connection, [kind, parent, id], expected))
    }

    fn write_all(&self, writes: &[Write<'_>]) -> Result<Written, StoreError> {
        self.write(|connection| {
            let before = changes(connection)?;
            for write in writes {
                match *write {
                    Write::Put { draft, expected } => drop(put(connection, draft, expected)?),
                    Write::Delete { kind, parent, id, expected } => {
                        delete(connection, [kind, parent, id], expected)?;
                    }
                }
            }
            Ok(Written { before, after: changes(connection)? })
        })
    }

    fn all(&self) -> Result<(Vec<Document>, u64), StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM document ORDER BY kind, parent, id");
        let mut connection = self.connection.lock();
        let found = connection.transaction().and_then(|moment| {
            let changes = changes(&moment)?;
            let documents = moment.prepare_cached(&sql)?.query_map([], document)?.collect::<Result<_, _>>()?;
            Ok((documents, changes))
        });
        found.map_err(|cause| self.failed(cause))
    }

    fn changes(&self) -> Result<u64, StoreError> {
        self.read(changes)
    }

    fn scrub(&self) -> Result<(), StoreError> {
        self.read(|connection| connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"))
    }

    fn constant(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| constant(connection, name))
    }

    fn settle_constant(&self, name: &str, value: &str) -> Result<String, StoreError> {
        self.write(|connection| {
            let sql = "INSERT OR IGNORE INTO constant (name, value) VALUES (?, ?)";
            connection.prepare_cached(sql)?.execute([name, value])?;
            Ok(constant(connection, name)?.unwrap_or_else(|| value.to_owned()))
        })
    }
}

fn put(connection: &Connection, draft: Draft<'_>, expected: Option<u64>) -> Result<u64, Refused> {
    expect(connection, draft.kind, draft.parent, draft.id, expected)?;
    let sql = "INSERT INTO document (kind, parent, id, name, version, body) VALUES (?1, ?2, ?3, ?4, 1, ?5) \
         ON CONFLICT DO UPDATE SET name = excluded.name, body = excluded.body, version = version + 1 RETURNING version";
    let values = params![draft.kind, draft.parent, draft.id, draft.name, draft.body];
    Ok(connection.prepare_cached(sql)?.query_row(values, |row| row.get::<_, i64>(0))?.unsigned_abs())
}

fn delete(connection: &Connection, place: [&str; 3], expected: Option<u64>) -> Result<bool, Refused> {
    let [kind, parent, id] = place;
    expect(connection, kind, parent, id, expected)?;
    let sql = "DELETE FROM document WHERE kind = ? AND parent = ? AND id = ?";
    Ok(connection.prepare_cached(sql)?.execute(place)? > 0)
}

fn expect(connection: &Connection, kind: &str, parent: &str, id: &str, expected: Option<u64>) -> Result<(), Refused> {
    let Some(expected) = expected else { return Ok(()) };
    let sql = "SELECT version FROM document WHERE kind = ? AND parent = ? AND id = ?";
    let found = connection.prepare_cached(sql)?.query_row([kind, parent, id], |row| row.get::<_, i64>(0)).optional()?;
    match found.unwrap_or_default().unsigned_abs() {
        version if version == expected => Ok(()),
        version => Err(Refused::Conflict(version)),
    }
}

fn document(row: &Row<'_>) -> Result<Document, rusqlite::Error> {
    Ok(Document {
        kind: row.get(0)?,
        parent: row.get(1)?,
        id: row.get(2)?,
        name: row.get(3)?,
        version: row.get::<_, i64>(4)?.unsigned_abs(),
        body: row.get(5)?,
    })
}

fn changes(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let count =
        connection.prepare_cached("SELECT changes FROM change_count")?.query_row([], |row| row.get::<_, i64>(0));
    count.map(i64::unsigned_abs)
}

fn constant(connection: &Connection, name: &str) -> Result<Option<String>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT value FROM constant WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()
}
