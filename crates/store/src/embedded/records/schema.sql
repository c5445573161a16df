-- One day of the log. What is filtered, ordered or summed is a column; the rest of a record is a blob.

-- How many rows a gateway has, kept so that nobody has to count.
CREATE TABLE gateway (code INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rows INTEGER NOT NULL,
    left_out INTEGER NOT NULL DEFAULT 0 -- rows that were not inserted because the gateway had as many as it may
);

-- What many records have in common is stored once, and rows hold its code. The same shape may be here more than once: whoever writes a day anew does
-- not look for those that are there.
CREATE TABLE shape (
    code INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    path TEXT NOT NULL,
    model_type TEXT,
    request_type TEXT,
    request_content_type TEXT,
    response_content_type TEXT,
    user_agent TEXT,
    status INTEGER NOT NULL,
    flags INTEGER NOT NULL,             -- 1 success, 2 cached, 4 authenticated
    bytes BLOB NOT NULL                 -- all of it
);

CREATE TABLE log (
    id INTEGER PRIMARY KEY,             -- time and counter of the record's id: Id::key()
    noise INTEGER NOT NULL,             -- the random rest of the id
    created_ms INTEGER NOT NULL,
    gateway INTEGER NOT NULL,           -- codes
    shape INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    cost INTEGER,                       -- nano-dollars
    event_id TEXT,                      -- null: the id itself
    labels TEXT,                        -- metadata as a JSON object of texts; null: none
    -- where the bodies are, in the file beside; null: not kept
    request_at INTEGER,
    request_len INTEGER,
    response_at INTEGER,
    response_len INTEGER,
    rest BLOB NOT NULL,
    feedback INTEGER,                   -- -1, 0, 1; null: nobody said
    score REAL                          -- 0 to 100
);

-- The log is read newest first, one gateway at a time. Rows come almost in this order, so it grows at its ends. Without it the newest 50 of 100,000 take
-- 30 ms, with it 1 (examples/ingest_speed.rs).
CREATE INDEX log_by_time ON log (gateway, created_ms);

-- Few records are rated: these hold nothing for the others.
CREATE INDEX log_by_feedback ON log (gateway, feedback) WHERE feedback IS NOT NULL;
CREATE INDEX log_by_score ON log (gateway, score) WHERE score IS NOT NULL;

-- What was deleted, so that a batch that is handed in again after a crash does not bring it back.
CREATE TABLE gone (id INTEGER PRIMARY KEY);

PRAGMA user_version = 3;
