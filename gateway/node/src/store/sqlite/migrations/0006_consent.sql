-- Consents, the ledger of disclosures, and what recipients have to be told after the fact.
-- `subject` is a keyed pseudonym of the agency's own reference; names and references stand in no column.

CREATE TABLE consent (
    seq     INTEGER PRIMARY KEY,
    consent BLOB NOT NULL UNIQUE,
    agency  TEXT NOT NULL,
    digest  BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    at_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE consent_event (
    consent BLOB NOT NULL REFERENCES consent (consent),
    number  INTEGER NOT NULL,
    digest  BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    at_ms   INTEGER NOT NULL,
    UNIQUE (consent, number)
) STRICT;

CREATE TABLE disclosure (
    seq          INTEGER PRIMARY KEY,
    message      BLOB NOT NULL UNIQUE,
    agency       TEXT NOT NULL,
    role         TEXT NOT NULL,
    country      TEXT NOT NULL,
    to_role      TEXT NOT NULL,
    to_agency    TEXT,
    message_type TEXT NOT NULL,
    purpose      TEXT NOT NULL,
    basis        TEXT NOT NULL,
    categories   TEXT NOT NULL,
    consent      BLOB,
    not_after_ms INTEGER,
    subject      TEXT,
    case_id      BLOB NOT NULL,
    at_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX disclosure_by_case ON disclosure (case_id, seq);
CREATE INDEX disclosure_by_consent ON disclosure (consent, seq) WHERE consent IS NOT NULL;
CREATE INDEX disclosure_by_subject ON disclosure (subject, seq) WHERE subject IS NOT NULL;

CREATE TABLE notice (
    seq       INTEGER PRIMARY KEY,
    notice    BLOB NOT NULL UNIQUE,
    kind      TEXT NOT NULL,
    consent   BLOB,
    message   BLOB,
    agency    TEXT NOT NULL,
    role      TEXT NOT NULL,
    country   TEXT NOT NULL,
    to_role   TEXT NOT NULL,
    to_agency TEXT,
    opened_ms INTEGER NOT NULL,
    due_ms    INTEGER NOT NULL,
    state     TEXT NOT NULL,
    code      TEXT,
    reply     BLOB,
    closed_ms INTEGER
) STRICT;
CREATE INDEX notice_by_agency ON notice (agency, seq);
CREATE INDEX notice_by_message ON notice (message) WHERE message IS NOT NULL;
CREATE INDEX notice_unresolved ON notice (state, seq) WHERE state = 'open' OR state = 'overdue';

-- What peers said is left of consents that they collected; one row a notice, and all of them hold together.
CREATE TABLE withdrawal (
    peer       TEXT NOT NULL,
    consent    BLOB NOT NULL,
    message    BLOB NOT NULL,
    purposes   TEXT NOT NULL,
    categories TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    UNIQUE (peer, consent, message)
) STRICT;

-- Whom the messages that came in are about, by the sender's pseudonym.
CREATE TABLE received (
    seq         INTEGER PRIMARY KEY,
    message     BLOB NOT NULL UNIQUE,
    peer        TEXT NOT NULL,
    subject_ref TEXT NOT NULL
) STRICT;
CREATE INDEX received_by_subject ON received (peer, subject_ref, seq);

-- The ledger is kept as long as the record of the message that it is about.
CREATE TRIGGER message_goes AFTER DELETE ON message BEGIN
    DELETE FROM disclosure WHERE message = old.message;
    DELETE FROM received WHERE message = old.message;
END;
