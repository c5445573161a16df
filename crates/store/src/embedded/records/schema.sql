-- One day of the log. What is filtered, ordered or summed is a column; the rest of a record is one blob.

-- Text with few distinct values is stored once, and rows hold its code.
CREATE TABLE word (code INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

CREATE TABLE log (
    id INTEGER PRIMARY KEY,             -- time and counter of the record's id: Id::key()
    noise INTEGER NOT NULL,             -- the random rest of the id
    created_ms INTEGER NOT NULL,
    -- codes of words
    account INTEGER NOT NULL,
    gateway INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    model INTEGER NOT NULL,
    path INTEGER NOT NULL,
    method INTEGER NOT NULL,
    model_type INTEGER,
    request_type INTEGER,
    request_content_type INTEGER,
    response_content_type INTEGER,
    user_agent INTEGER,
    --
    status INTEGER NOT NULL,
    flags INTEGER NOT NULL,             -- 1 success, 2 cached, 4 authenticated
    duration_ms INTEGER NOT NULL,
    tokens_in INTEGER,
    tokens_out INTEGER,
    cost INTEGER,                       -- nano-dollars
    event_id TEXT,                      -- null: the id itself
    labels TEXT,                        -- metadata as a JSON object of texts; null: none
    -- where the bodies are: block in the file beside, and place in the block
    block INTEGER,
    at INTEGER,
    request_len INTEGER,
    response_len INTEGER,
    rest BLOB NOT NULL
);

-- The log is read newest first, one gateway at a time. Rows come almost in this order, so it grows at its ends. Measured with
-- examples/ingest_speed.rs at 100,000 rows: it costs 0.6 microseconds and 35 bytes a row, and without it the newest 50 take 30 ms, with it 1.
CREATE INDEX log_by_time ON log (gateway, created_ms);

-- How many rows a gateway has, kept so that nobody has to count.
CREATE TABLE tally (gateway INTEGER PRIMARY KEY, rows INTEGER NOT NULL);

PRAGMA user_version = 1;
