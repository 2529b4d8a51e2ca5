-- Alerts that a person has to answer, and who was called over them.

-- `record` is where the clock stands, without personal data; `statements` are what officers signed, sealed.
CREATE TABLE watch (
    seq        INTEGER PRIMARY KEY,
    message    BLOB NOT NULL UNIQUE,
    revision   INTEGER NOT NULL,
    agency     TEXT,
    role       TEXT NOT NULL,
    settled    INTEGER NOT NULL,
    answer_ms  INTEGER NOT NULL,
    next_ms    INTEGER,
    record     TEXT NOT NULL,
    statements BLOB NOT NULL
) STRICT;
CREATE INDEX watch_by_clock ON watch (role, answer_ms, seq) WHERE settled = 0;
CREATE INDEX watch_due ON watch (next_ms) WHERE next_ms IS NOT NULL;

-- Sealed, for the name of a contact may be a person's.
CREATE TABLE summons (
    seq     INTEGER PRIMARY KEY,
    summons BLOB NOT NULL UNIQUE,
    message BLOB NOT NULL,
    due_ms  INTEGER,
    sealed  BLOB NOT NULL
) STRICT;
CREATE INDEX summons_of_alert ON summons (message, seq);
CREATE INDEX summons_due ON summons (due_ms) WHERE due_ms IS NOT NULL;
