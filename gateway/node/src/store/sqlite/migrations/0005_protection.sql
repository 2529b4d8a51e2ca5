-- Protection holds, the rows they stopped, and whom a waiting message names.

-- A hold shows an id and two instants; whose it is and whom it is about are sealed.
CREATE TABLE hold (
    seq       INTEGER PRIMARY KEY,
    hold      BLOB NOT NULL UNIQUE,
    revision  INTEGER NOT NULL,
    placed_ms INTEGER NOT NULL,
    ended_ms  INTEGER,
    sealed    BLOB NOT NULL
) STRICT;
CREATE INDEX hold_standing ON hold (seq) WHERE ended_ms IS NULL;

-- `sealed` is where it stands, with row and operation; `record` is sealed too, and `draft` under its subject's key: it goes
-- when nothing of the row is open and its days are over. `unanswered` is 1 while the sender is silent, `unreviewed` while
-- the authority is.
CREATE TABLE stop (
    seq        INTEGER PRIMARY KEY,
    stop       BLOB NOT NULL UNIQUE,
    revision   INTEGER NOT NULL,
    agency     TEXT NOT NULL,
    authority  TEXT NOT NULL,
    unanswered INTEGER NOT NULL,
    unreviewed INTEGER NOT NULL,
    alarm_ms   INTEGER,
    sealed     BLOB NOT NULL,
    record     BLOB NOT NULL,
    opened_ms  INTEGER NOT NULL,
    draft      BLOB
) STRICT;
CREATE INDEX stop_unanswered ON stop (agency, seq) WHERE unanswered = 1;
CREATE INDEX stop_unreviewed ON stop (authority, seq) WHERE unreviewed = 1;
CREATE INDEX stop_by_alarm ON stop (alarm_ms) WHERE alarm_ms IS NOT NULL;
CREATE INDEX stop_with_draft ON stop (opened_ms) WHERE draft IS NOT NULL AND unanswered = 0 AND unreviewed = 0;

-- Gone with the message's last state: it serves one comparison.
CREATE TABLE named (
    seq    INTEGER PRIMARY KEY REFERENCES message (seq),
    sealed BLOB NOT NULL
) STRICT;
