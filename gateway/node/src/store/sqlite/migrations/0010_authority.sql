-- Authorities' approvals, the messages that rest on them, and what a release was decided on.

CREATE TABLE authority_act (
    seq          INTEGER PRIMARY KEY,
    act          BLOB NOT NULL UNIQUE,
    approval     TEXT NOT NULL,
    message_type TEXT NOT NULL,
    case_id      BLOB NOT NULL,
    peer         TEXT,
    role         TEXT NOT NULL,
    -- An officer's act on a held row, or a message of the country that approves.
    held_row     BLOB,
    agency       TEXT,
    officer      TEXT,
    person       TEXT,
    statement    TEXT,
    message      BLOB,
    content      BLOB,
    until_ms     INTEGER NOT NULL,
    at_ms        INTEGER NOT NULL,
    ended_ms     INTEGER,
    ending       TEXT,
    tried        INTEGER NOT NULL,
    UNIQUE (held_row, person)
) STRICT;
CREATE INDEX act_by_case ON authority_act (case_id, seq);
CREATE INDEX act_by_agency ON authority_act (agency, seq) WHERE agency IS NOT NULL;
CREATE INDEX act_by_end ON authority_act (until_ms);
CREATE INDEX act_untried ON authority_act (seq) WHERE tried = 0;

CREATE TABLE rests_on (
    message BLOB NOT NULL,
    act     BLOB NOT NULL REFERENCES authority_act (act),
    PRIMARY KEY (message, act)
) STRICT, WITHOUT ROWID;
CREATE INDEX rests_by_act ON rests_on (act);

CREATE TRIGGER message_rests_no_more AFTER DELETE ON message BEGIN
    DELETE FROM rests_on WHERE message = old.message;
END;

-- Persons of whom nothing goes without people, by a keyed pseudonym, while the question that asked for it stands.
CREATE TABLE restriction (
    question  BLOB PRIMARY KEY,
    key       TEXT NOT NULL,
    placed_ms INTEGER NOT NULL,
    lifted_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX restriction_stands ON restriction (question) WHERE lifted_ms IS NULL;

ALTER TABLE approval ADD COLUMN case_id BLOB;
CREATE INDEX approval_by_case ON approval (case_id, seq) WHERE case_id IS NOT NULL;

ALTER TABLE outbox ADD COLUMN ground BLOB;
ALTER TABLE outbox ADD COLUMN lapses_ms INTEGER;
