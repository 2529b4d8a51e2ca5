-- Keys of subjects, erasure and retention. `subject_key`: the key that content is sealed under; NULL where none is
-- kept, or where it was stored before there were such keys (then the store key seals it).

ALTER TABLE message ADD COLUMN subject_key BLOB;
-- Until when the content is kept, and when retention has something to do next; NULL: nothing.
ALTER TABLE message ADD COLUMN keep_until_ms INTEGER;
ALTER TABLE message ADD COLUMN act_ms INTEGER;
-- What was stored before says its retention in the wire only: the longest of any profile, 365 days.
UPDATE message SET keep_until_ms = created_ms + 31536000000, act_ms = created_ms + 31536000000
    WHERE seq IN (SELECT seq FROM wire);
CREATE INDEX message_by_subject_key ON message (subject_key) WHERE subject_key IS NOT NULL;
CREATE INDEX message_by_act ON message (act_ms) WHERE act_ms IS NOT NULL;

ALTER TABLE leaf ADD COLUMN subject_key BLOB;

-- Keys that were destroyed or are about to be. Never deleted: a key store restored from an older copy is told again.
CREATE TABLE erasure (
    seq     INTEGER PRIMARY KEY,
    key     BLOB NOT NULL UNIQUE,
    at_ms   INTEGER NOT NULL,
    settled INTEGER NOT NULL
) STRICT;
CREATE INDEX erasure_unsettled ON erasure (seq) WHERE settled = 0;

CREATE TABLE legal_hold (
    key BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Only this file of subject keys fits this store.
CREATE TABLE key_store (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    instance BLOB NOT NULL
) STRICT;

-- Which messages name an attachment: its chunks stay as long as one does. `unnamed_ms`: since when none does; NULL: one
-- does, or the chunk is from before and its messages are not known here.
CREATE TABLE attachment (
    root BLOB NOT NULL,
    seq  INTEGER NOT NULL REFERENCES message (seq),
    PRIMARY KEY (root, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_by_message ON attachment (seq);
ALTER TABLE chunk ADD COLUMN unnamed_ms INTEGER;
CREATE INDEX chunk_unnamed ON chunk (unnamed_ms) WHERE unnamed_ms IS NOT NULL;

-- 1: `body` is sealed under the store key.
ALTER TABLE idempotent ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;

-- A draft goes some days after its approval was closed.
ALTER TABLE approval ADD COLUMN draft_kept INTEGER NOT NULL DEFAULT 1;
CREATE INDEX approval_with_draft ON approval (closed_ms) WHERE closed_ms IS NOT NULL AND draft_kept = 1;
