CREATE TABLE document (
    kind TEXT NOT NULL,
    parent TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, parent, id)
) WITHOUT ROWID;

CREATE TABLE constant (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row that counts changes. Triggers keep it, so that a change is seen whoever makes it: this process, another, or a person with the sqlite3 shell.
CREATE TABLE change_count (changes BIGINT NOT NULL);
INSERT INTO change_count (changes) VALUES (0);

CREATE TRIGGER document_added AFTER INSERT ON document BEGIN
    UPDATE change_count SET changes = changes + 1;
END;
CREATE TRIGGER document_changed AFTER UPDATE ON document BEGIN
    UPDATE change_count SET changes = changes + 1;
END;
CREATE TRIGGER document_removed AFTER DELETE ON document BEGIN
    UPDATE change_count SET changes = changes + 1;
END;
