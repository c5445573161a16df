-- From version 2 of a day to version 3; the meaning of what is added stands in schema.sql.
ALTER TABLE gateway ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log ADD COLUMN feedback INTEGER;
ALTER TABLE log ADD COLUMN score REAL;
CREATE INDEX log_by_feedback ON log (gateway, feedback) WHERE feedback IS NOT NULL;
CREATE INDEX log_by_score ON log (gateway, score) WHERE score IS NOT NULL;
CREATE TABLE gone (id INTEGER PRIMARY KEY);
PRAGMA user_version = 3;
