-- First schema. Instants are milliseconds since the epoch; ids and digests are raw bytes.
-- `direction`: 0 out, 1 in. `lane`: 0 alert, 1 control, 2 bulk. Columns named `sealed` are ciphertext.

CREATE TABLE meta (
    only      INTEGER PRIMARY KEY CHECK (only = 1),
    country   TEXT NOT NULL,
    realm     TEXT NOT NULL,
    key_check BLOB NOT NULL
) STRICT;

-- Narrow on purpose: a change of state rewrites this row, never the wire bytes.
CREATE TABLE message (
    seq          INTEGER PRIMARY KEY,
    message      BLOB NOT NULL UNIQUE,
    direction    INTEGER NOT NULL,
    release      BLOB NOT NULL,
    peer         TEXT NOT NULL,
    lane         INTEGER NOT NULL,
    message_type TEXT NOT NULL,
    version      INTEGER NOT NULL,
    agency       TEXT,
    role         TEXT NOT NULL,
    case_id      BLOB NOT NULL,
    operation    BLOB,
    list_row     INTEGER,
    in_reply_to  BLOB,
    created_ms   INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    state        TEXT NOT NULL,
    code         TEXT,
    categories   TEXT NOT NULL
) STRICT;
CREATE INDEX message_by_operation ON message (operation, created_ms, message) WHERE operation IS NOT NULL;
CREATE INDEX message_by_question ON message (in_reply_to) WHERE in_reply_to IS NOT NULL;
-- Written as ORs: SQLite proves `state = 'queued'` from a disjunction, not from IN. `accepted` is the
-- bulk of the table and needs no index to be found.
CREATE INDEX message_by_state ON message (state, seq)
    WHERE state = 'queued' OR state = 'refused' OR state = 'expired'
       OR state = 'unconfirmed' OR state = 'cancelled';

CREATE TABLE wire (
    seq    INTEGER PRIMARY KEY REFERENCES message (seq),
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE withheld (
    seq    INTEGER PRIMARY KEY REFERENCES message (seq),
    sealed BLOB NOT NULL
) STRICT;

-- Exactly the messages whose state is `queued`, in the order in which they are sent.
CREATE TABLE outbox (
    peer       TEXT NOT NULL,
    lane       INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    seq        INTEGER NOT NULL REFERENCES message (seq),
    case_id    BLOB NOT NULL,
    due_ms     INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    PRIMARY KEY (peer, lane, created_ms, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_by_due ON outbox (peer, lane, due_ms);
-- Order is promised within a case of the bulk lane only, so only its rows are looked up by case.
CREATE INDEX outbox_by_case ON outbox (case_id, peer, created_ms, seq, due_ms) WHERE lane = 2;
CREATE INDEX outbox_by_expiry ON outbox (expires_ms);

-- Kept by triggers, so that no write can move a row without its count.
CREATE TABLE depth (
    peer    TEXT NOT NULL,
    lane    INTEGER NOT NULL,
    waiting INTEGER NOT NULL CHECK (waiting >= 0),
    PRIMARY KEY (peer, lane)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER outbox_grows AFTER INSERT ON outbox BEGIN
    INSERT INTO depth (peer, lane, waiting) VALUES (NEW.peer, NEW.lane, 1)
    ON CONFLICT (peer, lane) DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER outbox_shrinks AFTER DELETE ON outbox BEGIN
    UPDATE depth SET waiting = waiting - 1 WHERE peer = OLD.peer AND lane = OLD.lane;
END;

-- What a repeated delivery is answered from; outlives nothing but the dedup promise.
CREATE TABLE inbound_id (
    message       BLOB PRIMARY KEY,
    release       BLOB NOT NULL,
    issuer_digest BLOB NOT NULL,
    keep_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX inbound_id_by_end ON inbound_id (keep_until_ms);

CREATE TABLE receipt (
    key       INTEGER PRIMARY KEY,
    message   BLOB NOT NULL,
    release   BLOB NOT NULL,
    state     TEXT NOT NULL,
    direction INTEGER NOT NULL,
    peer      TEXT NOT NULL,
    code      TEXT,
    at_ms     INTEGER NOT NULL,
    receipt   BLOB NOT NULL,
    to_send   INTEGER NOT NULL,
    UNIQUE (message, release, state)
) STRICT;
CREATE INDEX receipt_to_send ON receipt (peer, key) WHERE to_send = 1;

CREATE TABLE decision (
    seq      INTEGER PRIMARY KEY,
    decision BLOB NOT NULL,
    message  BLOB,
    outcome  TEXT NOT NULL,
    rule     TEXT NOT NULL,
    spoke    TEXT NOT NULL,
    policy   BLOB NOT NULL,
    sealed   BLOB NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_by_message ON decision (message, seq) WHERE message IS NOT NULL;

CREATE TABLE leaf (
    seq    INTEGER PRIMARY KEY,
    leaf   BLOB NOT NULL,
    salt   BLOB NOT NULL,
    sealed BLOB NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT;

-- `seq` is the agencies' cursor: rows are never deleted, and one writer commits in order, so a reader
-- that has seen N never finds a smaller number later. `agency` is '' where the role alone is addressed.
CREATE TABLE event (
    seq          INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,
    agency       TEXT NOT NULL,
    role         TEXT NOT NULL,
    message      BLOB,
    approval     BLOB,
    message_type TEXT,
    state        TEXT NOT NULL,
    at_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX event_by_addressee ON event (role, agency, seq);
CREATE INDEX event_by_message ON event (message, seq) WHERE kind = 'message_state' AND message IS NOT NULL;

CREATE TABLE idempotent (
    agency        TEXT NOT NULL,
    key           TEXT NOT NULL,
    request       BLOB NOT NULL,
    status        INTEGER NOT NULL,
    body          BLOB NOT NULL,
    keep_until_ms INTEGER NOT NULL,
    UNIQUE (agency, key)
) STRICT;
CREATE INDEX idempotent_by_end ON idempotent (keep_until_ms);

CREATE TABLE approval (
    seq          INTEGER PRIMARY KEY,
    approval     BLOB NOT NULL UNIQUE,
    agency       TEXT NOT NULL,
    role         TEXT NOT NULL,
    submitter    TEXT,
    message_type TEXT NOT NULL,
    peer         TEXT NOT NULL,
    operation    BLOB,
    list_row     INTEGER,
    rules        TEXT NOT NULL,
    preview      BLOB NOT NULL,
    sealed       BLOB NOT NULL,
    opened_ms    INTEGER NOT NULL,
    lapses_ms    INTEGER NOT NULL,
    state        TEXT NOT NULL,
    closed_ms    INTEGER,
    message      BLOB
) STRICT;
CREATE INDEX approval_by_state ON approval (state, seq);
CREATE INDEX approval_by_lapse ON approval (lapses_ms) WHERE closed_ms IS NULL;

CREATE TABLE statement (
    seq       INTEGER PRIMARY KEY,
    approval  BLOB NOT NULL REFERENCES approval (approval),
    officer   TEXT NOT NULL,
    agency    TEXT NOT NULL,
    person    TEXT NOT NULL,
    verdict   TEXT NOT NULL,
    statement TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    UNIQUE (approval, person)
) STRICT;

CREATE TABLE chunk (
    root   BLOB NOT NULL,
    part   INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (root, part)
) STRICT;
