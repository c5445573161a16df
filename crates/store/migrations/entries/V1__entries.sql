CREATE TABLE entry (
    -- Order of arrival: two entries of one millisecond keep theirs.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    parent TEXT NOT NULL,
    id TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, parent, id)
);

CREATE INDEX entry_by_time ON entry (kind, parent, at_ms, seq);
CREATE INDEX entry_by_age ON entry (kind, at_ms);
