-- What an authority determined about a person, and the messages that rest on it.

CREATE TABLE determination (
    seq      INTEGER PRIMARY KEY,
    act      BLOB NOT NULL UNIQUE,
    -- The tag of the person (HMAC under the node's secret).
    subject  BLOB NOT NULL,
    fact     TEXT NOT NULL,
    holds    INTEGER NOT NULL,
    role     TEXT NOT NULL,
    agency   TEXT NOT NULL,
    officer  TEXT NOT NULL,
    person   TEXT NOT NULL,
    -- The signed statement, under the subject's key.
    sealed   BLOB NOT NULL,
    until_ms INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    ended_ms INTEGER,
    ending   TEXT
) STRICT;
CREATE INDEX determination_by_subject ON determination (subject, fact, seq);
CREATE INDEX determination_by_agency ON determination (agency, seq);
CREATE INDEX determination_by_end ON determination (until_ms);

CREATE TABLE rests_on_determination (
    message BLOB NOT NULL,
    act     BLOB NOT NULL REFERENCES determination (act),
    PRIMARY KEY (message, act)
) STRICT, WITHOUT ROWID;
CREATE INDEX rests_by_determination ON rests_on_determination (act);

CREATE TRIGGER message_rests_on_no_determination AFTER DELETE ON message BEGIN
    DELETE FROM rests_on_determination WHERE message = old.message;
END;
